-- Working tables: what they hold can be lost; every account is woken once at start, with all its batches.

-- Batches that were looked at and have nothing to do until then, or until there is news of them.
CREATE TABLE naps (
    batch_id uuid PRIMARY KEY,
    account_id text NOT NULL,
    until timestamptz NOT NULL
);
CREATE INDEX naps_of_an_account ON naps (account_id, until);

-- Whom the news is of; with neither it is but the hour that has come.
ALTER TABLE wakes ADD COLUMN batch_id uuid, ADD COLUMN for_all boolean NOT NULL DEFAULT false;
