-- Caches of a CDN that may keep what a workspace delivers.

-- target: whom to tell when something changes; token: sealed. purged_revision: what caches were told of.
-- confirmed_revision: what they were told of when every node had heard of it. attempts: failed ones since.
CREATE TABLE edge_caches (
    workspace_id BLOB PRIMARY KEY REFERENCES workspaces (id) ON DELETE CASCADE,
    enabled INTEGER NOT NULL,
    ttl_seconds INTEGER NOT NULL,
    target TEXT,
    token BLOB,
    purged_revision INTEGER NOT NULL,
    confirmed_revision INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT,
    purged_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
