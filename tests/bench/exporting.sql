-- name: results
-- The same columns in the same order, as PostgreSQL alone can say them.
SELECT
    r.row, r.phone_number, r.name, r.standing, r.outcome, r.attempt, r.recipient_id,
    c.call_id, c.cause, c.started_at, c.answered_at, c.ended_at, c.duration_seconds,
    c.cost, c.currency, v.said::json ->> 'recording_url', v.said::json ->> 'collected',
    r.variables::json ->> 'plan', r.variables::json ->> 'due', r.variables::json ->> 'city'
FROM recipients AS r
LEFT JOIN calls AS c ON c.recipient_id = r.recipient_id AND c.grant_no = r.grant_no
LEFT JOIN conversations AS v ON v.call_id = c.call_id
WHERE NOT r.removed
ORDER BY r.row, r.recipient_id
