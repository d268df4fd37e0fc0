-- Answers to requests that carried an Idempotency-Key, kept for a day in the transaction of what they tell of.

-- scope_hash: SHA-256 of who asked, where, by which route, with which key. target_hash: of path and query. body_hash: of the
-- body, null when nobody read it. answer: without secrets. revision: the workspace's, when delivery sees the change.
CREATE TABLE idempotency_keys (
    scope_hash BYTEA PRIMARY KEY,
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    target_hash BYTEA NOT NULL,
    body_hash BYTEA,
    status BIGINT NOT NULL,
    answer TEXT NOT NULL,
    revision BIGINT,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX idempotency_keys_by_end ON idempotency_keys (expires_at);
CREATE INDEX idempotency_keys_by_workspace ON idempotency_keys (workspace_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO xr2_app;

-- Read before a workspace is there, for the request that makes one, and forgotten for all, through the system door.
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON idempotency_keys
    USING (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()))
    WITH CHECK (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()));
