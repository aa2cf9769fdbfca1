-- Which record a partition was read up to: a log that has another one in its place is another log.
ALTER TABLE inbox_offsets
    ADD COLUMN marked_offset bigint,
    ADD COLUMN marked_at bigint;

-- The vault that was met first: another one, or none, opens nothing.
CREATE TABLE known_vault (mark text PRIMARY KEY);
