-- Ids of reported events as they came. SQLite's alone: with PostgreSQL each goes to telemetry_ids at once.
CREATE TABLE reported_ids (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id UUID NOT NULL,
    seen_at BIGINT NOT NULL,
    id_hashes BYTEA NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON reported_ids TO xr2_app;
ALTER TABLE reported_ids ENABLE ROW LEVEL SECURITY;
ALTER TABLE reported_ids FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON reported_ids
    USING (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()))
    WITH CHECK (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()));
