//! SQL of the fixtures. It goes through the same two doors as the server's own.

use serde_json::{Value as Json, json};
use uuid::Uuid;
use xr2_db::{Db, FromRow, Purpose, Result, Row, Tx, Value, args};
use xr2_server::clock::Time;

/// Makes a replica of PostgreSQL a server that can be written to.
pub(crate) const PROMOTE: &str = "SELECT pg_promote()";
/// A replica goes on taking over what it is sent.
pub(crate) const RESUME_REPLAY: &str = "SELECT pg_wal_replay_resume()";
/// A replica stays as it is.
pub(crate) const PAUSE_REPLAY: &str = "SELECT pg_wal_replay_pause()";

/// An event as stored.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// Order of writing.
    pub sequence: i64,
    /// The workspace it belongs to.
    pub workspace: Option<Uuid>,
    /// The workspace's revision, where delivery sees the change.
    pub revision: Option<i64>,
    /// Its type.
    pub kind: String,
    /// Who did it.
    pub actor: Json,
    /// From where.
    pub address: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// Sort of resource.
    pub resource_type: String,
    /// Its id.
    pub resource_id: Option<Uuid>,
    /// Its name then.
    pub resource_name: Option<String>,
    /// How it was.
    pub before: Option<Json>,
    /// How it is.
    pub after: Option<Json>,
}

impl FromRow for EventRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(EventRow {
            sequence: row.get("sequence")?,
            workspace: row.opt("workspace_id")?,
            revision: row.opt("revision")?,
            kind: row.get("type")?,
            actor: row.json("actor")?,
            address: row.opt("address")?,
            user_agent: row.opt("user_agent")?,
            request_id: row.opt("request_id")?,
            resource_type: row.get("resource_type")?,
            resource_id: row.opt("resource_id")?,
            resource_name: row.opt("resource_name")?,
            before: row.json_opt("before")?,
            after: row.json_opt("after")?,
        })
    }
}

/// All events but those of one workspace.
pub(crate) async fn events(db: &Db, but: Uuid) -> Result<Vec<EventRow>> {
    let mut tx = db.system(Purpose::InstanceEvents).read().await?;
    tx.all(
        "SELECT sequence, workspace_id, revision, type, actor, address, user_agent, request_id, resource_type,
                resource_id, resource_name, before, after
         FROM events WHERE workspace_id IS NULL OR workspace_id <> $1 ORDER BY sequence",
        args![but],
    )
    .await
}

pub(crate) async fn revision(db: &Db, workspace: Uuid) -> Result<i64> {
    let mut tx = db.tenant(workspace).read().await?;
    tx.one("SELECT revision FROM workspaces WHERE id = $1", args![workspace]).await
}

pub(crate) async fn owner_of(db: &Db, workspace: Uuid) -> Result<Option<Uuid>> {
    let mut tx = db.tenant(workspace).read().await?;
    tx.optional(
        "SELECT user_id FROM memberships WHERE workspace_id = $1 AND role = 'owner' ORDER BY created_at LIMIT 1",
        args![workspace],
    )
    .await
}

pub(crate) async fn password_hash(db: &Db, user: Uuid) -> Result<String> {
    let mut tx = db.system(Purpose::Accounts).read().await?;
    tx.one("SELECT password_hash FROM users WHERE id = $1", args![user]).await
}

pub(crate) async fn set_role(tx: &mut Tx, user: Uuid, role: Option<&str>) -> Result<()> {
    let workspace = tx.workspace();
    match role {
        Some(role) => {
            let sql = "UPDATE memberships SET role = $3 WHERE workspace_id = $1 AND user_id = $2";
            tx.execute(sql, args![workspace, user, role]).await?;
        }
        None => {
            let sql = "DELETE FROM memberships WHERE workspace_id = $1 AND user_id = $2";
            tx.execute(sql, args![workspace, user]).await?;
        }
    }
    Ok(())
}

pub(crate) async fn insert_user(
    db: &Db,
    id: Uuid,
    email: &str,
    name: &str,
    operator: bool,
    now: Time,
) -> Result<()> {
    let mut tx = db.system(Purpose::Accounts).write().await?;
    tx.execute(
        "INSERT INTO users (id, email, email_key, name, password_hash, preferences, is_operator, created_at,
                            updated_at)
         VALUES ($1, $2, $2, $3, 'no password', $4, $5, $6, $6)",
        args![id, email, name, Value::json(&json!({})), operator, now],
    )
    .await?;
    tx.commit().await
}

