-- Ids of reported events as they came: a report's in one row, 16 bytes each. They are moved into telemetry_ids many at a
-- time and in their order; one by one each would be a page written. On PostgreSQL, where several nodes report, each goes
-- to telemetry_ids at once, and this stays empty.
CREATE TABLE reported_ids (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id BLOB NOT NULL,
    seen_at INTEGER NOT NULL,
    id_hashes BLOB NOT NULL
) STRICT;
