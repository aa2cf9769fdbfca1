-- Each key is wrapped by the key-encryption key.  A destroyed scope stays as a row without a key,
-- so that it can never be created again.
CREATE TABLE keys (
    scope text PRIMARY KEY,
    wrapped bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