pub(crate) async fn insert_session(db: &Db, id: Uuid, user: Uuid, hash: &[u8; 32], now: Time) -> Result<()> {
    let mut tx = db.system(Purpose::Accounts).write().await?;
    tx.execute(
        "INSERT INTO sessions (id, user_id, token_hash, created_at, last_used_at, expires_at)
         VALUES ($1, $2, $3, $4, $4, $5)",
        args![id, user, hash.to_vec(), now, now + chrono::TimeDelta::days(30)],
    )
    .await?;
    tx.commit().await
}

/// A workspace with the labels that every workspace has.
pub(crate) async fn insert_workspace(db: &Db, id: Uuid, slug: &str, name: &str, now: Time) -> Result<()> {
    let mut tx = db.tenant(id).write().await?;
    tx.execute(
        "INSERT INTO workspaces (id, slug, name, plan, personal, revision, settings, created_at, updated_at)
         VALUES ($1, $2, $3, 'self_hosted', $4, 0, $5, $6, $6)",
        args![id, slug, name, true, Value::json(&json!({})), now],
    )
    .await?;
    for label in ["production", "staging"] {
        tx.execute(
            "INSERT INTO labels (workspace_id, name, color, is_protected, created_by, created_at, updated_at)
             VALUES ($1, $2, 'gray', $3, $4, $5, $5)",
            args![id, label, false, actor(), now],
        )
        .await?;
    }
    tx.commit().await
}

pub(crate) async fn insert_member(db: &Db, workspace: Uuid, user: Uuid, role: &str, now: Time) -> Result<()> {
    let mut tx = db.tenant(workspace).write().await?;
    tx.execute(
        "INSERT INTO memberships (workspace_id, user_id, role, permissions, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $5)",
        args![workspace, user, role, Value::json(&json!({})), now],
    )
    .await?;
    tx.commit().await
}

/// A key as it is to be stored.
pub(crate) struct KeyRow<'a> {
    pub(crate) id: Uuid,
    pub(crate) workspace: Uuid,
    pub(crate) maker: Option<Uuid>,
    pub(crate) name: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) hash: [u8; 32],
    pub(crate) prefix: &'a str,
    pub(crate) last4: &'a str,
    pub(crate) scopes: &'a [&'a str],
    pub(crate) labels: &'a [&'a str],
    pub(crate) allowed_ips: &'a [&'a str],
    pub(crate) allowed_origins: &'a [&'a str],
    pub(crate) rate_limit_per_minute: Option<i64>,
    pub(crate) expires_at: Option<Time>,
    pub(crate) revoked_at: Option<Time>,
}

pub(crate) async fn insert_key(db: &Db, key: &KeyRow<'_>, now: Time) -> Result<()> {
    let mut tx = db.tenant(key.workspace).write().await?;
    tx.execute(
        "INSERT INTO api_keys (id, workspace_id, name, kind, key_hash, prefix, last4, scopes, labels, allowed_ips,
                               allowed_origins, rate_limit_per_minute, expires_at, revoked_at, maker_id,
                               created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        args![
            key.id,
            key.workspace,
            key.name,
            key.kind,
            key.hash.to_vec(),
            key.prefix,
            key.last4,
            Value::json(key.scopes),
            Value::json(key.labels),
            Value::json(key.allowed_ips),
            Value::json(key.allowed_origins),
            key.rate_limit_per_minute,
            key.expires_at,
            key.revoked_at,
            key.maker,
            actor(),
            now,
        ],
    )
    .await?;
    tx.commit().await
}

