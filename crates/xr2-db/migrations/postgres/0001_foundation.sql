-- The role that every pooled connection takes. It cannot sign in and cannot bypass row-level security, so policies
-- hold even when the address names the owner or a superuser. Roles belong to the cluster: another database's xr2 may
-- have made it already, perhaps this very moment.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'xr2_app') THEN
        BEGIN
            CREATE ROLE xr2_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'xr2_app', 'MEMBER') THEN
        BEGIN
            EXECUTE format('GRANT xr2_app TO %I', current_user);
        EXCEPTION WHEN unique_violation THEN
            NULL;
        END;
    END IF;
END
$$;

CREATE TABLE instance_settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE users (
    id UUID PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    avatar_url TEXT,
    preferences JSON NOT NULL,
    is_operator BOOLEAN NOT NULL,
    disabled_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash BYTEA NOT NULL UNIQUE,
    address TEXT,
    user_agent TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE workspaces (
    id UUID PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    plan TEXT NOT NULL,
    personal BOOLEAN NOT NULL,
    revision BIGINT NOT NULL,
    settings JSON NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE memberships (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    permissions JSON NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);

CREATE TABLE api_keys (
    id UUID PRIMARY KEY,
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    key_hash BYTEA NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    last4 TEXT NOT NULL,
    scopes JSON NOT NULL,
    labels JSON NOT NULL,
    allowed_ips JSON NOT NULL,
    allowed_origins JSON NOT NULL,
    rate_limit_per_minute BIGINT,
    expires_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ,
    replaced_by UUID,
    maker_id UUID REFERENCES users (id) ON DELETE SET NULL,
    created_by JSON NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ
);
CREATE INDEX api_keys_workspace ON api_keys (workspace_id, created_at);

-- search_facts and search_content hold, in lower case, what lists are searched in: title, slug, description and tags, and
-- the newest text on main.
CREATE TABLE prompts (
    id UUID PRIMARY KEY,
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    slug TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    type TEXT NOT NULL,
    syntax TEXT NOT NULL,
    category TEXT,
    tags JSON NOT NULL,
    metadata JSON NOT NULL,
    excerpt TEXT NOT NULL,
    archived BOOLEAN NOT NULL,
    last_number BIGINT NOT NULL,
    latest_version BIGINT NOT NULL,
    deleted_at TIMESTAMPTZ,
    deleted_by JSON,
    created_by JSON NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_by JSON NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    search_facts TEXT NOT NULL,
    search_content TEXT NOT NULL
);
CREATE INDEX prompts_by_update ON prompts (workspace_id, updated_at, id);
CREATE INDEX prompts_by_creation ON prompts (workspace_id, created_at, id);
CREATE INDEX prompts_by_title ON prompts (workspace_id, title, id);
CREATE INDEX prompts_deleted ON prompts (deleted_at) WHERE deleted_at IS NOT NULL;

-- Every slug a prompt has or had. A former one keeps delivering and stays taken.
CREATE TABLE prompt_slugs (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    slug TEXT NOT NULL,
    prompt_id UUID NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    is_current BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, slug)
);
CREATE INDEX prompt_slugs_prompt ON prompt_slugs (prompt_id);

CREATE TABLE prompt_tags (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    prompt_id UUID NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    PRIMARY KEY (workspace_id, tag, prompt_id)
);
CREATE INDEX prompt_tags_prompt ON prompt_tags (prompt_id);

-- Immutable. content holds the text, or the messages as JSON; content_key_id names the key it is encrypted with
-- (null: plain).
CREATE TABLE prompt_versions (
    id UUID PRIMARY KEY,
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    prompt_id UUID NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    parent_number BIGINT,
    branch TEXT NOT NULL,
    origin TEXT NOT NULL,
    type TEXT NOT NULL,
    syntax TEXT NOT NULL,
    content TEXT NOT NULL,
    content_key_id TEXT,
    variables JSON NOT NULL,
    config JSON NOT NULL,
    change_summary TEXT NOT NULL,
    created_by JSON NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (prompt_id, number)
);

CREATE TABLE prompt_drafts (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    prompt_id UUID NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    branch TEXT NOT NULL,
    revision BIGINT NOT NULL,
    base_version BIGINT NOT NULL,
    type TEXT NOT NULL,
    syntax TEXT NOT NULL,
    content TEXT NOT NULL,
    content_key_id TEXT,
    variables JSON NOT NULL,
    config JSON NOT NULL,
    updated_by JSON NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (prompt_id, branch)
);

CREATE TABLE labels (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    color TEXT NOT NULL,
    description TEXT,
    is_protected BOOLEAN NOT NULL,
    created_by JSON NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, name)
);

