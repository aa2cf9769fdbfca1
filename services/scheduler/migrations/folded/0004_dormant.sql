-- A batch that waits costs nothing: what may have something to do is found by its instant.
ALTER TABLE batches
    ADD COLUMN agent_id text GENERATED ALWAYS AS (created::json ->> 'agent_id') STORED,
    ADD COLUMN from_number text GENERATED ALWAYS AS (created::json ->> 'from_number') STORED,
    -- it was looked at and has nothing to do until then or until there is news of it; may be lost
    ADD COLUMN naps_until timestamptz,
    -- the instant from which it may have something to do unasked; null: never
    ADD COLUMN acts_at timestamptz GENERATED ALWAYS AS (
        CASE
            WHEN deleted OR created IS NULL OR status IN ('COMPLETED', 'CANCELLED', 'FAILED') THEN NULL
            WHEN naps_until IS NOT NULL THEN naps_until
            WHEN status = 'RUNNING' THEN '-infinity'::timestamptz
            WHEN status = 'SCHEDULED' THEN least(coalesce(scheduled_at, '-infinity'::timestamptz), expires_at)
            WHEN status = 'PAUSED' AND fatal_epoch = epoch THEN '-infinity'::timestamptz
            WHEN status IN ('PENDING', 'PAUSED') THEN expires_at
        END
    ) STORED;
-- not compared: batches.naps_until, batches.acts_at
DROP INDEX batches_live;
CREATE INDEX batches_running ON batches (account_id, acts_at) WHERE status = 'RUNNING' AND NOT deleted;
CREATE INDEX batches_waiting ON batches (account_id, acts_at) WHERE status <> 'RUNNING' AND acts_at IS NOT NULL;
CREATE INDEX batches_napping ON batches (account_id) WHERE naps_until IS NOT NULL;
-- The end of a batch and its deletion look at its rows alone, however many others there are.
CREATE INDEX recipients_of_a_batch ON recipients (batch_id);

-- Those that were asked first are answered first.
ALTER TABLE commands ADD COLUMN asked_at timestamptz NOT NULL DEFAULT '-infinity';
UPDATE commands SET asked_at = (body::json ->> 'at')::timestamptz;
ALTER TABLE commands ALTER COLUMN asked_at DROP DEFAULT;
DROP INDEX commands_of_an_account;
CREATE INDEX commands_in_turn ON commands (account_id, asked_at, batch_id, command_no);

-- What the directory last said of who calls, and from where.
CREATE TABLE agents (
    account_id text NOT NULL,
    agent_id text NOT NULL,
    usable boolean NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (account_id, agent_id)
);

CREATE TABLE phone_numbers (
    account_id text NOT NULL,
    phone_number text NOT NULL,
    usable boolean NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (account_id, phone_number)
);
