-- Of a deleted batch: its calls that were live when its gate closed; said again once they are over.
ALTER TABLE gates ADD COLUMN IF NOT EXISTS drained_live integer NOT NULL DEFAULT 0;
DROP INDEX IF EXISTS gates_to_drain;
CREATE INDEX gates_to_drain ON gates (batch_id)
WHERE
    closed_through_epoch > drained_through_epoch OR (for_good AND NOT drained_for_good)
    OR (drained_for_good AND drained_live > 0);
DROP INDEX IF EXISTS calls_on_their_way;
CREATE INDEX calls_on_their_way ON calls (batch_id, state, epoch)
WHERE state IN ('INTENT', 'UNKNOWN', 'STARTED');
