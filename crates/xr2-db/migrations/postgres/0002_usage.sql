-- What is used: deliveries, their hourly sums, reports of SDKs. On SQLite it stands in a file of its own, hence no foreign
-- keys. Times of deliveries are microseconds since 1970: hours and days are divisions.

-- One row stands for deliveries that are alike in everything but their time and latency and were written together.
-- latency_us: their mean. latencies: a DDSketch of them when there are several.
CREATE TABLE usage_events (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id UUID NOT NULL,
    at BIGINT NOT NULL,
    prompt_id UUID NOT NULL,
    version BIGINT NOT NULL,
    label TEXT NOT NULL,
    variant TEXT NOT NULL,
    api_key_id UUID,
    source TEXT NOT NULL,
    status BIGINT NOT NULL,
    count BIGINT NOT NULL,
    latency_us BIGINT,
    latencies BYTEA,
    user_id TEXT,
    address_hash TEXT,
    user_agent TEXT,
    model TEXT,
    variables JSON,
    includes JSON
);
CREATE INDEX usage_events_by_time ON usage_events (at);

-- Sums of an hour (hours since 1970). Nothing is null, so that the key finds it: version 0 is unknown, no label and no
-- variant are empty, no key is 0.
CREATE TABLE usage_hourly (
    workspace_id UUID NOT NULL,
    hour BIGINT NOT NULL,
    prompt_id UUID NOT NULL,
    version BIGINT NOT NULL,
    label TEXT NOT NULL,
    variant TEXT NOT NULL,
    api_key_id UUID NOT NULL,
    source TEXT NOT NULL,
    count BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    measured BIGINT NOT NULL,
    latency_us BIGINT NOT NULL,
    latencies BYTEA,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, hour, prompt_id, version, label, variant, api_key_id, source)
);

-- Who used a prompt in an hour, as hashes.
CREATE TABLE usage_users (
    workspace_id UUID NOT NULL,
    hour BIGINT NOT NULL,
    prompt_id UUID NOT NULL,
    user_hash BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, hour, prompt_id, user_hash)
);
CREATE INDEX usage_users_by_hour ON usage_users (hour);

-- How far sums have come. Whoever writes events holds 'ingest' until it commits, so that whoever holds it alone knows
-- that no smaller sequence will appear any more.
CREATE TABLE usage_cursors (
    name TEXT PRIMARY KEY,
    sequence BIGINT NOT NULL
);
INSERT INTO usage_cursors (name, sequence) VALUES ('ingest', 0), ('rollup', 0);

-- Events that SDKs have reported, so that a report sent twice counts once.
CREATE TABLE telemetry_ids (
    workspace_id UUID NOT NULL,
    id_hash BYTEA NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id_hash)
);
CREATE INDEX telemetry_ids_by_time ON telemetry_ids (seen_at);

-- Instances of clients heard of lately, and what they serve, as far as they have said.
CREATE TABLE client_instances (
    workspace_id UUID NOT NULL,
    instance TEXT NOT NULL,
    sdk TEXT NOT NULL,
    api_key_id UUID,
    revision BIGINT NOT NULL,
    stream BOOLEAN NOT NULL,
    serving JSON,
    first_seen TIMESTAMPTZ NOT NULL,
    last_seen TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, instance)
);
CREATE INDEX client_instances_by_time ON client_instances (last_seen);

GRANT SELECT, INSERT, UPDATE, DELETE ON
    usage_events, usage_hourly, usage_users, usage_cursors, telemetry_ids, client_instances
    TO xr2_app;

-- Written and summed for all workspaces at once, through the system door.
DO $$
DECLARE name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['usage_events', 'usage_hourly', 'usage_users', 'telemetry_ids', 'client_instances']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I '
                       'USING (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system())) '
                       'WITH CHECK (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()))', name);
    END LOOP;
END
$$;

ALTER TABLE usage_cursors ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_cursors FORCE ROW LEVEL SECURITY;
-- Telemetry is written through the tenant door and holds 'ingest' as well.
CREATE POLICY anyone ON usage_cursors USING (true) WITH CHECK ((SELECT xr2_system()));
