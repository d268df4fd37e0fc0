-- Caches of a CDN that may keep what a workspace delivers.

-- target: whom to tell when something changes; token: sealed. purged_revision: what caches were told of.
-- confirmed_revision: what they were told of when every node had heard of it. attempts: failed ones since.
CREATE TABLE edge_caches (
    workspace_id UUID PRIMARY KEY REFERENCES workspaces (id) ON DELETE CASCADE,
    enabled BOOLEAN NOT NULL,
    ttl_seconds BIGINT NOT NULL,
    target JSON,
    token BYTEA,
    purged_revision BIGINT NOT NULL,
    confirmed_revision BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    last_error TEXT,
    purged_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON edge_caches TO xr2_app;

-- What has to be purged is looked for in all workspaces, through the system door.
ALTER TABLE edge_caches ENABLE ROW LEVEL SECURITY;
ALTER TABLE edge_caches FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON edge_caches
    USING (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()))
    WITH CHECK (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()));
