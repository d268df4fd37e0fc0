-- Batches of deliveries that were written (at: microseconds since 1970), so that one whose commit got no answer is not
-- written twice. Forgotten when nobody can repeat them any more.
CREATE TABLE usage_batches (
    id BLOB PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_batches_by_time ON usage_batches (at);
