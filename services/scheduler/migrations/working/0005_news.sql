-- Whom the news is of, or that it is of all; with neither it is but the hour that has come.
ALTER TABLE wakes ADD COLUMN batch_id uuid, ADD COLUMN for_all boolean NOT NULL DEFAULT false;
