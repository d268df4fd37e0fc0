//! SQL of the tests: what is stored, seen past the API.

use uuid::Uuid;
use xr2_db::{Db, Purpose, Result, Tx, Value, args};

const PROMPTS: &str = "SELECT 'prompt ' || slug || ' ' || title || ' ' || COALESCE(description, '-') || ' ' || type || ' ' || syntax
        || ' ' || COALESCE(category, '-') || ' ' || CAST(tags AS TEXT) || ' ' || CAST(metadata AS TEXT) || ' ' || excerpt
        || ' ' || CAST(archived AS TEXT) || ' ' || CAST(last_number AS TEXT) || ' ' || CAST(latest_version AS TEXT)
        || ' ' || COALESCE(CAST(deleted_at AS TEXT), '-') || ' ' || CAST(updated_by AS TEXT) || ' ' || CAST(updated_at AS TEXT)
    FROM prompts WHERE workspace_id = $1";
const SLUGS: &str = "SELECT 'slug ' || s.slug || ' ' || CAST(s.is_current AS TEXT) || ' ' || p.title
    FROM prompt_slugs s JOIN prompts p ON p.id = s.prompt_id WHERE s.workspace_id = $1";
const TAGS: &str = "SELECT 'tag ' || t.tag || ' ' || p.slug
    FROM prompt_tags t JOIN prompts p ON p.id = t.prompt_id WHERE t.workspace_id = $1";
const VERSIONS: &str = "SELECT 'version ' || p.slug || ' ' || CAST(v.number AS TEXT) || ' ' || COALESCE(CAST(v.parent_number AS TEXT), '-')
        || ' ' || v.branch || ' ' || v.origin || ' ' || v.type || ' ' || v.syntax || ' ' || v.content
        || ' ' || CAST(v.variables AS TEXT) || ' ' || CAST(v.config AS TEXT) || ' ' || v.change_summary
    FROM prompt_versions v JOIN prompts p ON p.id = v.prompt_id WHERE v.workspace_id = $1";
const DRAFTS: &str = "SELECT 'draft ' || p.slug || ' ' || d.branch || ' ' || CAST(d.revision AS TEXT)
        || ' ' || CAST(d.base_version AS TEXT) || ' ' || d.content || ' ' || CAST(d.variables AS TEXT)
    FROM prompt_drafts d JOIN prompts p ON p.id = d.prompt_id WHERE d.workspace_id = $1";
const LABELS: &str = "SELECT 'label ' || name || ' ' || color || ' ' || COALESCE(description, '-') || ' ' || CAST(is_protected AS TEXT)
    FROM labels WHERE workspace_id = $1";
const POINTERS: &str = "SELECT 'points ' || p.slug || ' ' || l.label || ' ' || CAST(l.version_number AS TEXT)
        || ' ' || COALESCE(l.comment, '-')
    FROM prompt_labels l JOIN prompts p ON p.id = l.prompt_id WHERE l.workspace_id = $1";
const MOVES: &str =
    "SELECT 'moved ' || p.slug || ' ' || m.label || ' ' || m.action || ' ' || CAST(m.moved_at AS TEXT)
    FROM label_moves m JOIN prompts p ON p.id = m.prompt_id WHERE m.workspace_id = $1";
const INCLUDES: &str =
    "SELECT 'includes ' || p.slug || ' ' || CAST(i.version_number AS TEXT) || ' ' || i.selector
    FROM prompt_includes i JOIN prompts p ON p.id = i.prompt_id WHERE i.workspace_id = $1";
const FOLDERS: &str = "SELECT 'folder ' || name || ' ' || name_key || ' ' || CAST(updated_at AS TEXT) || ' '
        || COALESCE((SELECT p.name FROM folders p WHERE p.id = folders.parent_id), '-')
    FROM folders WHERE workspace_id = $1";
const PLACES: &str =
    "SELECT 'stands ' || p.slug || ' ' || f.name FROM prompt_folders s JOIN prompts p ON p.id = s.prompt_id
    JOIN folders f ON f.id = s.folder_id WHERE s.workspace_id = $1";
const EVENTS: &str = "SELECT 'event ' || type || ' ' || CAST(sequence AS TEXT) FROM events
    WHERE workspace_id = $1 AND type <> 'access.denied'";
const REVISION: &str = "SELECT 'revision ' || CAST(revision AS TEXT) FROM workspaces WHERE id = $1";

