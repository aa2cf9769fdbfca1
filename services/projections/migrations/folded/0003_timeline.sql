-- Every event of a batch, once.  What calls tell stands in columns, as there are millions of them;
-- what batches tell in `data`: clear facts alone, nothing sealed and nobody's name or number.
-- `position` counts a batch's entries in the order of their commits, with gaps where an event came
-- twice: whoever has seen one has seen all before it.
-- not compared: timeline.position, timelines.last, changes.change, account_changes.last
CREATE TABLE timeline (
    batch_id uuid NOT NULL,
    at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    position bigint NOT NULL,
    type text NOT NULL,
    actor text,
    recipient_id uuid,
    call_id uuid,
    grant_no integer,
    attempt integer,
    run_attempt integer,
    epoch integer,
    stage smallint,
    outcome text,
    cause text,
    data jsonb,
    PRIMARY KEY (batch_id, at, event_id)
);
CREATE INDEX timeline_by_position ON timeline (batch_id, position);
-- The few that tell of the batch itself.
CREATE INDEX timeline_of_batches ON timeline (batch_id, at, event_id) WHERE data IS NOT NULL;

-- The counter of each batch, locked to the end of the transaction that adds to its timeline.
CREATE TABLE timelines (
    batch_id uuid PRIMARY KEY,
    last bigint NOT NULL
) WITH (fillfactor = 50);

-- Who asked, and what the batch was to be called from then on.
CREATE TABLE commands (
    command_id uuid PRIMARY KEY,
    batch_id uuid NOT NULL,
    command_no integer NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    name text
);
CREATE INDEX commands_of_batch ON commands (batch_id, command_no);

-- The last change of each batch, numbered by its account in the order of commits.  The row of a
-- deleted batch stays, to say so.
CREATE TABLE changes (
    batch_id uuid PRIMARY KEY,
    account_id text NOT NULL,
    change bigint NOT NULL,
    deleted boolean NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX changes_in_order ON changes (account_id, change);

CREATE TABLE account_changes (
    account_id text PRIMARY KEY,
    last bigint NOT NULL
) WITH (fillfactor = 50);
