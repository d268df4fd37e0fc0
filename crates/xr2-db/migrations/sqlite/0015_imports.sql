-- Files that are brought in: staged as they were read, then taken into the workspace a few rows at a time.

-- state: reading, waiting, running, checked (a dry run), done, failed, cancelled. rights: what whoever began it may do.
-- round: rows with a smaller one are still to be looked at; a dry run is a round of its own. lease: whose it is.
CREATE TABLE imports (
    id BLOB PRIMARY KEY,
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    options TEXT NOT NULL,
    rights TEXT NOT NULL,
    round INTEGER NOT NULL,
    total INTEGER NOT NULL,
    done INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    message TEXT,
    warnings TEXT NOT NULL,
    lease BLOB,
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE INDEX imports_by_workspace ON imports (workspace_id, id);
CREATE INDEX imports_by_update ON imports (updated_at);

-- wave: 0 stands by itself, 1 includes others. payload: the thing as TEXT; empty once it is in, or when it cannot be read.
CREATE TABLE import_rows (
    import_id BLOB NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    place TEXT NOT NULL,
    kind TEXT NOT NULL,
    slug TEXT NOT NULL,
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    message TEXT,
    wave INTEGER NOT NULL,
    round INTEGER NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (import_id, number)
) STRICT;
CREATE INDEX import_rows_by_workspace ON import_rows (workspace_id, import_id, number);
CREATE INDEX import_rows_by_status ON import_rows (import_id, status, number);
CREATE INDEX import_rows_by_slug ON import_rows (import_id, slug);
