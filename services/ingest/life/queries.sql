-- name: lock_batch
-- Whoever commands a batch holds its row: numbers follow each other as their events do.
SELECT deleted FROM batches WHERE batch_id = $1 AND account_id = $2 FOR UPDATE

-- name: terms
-- What a further addition goes by; without an account's own batch, nothing.
SELECT
    coalesce(b.zoned, true) AS zoned, coalesce(b.strict, false) AS strict,
    (SELECT count(*) FROM additions AS a WHERE a.batch_id = b.batch_id)::integer AS additions,
    (SELECT coalesce(max(last_row), 0) FROM additions AS a WHERE a.batch_id = b.batch_id) AS last_row
FROM batches AS b
WHERE b.batch_id = $1 AND b.account_id = $2 AND NOT b.deleted

-- name: keep_addition
INSERT INTO additions (
    addition_id, batch_id, upload_id, chunks, rejection_chunks, last_row, list_id, command_id, state
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'asked')

-- name: outcome
-- Of a command: its verdict, and what the dialers have said of its batch since.
SELECT
    v.sequence, v.status, v.epoch, v.refusal, v.allowed_actions, b.status AS known_as,
    b.closed_through_epoch
FROM batches AS b LEFT JOIN verdicts AS v ON v.command_id = $2 AND v.batch_id = b.batch_id
WHERE b.batch_id = $1

-- name: take_back_key
-- Refusals are not remembered: the key may be used again, unless another command has it by now.
DELETE FROM idempotency
WHERE account_id = $1 AND key = $2 AND headers ->> 'Rollcall-Position' = $3

-- name: delete_batch
UPDATE batches SET deleted = true WHERE batch_id = $1

-- name: leaving
-- live: calls that no dialer has told the end of; meanwhile nobody can be called any more.
-- Its last command is the one that deleted it.
SELECT forgotten, live, command_no FROM batches WHERE batch_id = $1

-- name: to_forget
-- No request of theirs can be on its way any more.
SELECT
    batch_id, account_id,
    ARRAY(
        SELECT DISTINCT list_id FROM additions AS a
        WHERE a.batch_id = batches.batch_id AND a.list_id IS NOT NULL
    ) AS lists
FROM batches
WHERE deleted AND NOT forgotten AND closed_for_good
ORDER BY batch_id
LIMIT 100

-- name: forgotten
UPDATE batches SET forgotten = true WHERE batch_id = $1

-- name: drop_additions
-- Nobody streams what nobody can open.
UPDATE additions SET state = 'dropped'
WHERE batch_id = $1 AND state IN ('asked', 'streaming', 'forgotten')
RETURNING upload_id

-- name: fold_terms
UPDATE batches AS b SET zoned = t.zoned, strict = t.strict
FROM unnest($1::uuid[], $2::boolean[], $3::boolean[]) AS t (batch_id, zoned, strict)
WHERE b.batch_id = t.batch_id AND b.zoned IS NULL

-- name: fold_deleted
UPDATE batches SET deleted = true WHERE batch_id = ANY ($1::uuid[]) AND NOT deleted

-- name: fold_asked_additions
-- Ours stand here since before the log knew them; of what does not, the chunks were forgotten.
INSERT INTO additions (
    addition_id, batch_id, upload_id, chunks, rejection_chunks, last_row, list_id, command_id, state
)
SELECT
    addition_id, batch_id, addition_id, chunks, rejection_chunks, last_row, list_id, command_id,
    'asked'
FROM unnest(
    $1::uuid[], $2::uuid[], $3::integer[], $4::integer[], $5::integer[], $6::uuid[], $7::uuid[]
) AS given (addition_id, batch_id, chunks, rejection_chunks, last_row, list_id, command_id)
ORDER BY addition_id
ON CONFLICT (addition_id) DO NOTHING

-- name: fold_verdicts
INSERT INTO verdicts (command_id, batch_id, sequence, status, epoch, refusal, allowed_actions)
SELECT
    command_id, batch_id, sequence, status, epoch, refusal,
    coalesce(string_to_array(nullif(allowed, ''), ','), '{}')
FROM unnest(
    $1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::integer[], $6::text[], $7::text[]
) AS told (command_id, batch_id, sequence, status, epoch, refusal, allowed)
ORDER BY command_id
ON CONFLICT (command_id) DO NOTHING

-- name: fold_statuses
INSERT INTO batches AS known (batch_id, account_id, command_no, sequence, status)
SELECT DISTINCT ON (batch_id) batch_id, account_id, 0, sequence, status
FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::text[])
    AS told (batch_id, account_id, sequence, status)
ORDER BY batch_id, sequence DESC
ON CONFLICT (batch_id) DO UPDATE SET sequence = excluded.sequence, status = excluded.status
WHERE known.sequence < excluded.sequence

-- name: fold_gates
-- Of one batch all that a poll told, taken together: live is what was said of it last.
INSERT INTO batches AS known (
    batch_id, account_id, command_no, closed_through_epoch, closed_for_good, live
)
SELECT batch_id, account_id, 0, through_epoch, for_good, live
FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::boolean[], $5::integer[])
    AS told (batch_id, account_id, through_epoch, for_good, live)
ORDER BY batch_id
ON CONFLICT (batch_id) DO UPDATE SET
    closed_through_epoch = greatest(known.closed_through_epoch, excluded.closed_through_epoch),
    closed_for_good = known.closed_for_good OR excluded.closed_for_good,
    live = CASE
        WHEN NOT excluded.closed_for_good THEN known.live
        WHEN known.closed_for_good THEN least(known.live, excluded.live)
        ELSE excluded.live
    END

-- name: follow_verdicts
-- What was taken is streamed; what was refused goes to the sweeper.
UPDATE additions AS a SET state = CASE
    WHEN v.refusal IS NOT NULL THEN 'refused'
    WHEN a.upload_id = a.addition_id THEN 'forgotten'
    ELSE 'streaming'
END
FROM verdicts AS v
WHERE a.batch_id = ANY ($1::uuid[]) AND a.state = 'asked' AND v.command_id = a.command_id
RETURNING a.upload_id, a.state

-- name: tell
SELECT pg_notify('rollcall_life', '')

-- name: scopes_forgotten
-- Of all keys that were destroyed.
SELECT coalesce(array_agg(scope), '{}') FROM (
    SELECT 'batch:' || batch_id AS scope FROM batches WHERE forgotten
    UNION ALL
    SELECT 'list:' || list_id FROM lists WHERE deleted
) AS gone
