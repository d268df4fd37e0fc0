-- Batches of deliveries that were written (at: microseconds since 1970), so that one whose commit got no answer is not
-- written twice. Forgotten when nobody can repeat them any more.
CREATE TABLE usage_batches (
    id UUID PRIMARY KEY,
    at BIGINT NOT NULL
);
CREATE INDEX usage_batches_by_time ON usage_batches (at);

GRANT SELECT, INSERT, UPDATE, DELETE ON usage_batches TO xr2_app;
ALTER TABLE usage_batches ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_batches FORCE ROW LEVEL SECURITY;
CREATE POLICY nobody ON usage_batches
    USING ((SELECT xr2_system()))
    WITH CHECK ((SELECT xr2_system()));
