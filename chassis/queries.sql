-- name: hold_off_rebuild
-- Shared by all who write; a rebuild takes it alone.
SELECT pg_advisory_xact_lock_shared(7301)

-- name: hold_off_rebuild_unflushed
-- As above, and the commit does not wait for the disk: what a crash takes back is read again, and the
-- next commit that waits takes all before it along.
SELECT pg_advisory_xact_lock_shared(7301), set_config('synchronous_commit', 'off', true)

-- name: make_offsets
INSERT INTO inbox_offsets (topic, partition, next_offset)
SELECT topic, partition, 0 FROM unnest($1::text[], $2::int[]) AS t (topic, partition)
ORDER BY topic, partition
ON CONFLICT DO NOTHING

-- name: offsets
SELECT topic, partition, next_offset, marked_offset, marked_at
FROM inbox_offsets WHERE topic = ANY ($1::text[])

-- name: lock_offsets
SELECT o.topic, o.partition, o.next_offset
FROM inbox_offsets AS o
JOIN unnest($1::text[], $2::int[]) AS t (topic, partition) USING (topic, partition)
ORDER BY o.topic, o.partition
FOR UPDATE OF o

-- name: move_offsets
UPDATE inbox_offsets AS o SET
    next_offset = t.upto,
    marked_offset = coalesce(t.marked_offset, o.marked_offset),
    marked_at = coalesce(t.marked_at, o.marked_at)
FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
    AS t (topic, partition, since, upto, marked_offset, marked_at)
WHERE o.topic = t.topic AND o.partition = t.partition AND o.next_offset = t.since

-- name: quarantined
SELECT batch_id FROM quarantined_batches

-- name: count_quarantined
SELECT count(*) FROM quarantined_batches

-- name: quarantine_batch
WITH listed AS (
    INSERT INTO dead_letters AS d (batch_id, topic, partition, "offset", error)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (topic, partition, "offset") DO UPDATE SET
        batch_id = excluded.batch_id, error = excluded.error, times = d.times + 1,
        tried_at = now(), asked = false, replayed_at = NULL
)
INSERT INTO quarantined_batches (batch_id, topic, partition, "offset", error)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING

-- name: quarantine_records
INSERT INTO quarantined_records (topic, partition, "offset", batch_id)
SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::uuid[])
ON CONFLICT DO NOTHING

-- name: put
INSERT INTO outbox (topic, key, value, headers)
SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::text[])

-- name: lock_outbox
-- A statement of its own: the one that reads must see what the last holder deleted.
-- Nobody waits for the disk: rows that come back after a crash are sent again, and known by number.
SELECT pg_advisory_xact_lock(7302), set_config('synchronous_commit', 'off', true)

-- name: oldest_in_outbox
SELECT id, topic, key, value, headers FROM outbox ORDER BY id LIMIT $1

-- name: published
DELETE FROM outbox WHERE id = ANY ($1::bigint[])

-- name: outbox_depth
SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT 100000) AS waiting
