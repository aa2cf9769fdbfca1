-- name: batches
SELECT
    b.batch_id, b.name, b.created_at, b.created, b.state, b.sequence, b.expired_epoch,
    b.gate_epoch,
    coalesce(a.recipients, 0) - (
        SELECT count(*) FROM recipients AS r WHERE r.batch_id = b.batch_id AND r.removed
    ) AS total,
    coalesce(a.rejected, 0) AS rejected,
    coalesce(a.additions, 0) AS additions,
    coalesce(a.chunks, 0) AS chunks,
    (SELECT count(*) FROM landed_chunks AS l WHERE l.batch_id = b.batch_id) AS landed,
    (
        -- Who was removed after a slot was given back is still in the tallies.
        SELECT coalesce(jsonb_object_agg(s.standing, s.recipients), '{}')
        FROM (
            SELECT standing, sum(recipients) AS recipients
            FROM (
                SELECT standing, recipients FROM tallies WHERE batch_id = b.batch_id
                UNION ALL
                SELECT standing, -1 FROM recipients
                WHERE batch_id = b.batch_id AND removed AND grant_no > 0
            ) AS counted
            GROUP BY standing
            HAVING sum(recipients) <> 0
        ) AS s
    ) AS standings,
    (
        SELECT jsonb_object_agg(z.zones, jsonb_build_object(
            'earliest', nullif(z.earliest, '-infinity'), 'latest', nullif(z.latest, '-infinity')
        ))
        FROM batch_zones AS z WHERE z.batch_id = b.batch_id
    ) AS zones,
    b.turned_at, b.turned_by,
    jsonb_build_object(
        'since', since.minute, 'placed', coalesce(p.placed, '{}'), 'newest', p.newest,
        'ended', coalesce(p.ended, 0), 'held_ms', coalesce(p.held_ms, 0)
    ) AS lately,
    s.slots,
    CASE WHEN b.status = 'RUNNING' THEN (
        -- One probe of the index for each set of zones, however many wait.
        SELECT jsonb_object_agg(z.zones, f.not_before)
        FROM batch_zones AS z
        CROSS JOIN LATERAL (
            SELECT r.not_before FROM recipients AS r
            WHERE r.batch_id = z.batch_id AND r.zones = z.zones
                AND r.grant_no = 0 AND NOT r.removed AND r.row IS NOT NULL
            ORDER BY r.not_before NULLS FIRST
            LIMIT 1
        ) AS f
        WHERE z.batch_id = b.batch_id
    ) END AS uncalled,
    clock.now
FROM (SELECT clock_timestamp() AS now OFFSET 0) AS clock
CROSS JOIN (
    SELECT jsonb_build_object(
        'limit', (SELECT configuration -> 'concurrency' FROM accounts WHERE account_id = $2),
        'taken', coalesce(sum(t.recipients), 0), 'batches', count(DISTINCT t.batch_id)
    ) AS slots
    FROM tallies AS t JOIN batches AS h USING (batch_id)
    WHERE left(t.standing, 1) IN ('1', '2', '3') AND t.recipients > 0 AND h.account_id = $2
) AS s
CROSS JOIN batches AS b
CROSS JOIN LATERAL (
    SELECT date_trunc('minute', clock.now - interval '4 minutes', 'UTC') AS minute
) AS since
LEFT JOIN LATERAL (
    -- Back along the index, an hour's worth of minutes, however many calls there were.
    SELECT jsonb_object_agg(to_jsonb(m.minute) #>> '{}', m.placed)
            FILTER (WHERE m.minute >= since.minute) AS placed,
        max(m.minute) AS newest, sum(m.ended) AS ended, sum(m.held_ms) AS held_ms
    FROM (
        SELECT * FROM paces AS i WHERE i.batch_id = b.batch_id
        ORDER BY i.minute DESC
        LIMIT 60
    ) AS m
) AS p ON true
LEFT JOIN LATERAL (
    SELECT
        sum(recipients) AS recipients, sum(rejected) AS rejected,
        count(chunks) AS additions, sum(chunks) AS chunks
    FROM additions WHERE additions.batch_id = b.batch_id AND accepted
) AS a ON true
WHERE b.batch_id = ANY ($1::uuid[]) AND b.account_id = $2 AND b.created_at IS NOT NULL
ORDER BY b.created_at DESC, b.batch_id DESC

-- name: recipient
SELECT * FROM recipients
WHERE batch_id = $1 AND recipient_id = $2 AND row IS NOT NULL AND NOT removed

-- name: calls_page
-- Only what a carrier was asked for is a call to people; a slot given back is none.
SELECT c.*, v.said
FROM calls AS c LEFT JOIN conversations AS v USING (call_id)
WHERE c.batch_id = $1
    AND c.requested_at IS NOT NULL
    AND c.stage <> 4
    AND (c.requested_at, c.call_id) < (coalesce($2::timestamptz, 'infinity'), $3::uuid)
ORDER BY c.requested_at DESC, c.call_id DESC
LIMIT $4

-- name: call
SELECT c.*, v.said
FROM calls AS c
JOIN batches AS b ON b.batch_id = c.batch_id
LEFT JOIN conversations AS v ON v.call_id = c.call_id
WHERE c.call_id = $1 AND b.account_id = $2

-- name: rejections_page
SELECT addition_id, row, line, phone_number, name, errors FROM rejections
WHERE batch_id = $1 AND (row, addition_id) > ($2::int, $3::uuid)
ORDER BY row, addition_id
LIMIT $4

-- name: account
SELECT configuration FROM accounts WHERE account_id = $1

-- name: agents_page
SELECT agent_id, name, phone_number, active FROM agents
WHERE account_id = $1 AND agent_id > $2
ORDER BY agent_id
LIMIT $3

-- name: phone_numbers_page
SELECT phone_number, outbound, active FROM phone_numbers
WHERE account_id = $1 AND phone_number > $2
ORDER BY phone_number
LIMIT $3

-- name: batch_position
SELECT t.deleted, coalesce(b.command_no, 0) AS command_no, coalesce(b.sequence, 0) AS sequence
FROM tombstones AS t LEFT JOIN batches AS b USING (batch_id)
WHERE t.batch_id = $1

-- name: recipients_landed
-- Whether everyone the commands so far have named is here; of a batch that has ended, nobody comes.
SELECT coalesce(sum(chunks), 0) <= (SELECT count(*) FROM landed_chunks WHERE batch_id = $1)
       OR EXISTS (
           SELECT FROM batches
           WHERE batch_id = $1 AND status IN ('COMPLETED', 'CANCELLED', 'FAILED')
       )
FROM additions WHERE batch_id = $1 AND accepted

-- name: rejections_landed
-- The same for those who were turned away.
SELECT coalesce(sum(rejected), 0) <= (SELECT count(*) FROM rejections WHERE batch_id = $1)
       OR EXISTS (
           SELECT FROM batches
           WHERE batch_id = $1 AND status IN ('COMPLETED', 'CANCELLED', 'FAILED')
       )
FROM additions WHERE batch_id = $1 AND accepted

-- name: account_version
SELECT version FROM accounts WHERE account_id = $1

-- name: agent_version
SELECT version FROM agents WHERE account_id = $1 AND agent_id = $2

-- name: phone_number_version
SELECT version FROM phone_numbers WHERE account_id = $1 AND phone_number = $2

-- name: suppression_version
SELECT version FROM suppressions WHERE account_id = $1 AND digest = $2
