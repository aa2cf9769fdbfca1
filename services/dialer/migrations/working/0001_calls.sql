-- Working tables: backed up.  A lost database is put right from the log, on the side of caution.

-- In this order a call only moves forward.
CREATE TYPE call_state AS ENUM ('GRANTED', 'INTENT', 'UNKNOWN', 'STARTED', 'RETURNED', 'ENDED');

CREATE TABLE calls (
    call_id uuid PRIMARY KEY,
    account_id text NOT NULL,
    batch_id uuid NOT NULL,
    recipient_id uuid NOT NULL,
    grant_no integer NOT NULL,
    attempt integer NOT NULL,
    run_attempt integer NOT NULL,
    epoch integer NOT NULL,
    state call_state NOT NULL,
    -- From the grant; null where the log told of the call before it told of the grant.
    granted_at timestamptz,
    sealed text,
    agent_id text,
    from_number text,
    place_before timestamptz,
    max_duration_seconds integer NOT NULL DEFAULT 3600,
    -- Earlier calls to settle at the carrier first: [{call_id, requested_at}]; null: none.
    look_up_first jsonb,
    traceparent text,
    -- From the placing.
    number_digest text,
    requested_at timestamptz,
    send_before timestamptz,
    announced_at timestamptz,
    carrier text,
    carrier_call_id text,
    started_at timestamptz,
    answered_at timestamptz,
    answered_by text,
    ended_at timestamptz,
    outcome text,
    cause text,
    unknown_since timestamptz,
    -- When somebody has to look at it again; null: never.
    next_check_at timestamptz,
    -- What was said is in the log.
    recorded boolean NOT NULL DEFAULT false
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX calls_to_place ON calls (granted_at) WHERE state = 'GRANTED' AND look_up_first IS NULL;
CREATE INDEX calls_to_check ON calls (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX calls_on_their_way ON calls (batch_id, epoch) WHERE state IN ('INTENT', 'UNKNOWN');
-- Two live calls to one number are impossible, whoever places them.
CREATE UNIQUE INDEX one_live_call_a_number ON calls (account_id, number_digest)
WHERE state IN ('INTENT', 'UNKNOWN', 'STARTED');

-- One row a batch, made with it.  Only ever raised.
CREATE TABLE gates (
    batch_id uuid PRIMARY KEY,
    account_id text NOT NULL,
    closed_through_epoch integer NOT NULL DEFAULT 0,
    for_good boolean NOT NULL DEFAULT false,
    -- What BatchGateClosed has said.
    drained_through_epoch integer NOT NULL DEFAULT 0,
    drained_for_good boolean NOT NULL DEFAULT false
);
CREATE INDEX gates_to_drain ON gates (batch_id)
WHERE closed_through_epoch > drained_through_epoch OR (for_good AND NOT drained_for_good);

-- Numbers never to be called, as digests; the newest version counts.
CREATE TABLE suppressions (
    account_id text NOT NULL,
    digest text NOT NULL,
    version integer NOT NULL,
    active boolean NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (account_id, digest)
);

-- What all dialers together may ask of a carrier.
CREATE TABLE carriers (
    carrier text PRIMARY KEY,
    permits double precision NOT NULL DEFAULT 0,
    counted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    paused_until timestamptz NOT NULL DEFAULT '-infinity'
);
