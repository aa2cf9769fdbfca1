-- name: hold_batches_alone
-- Who changes a batch itself shares it with nobody: who reports a call then sees the change, or is
-- seen by it.
SELECT batch_id FROM tombstones
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

-- name: landed_of
SELECT chunk_id FROM landed_chunks WHERE chunk_id = ANY ($1::uuid[])

-- name: fold_keys
INSERT INTO recipient_keys (batch_id, row, recipient_id, name, phone_number)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[])
    AS e (batch_id, row, recipient_id, name, phone_number)
ORDER BY batch_id, row, recipient_id

-- name: erase_searched
WITH erased_keys AS (DELETE FROM recipient_keys WHERE batch_id = ANY ($1::uuid[]))
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

-- name: recipients_page
-- One probe of the index for each standing, from where it is to go on: a page costs the same
-- however long the list is.
SELECT r.*, s.sorted_by
FROM unnest($2::text[], $3::text[], $4::int[], $5::uuid[])
    AS s (standing, sorted_by, row, recipient_id)
CROSS JOIN LATERAL (
    SELECT * FROM recipients AS i
    WHERE i.batch_id = $1 AND i.standing = s.standing AND NOT i.removed
        AND (i.row, i.recipient_id) > (s.row, s.recipient_id)
    ORDER BY i.row, i.recipient_id
    LIMIT $6
) AS r
ORDER BY s.sorted_by COLLATE "C", r.row, r.recipient_id
LIMIT $6

-- name: recipients_page_backwards
SELECT r.*, s.sorted_by
FROM unnest($2::text[], $3::text[], $4::int[], $5::uuid[])
    AS s (standing, sorted_by, row, recipient_id)
CROSS JOIN LATERAL (
    SELECT * FROM recipients AS i
    WHERE i.batch_id = $1 AND i.standing = s.standing AND NOT i.removed
        AND (i.row, i.recipient_id) < (s.row, s.recipient_id)
    ORDER BY i.row DESC, i.recipient_id DESC
    LIMIT $6
) AS r
ORDER BY s.sorted_by COLLATE "C" DESC, r.row DESC, r.recipient_id DESC
LIMIT $6

-- name: recipients_found
-- All keys of the batch are looked at, and nothing else but the people of the page.
SELECT r.*, page.sorted_by
FROM (
    SELECT recipient_id, row, sorted_by
    FROM (
        SELECT k.*, CASE $2
                    WHEN 'name' THEN left(k.name, 100)
                    WHEN 'phone_number' THEN left(k.phone_number, 100)
                    ELSE '' END AS sorted_by
        FROM recipient_keys AS k
        WHERE k.batch_id = $1
    ) AS k
    WHERE (
            k.name LIKE ALL ($3::text[])
            OR k.phone_number LIKE ANY ($4::text[]) AND k.name LIKE ALL ($5::text[])
        )
        AND NOT EXISTS (
            SELECT FROM recipients AS r
            WHERE r.batch_id = $1 AND r.removed AND r.recipient_id = k.recipient_id
        )
        AND ($6::text IS NULL OR CASE
            WHEN $9::boolean THEN (sorted_by, row, recipient_id) < ($6, $7::int, $8::uuid)
            ELSE (sorted_by, row, recipient_id) > ($6, $7::int, $8::uuid)
        END)
    ORDER BY
        CASE WHEN $9 THEN sorted_by END DESC,
        CASE WHEN $9 THEN row END DESC,
        CASE WHEN $9 THEN recipient_id END DESC,
        sorted_by, row, recipient_id
    LIMIT $10
) AS page
JOIN recipients AS r USING (recipient_id)
ORDER BY
    CASE WHEN $9 THEN sorted_by END DESC,
    CASE WHEN $9 THEN page.row END DESC,
    CASE WHEN $9 THEN recipient_id END DESC,
    sorted_by, page.row, recipient_id

-- name: recipients_found_standing
-- The same, of those who stand so; and sorted by what that means, where it is asked for.
SELECT r.*, page.sorted_by
FROM (
    SELECT recipient_id, row, sorted_by
    FROM (
        SELECT k.*, CASE $2
                    WHEN 'name' THEN left(k.name, 100)
                    WHEN 'phone_number' THEN left(k.phone_number, 100)
                    ELSE s.sorted_by END COLLATE "C" AS sorted_by
        FROM unnest($11::text[], $12::text[]) AS s (standing, sorted_by)
        JOIN recipients AS i ON i.batch_id = $1 AND i.standing = s.standing
        JOIN recipient_keys AS k
            ON k.batch_id = $1 AND k.row = i.row AND k.recipient_id = i.recipient_id
    ) AS k
    WHERE (
            k.name LIKE ALL ($3::text[])
            OR k.phone_number LIKE ANY ($4::text[]) AND k.name LIKE ALL ($5::text[])
        )
        AND NOT EXISTS (
            SELECT FROM recipients AS r
            WHERE r.batch_id = $1 AND r.removed AND r.recipient_id = k.recipient_id
        )
        AND ($6::text IS NULL OR CASE
            WHEN $9::boolean THEN (sorted_by, row, recipient_id) < ($6, $7::int, $8::uuid)
            ELSE (sorted_by, row, recipient_id) > ($6, $7::int, $8::uuid)
        END)
    ORDER BY
        CASE WHEN $9 THEN sorted_by END DESC,
        CASE WHEN $9 THEN row END DESC,
        CASE WHEN $9 THEN recipient_id END DESC,
        sorted_by, row, recipient_id
    LIMIT $10
) AS page
JOIN recipients AS r USING (recipient_id)
ORDER BY
    CASE WHEN $9 THEN sorted_by END DESC,
    CASE WHEN $9 THEN page.row END DESC,
    CASE WHEN $9 THEN recipient_id END DESC,
    sorted_by, page.row, recipient_id
