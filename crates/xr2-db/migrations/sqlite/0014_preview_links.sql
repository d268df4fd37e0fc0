-- Links under which people without an account see one prompt, read-only; and what happened to one thing.

-- token_hash: SHA-256, the token itself is shown once. version_number: null shows the draft as it stands.
CREATE TABLE preview_links (
    id BLOB PRIMARY KEY,
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    prompt_id BLOB NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL UNIQUE,
    version_number INTEGER,
    note TEXT,
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    revoked_at TEXT
) STRICT;
CREATE INDEX preview_links_prompt ON preview_links (prompt_id, created_at);

CREATE INDEX events_by_resource ON events (workspace_id, resource_id, sequence) WHERE resource_id IS NOT NULL;

-- The drafts saved last, for the home page.
CREATE INDEX prompt_drafts_by_update ON prompt_drafts (workspace_id, updated_at);
