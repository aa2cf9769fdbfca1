-- name: meet_batches
INSERT INTO tombstones (batch_id)
SELECT unnest($1::uuid[]) ORDER BY 1
ON CONFLICT DO NOTHING

-- name: bury_batches
INSERT INTO tombstones (batch_id, deleted)
SELECT unnest($1::uuid[]), true ORDER BY 1
ON CONFLICT (batch_id) DO UPDATE SET deleted = true

-- name: hold_batches
-- Held to the end of the transaction: a delete waits for those who write, and they for it.
SELECT batch_id, deleted FROM tombstones
WHERE batch_id = ANY ($1::uuid[])
ORDER BY batch_id
FOR SHARE

-- name: erase_batches
WITH erased_batches AS (DELETE FROM batches WHERE batch_id = ANY ($1::uuid[])),
erased_additions AS (DELETE FROM additions WHERE batch_id = ANY ($1::uuid[])),
erased_chunks AS (DELETE FROM landed_chunks WHERE batch_id = ANY ($1::uuid[])),
erased_zones AS (DELETE FROM batch_zones WHERE batch_id = ANY ($1::uuid[])),
erased_tallies AS (DELETE FROM tallies WHERE batch_id = ANY ($1::uuid[])),
erased_paces AS (DELETE FROM paces WHERE batch_id = ANY ($1::uuid[])),
erased_variables AS (DELETE FROM batch_variables WHERE batch_id = ANY ($1::uuid[])),
erased_rejections AS (DELETE FROM rejections WHERE batch_id = ANY ($1::uuid[])),
erased_conversations AS (DELETE FROM conversations WHERE batch_id = ANY ($1::uuid[])),
erased_timeline AS (DELETE FROM timeline WHERE batch_id = ANY ($1::uuid[])),
erased_timelines AS (DELETE FROM timelines WHERE batch_id = ANY ($1::uuid[])),
erased_commands AS (DELETE FROM commands WHERE batch_id = ANY ($1::uuid[])),
erased_calls AS (
    DELETE FROM calls WHERE batch_id = ANY ($1::uuid[])
)
DELETE FROM recipients WHERE batch_id = ANY ($1::uuid[])

-- name: known_commands
SELECT batch_id, command_no FROM batches WHERE batch_id = ANY ($1::uuid[])

-- name: fold_commands
INSERT INTO batches AS b (batch_id, account_id, command_no, created_at, created, name)
SELECT batch_id, account_id, command_no, created_at, created::jsonb, name
FROM unnest($1::uuid[], $2::text[], $3::int[], $4::timestamptz[], $5::text[], $6::text[])
    AS e (batch_id, account_id, command_no, created_at, created, name)
ORDER BY batch_id
ON CONFLICT (batch_id) DO UPDATE SET
    command_no = excluded.command_no,
    created_at = coalesce(b.created_at, excluded.created_at),
    created = coalesce(b.created, excluded.created),
    name = coalesce(excluded.name, b.name)
WHERE b.command_no < excluded.command_no

-- name: fold_additions
INSERT INTO additions AS a (addition_id, batch_id, chunks, recipients, rejected, accepted)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[], $5::int[], $6::bool[])
    AS e (addition_id, batch_id, chunks, recipients, rejected, accepted)
ORDER BY addition_id
ON CONFLICT (addition_id) DO UPDATE SET
    chunks = coalesce(a.chunks, excluded.chunks),
    recipients = coalesce(a.recipients, excluded.recipients),
    rejected = coalesce(a.rejected, excluded.rejected),
    accepted = a.accepted OR excluded.accepted

-- name: fold_states
INSERT INTO batches AS b (
    batch_id, account_id, sequence, state, expired_epoch, turn, turned_at, turned_by
)
SELECT batch_id, account_id, sequence, state::jsonb, expired_epoch, turn, turned_at, turned_by
FROM unnest(
    $1::uuid[], $2::text[], $3::int[], $4::text[], $5::int[], $6::int[], $7::timestamptz[],
    $8::int[]
) AS e (batch_id, account_id, sequence, state, expired_epoch, turn, turned_at, turned_by)
ORDER BY batch_id
ON CONFLICT (batch_id) DO UPDATE SET
    sequence = excluded.sequence,
    state = excluded.state,
    expired_epoch = greatest(b.expired_epoch, excluded.expired_epoch),
    turn = greatest(b.turn, excluded.turn),
    turned_at = CASE WHEN excluded.turn > b.turn THEN excluded.turned_at ELSE b.turned_at END,
    turned_by = CASE WHEN excluded.turn > b.turn THEN excluded.turned_by ELSE b.turned_by END
