-- name: hold_batches_alone
-- Who changes a batch itself shares it with nobody: who reports a call then sees the change, or is
-- seen by it.
SELECT FROM tombstones
WHERE batch_id = ANY ($1::uuid[])
ORDER BY batch_id
FOR NO KEY UPDATE

-- name: fold_names
INSERT INTO batch_names AS n (batch_id, command_no, key, grams)
SELECT batch_id, command_no, key, string_to_array(grams, ' ')
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[]) AS e (batch_id, command_no, key, grams)
ORDER BY batch_id
ON CONFLICT (batch_id) DO UPDATE SET
    command_no = excluded.command_no, key = excluded.key, grams = excluded.grams
WHERE n.command_no < excluded.command_no

-- name: erase_searched
DELETE FROM batch_names WHERE batch_id = ANY ($1::uuid[])

-- name: hold_completed
-- Whose end was told, or was: held, so that of two who fold its last calls one sees both.
SELECT batch_id FROM batches
WHERE batch_id = ANY ($1::uuid[]) AND (unfinished OR state ->> 'status' = 'COMPLETED')
ORDER BY batch_id
FOR NO KEY UPDATE

-- name: headcounts
SELECT
    b.batch_id, b.created, b.state, b.expired_epoch,
    (
        SELECT coalesce(sum(recipients), 0) FROM additions AS a
        WHERE a.batch_id = b.batch_id AND accepted
    ) - (
        SELECT count(*) FROM recipients AS r WHERE r.batch_id = b.batch_id AND removed
    ) AS total,
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
    ) AS standings
FROM batches AS b
WHERE b.batch_id = ANY ($1::uuid[]) AND b.created IS NOT NULL AND b.state IS NOT NULL

-- name: mark_unfinished
UPDATE batches SET unfinished = NOT unfinished
WHERE batch_id = ANY ($1::uuid[]) AND unfinished <> (batch_id = ANY ($2::uuid[]))

-- name: batches_page
SELECT batch_id FROM batches
WHERE account_id = $1
    AND created_at IS NOT NULL
    AND (created_at, batch_id) < (coalesce($2::timestamptz, 'infinity'), $3::uuid)
ORDER BY created_at DESC, batch_id DESC
LIMIT $4

-- name: batches_page_of_status
SELECT batch_id FROM batches
WHERE account_id = $1
    AND status = $5
    AND created_at IS NOT NULL
    AND (created_at, batch_id) < (coalesce($2::timestamptz, 'infinity'), $3::uuid)
ORDER BY created_at DESC, batch_id DESC
LIMIT $4

-- name: plan_for_these_words
-- What many names hold is soon found newest first, what few hold by the index: so the plan is
-- made for what is asked, each time.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true)

-- name: batches_found
SELECT batch_id FROM batches AS b JOIN batch_names AS n USING (batch_id)
WHERE b.account_id = $1
    AND ($5::text IS NULL OR b.status = $5)
    AND n.grams @> $6::text[]
    AND n.key LIKE ALL ($7::text[])
    AND b.created_at IS NOT NULL
    AND (b.created_at, b.batch_id) < (coalesce($2::timestamptz, 'infinity'), $3::uuid)
ORDER BY b.created_at DESC, b.batch_id DESC
LIMIT $4
