-- name: note
INSERT INTO dead_letters AS d (topic, partition, "offset", error)
SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::text[])
ON CONFLICT (topic, partition, "offset") DO UPDATE SET
    error = excluded.error, times = d.times + 1, tried_at = now()

-- name: list_all
SELECT
    d.topic, d.partition, d."offset", d.batch_id, d.error, d.at, d.tried_at, d.times, d.asked,
    d.late, d.replayed_at,
    (SELECT count(*) FROM quarantined_records AS q WHERE q.batch_id = d.batch_id) AS held
FROM dead_letters AS d
ORDER BY d.at, d.topic, d.partition, d."offset"

-- name: ask
-- What is done already, or asked for, is not asked for again.
UPDATE dead_letters AS d SET asked = true
FROM unnest($1::text[], $2::integer[], $3::bigint[]) AS t (topic, partition, "offset")
WHERE (d.topic, d.partition, d."offset") = (t.topic, t.partition, t."offset")
    AND d.replayed_at IS NULL

-- name: tell
SELECT pg_notify('rollcall_dead_letters', '')

-- name: asked
SELECT topic, partition, "offset", batch_id FROM dead_letters WHERE asked
ORDER BY topic, partition, "offset"

-- name: take_letter
-- Whoever holds it replays it; another instance finds it taken, or done.
SELECT true FROM dead_letters
WHERE topic = $1 AND partition = $2 AND "offset" = $3 AND asked
FOR UPDATE SKIP LOCKED

-- name: is_set_aside
SELECT EXISTS (SELECT FROM quarantined_batches WHERE batch_id = $1)

-- name: still_bad
UPDATE dead_letters SET
    asked = false, error = $4, times = times + 1, tried_at = clock_timestamp()
WHERE topic = $1 AND partition = $2 AND "offset" = $3

-- name: replayed
UPDATE dead_letters SET asked = false, late = $4, replayed_at = clock_timestamp()
WHERE topic = $1 AND partition = $2 AND "offset" = $3

-- name: write_alone
SELECT pg_advisory_xact_lock(7301)

-- name: held_records
-- In the order of their keys.
SELECT topic, partition, "offset" FROM quarantined_records WHERE batch_id = $1
ORDER BY topic, partition, "offset" LIMIT $2

-- name: still_held
SELECT q.topic, q.partition, q."offset" FROM quarantined_records AS q
JOIN unnest($1::text[], $2::integer[], $3::bigint[]) AS t (topic, partition, "offset")
    USING (topic, partition, "offset")

-- name: let_go
DELETE FROM quarantined_records AS q
USING unnest($1::text[], $2::integer[], $3::bigint[]) AS t (topic, partition, "offset")
WHERE (q.topic, q.partition, q."offset") = (t.topic, t.partition, t."offset")

-- name: take_up
DELETE FROM quarantined_batches WHERE batch_id = $1
