-- Calls by month (months since year 0: year * 12 + month - 1), for quotas: what was delivered to programs, without errors.
-- Written together with the sums of the hour.
CREATE TABLE usage_monthly (
    workspace_id UUID NOT NULL,
    month BIGINT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, month)
);

INSERT INTO usage_monthly (workspace_id, month, count)
SELECT workspace_id,
       EXTRACT(YEAR FROM to_timestamp(hour * 3600) AT TIME ZONE 'UTC')::BIGINT * 12
           + EXTRACT(MONTH FROM to_timestamp(hour * 3600) AT TIME ZONE 'UTC')::BIGINT - 1,
       SUM(count - errors)::BIGINT
FROM usage_hourly GROUP BY 1, 2;

GRANT SELECT, INSERT, UPDATE, DELETE ON usage_monthly TO xr2_app;
ALTER TABLE usage_monthly ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_monthly FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON usage_monthly
    USING (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()))
    WITH CHECK (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()));
