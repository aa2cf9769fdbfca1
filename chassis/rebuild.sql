-- name: rebuild_alone
SELECT pg_advisory_xact_lock(7301)

-- name: has_outbox
SELECT EXISTS (SELECT FROM outbox)

-- name: begin_beside
DROP SCHEMA IF EXISTS rebuilt CASCADE;
CREATE SCHEMA rebuilt;
SET LOCAL search_path TO rebuilt, public

-- name: offsets
SELECT topic, partition, next_offset FROM inbox_offsets

-- name: held_back
-- What newer code could read, too, waits for somebody to replay it.
SELECT topic, partition, "offset" FROM quarantined_records
UNION
SELECT topic, partition, "offset" FROM dead_letters WHERE batch_id IS NULL AND replayed_at IS NULL

-- name: swap
-- The text of the statements that put the rebuilt tables in the place of the live ones.
SELECT format('LOCK TABLE %1$s IN ACCESS EXCLUSIVE MODE; DROP TABLE %1$s; ',
              string_agg(format('public.%I', tablename), ', '))
    || string_agg(format('ALTER TABLE rebuilt.%I SET SCHEMA public; ', tablename), '')
FROM pg_tables WHERE schemaname = 'rebuilt'

-- name: end_beside
DROP SCHEMA rebuilt;
SET LOCAL search_path TO public
