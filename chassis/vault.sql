-- name: create_key
INSERT INTO keys (scope, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: read_keys
SELECT scope, wrapped FROM keys WHERE scope = ANY ($1::text[]) AND wrapped IS NOT NULL

-- name: any_key
SELECT scope, wrapped FROM keys WHERE wrapped IS NOT NULL LIMIT 1

-- name: knows
-- Also a key that was destroyed: it has left its tombstone.
SELECT EXISTS (SELECT FROM keys WHERE scope = $1)

-- name: destroy_key
-- A tombstone also where there was no key, so that a late create finds it.
INSERT INTO keys (scope, destroyed_at) VALUES ($1, now())
ON CONFLICT (scope) DO UPDATE SET wrapped = NULL, destroyed_at = coalesce(keys.destroyed_at, now())