WHERE b.sequence < excluded.sequence

-- name: fold_gates
INSERT INTO batches AS b (batch_id, account_id, gate_epoch)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[]) AS e (batch_id, account_id, gate_epoch)
ORDER BY batch_id
ON CONFLICT (batch_id) DO UPDATE SET gate_epoch = excluded.gate_epoch
WHERE b.gate_epoch < excluded.gate_epoch

-- name: fold_removals
INSERT INTO recipients (recipient_id, batch_id, removed)
SELECT recipient_id, batch_id, true
FROM unnest($1::uuid[], $2::uuid[]) AS e (recipient_id, batch_id)
ORDER BY recipient_id
ON CONFLICT (recipient_id) DO UPDATE SET removed = true

-- name: fold_chunks
INSERT INTO landed_chunks (chunk_id, batch_id)
SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS e (chunk_id, batch_id)
ORDER BY chunk_id
ON CONFLICT DO NOTHING

-- name: fold_zones
INSERT INTO batch_zones AS z (batch_id, zones, earliest, latest)
SELECT batch_id, zones, min(coalesce(due, '-infinity')), max(coalesce(due, '-infinity'))
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS e (batch_id, zones, due)
GROUP BY batch_id, zones
ORDER BY batch_id, zones
ON CONFLICT (batch_id, zones) DO UPDATE SET
    earliest = least(z.earliest, excluded.earliest),
    latest = greatest(z.latest, excluded.latest)
WHERE (least(z.earliest, excluded.earliest), greatest(z.latest, excluded.latest))
    <> (z.earliest, z.latest)

-- name: fold_recipients
INSERT INTO recipients AS r (
    recipient_id, batch_id, row, phone_number, name, variables, zones, not_before, same_number_as
)
SELECT * FROM unnest(
    $1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::timestamptz[], $9::uuid[]
) AS e (
    recipient_id, batch_id, row, phone_number, name, variables, zones, not_before, same_number_as
)
ORDER BY recipient_id
ON CONFLICT (recipient_id) DO UPDATE SET
    row = excluded.row,
    phone_number = excluded.phone_number,
    name = excluded.name,
    variables = excluded.variables,
    zones = excluded.zones,
    not_before = excluded.not_before,
    same_number_as = excluded.same_number_as
WHERE r.row IS NULL

-- name: fold_rejections
INSERT INTO rejections (addition_id, row, batch_id, line, phone_number, name, errors)
SELECT * FROM unnest(
    $1::uuid[], $2::int[], $3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[]
) AS e (addition_id, row, batch_id, line, phone_number, name, errors)
ORDER BY addition_id, row
ON CONFLICT DO NOTHING

-- name: fold_accounts
INSERT INTO accounts AS a (account_id, version, configuration)
SELECT account_id, version, configuration::jsonb
FROM unnest($1::text[], $2::int[], $3::text[]) AS e (account_id, version, configuration)
ORDER BY account_id
ON CONFLICT (account_id) DO UPDATE SET
    version = excluded.version, configuration = excluded.configuration
WHERE a.version < excluded.version

-- name: fold_agents
INSERT INTO agents AS a (account_id, agent_id, version, name, phone_number, active)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::bool[])
    AS e (account_id, agent_id, version, name, phone_number, active)
ORDER BY account_id, agent_id
ON CONFLICT (account_id, agent_id) DO UPDATE SET
    version = excluded.version,
    name = excluded.name,
    phone_number = excluded.phone_number,
    active = excluded.active
WHERE a.version < excluded.version

-- name: fold_phone_numbers
INSERT INTO phone_numbers AS p (account_id, phone_number, version, outbound, active)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bool[], $5::bool[])
    AS e (account_id, phone_number, version, outbound, active)
ORDER BY account_id, phone_number
ON CONFLICT (account_id, phone_number) DO UPDATE SET
    version = excluded.version, outbound = excluded.outbound, active = excluded.active
WHERE p.version < excluded.version

-- name: fold_suppressions
INSERT INTO suppressions AS s (account_id, digest, version, active, expires_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bool[], $5::timestamptz[])
    AS e (account_id, digest, version, active, expires_at)
ORDER BY account_id, digest
ON CONFLICT (account_id, digest) DO UPDATE SET
    version = excluded.version, active = excluded.active, expires_at = excluded.expires_at
WHERE s.version < excluded.version
