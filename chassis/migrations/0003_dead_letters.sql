-- A working table: what could not be read or applied, by its place in the log; never its content.
CREATE TABLE dead_letters (
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    -- Of one of ours that could not be applied: its whole batch was set aside.
    batch_id uuid,
    error text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    tried_at timestamptz NOT NULL DEFAULT now(),
    times integer NOT NULL DEFAULT 1,
    -- Somebody wants it replayed.
    asked boolean NOT NULL DEFAULT false,
    -- Replayed after later records of its key had been applied.
    late boolean NOT NULL DEFAULT false,
    replayed_at timestamptz,
    PRIMARY KEY (topic, partition, "offset")
);
CREATE INDEX dead_letters_asked_for ON dead_letters (topic) WHERE asked;

INSERT INTO dead_letters (topic, partition, "offset", batch_id, error, at, tried_at)
SELECT topic, partition, "offset", batch_id, error, at, at FROM quarantined_batches;
