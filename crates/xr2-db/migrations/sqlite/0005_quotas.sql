-- Calls by month (months since year 0: year * 12 + month - 1), for quotas: what was delivered to programs, without errors.
-- Written together with the sums of the hour.
CREATE TABLE usage_monthly (
    workspace_id BLOB NOT NULL,
    month INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, month)
) STRICT, WITHOUT ROWID;

INSERT INTO usage_monthly (workspace_id, month, count)
SELECT workspace_id,
       CAST(strftime('%Y', hour * 3600, 'unixepoch') AS INTEGER) * 12
           + CAST(strftime('%m', hour * 3600, 'unixepoch') AS INTEGER) - 1,
       SUM(count - errors)
FROM usage_hourly GROUP BY 1, 2;
