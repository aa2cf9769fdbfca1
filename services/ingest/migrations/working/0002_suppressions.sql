-- Numbers never to be called, as digests under the account's pepper: no number can be read from them.
-- The newest version of each, folded from our own topic as the directory is; a lifted one stays, for
-- its version.  reason is sealed under the account's key.
CREATE TABLE IF NOT EXISTS suppressions (
    account_id text NOT NULL,
    digest bytea NOT NULL,
    version bigint NOT NULL,
    active boolean NOT NULL,
    expires_at timestamptz,
    source text NOT NULL,
    reason text,
    PRIMARY KEY (account_id, digest)
);
