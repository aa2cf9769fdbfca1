-- Folded: every table here is made from the log alone and comes out equal when it is made again.
-- No foreign keys: topics have no order between them, so a child may come before its parent.

CREATE TABLE accounts (
    account_id text PRIMARY KEY,
    version integer NOT NULL,
    configuration jsonb NOT NULL
);

CREATE TABLE agents (
    account_id text NOT NULL,
    agent_id text NOT NULL,
    version integer NOT NULL,
    name text NOT NULL,
    phone_number text,
    active boolean NOT NULL,
    PRIMARY KEY (account_id, agent_id)
);

CREATE TABLE phone_numbers (
    account_id text NOT NULL,
    phone_number text NOT NULL,
    version integer NOT NULL,
    outbound boolean NOT NULL,
    active boolean NOT NULL,
    PRIMARY KEY (account_id, phone_number)
);

-- One row for each batch ever heard of.  Who writes a batch's rows holds it FOR SHARE, who deletes
-- the batch holds it alone: so nothing of a deleted batch is written again.
CREATE TABLE tombstones (
    batch_id uuid PRIMARY KEY,
    deleted boolean NOT NULL DEFAULT false
);

-- `created` and `state` are what a batch was asked for and its newest status event, as the contracts
-- name their fields; either may come first.
CREATE TABLE batches (
    batch_id uuid PRIMARY KEY,
    account_id text NOT NULL,
    command_no integer NOT NULL DEFAULT 0,
    name text,
    created_at timestamptz,
    created jsonb,
    sequence integer NOT NULL DEFAULT 0,
    state jsonb,
    expired_epoch integer NOT NULL DEFAULT -1,
    gate_epoch integer NOT NULL DEFAULT -1,
    status text GENERATED ALWAYS AS (
        coalesce(state ->> 'status',
                 CASE WHEN (created ->> 'start')::boolean THEN 'SCHEDULED' ELSE 'PENDING' END)
    ) STORED
);
CREATE INDEX batches_newest_first ON batches (account_id, created_at DESC, batch_id DESC)
    WHERE created_at IS NOT NULL;

-- The numbers come with the command that asks for an addition, `accepted` with the verdict on it.
CREATE TABLE additions (
    addition_id uuid PRIMARY KEY,
    batch_id uuid NOT NULL,
    chunks integer,
    recipients integer,
    rejected integer,
    accepted boolean NOT NULL
);
-- Unique, as is `recipients_removed`, because folds count by it: others may be made afterwards.
CREATE UNIQUE INDEX additions_of_batch ON additions (batch_id, addition_id);

CREATE TABLE landed_chunks (
    chunk_id uuid PRIMARY KEY,
    batch_id uuid NOT NULL
);
CREATE INDEX landed_chunks_of_batch ON landed_chunks (batch_id);

CREATE TABLE batch_zones (
    batch_id uuid NOT NULL,
    zones text NOT NULL,
    PRIMARY KEY (batch_id, zones)
);

-- The upper half comes with the list, the lower with calls; either may come first.
-- `standing` is all that a status is made from, save the batch's own rules: so rows need not be
-- touched when a retry changes what they mean.
CREATE TABLE recipients (
    recipient_id uuid PRIMARY KEY,
    batch_id uuid NOT NULL,
    row integer,
    phone_number text,
    name text,
    variables text,
    zones text,
    not_before timestamptz,
    same_number_as uuid,

    removed boolean NOT NULL DEFAULT false,
    grant_no integer NOT NULL DEFAULT 0,
    stage smallint NOT NULL DEFAULT 0,
    epoch integer NOT NULL DEFAULT 0,
    attempt integer NOT NULL DEFAULT 0,
    run_attempt integer NOT NULL DEFAULT 0,
    outcome text,
    ended_at timestamptz,
    returned_not_before timestamptz,
    standing text NOT NULL GENERATED ALWAYS AS (
        stage::text || ':' || epoch::text || ':' || attempt::text || ':' || run_attempt::text
        || ':' || coalesce(outcome, '')
    ) STORED
);
CREATE INDEX recipients_by_standing ON recipients (batch_id, standing, row, recipient_id);
CREATE UNIQUE INDEX recipients_removed ON recipients (batch_id, recipient_id) WHERE removed;

-- How many recipients of a batch stand where; those nobody has granted a slot yet are not counted.
CREATE TABLE tallies (
    batch_id uuid NOT NULL,
    standing text NOT NULL,
    recipients bigint NOT NULL,
    PRIMARY KEY (batch_id, standing)
);

-- A call as its furthest event tells it.
CREATE TABLE calls (
    call_id uuid PRIMARY KEY,
    batch_id uuid NOT NULL,
    recipient_id uuid NOT NULL,
    grant_no integer NOT NULL,
    attempt integer NOT NULL,
    stage smallint NOT NULL,
    requested_at timestamptz,
    carrier_call_id text,
    outcome text,
    cause text,
    started_at timestamptz,
    answered_at timestamptz,
    ended_at timestamptz,
    duration_seconds double precision,
    cost double precision,
    currency text
);
CREATE INDEX calls_newest_first ON calls (batch_id, requested_at DESC, call_id DESC)
    WHERE requested_at IS NOT NULL;

CREATE TABLE conversations (
    call_id uuid PRIMARY KEY,
    batch_id uuid NOT NULL,
    said text
);
CREATE INDEX conversations_of_batch ON conversations (batch_id);

CREATE TABLE rejections (
    addition_id uuid NOT NULL,
    row integer NOT NULL,
    batch_id uuid NOT NULL,
    line integer,
    phone_number text,
    name text,
    errors text NOT NULL,
    PRIMARY KEY (addition_id, row)
);
CREATE INDEX rejections_of_batch ON rejections (batch_id, row, addition_id);
