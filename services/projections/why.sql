-- Why one recipient is not called yet: probes of indexes, whatever the batch's size.

-- name: same_number
SELECT * FROM recipients WHERE recipient_id = $1 AND NOT removed

-- name: suppression
SELECT expires_at FROM suppressions WHERE account_id = $1 AND digest = $2 AND active

-- name: paused_by
SELECT actor FROM commands WHERE batch_id = $1 AND command_no = $2

-- name: ahead
-- How many of the batch get a slot first, in the order of the scheduler: those nobody has asked to
-- call again, by when they are due, then by row.  Each part walks its index, and none further than
-- what is told apart (10,000 and one more), so a batch of a million costs no more.
SELECT count(*) FILTER (WHERE first) AS ahead, count(*) > 10000 AS more
FROM (
    SELECT true AS first
    FROM unnest($2::text[]) AS z (zones)
    CROSS JOIN LATERAL (
        SELECT FROM recipients AS r
        WHERE r.batch_id = $1 AND r.zones = z.zones AND r.grant_no = 0 AND NOT r.removed
            AND r.not_before IS NULL AND r.row < $6::int
        ORDER BY r.not_before NULLS FIRST, r.row
        LIMIT 10001
    ) AS at_any_time
    UNION ALL
    SELECT true
    FROM unnest($2::text[]) AS z (zones)
    CROSS JOIN LATERAL (
        SELECT FROM recipients AS r
        WHERE r.batch_id = $1 AND r.zones = z.zones AND r.grant_no = 0 AND NOT r.removed
            AND r.row IS NOT NULL
            AND (r.not_before, r.row)
                < (CASE WHEN $3 THEN $7::timestamptz ELSE $4::timestamptz END, $5::int)
        ORDER BY r.not_before NULLS FIRST, r.row
        LIMIT 10001
    ) AS in_time
    UNION ALL
    SELECT r.zones = ANY ($2) AND CASE
        WHEN due.at <= $7 THEN (false, due.at, r.row) < ($3::boolean, $4, $5)
        WHEN s.asked THEN (true, r.ended_at, r.row) < ($3, $4, $5)
        ELSE false
    END
    FROM jsonb_to_recordset($8::jsonb) AS s (standing text, delay integer, asked boolean)
    CROSS JOIN LATERAL (
        SELECT * FROM recipients AS i
        WHERE i.batch_id = $1 AND i.standing = s.standing AND NOT i.removed AND i.row IS NOT NULL
        ORDER BY i.row, i.recipient_id
        LIMIT 10001
    ) AS r
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN r.stage = 4
            THEN greatest(r.not_before, r.returned_not_before, '-infinity')
            WHEN s.delay IS NOT NULL
            THEN greatest(r.not_before, r.ended_at + s.delay * interval '1 second')
        END AS at
    ) AS due
    LIMIT 10001
) AS looked_at