/// One of everything that a workspace can hold.
pub(crate) async fn insert_canary_content(
    db: &Db,
    workspace: Uuid,
    prompt: Uuid,
    version: Uuid,
    event: Uuid,
    now: Time,
) -> Result<()> {
    let mut tx = db.tenant(workspace).write().await?;
    let planted_by = || Value::json(&json!({ "type": "user", "id": null, "name": "CANARY Owner" }));
    tx.execute(
        "INSERT INTO prompts (id, workspace_id, slug, title, description, type, syntax, category, tags, metadata,
                              excerpt, archived, last_number, latest_version, created_by, created_at, updated_by,
                              updated_at, search_facts, search_content)
         VALUES ($1, $2, 'canary-prompt', 'CANARY title', 'CANARY description', 'text', 'simple', 'CANARY category',
                 $3, $4, 'CANARY excerpt', $5, 1, 1, $6, $7, $6, $7, 'canary facts', 'canary content')",
        args![
            prompt,
            workspace,
            Value::json(&["CANARY-tag"]),
            Value::json(&json!({ "CANARY": "CANARY" })),
            false,
            planted_by(),
            now
        ],
    )
    .await?;
    tx.execute(
        "INSERT INTO prompt_slugs (workspace_id, slug, prompt_id, is_current, created_at)
         VALUES ($1, 'canary-prompt', $2, $3, $4)",
        args![workspace, prompt, true, now],
    )
    .await?;
    tx.execute(
        "INSERT INTO prompt_tags (workspace_id, tag, prompt_id) VALUES ($1, 'CANARY-tag', $2)",
        args![workspace, prompt],
    )
    .await?;
    tx.execute(
        "INSERT INTO prompt_versions (id, workspace_id, prompt_id, number, branch, origin, type, syntax, content,
                                      variables, config, change_summary, created_by, created_at)
         VALUES ($1, $2, $3, 1, 'main', 'edit', 'text', 'simple', 'CANARY content', $4, $5, 'CANARY summary', $6, $7)",
        args![version, workspace, prompt, Value::json(&json!([])), Value::json(&json!({})), planted_by(), now],
    )
    .await?;
    tx.execute(
        "INSERT INTO prompt_drafts (workspace_id, prompt_id, branch, revision, base_version, type, syntax, content,
                                    variables, config, updated_by, updated_at)
         VALUES ($1, $2, 'main', 1, 1, 'text', 'simple', 'CANARY draft', $3, $4, $5, $6)",
        args![workspace, prompt, Value::json(&json!([])), Value::json(&json!({})), planted_by(), now],
    )
    .await?;
    tx.execute(
        "INSERT INTO labels (workspace_id, name, color, description, is_protected, created_by, created_at, updated_at)
         VALUES ($1, 'canary-label', 'gray', 'CANARY label', $2, $3, $4, $4)",
        args![workspace, false, planted_by(), now],
    )
    .await?;
    for label in ["production", "canary-label"] {
        tx.execute(
            "INSERT INTO prompt_labels (workspace_id, prompt_id, label, version_number, comment, moved_by, moved_at)
             VALUES ($1, $2, $3, 1, 'CANARY comment', $4, $5)",
            args![workspace, prompt, label, planted_by(), now],
        )
        .await?;
    }
    tx.execute(
        "INSERT INTO label_moves (id, workspace_id, prompt_id, label, action, to_version, comment, moved_by, moved_at)
         VALUES ($1, $2, $3, 'production', 'published', 1, 'CANARY comment', $4, $5)",
        args![event, workspace, prompt, planted_by(), now],
    )
    .await?;
    tx.execute(
        "INSERT INTO prompt_fetches (workspace_id, prompt_id, label, last_fetched_at)
         VALUES ($1, $2, 'production', $3)",
        args![workspace, prompt, now],
    )
    .await?;
    tx.execute(
        "INSERT INTO events (id, workspace_id, type, actor, resource_type, resource_id, resource_name, after, created_at)
         VALUES ($1, $2, 'draft.saved', $3, 'prompt', $4, 'canary-prompt', $5, $6)",
        args![event, workspace, planted_by(), prompt, Value::json(&json!({ "text": "CANARY event" })), now],
    )
    .await?;
    tx.commit().await
}

