-- name: fold_suppressions
-- The newest version of each entry stays, in whatever order and however often they come.
INSERT INTO suppressions AS known (
    account_id, digest, version, active, source, reason, expires_at
)
SELECT DISTINCT ON (account_id, digest) *
FROM unnest(
    $1::text[], $2::bytea[], $3::bigint[], $4::bool[], $5::text[], $6::text[], $7::timestamptz[]
) AS given (account_id, digest, version, active, source, reason, expires_at)
ORDER BY account_id, digest, version DESC
ON CONFLICT (account_id, digest) DO UPDATE SET
    version = excluded.version, active = excluded.active, source = excluded.source,
    reason = excluded.reason, expires_at = excluded.expires_at
WHERE known.version < excluded.version

-- name: entries
SELECT digest, version, active, source, reason, expires_at
FROM suppressions
WHERE account_id = $1 AND digest = ANY ($2::bytea[])

-- name: all_in_force
-- The first bytes of each, end to end in the order of the key: one value, however many there are.
SELECT string_agg(substring(digest FOR $3::int), ''::bytea ORDER BY digest)
FROM suppressions
WHERE account_id = $1 AND active AND (expires_at IS NULL OR expires_at > $2)

-- name: suppressing_accounts
-- One step of the index an account, however many numbers each has.
WITH RECURSIVE told AS (
    SELECT min(account_id) AS account_id FROM suppressions
    UNION ALL
    SELECT (SELECT min(s.account_id) FROM suppressions AS s WHERE s.account_id > told.account_id)
    FROM told WHERE told.account_id IS NOT NULL
)
SELECT coalesce(array_agg(account_id), '{}') FROM told WHERE account_id IS NOT NULL
