-- Folded tables: dropped and rebuilt by replay, they come out equal.
-- Any row may be partial: the topics have no order between them.

CREATE TABLE accounts (
    account_id text PRIMARY KEY,
    concurrency integer NOT NULL,
    version integer NOT NULL
);

CREATE TABLE batches (
    batch_id uuid PRIMARY KEY,
    account_id text NOT NULL,
    created text,  -- the BatchCreated event without name and webhook; null: it has not come yet
    deleted boolean NOT NULL DEFAULT false,
    command_no integer NOT NULL DEFAULT 0,  -- the last command folded
    sequence integer NOT NULL DEFAULT 0,
    status text,
    result text,
    reason_code text,
    reason text,
    epoch integer NOT NULL DEFAULT 0,
    retry_epoch integer NOT NULL DEFAULT 0,
    unknown_retry_epoch integer NOT NULL DEFAULT 0,
    answered_no integer NOT NULL DEFAULT 0,  -- the last command with a verdict
    scheduled_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    expires_at timestamptz,
    fatal_epoch integer NOT NULL DEFAULT 0,  -- the newest grant's epoch that met a fatal fault
    fatal_detail text,
    live boolean NOT NULL GENERATED ALWAYS AS (
        NOT deleted
        AND created IS NOT NULL
        AND coalesce(status, '') NOT IN ('COMPLETED', 'CANCELLED', 'FAILED')
    ) STORED
);
CREATE INDEX batches_live ON batches (account_id) WHERE live;

-- Commands that have no verdict yet.
CREATE TABLE commands (
    batch_id uuid NOT NULL,
    command_no integer NOT NULL,
    account_id text NOT NULL,
    type text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (batch_id, command_no)
);
CREATE INDEX commands_of_an_account ON commands (account_id);

CREATE TABLE additions (
    addition_id uuid PRIMARY KEY,
    batch_id uuid NOT NULL,
    chunks integer,  -- null: the command has not come yet
    landed integer NOT NULL DEFAULT 0,
    accepted boolean NOT NULL DEFAULT false,
    failed boolean NOT NULL DEFAULT false
);
CREATE INDEX additions_of_a_batch ON additions (batch_id);

CREATE TABLE chunks (
    addition_id uuid NOT NULL,
    chunk_no integer NOT NULL,
    PRIMARY KEY (addition_id, chunk_no)
);

-- What rows of a batch are looked up by: their zones; one empty text where the window has its own.
CREATE TABLE batch_zones (
    batch_id uuid NOT NULL,
    zones text NOT NULL,
    PRIMARY KEY (batch_id, zones)
);

CREATE TABLE recipients (
    recipient_id uuid PRIMARY KEY,
    batch_id uuid NOT NULL,
    account_id text NOT NULL,
    -- from its chunk
    addition_id uuid,
    row integer,
    sealed text,
    zones text NOT NULL DEFAULT '',
    not_before timestamptz,
    from_number text,
    same_number_as uuid,
    removed boolean NOT NULL DEFAULT false,
    -- its progress: the newest evidence, which carries all of it
    grant_no integer NOT NULL DEFAULT 0,
    stage smallint NOT NULL DEFAULT 0,
    epoch integer NOT NULL DEFAULT 0,
    attempt integer NOT NULL DEFAULT 0,
    run_attempt integer NOT NULL DEFAULT 0,
    outcome text,
    ended_at timestamptz,
    returned_not_before timestamptz,
    retry_at timestamptz,  -- what the retry policy makes of the outcome; null: no further attempt
    -- when it waits for a slot from; null: it waits for none, unless a person asked for a retry
    due_at timestamptz GENERATED ALWAYS AS (
        CASE
            WHEN sealed IS NULL OR removed THEN NULL
            WHEN stage = 0 THEN coalesce(not_before, '-infinity'::timestamptz)
            WHEN stage = 4 THEN coalesce(greatest(not_before, returned_not_before), '-infinity'::timestamptz)
            WHEN stage IN (5, 6) AND retry_at IS NOT NULL THEN greatest(not_before, retry_at)
        END
    ) STORED
);
CREATE INDEX recipients_waiting ON recipients (batch_id, zones, due_at, row) WHERE due_at IS NOT NULL;
CREATE INDEX recipients_in_flight ON recipients (account_id, batch_id) WHERE stage IN (1, 2, 3);
CREATE INDEX recipients_not_reached ON recipients (batch_id, stage, zones, epoch, row)
    WHERE outcome NOT IN ('completed', 'voicemail') AND NOT removed AND sealed IS NOT NULL;

-- Calls that ended as unknown; settled: their true end came later.
CREATE TABLE unknown_calls (
    call_id uuid PRIMARY KEY,
    recipient_id uuid NOT NULL,
    grant_no integer NOT NULL,
    requested_at timestamptz,
    settled boolean NOT NULL DEFAULT false
);
CREATE INDEX unknown_calls_of_a_recipient ON unknown_calls (recipient_id) WHERE NOT settled;
