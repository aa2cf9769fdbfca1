-- Working: which generation of the read model is read and written, and how far a new one is built.
-- A generation is a schema, `model_<number>`, made from the folded migrations as they were then.

CREATE TABLE generations (
    number integer PRIMARY KEY,
    -- Drawn: a database made anew counts from one again, and its positions are others.
    born text NOT NULL DEFAULT left(gen_random_uuid()::text, 8),
    state text NOT NULL CHECK (state IN ('building', 'live', 'retired')),
    steps integer NOT NULL,
    digest text NOT NULL,
    retired_at timestamptz
);
CREATE UNIQUE INDEX one_generation_is_live ON generations (state) WHERE state = 'live';
CREATE UNIQUE INDEX one_generation_is_built ON generations (state) WHERE state = 'building';

-- Where the one that is built stands in the log.
CREATE TABLE built_offsets (
    number integer NOT NULL REFERENCES generations ON DELETE CASCADE,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (number, topic, partition)
);

-- A model from before there were generations is made again from the log.
DROP TABLE IF EXISTS accounts, agents, phone_numbers, tombstones, batches, additions, landed_chunks,
    batch_zones, recipients, tallies, calls, conversations, rejections;
UPDATE inbox_offsets SET next_offset = 0;
