-- name: begin_upload
INSERT INTO uploads (upload_id) VALUES ($1)

-- name: touch_upload
-- Says that the upload lives, and keeps its Idempotency-Key; no row: it was given up as dead.
WITH kept AS (
    UPDATE idempotency SET locked_until = clock_timestamp() + $2::interval
    WHERE holder = $1 AND status IS NULL
)
UPDATE uploads SET touched_at = clock_timestamp()
WHERE upload_id = $1 AND NOT dropped
RETURNING upload_id

-- name: keep_key
UPDATE idempotency SET locked_until = clock_timestamp() + $2::interval
WHERE holder = $1 AND status IS NULL

-- name: keep_upload
-- One that is just being finished needs it no more.
UPDATE uploads SET touched_at = clock_timestamp()
WHERE upload_id IN (
    SELECT upload_id FROM uploads WHERE upload_id = $1 AND NOT dropped FOR UPDATE SKIP LOCKED
)

-- name: stage_chunks
INSERT INTO upload_chunks (upload_id, chunk_no, entries, rows, marks)
SELECT $1, chunk_no, entries, rows::integer[], marks::bigint[]
FROM unnest($2::integer[], $3::bytea[], $4::text[], $5::text[])
    AS chunk (chunk_no, entries, rows, marks)

-- name: stage_rejections
INSERT INTO upload_rejections (upload_id, chunk_no, count, sealed)
SELECT $1, chunk_no, count, sealed
FROM unnest($2::integer[], $3::integer[], $4::text[]) AS chunk (chunk_no, count, sealed)

-- name: take_longer
-- For a statement over a whole list, whose rows nobody else needs; whoever runs it is known to live.
-- (A transaction_timeout that runs can be put out, but not put off.)
SELECT set_config('transaction_timeout', '0', true), set_config('statement_timeout', '300s', true)

-- name: mark_same_numbers
-- Each row with an earlier one of its number learns the nearest; then no number is known any more.
UPDATE upload_chunks AS chunk
SET same_numbers = found.same_numbers, rows = NULL, marks = NULL
FROM (
    SELECT chunk_no,
           jsonb_object_agg("row", earlier) FILTER (WHERE earlier IS NOT NULL) AS same_numbers
    FROM (
        SELECT chunk_no, "row", lag("row") OVER (PARTITION BY mark ORDER BY "row") AS earlier
        FROM upload_chunks, unnest(rows, marks) AS entry ("row", mark)
        WHERE upload_id = $1
    ) AS numbers
    GROUP BY chunk_no
) AS found
WHERE chunk.upload_id = $1 AND chunk.chunk_no = found.chunk_no

-- name: finish_upload
-- From here the chunks are an addition's.  No row: the upload was given up as dead.
DELETE FROM uploads WHERE upload_id = $1 AND NOT dropped RETURNING upload_id

-- name: drop_upload
UPDATE uploads SET dropped = true WHERE upload_id = $1

-- name: drop_dead_uploads
UPDATE uploads SET dropped = true
WHERE NOT dropped AND touched_at < clock_timestamp() - $1::interval

-- name: dropped_uploads
SELECT upload_id FROM uploads WHERE dropped

-- name: purge_some_chunks
-- Some at a time, so that no transaction grows with the list.
DELETE FROM upload_chunks
WHERE upload_id = $1 AND chunk_no IN (
    SELECT chunk_no FROM upload_chunks WHERE upload_id = $1 ORDER BY chunk_no LIMIT 20
)

-- name: purge_some_blocks
DELETE FROM list_blocks
WHERE upload_id = $1 AND block_no IN (
    SELECT block_no FROM list_blocks WHERE upload_id = $1 ORDER BY block_no LIMIT 50
)

-- name: purge_rejections
DELETE FROM upload_rejections WHERE upload_id = $1

-- name: forget_upload
DELETE FROM uploads WHERE upload_id = $1

-- name: give_to_sweeper
INSERT INTO uploads (upload_id, dropped) VALUES ($1, true) ON CONFLICT (upload_id) DO NOTHING

-- name: release_key
DELETE FROM idempotency WHERE holder = $1 AND status IS NULL
