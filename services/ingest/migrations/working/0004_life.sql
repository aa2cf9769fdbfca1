-- What a batch's life needs: what was agreed, what the others have said of it, and how far a delete is.

ALTER TABLE batches
    -- From its creation; null: it was made before they were kept.
    ADD COLUMN IF NOT EXISTS zoned boolean,
    ADD COLUMN IF NOT EXISTS strict boolean,
    -- From the scheduler's newest word, and the dialers'.
    ADD COLUMN IF NOT EXISTS sequence integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS status text,
    ADD COLUMN IF NOT EXISTS closed_through_epoch integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS closed_for_good boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS live integer NOT NULL DEFAULT 0,
    -- Asked to be deleted; forgotten: its key is destroyed.
    ADD COLUMN IF NOT EXISTS deleted boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS forgotten boolean NOT NULL DEFAULT false;
CREATE INDEX IF NOT EXISTS batches_to_forget ON batches (batch_id) WHERE deleted AND NOT forgotten;

-- asked: staged, and not to be streamed before the scheduler has taken it; refused: it has not.
-- dropped: its batch was deleted.
ALTER TABLE additions
    ADD COLUMN IF NOT EXISTS command_id uuid,
    -- The list it was made of, which is deleted with its batch.
    ADD COLUMN IF NOT EXISTS list_id uuid,
    ADD COLUMN IF NOT EXISTS last_row integer NOT NULL DEFAULT 0,
    DROP CONSTRAINT IF EXISTS additions_state_check,
    ADD CONSTRAINT additions_state_check CHECK (
        state IN ('asked', 'refused', 'streaming', 'done', 'lost', 'forgotten', 'dropped')
    );
CREATE INDEX IF NOT EXISTS additions_of_a_batch ON additions (batch_id);

-- The scheduler's answer to each command, for whoever waits for it.  refusal null: it was done.
CREATE TABLE IF NOT EXISTS verdicts (
    command_id uuid PRIMARY KEY,
    batch_id uuid NOT NULL,
    sequence integer NOT NULL,
    status text NOT NULL,
    epoch integer NOT NULL,
    refusal text,
    allowed_actions text[] NOT NULL
);