/// Everything about prompts that is stored of a workspace, as sorted lines.
pub async fn everything(db: &Db, workspace: Uuid) -> Result<Vec<String>> {
    let mut tx = db.tenant(workspace).read().await?;
    let mut lines: Vec<String> = Vec::new();
    for sql in [
        PROMPTS, SLUGS, TAGS, VERSIONS, DRAFTS, LABELS, POINTERS, MOVES, INCLUDES, FOLDERS, PLACES, EVENTS,
        REVISION,
    ] {
        lines.extend(tx.all::<String>(sql, args![workspace]).await?);
    }
    tx.commit().await?;
    lines.sort();
    Ok(lines)
}

/// Makes `planted-0`, `planted-1`, … quickly: text prompts of one version that nobody has published.
pub async fn plant_prompts(
    db: &Db,
    workspace: Uuid,
    clock: &xr2_server::clock::Clock,
    count: usize,
) -> Result<()> {
    let by = Value::json(&xr2_server::events::Actor::system("test kit"));
    let (now, list, map) =
        (clock.now(), Value::json(&serde_json::json!([])), Value::json(&serde_json::json!({})));
    let mut tx = db.tenant(workspace).write().await?;
    for n in 0..count {
        let (id, slug) = (clock.new_id(), format!("planted-{n}"));
        tx.later(
            "INSERT INTO prompts (id, workspace_id, slug, title, type, syntax, tags, metadata, excerpt, archived,
                last_number, latest_version, created_by, created_at, updated_by, updated_at, search_facts, search_content)
             VALUES ($1, $2, $3, $3, 'text', 'simple', $4, $5, 'x', $6, 1, 1, $7, $8, $7, $8, $3, 'x')",
            args![id, workspace, &slug, list.clone(), map.clone(), false, by.clone(), now],
        )
        .await?;
        tx.later(
            "INSERT INTO prompt_slugs (workspace_id, slug, prompt_id, is_current, created_at)
             VALUES ($1, $2, $3, $4, $5)",
            args![workspace, &slug, id, true, now],
        )
        .await?;
        tx.later(
            "INSERT INTO prompt_versions (id, workspace_id, prompt_id, number, branch, origin, type, syntax, content,
                variables, config, change_summary, created_by, created_at)
             VALUES ($1, $2, $3, 1, 'main', 'author', 'text', 'simple', 'x', $4, $5, 'Created', $6, $7)",
            args![clock.new_id(), workspace, id, list.clone(), map.clone(), by.clone(), now],
        )
        .await?;
    }
    tx.commit().await
}

/// Sets the workspace's settings.
pub async fn set_settings(db: &Db, workspace: Uuid, settings: &serde_json::Value) -> Result<()> {
    let mut tx = db.tenant(workspace).write().await?;
    tx.execute("UPDATE workspaces SET settings = $2 WHERE id = $1", args![workspace, Value::json(settings)])
        .await?;
    tx.commit().await
}

/// Makes the database look like an older one: labels point at first versions, and the last `changes` have not happened.
pub async fn go_back(db: &Db, workspace: Uuid, changes: i64) -> Result<()> {
    let mut tx = db.tenant(workspace).write().await?;
    tx.execute("UPDATE prompt_labels SET version_number = 1 WHERE workspace_id = $1", args![workspace])
        .await?;
    tx.execute("UPDATE workspaces SET revision = revision - $2 WHERE id = $1", args![workspace, changes])
        .await?;
    tx.commit().await
}

/// Takes the last change back, so that the next one gets its revision, as on a server that took over without it: labels
/// point at first versions, and publishable keys have been revoked.
pub async fn lose_last(tx: &mut Tx, now: xr2_server::clock::Time) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute("UPDATE prompt_labels SET version_number = 1 WHERE workspace_id = $1", args![workspace])
        .await?;
    tx.execute(
        "UPDATE api_keys SET revoked_at = $2 WHERE workspace_id = $1 AND kind = 'publishable'",
        args![workspace, now],
    )
    .await?;
    tx.execute("UPDATE workspaces SET revision = revision - 1 WHERE id = $1", args![workspace]).await?;
    Ok(())
}

/// The table of the tests about what a transaction puts off.
pub mod put_off {
    use super::*;

