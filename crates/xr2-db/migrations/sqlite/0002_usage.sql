-- What is used: deliveries, their hourly sums, reports of SDKs. In a file of its own, because it is written a thousand
-- times as often as prompts are, and so that its writer never waits for theirs or they for it. Hence no foreign keys
-- either. Times of deliveries are microseconds since 1970: smaller than text, and hours and days are divisions.

-- One row stands for deliveries that are alike in everything but their time and latency and were written together.
-- latency_us: their mean. latencies: a DDSketch of them when there are several.
CREATE TABLE usage_events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    prompt_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    label TEXT NOT NULL,
    variant TEXT NOT NULL,
    api_key_id BLOB,
    source TEXT NOT NULL,
    status INTEGER NOT NULL,
    count INTEGER NOT NULL,
    latency_us INTEGER,
    latencies BLOB,
    user_id TEXT,
    address_hash TEXT,
    user_agent TEXT,
    model TEXT,
    variables TEXT,
    includes TEXT
) STRICT;
CREATE INDEX usage_events_by_time ON usage_events (at);

-- Sums of an hour (hours since 1970). Nothing is null, so that the key finds it: version 0 is unknown, no label and no
-- variant are empty, no key is 0.
CREATE TABLE usage_hourly (
    workspace_id BLOB NOT NULL,
    hour INTEGER NOT NULL,
    prompt_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    label TEXT NOT NULL,
    variant TEXT NOT NULL,
    api_key_id BLOB NOT NULL,
    source TEXT NOT NULL,
    count INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    measured INTEGER NOT NULL,
    latency_us INTEGER NOT NULL,
    latencies BLOB,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, hour, prompt_id, version, label, variant, api_key_id, source)
) STRICT;

-- Who used a prompt in an hour, as hashes.
CREATE TABLE usage_users (
    workspace_id BLOB NOT NULL,
    hour INTEGER NOT NULL,
    prompt_id BLOB NOT NULL,
    user_hash INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, hour, prompt_id, user_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_users_by_hour ON usage_users (hour);

-- How far sums have come. Whoever writes events holds 'ingest' until it commits, so that whoever holds it alone knows
-- that no smaller sequence will appear any more.
CREATE TABLE usage_cursors (
    name TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL
) STRICT;
INSERT INTO usage_cursors (name, sequence) VALUES ('ingest', 0), ('rollup', 0);

-- Events that SDKs have reported, so that a report sent twice counts once.
CREATE TABLE telemetry_ids (
    workspace_id BLOB NOT NULL,
    id_hash BLOB NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX telemetry_ids_by_time ON telemetry_ids (seen_at);

-- Instances of clients heard of lately, and what they serve, as far as they have said.
CREATE TABLE client_instances (
    workspace_id BLOB NOT NULL,
    instance TEXT NOT NULL,
    sdk TEXT NOT NULL,
    api_key_id BLOB,
    revision INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    serving TEXT,
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    PRIMARY KEY (workspace_id, instance)
) STRICT;
CREATE INDEX client_instances_by_time ON client_instances (last_seen);