CREATE TABLE prompt_labels (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    prompt_id UUID NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    version_number BIGINT NOT NULL,
    comment TEXT,
    moved_by JSON NOT NULL,
    moved_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (prompt_id, label),
    FOREIGN KEY (workspace_id, label) REFERENCES labels (workspace_id, name),
    FOREIGN KEY (prompt_id, version_number) REFERENCES prompt_versions (prompt_id, number)
);
CREATE INDEX prompt_labels_label ON prompt_labels (workspace_id, label);

CREATE TABLE label_moves (
    id UUID PRIMARY KEY,
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    prompt_id UUID NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    action TEXT NOT NULL,
    from_version BIGINT,
    to_version BIGINT,
    comment TEXT,
    moved_by JSON NOT NULL,
    moved_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX label_moves_prompt ON label_moves (prompt_id, moved_at);

-- Which version includes which other prompt. selector is a label, a version number, or empty for production.
CREATE TABLE prompt_includes (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    prompt_id UUID NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    version_number BIGINT NOT NULL,
    included_id UUID NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    selector TEXT NOT NULL,
    PRIMARY KEY (prompt_id, version_number, included_id, selector)
);
CREATE INDEX prompt_includes_included ON prompt_includes (included_id);

CREATE TABLE prompt_fetches (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    prompt_id UUID NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    api_key_id UUID,
    last_fetched_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (prompt_id, label)
);

-- What happened, written in the transaction of the change. revision: the workspace's, where delivery can see it.
CREATE TABLE events (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id UUID NOT NULL,
    workspace_id UUID REFERENCES workspaces (id) ON DELETE CASCADE,
    revision BIGINT,
    type TEXT NOT NULL,
    actor JSON NOT NULL,
    address TEXT,
    user_agent TEXT,
    request_id TEXT,
    resource_type TEXT NOT NULL,
    resource_id UUID,
    resource_name TEXT,
    before JSON,
    after JSON,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX events_by_revision ON events (workspace_id, revision) WHERE revision IS NOT NULL;
CREATE INDEX events_by_workspace ON events (workspace_id, sequence);

GRANT USAGE ON SCHEMA public TO xr2_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    instance_settings, users, sessions, workspaces, memberships, api_keys,
    prompts, prompt_slugs, prompt_tags, prompt_versions, prompt_drafts,
    labels, prompt_labels, label_moves, prompt_includes, prompt_fetches
    TO xr2_app;
-- History is written once.
GRANT SELECT, INSERT ON events TO xr2_app;
GRANT SELECT ON schema_migrations TO xr2_app;

-- The current workspace of the transaction; null outside the tenant door. (After a transaction-local setting ends,
-- its value is '' and not null, hence nullif.)
CREATE FUNCTION xr2_workspace() RETURNS UUID LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT nullif(current_setting('app.current_workspace_id', true), '')::uuid $$;
CREATE FUNCTION xr2_system() RETURNS BOOLEAN LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT coalesce(current_setting('app.system', true), '') <> '' $$;

-- Content: the tenant door only.
DO $$
DECLARE name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['prompt_tags', 'prompt_drafts', 'prompt_versions', 'prompt_slugs', 'labels',
                                'prompt_labels', 'label_moves', 'prompt_includes']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I USING (workspace_id = (SELECT xr2_workspace())) '
                       'WITH CHECK (workspace_id = (SELECT xr2_workspace()))', name);
    END LOOP;
END
$$;

-- What the system door reaches as well: key lookup, memberships before a workspace is chosen, batched last-used times,
-- instance events, bins whose time is over.
DO $$
DECLARE name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['memberships', 'api_keys', 'prompts', 'prompt_fetches', 'events']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I '
                       'USING (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system())) '
                       'WITH CHECK (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()))', name);
    END LOOP;
END
$$;

ALTER TABLE workspaces ENABLE ROW LEVEL SECURITY;
ALTER TABLE workspaces FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON workspaces
    USING (id = (SELECT xr2_workspace()) OR (SELECT xr2_system()))
    WITH CHECK (id = (SELECT xr2_workspace()) OR (SELECT xr2_system()));

-- People and the instance: the system door only.
DO $$
DECLARE name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['users', 'sessions', 'instance_settings']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY system ON %I USING ((SELECT xr2_system())) WITH CHECK ((SELECT xr2_system()))', name);
    END LOOP;
END
$$;
