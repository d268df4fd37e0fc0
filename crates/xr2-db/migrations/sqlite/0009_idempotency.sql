-- Answers to requests that carried an Idempotency-Key, kept for a day in the transaction of what they tell of.

-- scope_hash: SHA-256 of who asked, where, by which route, with which key. target_hash: of path and query. body_hash: of the
-- body, null when nobody read it. answer: without secrets. revision: the workspace's, when delivery sees the change.
CREATE TABLE idempotency_keys (
    scope_hash BLOB PRIMARY KEY,
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    target_hash BLOB NOT NULL,
    body_hash BLOB,
    status INTEGER NOT NULL,
    answer TEXT NOT NULL,
    revision INTEGER,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX idempotency_keys_by_end ON idempotency_keys (expires_at);
CREATE INDEX idempotency_keys_by_workspace ON idempotency_keys (workspace_id);
