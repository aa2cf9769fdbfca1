-- name: fold_variables
INSERT INTO batch_variables AS v (variable_id, batch_id, name, row, place)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::int[])
    AS e (variable_id, batch_id, name, row, place)
ORDER BY variable_id
ON CONFLICT (variable_id) DO UPDATE SET row = excluded.row, place = excluded.place
WHERE (v.row, v.place) > (excluded.row, excluded.place)

-- name: variables
SELECT name FROM batch_variables WHERE batch_id = $1 ORDER BY row, place, variable_id LIMIT $2

-- name: place_of
-- Also of who was removed meanwhile: a download goes on behind them.
SELECT row FROM recipients WHERE batch_id = $1 AND recipient_id = $2 AND row IS NOT NULL

-- name: people
-- The next rows of those who stand so.  From each standing only what lies in one stretch of rows is
-- taken, and the stretch begins at the next row there is: few are read in vain, gaps cost nothing.
-- What precedes a row is bounded in bytes, too: a row may have 256 KB.
WITH next AS MATERIALIZED (
    SELECT min(f.row) AS row
    FROM unnest($2::text[]) AS s (standing)
    CROSS JOIN LATERAL (
        SELECT i.row FROM recipients AS i
        WHERE i.batch_id = $1 AND i.standing = s.standing AND NOT i.removed
            AND (i.row, i.recipient_id) > ($3::int, $4::uuid)
        ORDER BY i.row, i.recipient_id
        LIMIT 1
    ) AS f
)
SELECT row, recipient_id::text, standing, grant_no, attempt, phone_number, name, variables
FROM (
    SELECT r.*, coalesce(sum(octet_length(r.variables)) OVER (
        ORDER BY r.row, r.recipient_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), 0) AS bytes_before
    FROM unnest($2::text[]) AS s (standing)
    CROSS JOIN LATERAL (
        SELECT * FROM recipients AS i
        WHERE i.batch_id = $1 AND i.standing = s.standing AND NOT i.removed
            AND (i.row, i.recipient_id) > ($3::int, $4::uuid)
            AND i.row < (SELECT row FROM next)::bigint + $5::int
        ORDER BY i.row, i.recipient_id
        LIMIT $5
    ) AS r
    ORDER BY r.row, r.recipient_id
    LIMIT $5
) AS page
WHERE bytes_before < $6
ORDER BY row, page.recipient_id

-- name: their_calls
-- One probe of each index a call, never a scan: a page costs the same however many calls there are.
SELECT
    c.call_id::text, c.cause,
    to_char(c.started_at, $2) AS started_at,
    to_char(c.answered_at, $2) AS answered_at,
    to_char(c.ended_at, $2) AS ended_at,
    c.duration_seconds, c.cost, c.currency,
    v.said::json ->> 'recording_url' AS recording_url, v.said::json ->> 'collected' AS collected
FROM unnest($1::uuid[]) WITH ORDINALITY AS a (call_id, place)
LEFT JOIN LATERAL (SELECT * FROM calls WHERE call_id = a.call_id OFFSET 0) AS c ON true
LEFT JOIN LATERAL (SELECT said FROM conversations WHERE call_id = a.call_id OFFSET 0) AS v ON true
ORDER BY a.place
