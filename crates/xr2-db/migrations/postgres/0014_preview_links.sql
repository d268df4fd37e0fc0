-- Links under which people without an account see one prompt, read-only; and what happened to one thing.

-- token_hash: SHA-256, the token itself is shown once. version_number: null shows the draft as it stands.
CREATE TABLE preview_links (
    id UUID PRIMARY KEY,
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    prompt_id UUID NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    token_hash BYTEA NOT NULL UNIQUE,
    version_number BIGINT,
    note TEXT,
    created_by JSON NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    revoked_at TIMESTAMPTZ
);
CREATE INDEX preview_links_prompt ON preview_links (prompt_id, created_at);

CREATE INDEX events_by_resource ON events (workspace_id, resource_id, sequence) WHERE resource_id IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON preview_links TO xr2_app;

-- Whose a link is, is only known when its token has been found, through the system door.
ALTER TABLE preview_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE preview_links FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON preview_links
    USING (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()))
    WITH CHECK (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()));

-- The drafts saved last, for the home page.
CREATE INDEX prompt_drafts_by_update ON prompt_drafts (workspace_id, updated_at);
