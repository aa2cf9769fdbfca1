-- name: fold_progress
-- The newest evidence wins; the tallies move by what changed, in the same statement.
WITH folded AS (
    INSERT INTO recipients AS r (
        recipient_id, batch_id, grant_no, stage, epoch, attempt, run_attempt, outcome, ended_at,
        returned_not_before
    )
    SELECT * FROM unnest(
        $1::uuid[], $2::uuid[], $3::int[], $4::smallint[], $5::int[], $6::int[], $7::int[],
        $8::text[], $9::timestamptz[], $10::timestamptz[]
    ) AS e (
        recipient_id, batch_id, grant_no, stage, epoch, attempt, run_attempt, outcome, ended_at,
        returned_not_before
    )
    ORDER BY recipient_id
    ON CONFLICT (recipient_id) DO UPDATE SET
        grant_no = excluded.grant_no,
        stage = excluded.stage,
        epoch = excluded.epoch,
        attempt = excluded.attempt,
        run_attempt = excluded.run_attempt,
        outcome = excluded.outcome,
        ended_at = excluded.ended_at,
        returned_not_before = excluded.returned_not_before
    WHERE (r.grant_no, r.stage) < (excluded.grant_no, excluded.stage)
    RETURNING
        r.batch_id, old.grant_no AS old_grant_no, old.standing AS old_standing,
        new.standing AS new_standing
),
moves AS (
    SELECT batch_id, new_standing AS standing, 1 AS moved FROM folded
    UNION ALL
    SELECT batch_id, old_standing, -1 FROM folded WHERE old_grant_no > 0
)
INSERT INTO tallies AS t (batch_id, standing, recipients)
SELECT batch_id, standing, sum(moved) FROM moves
GROUP BY batch_id, standing
HAVING sum(moved) <> 0
ORDER BY batch_id, standing
ON CONFLICT (batch_id, standing) DO UPDATE SET recipients = t.recipients + excluded.recipients

-- name: drop_empty_tallies
DELETE FROM tallies WHERE batch_id = ANY ($1::uuid[]) AND recipients = 0

-- name: fold_calls
-- A call as its furthest event tells it; the paces move by what changed, in the same statement.
WITH folded AS (
    INSERT INTO calls AS c (
        call_id, batch_id, recipient_id, grant_no, attempt, stage, requested_at, carrier_call_id,
        outcome, cause, started_at, answered_at, ended_at, duration_seconds, cost, currency
    )
    SELECT * FROM unnest(
        $1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::int[], $6::smallint[], $7::timestamptz[],
        $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[],
        $13::timestamptz[], $14::float8[], $15::float8[], $16::text[]
    ) AS e (
        call_id, batch_id, recipient_id, grant_no, attempt, stage, requested_at, carrier_call_id,
        outcome, cause, started_at, answered_at, ended_at, duration_seconds, cost, currency
    )
    ORDER BY call_id
    ON CONFLICT (call_id) DO UPDATE SET
        stage = excluded.stage,
        requested_at = excluded.requested_at,
        carrier_call_id = excluded.carrier_call_id,
        outcome = excluded.outcome,
        cause = excluded.cause,
        started_at = excluded.started_at,
        answered_at = excluded.answered_at,
        ended_at = excluded.ended_at,
        duration_seconds = excluded.duration_seconds,
        cost = excluded.cost,
        currency = excluded.currency
    WHERE c.stage < excluded.stage
    RETURNING
        c.batch_id, old.stage AS old_stage, old.requested_at AS old_requested_at,
        old.ended_at AS old_ended_at, new.stage AS new_stage,
        new.requested_at AS new_requested_at, new.ended_at AS new_ended_at
),
moves AS (
    -- What was given back was no call.
    SELECT f.batch_id, date_trunc('minute', m.requested_at, 'UTC') AS minute, m.moved AS placed,
        CASE WHEN m.ended_at IS NULL THEN 0 ELSE m.moved END AS ended,
        CASE WHEN m.ended_at IS NULL THEN 0 ELSE m.moved * greatest(
            0, (1000 * extract(epoch FROM m.ended_at - m.requested_at))::bigint
        ) END AS held_ms
    FROM folded AS f
    CROSS JOIN LATERAL (VALUES
        (new_stage, new_requested_at, new_ended_at, 1),
        (old_stage, old_requested_at, old_ended_at, -1)
    ) AS m (stage, requested_at, ended_at, moved)
    WHERE m.requested_at IS NOT NULL AND m.stage <> 4
)
INSERT INTO paces AS p (batch_id, minute, placed, ended, held_ms)
SELECT batch_id, minute, sum(placed), sum(ended), sum(held_ms) FROM moves
GROUP BY batch_id, minute
HAVING sum(placed) <> 0 OR sum(ended) <> 0 OR sum(held_ms) <> 0
ORDER BY batch_id, minute
ON CONFLICT (batch_id, minute) DO UPDATE SET
    placed = p.placed + excluded.placed,
    ended = p.ended + excluded.ended,
    held_ms = p.held_ms + excluded.held_ms

-- name: drop_empty_paces
DELETE FROM paces WHERE batch_id = ANY ($1::uuid[]) AND placed = 0

-- name: fold_conversations
INSERT INTO conversations (call_id, batch_id, said)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS e (call_id, batch_id, said)
ORDER BY call_id
ON CONFLICT DO NOTHING
