-- The same tables as on PostgreSQL: ids are 16-byte BLOBs, times RFC 3339 text in UTC, JSON is text, booleans are 0 and 1.
-- SQLite has no row-level security: every query filters by workspace_id itself.

CREATE TABLE instance_settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE users (
    id BLOB PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    avatar_url TEXT,
    preferences TEXT NOT NULL,
    is_operator INTEGER NOT NULL,
    disabled_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE sessions (
    id BLOB PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL UNIQUE,
    address TEXT,
    user_agent TEXT,
    created_at TEXT NOT NULL,
    last_used_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE workspaces (
    id BLOB PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    plan TEXT NOT NULL,
    personal INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    settings TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE memberships (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    permissions TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
) STRICT;
CREATE INDEX memberships_user ON memberships (user_id);

CREATE TABLE api_keys (
    id BLOB PRIMARY KEY,
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    key_hash BLOB NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    last4 TEXT NOT NULL,
    scopes TEXT NOT NULL,
    labels TEXT NOT NULL,
    allowed_ips TEXT NOT NULL,
    allowed_origins TEXT NOT NULL,
    rate_limit_per_minute INTEGER,
    expires_at TEXT,
    revoked_at TEXT,
    replaced_by BLOB,
    maker_id BLOB REFERENCES users (id) ON DELETE SET NULL,
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_used_at TEXT
) STRICT;
CREATE INDEX api_keys_workspace ON api_keys (workspace_id, created_at);

-- search_facts and search_content hold, in lower case, what lists are searched in: title, slug, description and tags, and
-- the newest text on main.
CREATE TABLE prompts (
    id BLOB PRIMARY KEY,
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    slug TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    type TEXT NOT NULL,
    syntax TEXT NOT NULL,
    category TEXT,
    tags TEXT NOT NULL,
    metadata TEXT NOT NULL,
    excerpt TEXT NOT NULL,
    archived INTEGER NOT NULL,
    last_number INTEGER NOT NULL,
    latest_version INTEGER NOT NULL,
    deleted_at TEXT,
    deleted_by TEXT,
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    search_facts TEXT NOT NULL,
    search_content TEXT NOT NULL
) STRICT;
CREATE INDEX prompts_by_update ON prompts (workspace_id, updated_at, id);
CREATE INDEX prompts_by_creation ON prompts (workspace_id, created_at, id);
CREATE INDEX prompts_by_title ON prompts (workspace_id, title, id);
CREATE INDEX prompts_deleted ON prompts (deleted_at) WHERE deleted_at IS NOT NULL;

-- Every slug a prompt has or had. A former one keeps delivering and stays taken.
CREATE TABLE prompt_slugs (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    slug TEXT NOT NULL,
    prompt_id BLOB NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    is_current INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (workspace_id, slug)
) STRICT;
CREATE INDEX prompt_slugs_prompt ON prompt_slugs (prompt_id);

CREATE TABLE prompt_tags (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    prompt_id BLOB NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    PRIMARY KEY (workspace_id, tag, prompt_id)
) STRICT;
CREATE INDEX prompt_tags_prompt ON prompt_tags (prompt_id);

-- Immutable. content holds the text, or the messages as JSON; content_key_id names the key it is encrypted with
-- (null: plain).
CREATE TABLE prompt_versions (
    id BLOB PRIMARY KEY,
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    prompt_id BLOB NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    parent_number INTEGER,
    branch TEXT NOT NULL,
    origin TEXT NOT NULL,
    type TEXT NOT NULL,
    syntax TEXT NOT NULL,
    content TEXT NOT NULL,
    content_key_id TEXT,
    variables TEXT NOT NULL,
    config TEXT NOT NULL,
    change_summary TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (prompt_id, number)
) STRICT;

CREATE TABLE prompt_drafts (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    prompt_id BLOB NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    branch TEXT NOT NULL,
    revision INTEGER NOT NULL,
    base_version INTEGER NOT NULL,
    type TEXT NOT NULL,
    syntax TEXT NOT NULL,
    content TEXT NOT NULL,
    content_key_id TEXT,
    variables TEXT NOT NULL,
    config TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (prompt_id, branch)
) STRICT;

CREATE TABLE labels (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    color TEXT NOT NULL,
    description TEXT,
    is_protected INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (workspace_id, name)
) STRICT;

CREATE TABLE prompt_labels (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    prompt_id BLOB NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    version_number INTEGER NOT NULL,
    comment TEXT,
    moved_by TEXT NOT NULL,
    moved_at TEXT NOT NULL,
    PRIMARY KEY (prompt_id, label),
    FOREIGN KEY (workspace_id, label) REFERENCES labels (workspace_id, name),
    FOREIGN KEY (prompt_id, version_number) REFERENCES prompt_versions (prompt_id, number)
) STRICT;
CREATE INDEX prompt_labels_label ON prompt_labels (workspace_id, label);

CREATE TABLE label_moves (
    id BLOB PRIMARY KEY,
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    prompt_id BLOB NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    action TEXT NOT NULL,
    from_version INTEGER,
    to_version INTEGER,
    comment TEXT,
    moved_by TEXT NOT NULL,
    moved_at TEXT NOT NULL
) STRICT;
CREATE INDEX label_moves_prompt ON label_moves (prompt_id, moved_at);

-- Which version includes which other prompt. selector is a label, a version number, or empty for production.
CREATE TABLE prompt_includes (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    prompt_id BLOB NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    version_number INTEGER NOT NULL,
    included_id BLOB NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    selector TEXT NOT NULL,
    PRIMARY KEY (prompt_id, version_number, included_id, selector)
) STRICT;
CREATE INDEX prompt_includes_included ON prompt_includes (included_id);

CREATE TABLE prompt_fetches (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    prompt_id BLOB NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    api_key_id BLOB,
    last_fetched_at TEXT NOT NULL,
    PRIMARY KEY (prompt_id, label)
) STRICT;

-- What happened, written in the transaction of the change. revision: the workspace's, where delivery can see it.
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL,
    workspace_id BLOB REFERENCES workspaces (id) ON DELETE CASCADE,
    revision INTEGER,
    type TEXT NOT NULL,
    actor TEXT NOT NULL,
    address TEXT,
    user_agent TEXT,
    request_id TEXT,
    resource_type TEXT NOT NULL,
    resource_id BLOB,
    resource_name TEXT,
    before TEXT,
    after TEXT,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_revision ON events (workspace_id, revision) WHERE revision IS NOT NULL;
CREATE INDEX events_by_workspace ON events (workspace_id, sequence);
