-- Working tables: what they hold can be lost; every account is woken once at start.

-- Insert-only for folds, so that a fold never waits for a decision.
CREATE TABLE wakes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL,
    due_at timestamptz NOT NULL,
    traceparent text  -- of the event that gave cause
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX wakes_due ON wakes (due_at, account_id);
CREATE INDEX wakes_of_an_account ON wakes (account_id);

-- Whose turn it is among batches with equally many calls.
CREATE TABLE turns (
    batch_id uuid PRIMARY KEY,
    granted_at timestamptz NOT NULL
);
