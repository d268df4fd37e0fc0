-- How people keep their prompts in order.

-- name_key: the name in lower case, which no other folder beside it has.
CREATE TABLE folders (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id BLOB NOT NULL,
    parent_id BLOB,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, parent_id) REFERENCES folders (workspace_id, id)
) STRICT;
CREATE UNIQUE INDEX folders_by_name ON folders (workspace_id, COALESCE(parent_id, workspace_id), name_key);
CREATE INDEX folders_by_parent ON folders (workspace_id, parent_id);

CREATE TABLE prompt_folders (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    folder_id BLOB NOT NULL,
    prompt_id BLOB NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    PRIMARY KEY (workspace_id, folder_id, prompt_id),
    FOREIGN KEY (workspace_id, folder_id) REFERENCES folders (workspace_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX prompt_folders_prompt ON prompt_folders (prompt_id, folder_id);

CREATE TABLE prompt_favourites (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    prompt_id BLOB NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    created_at TEXT NOT NULL,
    PRIMARY KEY (user_id, prompt_id)
) STRICT;
CREATE INDEX prompt_favourites_prompt ON prompt_favourites (prompt_id);

-- When a person last changed a prompt. Written with the events of the change.
CREATE TABLE prompt_edits (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    prompt_id BLOB NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    edited_at TEXT NOT NULL,
    PRIMARY KEY (user_id, prompt_id)
) STRICT;
CREATE INDEX prompt_edits_prompt ON prompt_edits (prompt_id);
CREATE INDEX prompt_edits_recent ON prompt_edits (workspace_id, user_id, edited_at);

-- Lists of prompts that somebody comes back to. owner_id: who made it; gone when the account is.
CREATE TABLE saved_views (
    id BLOB PRIMARY KEY,
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    owner_id BLOB REFERENCES users (id) ON DELETE SET NULL,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    shared INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE INDEX saved_views_workspace ON saved_views (workspace_id, shared, owner_id);
CREATE INDEX saved_views_owner ON saved_views (owner_id);
