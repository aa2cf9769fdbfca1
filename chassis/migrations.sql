-- name: try_lock
SELECT pg_try_advisory_lock($1)

-- name: create_history
CREATE TABLE IF NOT EXISTS rollcall_migrations (
    scope text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    digest text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, number)
)

-- name: applied
SELECT number, name, digest FROM rollcall_migrations WHERE scope = $1

-- name: record
INSERT INTO rollcall_migrations (scope, number, name, digest) VALUES ($1, $2, $3, $4)
