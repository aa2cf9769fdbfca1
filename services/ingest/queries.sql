-- name: fold_directory
-- The newest version of each entry stays, in whatever order and however often they come.
INSERT INTO directory AS known (key, version, type, body)
SELECT DISTINCT ON (key) key, version, type, body
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::jsonb[]) AS given (key, version, type, body)
ORDER BY key, version DESC
ON CONFLICT (key) DO UPDATE
SET version = excluded.version, type = excluded.type, body = excluded.body
WHERE known.version < excluded.version

-- name: directory_entries
SELECT key, type, body FROM directory WHERE key = ANY ($1::text[])

-- name: directory_entries_under
SELECT key, type, body FROM directory WHERE starts_with(key, $1)

-- name: has_list
SELECT EXISTS (SELECT FROM lists WHERE account_id = $1 AND list_id = $2 AND NOT deleted)

-- name: lock_entry
-- In a statement of its own: what is read after it sees what the last holder wrote.
SELECT pg_advisory_xact_lock(hashtextextended($1, 1))

-- name: now
SELECT clock_timestamp()

-- name: fold_commands
-- A number only grows; a batch this database has forgotten comes back from the log.
INSERT INTO batches AS known (batch_id, account_id, command_no)
SELECT batch_id, min(account_id), max(command_no)
FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS given (batch_id, account_id, command_no)
GROUP BY batch_id
ORDER BY batch_id
ON CONFLICT (batch_id) DO UPDATE SET command_no = excluded.command_no
WHERE known.command_no < excluded.command_no

-- name: fold_additions
-- Ours stand here since before the log knew them; what does not was forgotten.
INSERT INTO additions (
    addition_id, batch_id, upload_id, chunks, rejection_chunks, last_row, list_id, state
)
SELECT
    addition_id, batch_id, addition_id, chunks, rejection_chunks, last_row, list_id, 'forgotten'
FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::integer[], $5::integer[], $6::uuid[])
    AS given (addition_id, batch_id, chunks, rejection_chunks, last_row, list_id)
ORDER BY addition_id
ON CONFLICT (addition_id) DO NOTHING

-- name: forgotten_streams
SELECT addition_id, batch_id, account_id, upload_id, chunks, rejection_chunks
FROM additions JOIN batches USING (batch_id)
WHERE state = 'forgotten'

-- name: settle_addition
UPDATE additions SET state = $2 WHERE addition_id = $1 AND state = 'forgotten'
RETURNING addition_id

-- name: insert_batch
-- No row comes back if the log had it before a restore.
INSERT INTO batches (batch_id, account_id, command_no, zoned, strict) VALUES ($1, $2, 1, $3, $4)
ON CONFLICT (batch_id) DO NOTHING
RETURNING batch_id

-- name: next_command_no
UPDATE batches SET command_no = command_no + 1 WHERE batch_id = $1 RETURNING command_no, account_id

-- name: insert_addition
INSERT INTO additions (
    addition_id, batch_id, upload_id, chunks, rejection_chunks, last_row, list_id
)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: claim_stream
-- The one that has waited longest; others are streamed by other instances meanwhile.
SELECT addition_id, batch_id, account_id, upload_id, chunks, rejection_chunks, next_chunk,
       next_rejection_chunk
FROM additions JOIN batches USING (batch_id)
WHERE state = 'streaming'
ORDER BY served_at
LIMIT 1
FOR UPDATE OF additions SKIP LOCKED

-- name: chunks
SELECT chunk_no, entries, same_numbers
FROM upload_chunks
WHERE upload_id = $1 AND chunk_no >= $2 AND chunk_no < $3
ORDER BY chunk_no

-- name: rejection_chunks
SELECT chunk_no, count, sealed
FROM upload_rejections
WHERE upload_id = $1 AND chunk_no >= $2 AND chunk_no < $3
ORDER BY chunk_no

-- name: advance_addition
UPDATE additions
SET next_chunk = $2, next_rejection_chunk = $3, served_at = clock_timestamp(),
    state = CASE WHEN $2 = chunks AND $3 = rejection_chunks THEN 'done' ELSE 'streaming' END
WHERE addition_id = $1

-- name: lose_addition
UPDATE additions SET state = 'lost' WHERE addition_id = $1

-- name: claim_key
-- A row comes back if the key is new, or whoever held it has died without an answer.
INSERT INTO idempotency AS held (account_id, key, body_digest, holder, locked_until)
VALUES ($1, $2, $3, $4, clock_timestamp() + $5::interval)
ON CONFLICT (account_id, key) DO UPDATE
SET body_digest = excluded.body_digest, holder = excluded.holder, locked_until = excluded.locked_until
WHERE held.status IS NULL AND held.locked_until < clock_timestamp()
RETURNING holder

-- name: held_key
SELECT body_digest, status, headers, scope, answer FROM idempotency
WHERE account_id = $1 AND key = $2

-- name: answer_key
-- No row: another request holds the key by now.
UPDATE idempotency SET status = $2, headers = $3, scope = $4, answer = $5
WHERE holder = $1 AND status IS NULL
RETURNING key
