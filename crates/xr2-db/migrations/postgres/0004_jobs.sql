-- Work that is put off: written in the transaction of what makes it necessary, done by whichever worker takes it.

-- state: waiting, running, dead (given up), done (kept so that its key is not done again).
-- due_at: when it may be taken: by anybody while it waits, by another worker once the lease of its own is over while it
-- runs; null once it is over. lease: whose it is. keep_until: how long it is kept once it is over.
-- unique_key: there is one at most of its kind; key_until says for how long: start, end, or kept.
CREATE TABLE jobs (
    id UUID PRIMARY KEY,
    queue TEXT NOT NULL,
    kind TEXT NOT NULL,
    workspace_id UUID REFERENCES workspaces (id) ON DELETE CASCADE,
    payload JSON NOT NULL,
    unique_key TEXT,
    key_until TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at TIMESTAMPTZ,
    lease UUID,
    last_error TEXT,
    keep_until TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX jobs_by_due_time ON jobs (due_at);
CREATE INDEX jobs_by_workspace ON jobs (workspace_id);
CREATE UNIQUE INDEX jobs_by_key ON jobs (kind, unique_key);

-- What is done again and again, by one worker at a time.
CREATE TABLE job_schedules (
    name TEXT PRIMARY KEY,
    next_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON jobs, job_schedules TO xr2_app;

-- Put off through either door, taken through the system door.
ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON jobs
    USING (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()))
    WITH CHECK (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()));

ALTER TABLE job_schedules ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_schedules FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON job_schedules USING ((SELECT xr2_system())) WITH CHECK ((SELECT xr2_system()));
