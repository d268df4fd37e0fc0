-- Files that are brought in: staged as they were read, then taken into the workspace a few rows at a time.

-- state: reading, waiting, running, checked (a dry run), done, failed, cancelled. rights: what whoever began it may do.
-- round: rows with a smaller one are still to be looked at; a dry run is a round of its own. lease: whose it is.
CREATE TABLE imports (
    id UUID PRIMARY KEY,
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    options JSON NOT NULL,
    rights JSON NOT NULL,
    round BIGINT NOT NULL,
    total BIGINT NOT NULL,
    done BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    message TEXT,
    warnings JSON NOT NULL,
    lease UUID,
    created_by JSON NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX imports_by_workspace ON imports (workspace_id, id);
CREATE INDEX imports_by_update ON imports (updated_at);

-- wave: 0 stands by itself, 1 includes others. payload: the thing as JSON; empty once it is in, or when it cannot be read.
CREATE TABLE import_rows (
    import_id UUID NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    place TEXT NOT NULL,
    kind TEXT NOT NULL,
    slug TEXT NOT NULL,
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    message TEXT,
    wave BIGINT NOT NULL,
    round BIGINT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (import_id, number)
);
CREATE INDEX import_rows_by_workspace ON import_rows (workspace_id, import_id, number);
CREATE INDEX import_rows_by_status ON import_rows (import_id, status, number);
CREATE INDEX import_rows_by_slug ON import_rows (import_id, slug);

GRANT SELECT, INSERT, UPDATE, DELETE ON imports, import_rows TO xr2_app;

-- What nobody needs any more is looked for in all workspaces, through the system door.
ALTER TABLE imports ENABLE ROW LEVEL SECURITY;
ALTER TABLE imports FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON imports
    USING (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()))
    WITH CHECK (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()));
ALTER TABLE import_rows ENABLE ROW LEVEL SECURITY;
ALTER TABLE import_rows FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON import_rows
    USING (workspace_id = (SELECT xr2_workspace()))
    WITH CHECK (workspace_id = (SELECT xr2_workspace()));
