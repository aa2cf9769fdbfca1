-- Working tables: what was taken from people and promised to them.  Backed up, never rebuilt; after a
-- restore from a backup the service first raises its numbers to what stands in its own topics.

-- The newest event of every directory entry, under its key in the log.
CREATE TABLE directory (
    key text PRIMARY KEY,
    version bigint NOT NULL,
    type text NOT NULL,
    body jsonb NOT NULL
);

-- The row under which a batch's next command_no is taken.
CREATE TABLE batches (
    batch_id uuid PRIMARY KEY,
    account_id text NOT NULL,
    command_no bigint NOT NULL
);

-- A list on its way in.  Chunks belong to an upload until they belong to an addition; an upload that
-- nobody has touched for a while is dropped with its chunks, as is one that the log has all of.
CREATE TABLE uploads (
    upload_id uuid PRIMARY KEY,
    touched_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    dropped boolean NOT NULL DEFAULT false
);

-- What the log will be told, chunk by chunk, as JSON in which whoever is called is sealed; not pressed,
-- since a seal does not shrink.  rows and digests (under the account's pepper) find the same number
-- twice and are emptied when the list is whole; same_numbers: the row -> the nearest earlier row.
CREATE TABLE upload_chunks (
    upload_id uuid NOT NULL,
    chunk_no integer NOT NULL,
    entries bytea STORAGE EXTERNAL NOT NULL,
    rows integer[],
    digests bytea[] STORAGE EXTERNAL,
    same_numbers jsonb,
    PRIMARY KEY (upload_id, chunk_no)
);

-- The error log of an upload, sealed chunk by chunk as it was read.
CREATE TABLE upload_rejections (
    upload_id uuid NOT NULL,
    chunk_no integer NOT NULL,
    count integer NOT NULL,
    sealed text NOT NULL,
    PRIMARY KEY (upload_id, chunk_no)
);

-- A list that is in a batch, and how much of it the log has acknowledged.  forgotten: the log names
-- it, but this database was restored from a backup that does not.
CREATE TABLE additions (
    addition_id uuid PRIMARY KEY,
    batch_id uuid NOT NULL REFERENCES batches,
    upload_id uuid NOT NULL,
    chunks integer NOT NULL,
    rejection_chunks integer NOT NULL,
    next_chunk integer NOT NULL DEFAULT 0,
    next_rejection_chunk integer NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'streaming' CHECK (state IN ('streaming', 'done', 'lost', 'forgotten')),
    served_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX additions_to_stream ON additions (served_at) WHERE state = 'streaming';
CREATE INDEX additions_forgotten ON additions (addition_id) WHERE state = 'forgotten';

-- Kept for good: a batch's id is derived from its key, so a forgotten key would meet its old batch.
-- The answer is sealed under its scope and dies with that key.  status null: still running.
CREATE TABLE idempotency (
    account_id text NOT NULL,
    key text NOT NULL,
    body_digest bytea NOT NULL,
    holder uuid NOT NULL,
    locked_until timestamptz NOT NULL,
    status integer,
    headers jsonb,
    scope text,
    answer text,
    PRIMARY KEY (account_id, key)
);
CREATE INDEX idempotency_of_a_holder ON idempotency (holder) WHERE status IS NULL;
