-- Working tables of every service: none of them can be rebuilt from the log alone.

-- Where this service stands in the log; moved in the transaction that folds, and nowhere else.
CREATE TABLE inbox_offsets (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);

-- Events of ours on their way to the broker, deleted when it has acknowledged them.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    headers text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Batches with an event that could not be applied: their later events wait, the other batches go on.
CREATE TABLE quarantined_batches (
    batch_id uuid PRIMARY KEY,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    error text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);

-- What was held back, by its place in the log; never its content.
CREATE TABLE quarantined_records (
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    batch_id uuid NOT NULL REFERENCES quarantined_batches,
    PRIMARY KEY (topic, partition, "offset")
);
CREATE INDEX quarantined_records_of_a_batch ON quarantined_records (batch_id);
