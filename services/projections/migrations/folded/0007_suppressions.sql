-- Numbers never to be called, as digests under the account's pepper: none can be read from them.
-- The newest version of each; a lifted one stays, for its version.
CREATE TABLE suppressions (
    account_id text NOT NULL,
    digest text NOT NULL,
    version integer NOT NULL,
    active boolean NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (account_id, digest)
);
