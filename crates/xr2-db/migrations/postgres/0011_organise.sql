-- How people keep their prompts in order.

-- name_key: the name in lower case, which no other folder beside it has.
CREATE TABLE folders (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id UUID NOT NULL,
    parent_id UUID,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    created_by JSON NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, parent_id) REFERENCES folders (workspace_id, id)
);
CREATE UNIQUE INDEX folders_by_name ON folders (workspace_id, COALESCE(parent_id, workspace_id), name_key);
CREATE INDEX folders_by_parent ON folders (workspace_id, parent_id);

CREATE TABLE prompt_folders (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    folder_id UUID NOT NULL,
    prompt_id UUID NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    PRIMARY KEY (workspace_id, folder_id, prompt_id),
    FOREIGN KEY (workspace_id, folder_id) REFERENCES folders (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX prompt_folders_prompt ON prompt_folders (prompt_id, folder_id);

CREATE TABLE prompt_favourites (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    prompt_id UUID NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, prompt_id)
);
CREATE INDEX prompt_favourites_prompt ON prompt_favourites (prompt_id);

-- When a person last changed a prompt. Written with the events of the change.
CREATE TABLE prompt_edits (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    prompt_id UUID NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    edited_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, prompt_id)
);
CREATE INDEX prompt_edits_prompt ON prompt_edits (prompt_id);
CREATE INDEX prompt_edits_recent ON prompt_edits (workspace_id, user_id, edited_at);

-- Lists of prompts that somebody comes back to. owner_id: who made it; gone when the account is.
CREATE TABLE saved_views (
    id UUID PRIMARY KEY,
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    owner_id UUID REFERENCES users (id) ON DELETE SET NULL,
    name TEXT NOT NULL,
    query JSON NOT NULL,
    shared BOOLEAN NOT NULL,
    created_by JSON NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX saved_views_workspace ON saved_views (workspace_id, shared, owner_id);
CREATE INDEX saved_views_owner ON saved_views (owner_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON folders, prompt_folders, prompt_favourites, prompt_edits, saved_views TO xr2_app;

DO $$
DECLARE name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['folders', 'prompt_folders', 'prompt_favourites', 'prompt_edits', 'saved_views']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I USING (workspace_id = (SELECT xr2_workspace())) '
                       'WITH CHECK (workspace_id = (SELECT xr2_workspace()))', name);
    END LOOP;
END
$$;