    const INSERT: &str = "INSERT INTO put_off (number, word) VALUES ($1, $2)";
    const RENAME: &str = "UPDATE put_off SET word = $2 WHERE number = $1";
    const RENAME_ABOVE: &str = "UPDATE put_off SET word = $2 WHERE number > $1";

    /// Puts a row off.
    pub async fn insert_later(tx: &mut Tx, number: i64, word: &str) {
        tx.later(INSERT, args![number, word]).await.unwrap();
    }

    /// Puts a change of a row off.
    pub async fn rename_later(tx: &mut Tx, number: i64, word: &str) {
        tx.later(RENAME, args![number, word]).await.unwrap();
    }

    /// Changes rows at once and tells how many.
    pub async fn rename_above(tx: &mut Tx, number: i64, word: &str) -> u64 {
        tx.execute(RENAME_ABOVE, args![number, word]).await.unwrap()
    }

    /// All rows.
    pub async fn rows(tx: &mut Tx) -> Result<Vec<(i64, String)>> {
        tx.all("SELECT number, word FROM put_off ORDER BY number", args![]).await
    }
}

/// The role of pooled connections, and who owns what.
pub mod roles {
    /// A role that may sign in, and whatever else `may` says; the owner of `database`.
    pub fn make_owner(user: &str, may: &str, database: &str) -> [String; 2] {
        [
            format!("CREATE ROLE {user} LOGIN {may} PASSWORD 'secret'"),
            format!("ALTER DATABASE {database} OWNER TO {user}"),
        ]
    }

    /// Removes it.
    pub fn drop(user: &str) -> [String; 1] {
        [format!("DROP ROLE {user}")]
    }
}

/// A row of usage as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageRow {
    pub prompt: Uuid,
    pub version: i64,
    pub label: String,
    pub key: Option<Uuid>,
    pub source: String,
    pub status: i64,
    pub count: i64,
    pub latency_us: Option<i64>,
    pub user: Option<String>,
    pub address_hash: Option<String>,
    pub user_agent: Option<String>,
    pub model: Option<String>,
    pub variables: Option<serde_json::Value>,
    pub includes: Option<serde_json::Value>,
}

impl xr2_db::FromRow for UsageRow {
    fn from_row(row: &xr2_db::Row) -> Result<Self> {
        Ok(UsageRow {
            prompt: row.get("prompt_id")?,
            version: row.get("version")?,
            label: row.get("label")?,
            key: row.opt("api_key_id")?,
            source: row.get("source")?,
            status: row.get("status")?,
            count: row.get("count")?,
            latency_us: row.opt("latency_us")?,
            user: row.opt("user_id")?,
            address_hash: row.opt("address_hash")?,
            user_agent: row.opt("user_agent")?,
            model: row.opt("model")?,
            variables: row.json_opt("variables")?,
            includes: row.json_opt("includes")?,
        })
    }
}

/// Usage of a workspace in the order written.
pub async fn usage(db: &Db, workspace: Uuid) -> Result<Vec<UsageRow>> {
    let mut tx = db.usage().tenant(workspace).read().await?;
    tx.all("SELECT * FROM usage_events WHERE workspace_id = $1 ORDER BY sequence", args![workspace]).await
}

/// The sum of all hours of a workspace: deliveries and errors.
pub async fn summed(db: &Db, workspace: Uuid) -> Result<(i64, i64)> {
    let mut tx = db.usage().tenant(workspace).read().await?;
    tx.one(
        "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT), CAST(COALESCE(SUM(errors), 0) AS BIGINT)
         FROM usage_hourly WHERE workspace_id = $1",
        args![workspace],
    )
    .await
}

/// Keeps everybody else from writing usage until the transaction ends.
pub async fn hold_usage(db: &Db) -> Result<xr2_db::Tx> {
    let mut tx = db.usage().system(xr2_db::Purpose::Usage).write().await?;
    let lock = xr2_db::dialect::for_update(tx.engine(), "LOCK TABLE usage_events IN EXCLUSIVE MODE", "");
    if !lock.is_empty() {
        tx.execute(lock, args![]).await?;
    }
    Ok(tx)
}

/// Answers that are kept for requests that are sent again.
pub async fn kept_answers(db: &Db) -> Result<Vec<String>> {
    let mut tx = db.system(Purpose::Idempotency).read().await?;
    tx.all("SELECT answer FROM idempotency_keys", args![]).await
}