/// Usage of a prompt, a report and a client.
/// How the planted workspace keeps its prompt in order.
pub(crate) async fn insert_canary_order(
    db: &Db,
    workspace: Uuid,
    user: Uuid,
    prompt: Uuid,
    folder: Uuid,
    now: Time,
) -> Result<()> {
    let mut tx = db.tenant(workspace).write().await?;
    let by = Value::json(&json!({ "type": "user", "id": user, "name": "CANARY Owner" }));
    tx.execute(
        "INSERT INTO folders (workspace_id, id, name, name_key, created_by, created_at, updated_at)
         VALUES ($1, $2, 'CANARY folder', 'canary folder', $3, $4, $4)",
        args![workspace, folder, by.clone(), now],
    )
    .await?;
    tx.execute(
        "INSERT INTO prompt_folders (workspace_id, folder_id, prompt_id) VALUES ($1, $2, $3)",
        args![workspace, folder, prompt],
    )
    .await?;
    for (view, shared) in [("CANARY view", true), ("CANARY private view", false)] {
        tx.execute(
            "INSERT INTO saved_views (id, workspace_id, owner_id, name, query, shared, created_by, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
            args![
                if shared { folder } else { workspace },
                workspace,
                user,
                view,
                Value::json(&json!({ "search": "CANARY" })),
                shared,
                by.clone(),
                now
            ],
        )
        .await?;
    }
    tx.commit().await
}

pub(crate) async fn insert_canary_usage(
    db: &Db,
    workspace: Uuid,
    prompt: Uuid,
    key: Uuid,
    now: Time,
) -> Result<()> {
    let (at, hour) = (now.timestamp_micros(), now.timestamp() / 3600);
    let mut tx = db.usage().tenant(workspace).write().await?;
    tx.execute(
        "INSERT INTO usage_events (workspace_id, at, prompt_id, version, label, variant, api_key_id, source, status,
                                   count, user_id, user_agent, model, variables)
         VALUES ($1, $2, $3, 1, 'canary-label', '', $4, 'api', 200, 1, 'CANARY user', 'CANARY agent', 'CANARY model', $5)",
        args![workspace, at, prompt, key, Value::json(&["CANARY"])],
    )
    .await?;
    tx.execute(
        "INSERT INTO usage_hourly (workspace_id, hour, prompt_id, version, label, variant, api_key_id, source, count,
                                   errors, measured, latency_us, last_at)
         VALUES ($1, $2, $3, 1, 'canary-label', '', $4, 'api', 1, 0, 0, 0, $5)",
        args![workspace, hour, prompt, key, at],
    )
    .await?;
    tx.execute(
        "INSERT INTO usage_monthly (workspace_id, month, count) VALUES ($1, $2, 1)",
        args![workspace, xr2_server::features::quotas::month_of(now)],
    )
    .await?;
    tx.execute(
        "INSERT INTO usage_users (workspace_id, hour, prompt_id, user_hash) VALUES ($1, $2, $3, 7)",
        args![workspace, hour, prompt],
    )
    .await?;
    tx.execute(
        "INSERT INTO telemetry_ids (workspace_id, id_hash, seen_at) VALUES ($1, $2, $3)",
        args![workspace, vec![7_u8; 16], at],
    )
    .await?;
    tx.execute(
        "INSERT INTO reported_ids (workspace_id, seen_at, id_hashes) VALUES ($1, $2, $3)",
        args![workspace, at, vec![8_u8; 32]],
    )
    .await?;
    let serving = json!([{ "p": prompt, "l": "canary-label", "v": 1 }]);
    tx.execute(
        "INSERT INTO client_instances (workspace_id, instance, sdk, api_key_id, revision, stream, serving, first_seen,
                                       last_seen)
         VALUES ($1, 'CANARY instance', 'CANARY sdk', $2, 1, $3, $4, $5, $5)",
        args![workspace, key, true, Value::json(&serving), now],
    )
    .await?;
    tx.commit().await
}

/// A job that was given up.
pub(crate) async fn insert_canary_job(db: &Db, workspace: Uuid, id: Uuid, now: Time) -> Result<()> {
    let mut tx = db.tenant(workspace).write().await?;
    tx.execute(
        "INSERT INTO jobs (id, queue, kind, workspace_id, payload, key_until, state, attempts, last_error, keep_until,
                           created_at, updated_at)
         VALUES ($1, 'canary', 'canary-job', $2, $3, 'end', 'dead', 1, 'CANARY error', $4, $5, $5)",
        args![id, workspace, Value::json(&json!({ "text": "CANARY job" })), now + chrono::TimeDelta::days(36_500), now],
    )
    .await?;
    tx.commit().await
}

fn actor() -> Value {
    Value::json(&json!({ "type": "system", "id": null, "name": "test kit" }))
}
