-- name: live
SELECT number, steps, digest FROM generations WHERE state = 'live'

-- name: is_live
SELECT EXISTS (SELECT FROM generations WHERE state = 'live' AND digest = $1)

-- name: live_name
SELECT number || '.' || born FROM generations WHERE state = 'live'

-- name: being_built
SELECT number, digest FROM generations WHERE state = 'building'

-- name: enter
-- What is read here is the live model, to the end of the transaction.
SELECT set_config(
    'search_path', format('model_%s, %s', number, current_setting('search_path')), true
)
FROM generations WHERE state = 'live'

-- name: enter_as
-- The same for whoever writes: only the model that its code was made for.
SELECT set_config(
    'search_path', format('model_%s, %s', number, current_setting('search_path')), true
)
FROM generations WHERE state = 'live' AND digest = $1

-- name: stay_in
SELECT set_config(
    'search_path', format('model_%s, %s', $1::integer, current_setting('search_path')), false
)

-- name: next_number
SELECT coalesce(max(number), 0) + 1 FROM generations

-- name: create_schema
SELECT format('CREATE SCHEMA model_%s', $1::integer)

-- name: add
INSERT INTO generations (number, state, steps, digest) VALUES ($1, $2, $3, $4)

-- name: build_alone
-- Of the session: whoever builds holds up nobody but others who would build.
SELECT pg_try_advisory_lock(7303)

-- name: let_others_build
SELECT pg_advisory_unlock(7303)

-- name: be_a_hand
-- The same of each process that helps to build.
SELECT pg_advisory_lock_shared(7304)

-- name: has_hands
-- Also of one who was killed: they go with it, but that takes a moment.
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 7304
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))

-- name: begin
BEGIN

-- name: within_bounds
-- Who holds up the writers is ended by the database if it takes too long, or is frozen.
SELECT
    set_config('transaction_timeout', '30s', true), set_config('statement_timeout', '25s', true),
    set_config('lock_timeout', '20s', true)

-- name: write_alone
SELECT pg_advisory_xact_lock(7301)

-- name: built_offsets
SELECT topic, partition, next_offset FROM built_offsets WHERE number = $1

-- name: move_built_offsets
INSERT INTO built_offsets (number, topic, partition, next_offset)
SELECT $1, topic, partition, next_offset
FROM unnest($2::text[], $3::integer[], $4::bigint[]) AS t (topic, partition, next_offset)
ON CONFLICT (number, topic, partition) DO UPDATE SET next_offset = excluded.next_offset

-- name: live_offsets
SELECT topic, partition, next_offset FROM inbox_offsets

-- name: held_back
-- What newer code could read, too, waits for somebody to replay it.
SELECT topic, partition, "offset" FROM quarantined_records
UNION
SELECT topic, partition, "offset" FROM dead_letters WHERE batch_id IS NULL AND replayed_at IS NULL

-- name: unflushed
SELECT set_config('synchronous_commit', 'off', true)

-- name: retire
UPDATE generations SET state = 'retired' WHERE state = 'live'

-- name: put_in_place
UPDATE generations SET state = 'live' WHERE number = $1

-- name: tell_of_it
-- Whoever follows what happens looks again, and sees another generation.
SELECT pg_notify('projections_changed', '')

-- name: give_up
UPDATE generations SET state = 'retired' WHERE number = $1 AND state = 'building'

-- name: mark_retired
-- In a transaction after the one that retired them: whoever begins from now on cannot see them.
UPDATE generations SET retired_at = clock_timestamp() WHERE state = 'retired' AND retired_at IS NULL

-- name: unused
-- What nobody reads any more: whoever began before they were retired has ended.
SELECT number, format('DROP SCHEMA IF EXISTS model_%s CASCADE', number) AS drop_schema
FROM generations AS g
WHERE state = 'retired' AND NOT EXISTS (
    SELECT FROM pg_stat_activity AS a
    WHERE a.datname = current_database() AND a.backend_type = 'client backend'
        AND a.pid <> pg_backend_pid() AND a.xact_start <= g.retired_at
)
ORDER BY number

-- name: has_retired
SELECT EXISTS (SELECT FROM generations WHERE state = 'retired')

-- name: forget
DELETE FROM generations WHERE number = $1

-- name: analyze
SELECT format('ANALYZE %s', string_agg(format('%I.%I', schemaname, tablename), ', '))
FROM pg_tables WHERE schemaname = format('model_%s', $1::integer)
