-- name: told
-- What a poll tells goes here first, by COPY: for so many rows, arrays would cost the most of a fold.
CREATE TEMPORARY TABLE IF NOT EXISTS told (
    batch_id uuid, nth bigint, at timestamptz, event_id uuid, type text, actor text,
    recipient_id uuid, call_id uuid, grant_no integer, attempt integer, run_attempt integer,
    epoch integer, stage smallint, outcome text, cause text, data text
) ON COMMIT DELETE ROWS

-- name: fold_timeline
-- Whoever adds to a batch's timeline waits here for who did before: positions show in their order.
WITH counted AS (
    INSERT INTO timelines AS t (batch_id, last)
    SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS e (batch_id, entries)
    ORDER BY batch_id
    ON CONFLICT (batch_id) DO UPDATE SET last = t.last + excluded.last
    RETURNING batch_id, coalesce(old.last, 0) AS before
),
taken AS (DELETE FROM told RETURNING *)  -- there may be another poll in this transaction
INSERT INTO timeline (
    batch_id, position, at, event_id, type, actor, recipient_id, call_id, grant_no, attempt,
    run_attempt, epoch, stage, outcome, cause, data
)
SELECT
    batch_id, before + nth, at, event_id, type, actor, recipient_id, call_id, grant_no, attempt,
    run_attempt, epoch, stage, outcome, cause, data::jsonb
FROM taken JOIN counted USING (batch_id)
ON CONFLICT DO NOTHING

-- name: fold_commands
INSERT INTO commands (command_id, batch_id, command_no, at, actor, name)
SELECT * FROM unnest(
    $1::uuid[], $2::uuid[], $3::int[], $4::timestamptz[], $5::text[], $6::text[]
) AS e (command_id, batch_id, command_no, at, actor, name)
ORDER BY command_id
ON CONFLICT DO NOTHING

-- name: fold_changes
-- The very last of a fold, since all that changes anything of an account meets here.
WITH told AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bool[]) AS e (batch_id, account_id, deleted)
),
counted AS (
    INSERT INTO account_changes AS a (account_id, last)
    SELECT account_id, count(*) FROM told GROUP BY account_id ORDER BY account_id
    ON CONFLICT (account_id) DO UPDATE SET last = a.last + excluded.last
    RETURNING account_id, coalesce(old.last, 0) AS before
),
numbered AS (
    INSERT INTO changes AS c (batch_id, account_id, change, deleted)
    SELECT
        batch_id, account_id,
        before + row_number() OVER (PARTITION BY account_id ORDER BY batch_id),
        deleted
    FROM told JOIN counted USING (account_id)
    ON CONFLICT (batch_id) DO UPDATE SET
        change = excluded.change, deleted = c.deleted OR excluded.deleted
    RETURNING batch_id, account_id
)
SELECT count(pg_notify('projections_changed', batch_id || ' ' || account_id)) FROM numbered

-- name: timeline_page
SELECT t.*, coalesce(t.actor, c.actor) AS asked_by
FROM (
    SELECT * FROM timeline
    WHERE batch_id = $1
        AND (at, event_id) > (coalesce($2::timestamptz, '-infinity'), $3::uuid)
    ORDER BY at, event_id
    LIMIT $4
) AS t
LEFT JOIN commands AS c ON c.command_id = (t.data ->> 'command_id')::uuid
ORDER BY t.at, t.event_id

-- name: timeline_page_of_type
SELECT t.*, coalesce(t.actor, c.actor) AS asked_by
FROM (
    SELECT * FROM timeline
    WHERE batch_id = $1
        AND (at, event_id) > (coalesce($2::timestamptz, '-infinity'), $3::uuid)
        AND type = $5
    ORDER BY at, event_id
    LIMIT $4
) AS t
LEFT JOIN commands AS c ON c.command_id = (t.data ->> 'command_id')::uuid
ORDER BY t.at, t.event_id

-- name: timeline_page_of_batch_type
-- What tells of the batch itself is found among its like, however many calls there were.
SELECT t.*, coalesce(t.actor, c.actor) AS asked_by
FROM (
    SELECT * FROM timeline
    WHERE batch_id = $1
        AND (at, event_id) > (coalesce($2::timestamptz, '-infinity'), $3::uuid)
        AND type = $5 AND data IS NOT NULL
    ORDER BY at, event_id
    LIMIT $4
) AS t
LEFT JOIN commands AS c ON c.command_id = (t.data ->> 'command_id')::uuid
ORDER BY t.at, t.event_id

-- name: told_until
SELECT type, at, data FROM timeline
WHERE batch_id = $1 AND at <= $2 AND data IS NOT NULL
ORDER BY at, event_id

-- name: name_until
SELECT name FROM commands
WHERE batch_id = $1 AND at <= $2 AND name IS NOT NULL
ORDER BY command_no DESC
LIMIT 1

-- name: standings_until
-- The furthest that each recipient's calls had come; of two that say the same, the first counts.
SELECT standing, count(*) AS recipients
FROM (
    SELECT DISTINCT ON (recipient_id)
        stage || ':' || epoch || ':' || attempt - (stage = 4)::int || ':' || run_attempt || ':'
        || coalesce(outcome, '') AS standing
    FROM timeline
    WHERE batch_id = $1 AND at <= $2 AND stage IS NOT NULL
        AND recipient_id <> ALL ($3::uuid[])
    ORDER BY recipient_id, grant_no DESC, stage DESC, position
) AS furthest
GROUP BY standing

-- name: lately_until
-- The pace as it was: of the last five minutes, only what was asked for and over until then.
WITH since AS (
    SELECT date_trunc('minute', $2::timestamptz - interval '4 minutes', 'UTC') AS minute
),
minutes AS (
    SELECT date_trunc('minute', requested_at, 'UTC') AS minute, count(*) AS placed,
        count(*) FILTER (WHERE ended_at <= $2) AS ended,
        sum(greatest(0, (1000 * extract(epoch FROM ended_at - requested_at))::bigint))
            FILTER (WHERE ended_at <= $2) AS held_ms
    FROM calls, since
    WHERE batch_id = $1 AND stage <> 4 AND requested_at >= since.minute AND requested_at <= $2
    GROUP BY 1
    UNION ALL
    SELECT paces.minute, placed, ended, held_ms FROM paces, since
    WHERE batch_id = $1 AND paces.minute < since.minute
    ORDER BY minute DESC
    LIMIT 60
)
SELECT jsonb_build_object(
    'since', since.minute,
    'placed', coalesce(
        jsonb_object_agg(to_jsonb(m.minute) #>> '{}', m.placed)
            FILTER (WHERE m.minute >= since.minute), '{}'
    ),
    'newest', max(m.minute), 'ended', coalesce(sum(m.ended), 0),
    'held_ms', coalesce(sum(m.held_ms), 0)
)
FROM since LEFT JOIN minutes AS m ON true
GROUP BY since.minute

-- name: uncalled_until
SELECT zones, (array_agg(not_before ORDER BY not_before NULLS FIRST))[1] AS not_before
FROM recipients AS r
WHERE batch_id = $1 AND row IS NOT NULL AND recipient_id <> ALL ($3::uuid[])
    AND NOT EXISTS (
        SELECT FROM timeline AS t
        WHERE t.batch_id = $1 AND t.at <= $2 AND t.stage IS NOT NULL
            AND t.recipient_id = r.recipient_id
    )
GROUP BY zones
