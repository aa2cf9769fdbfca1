-- The calls asked of a carrier, by the minute they were due to leave in (event time, so a rebuild
-- comes out equal): how fast a batch goes is the last few rows, however many calls it had.
CREATE TABLE paces (
    batch_id uuid NOT NULL,
    minute timestamptz NOT NULL,
    placed bigint NOT NULL,
    -- of these: how many are over, and what they took together
    ended bigint NOT NULL,
    held_ms bigint NOT NULL,
    PRIMARY KEY (batch_id, minute)
);

-- The status event (its sequence) by which the batch was last set going or held, when that was, and
-- by which command.
ALTER TABLE batches
    ADD COLUMN turn integer NOT NULL DEFAULT 0,
    ADD COLUMN turned_at timestamptz,
    ADD COLUMN turned_by integer;

-- The first and last time that people of these zones asked to be called at; -infinity: at any.
ALTER TABLE batch_zones
    ADD COLUMN earliest timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN latest timestamptz NOT NULL DEFAULT '-infinity';

-- The calls of all batches that hold a slot: few, whatever the model's size.
CREATE INDEX tallies_in_flight ON tallies (batch_id)
    WHERE left(standing, 1) IN ('1', '2', '3');
