-- A batch's name as it is searched for, beside the batch: a status that changes does not touch it.
-- `grams` is every stretch of one to three characters of its words; neither pg_trgm, which the
-- embedded server has not, nor its limit of three characters is needed.
CREATE TABLE batch_names (
    batch_id uuid PRIMARY KEY,
    command_no integer NOT NULL,
    key text NOT NULL,
    grams text[] NOT NULL
);
CREATE INDEX batch_names_by_grams ON batch_names USING gin (grams) WITH (fastupdate = off);

-- COMPLETED may be read before the end of the last call: until then the batch is shown RUNNING,
-- and is found so.
ALTER TABLE batches ADD COLUMN unfinished boolean NOT NULL DEFAULT false;
ALTER TABLE batches ALTER COLUMN status SET EXPRESSION AS (
    CASE WHEN unfinished THEN 'RUNNING' ELSE
        coalesce(state ->> 'status',
                 CASE WHEN (created ->> 'start')::boolean THEN 'SCHEDULED' ELSE 'PENDING' END)
    END
);
CREATE INDEX batches_by_status ON batches (account_id, status, created_at DESC, batch_id DESC)
    WHERE created_at IS NOT NULL;

-- Recipients as they are searched for and sorted, beside them: a call that moves on does not touch
-- these, and a search reads nothing else.  Written once, in the order of the key, which is why it
-- costs a list little; indexes of names and numbers would cost it as much again.
CREATE TABLE recipient_keys (
    batch_id uuid NOT NULL,
    row integer NOT NULL,
    recipient_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    phone_number text COLLATE "C" NOT NULL,
    PRIMARY KEY (batch_id, row, recipient_id)
);
