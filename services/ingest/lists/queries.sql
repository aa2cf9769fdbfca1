-- name: stage_blocks
INSERT INTO list_blocks
    (upload_id, block_no, first_row, last_row, accepted, rejected, marks, sealed)
SELECT $1, block_no, first_row, last_row, accepted, rejected, marks::bigint[], sealed
FROM unnest($2::integer[], $3::integer[], $4::integer[], $5::integer[], $6::integer[], $7::text[],
            $8::bytea[])
    AS block (block_no, first_row, last_row, accepted, rejected, marks, sealed)

-- name: insert_list
INSERT INTO lists (list_id, account_id) VALUES ($1, $2)

-- name: lock_list
-- In a statement of its own, before anything of the list is read that is to be changed.
SELECT list_id FROM lists WHERE list_id = $1 AND account_id = $2 AND NOT deleted FOR UPDATE

-- name: list_of_account
SELECT list_id, created_at FROM lists WHERE list_id = $1 AND account_id = $2 AND NOT deleted

-- name: attach_file
-- The upload becomes the list's newest file; numbers of removed rows are not given again.
INSERT INTO list_files (upload_id, list_id, base, rows, columns)
SELECT $2, $1, coalesce(max(base + rows), 0), $3, $4 FROM list_files WHERE list_id = $1

-- name: work_in_memory
SELECT set_config('work_mem', '64MB', true)

-- name: has_twins
-- Sorted, numbers that are the same stand side by side; most lists have none.
SELECT EXISTS (
    SELECT FROM (
        SELECT mark, lag(mark) OVER (ORDER BY mark) AS before
        FROM (
            SELECT unnest(marks) AS mark
            FROM list_files JOIN list_blocks USING (upload_id)
            WHERE list_id = $1
        ) AS every
    ) AS sorted
    WHERE mark = before AND mark <> 0
)

-- name: tell_twins_of_file
-- All rows whose number comes twice, if one of them is of the new file.  No join on marks: what is
-- new has no statistics, and a plan that takes it for small never ends.
WITH told AS (
    SELECT base + first_row + entry.place - 1 AS "row", mark,
           count(*) OVER alike AS times, bool_or(upload_id = $2) OVER alike AS fresh
    FROM list_files JOIN list_blocks USING (upload_id),
         unnest(marks) WITH ORDINALITY AS entry (mark, place)
    WHERE list_id = $1 AND mark <> 0
    WINDOW alike AS (PARTITION BY mark)
)
INSERT INTO list_twins (list_id, "row", mark)
SELECT $1, "row", mark FROM told WHERE times > 1 AND fresh
ON CONFLICT DO NOTHING

-- name: leave_twins
DELETE FROM list_twins WHERE list_id = $1 AND "row" = $2

-- name: forget_lonely
-- The last row with a number is nobody's twin.
DELETE FROM list_twins
WHERE list_id = $1 AND mark = $2 AND (
    SELECT count(*) = 1
    FROM (SELECT FROM list_twins WHERE list_id = $1 AND mark = $2 LIMIT 2) AS few
)

-- name: has_twins_of
SELECT EXISTS (SELECT FROM list_twins WHERE list_id = $1 AND mark = $2)

-- name: rows_of_mark
SELECT base + first_row + place - 1 AS "row"
FROM list_files JOIN list_blocks USING (upload_id), unnest(array_positions(marks, $2)) AS place
WHERE list_id = $1 AND marks @> ARRAY[$2::bigint]

-- name: join_twins
INSERT INTO list_twins (list_id, "row", mark) SELECT $1, unnest($2::integer[]), $3
ON CONFLICT DO NOTHING

-- name: twins
SELECT twin."row", first."row" AS earlier
FROM list_twins AS twin CROSS JOIN LATERAL (
    SELECT min("row") AS "row" FROM list_twins WHERE list_id = $1 AND mark = twin.mark
) AS first
WHERE twin.list_id = $1 AND twin."row" = ANY ($2::integer[]) AND first."row" < twin."row"

-- name: counts
SELECT coalesce(sum(accepted), 0) AS accepted, coalesce(sum(rejected), 0) AS rejected,
       (SELECT count(*) - count(DISTINCT mark) FROM list_twins WHERE list_twins.list_id = $1)
           AS duplicates
FROM list_files JOIN list_blocks USING (upload_id)
WHERE list_id = $1

-- name: files
SELECT upload_id, base, rows, columns FROM list_files WHERE list_id = $1 ORDER BY base

-- name: blocks
-- From a row on, in order: those with rejected rows, or with accepted ones, or all.
SELECT upload_id, block_no, base, last_row, sealed
FROM list_files JOIN list_blocks USING (upload_id)
WHERE list_id = $1 AND base + last_row > $2
  AND ($3::text IS NULL OR CASE $3::text WHEN 'rejected' THEN rejected > 0
                                         ELSE accepted > 0 END)
ORDER BY base, first_row
LIMIT $4

-- name: block_of_row
SELECT upload_id, block_no, base, accepted, rejected, marks, sealed
FROM list_files JOIN list_blocks USING (upload_id)
WHERE list_id = $1 AND base + first_row <= $2 AND base + last_row >= $2

-- name: change_block
UPDATE list_blocks SET accepted = $3, rejected = $4, marks = $5, sealed = $6
WHERE upload_id = $1 AND block_no = $2

-- name: drop_rejected
UPDATE list_blocks AS block SET rejected = 0, sealed = fresh.sealed
FROM unnest($1::uuid[], $2::integer[], $3::bytea[]) AS fresh (upload_id, block_no, sealed)
WHERE block.upload_id = fresh.upload_id AND block.block_no = fresh.block_no

-- name: delete_list
UPDATE lists SET deleted = true WHERE list_id = $1 AND account_id = $2 AND NOT deleted
RETURNING list_id

-- name: deleted_lists
SELECT list_id FROM lists WHERE deleted

-- name: drop_files
-- Their blocks go to the sweeper.
WITH gone AS (DELETE FROM list_files WHERE list_id = $1 RETURNING upload_id)
INSERT INTO uploads (upload_id, dropped) SELECT upload_id, true FROM gone
ON CONFLICT (upload_id) DO UPDATE SET dropped = true

-- name: forget_twins
DELETE FROM list_twins WHERE list_id = $1

-- name: forget_list
DELETE FROM lists WHERE list_id = $1 AND deleted
