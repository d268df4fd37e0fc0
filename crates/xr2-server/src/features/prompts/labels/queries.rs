//! SQL of labels.

use serde_json::Value as Json;
use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Sql, Tx, Value, args};

use crate::clock::Time;
use crate::events::Actor;
use crate::features::prompts::includes::Dependent;
use crate::features::prompts::labels::LATEST;
use crate::features::prompts::labels::model::{HistoryEntry, Label, PromptLabel};
use crate::http::Page;

impl FromRow for Label {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Label {
            name: row.get("name")?,
            color: row.get("color")?,
            description: row.opt("description")?,
            protected: row.get("is_protected")?,
            created_at: row.get("created_at")?,
            prompts: row.get("prompts")?,
        })
    }
}

const LABEL: &str = "SELECT l.name, l.color, l.description, l.is_protected, l.created_at,
    (SELECT COUNT(*) FROM prompt_labels p WHERE p.workspace_id = l.workspace_id AND p.label = l.name) AS prompts
    FROM labels l WHERE l.workspace_id = ";

/// All labels of the workspace, production first.
pub(super) async fn all(tx: &mut Tx) -> Result<Vec<Label>> {
    let mut sql = Sql::new(LABEL);
    sql.bind(tx.workspace()).push(" ORDER BY CASE WHEN l.name = 'production' THEN 0 ELSE 1 END, l.name");
    tx.all_built(sql).await
}

/// The label of this name.
pub async fn find(tx: &mut Tx, name: &str) -> Result<Option<Label>> {
    let mut sql = Sql::new(LABEL);
    sql.bind(tx.workspace()).push(" AND l.name = ").bind(name);
    tx.optional_built(sql).await
}

/// Makes a label of the workspace.
pub async fn insert(tx: &mut Tx, label: &Label, by: &Actor) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "INSERT INTO labels (workspace_id, name, color, description, is_protected, created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        args![
            workspace,
            &label.name,
            &label.color,
            label.description.as_deref(),
            label.protected,
            Value::json(by),
            label.created_at
        ],
    )
    .await?;
    Ok(())
}

/// Writes colour, description and protection of a label.
pub async fn update(tx: &mut Tx, label: &Label, now: Time) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "UPDATE labels SET color = $3, description = $4, is_protected = $5, updated_at = $6
         WHERE workspace_id = $1 AND name = $2",
        args![workspace, &label.name, &label.color, label.description.as_deref(), label.protected, now],
    )
    .await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut Tx, name: &str) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute("DELETE FROM labels WHERE workspace_id = $1 AND name = $2", args![workspace, name]).await?;
    Ok(())
}

/// Whether the label exists and is protected, and the workspace's settings: what decides if it may be moved.
pub(super) async fn rules(tx: &mut Tx, label: &str) -> Result<Option<(bool, Json)>> {
    struct Rules(bool, Json);
    impl FromRow for Rules {
        fn from_row(row: &Row) -> Result<Self> {
            Ok(Rules(row.get("is_protected")?, row.json("settings")?))
        }
    }
    let workspace = tx.workspace();
    let found: Option<Rules> = tx
        .optional(
            "SELECT l.is_protected, w.settings FROM labels l JOIN workspaces w ON w.id = l.workspace_id
             WHERE l.workspace_id = $1 AND w.id = $1 AND l.name = $2",
            args![workspace, label],
        )
        .await?;
    Ok(found.map(|Rules(protected, settings)| (protected, settings)))
}

/// The version a label of a prompt points at.
pub(in crate::features::prompts) async fn version_of(
    tx: &mut Tx,
    prompt: Uuid,
    label: &str,
) -> Result<Option<i64>> {
    let workspace = tx.workspace();
    tx.optional(
        "SELECT version_number FROM prompt_labels WHERE workspace_id = $1 AND prompt_id = $2 AND label = $3",
        args![workspace, prompt, label],
    )
    .await
}

pub(super) async fn point(
    tx: &mut Tx,
    prompt: Uuid,
    label: &str,
    version: i64,
    comment: Option<&str>,
    by: &Actor,
    now: Time,
) -> Result<()> {
    let workspace = tx.workspace();
    tx.later(
        "INSERT INTO prompt_labels (workspace_id, prompt_id, label, version_number, comment, moved_by, moved_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (prompt_id, label) DO UPDATE SET version_number = excluded.version_number,
             comment = excluded.comment, moved_by = excluded.moved_by, moved_at = excluded.moved_at",
        args![workspace, prompt, label, version, comment, Value::json(by), now],
    )
    .await?;
    Ok(())
}

pub(super) async fn unpoint(tx: &mut Tx, prompt: Uuid, label: &str) -> Result<()> {
    let workspace = tx.workspace();
    tx.later(
        "DELETE FROM prompt_labels WHERE workspace_id = $1 AND prompt_id = $2 AND label = $3",
        args![workspace, prompt, label],
    )
    .await?;
    Ok(())
}

/// Keeps a move.
pub(super) async fn insert_move(tx: &mut Tx, prompt: Uuid, entry: &HistoryEntry) -> Result<()> {
    let workspace = tx.workspace();
    tx.later(
        "INSERT INTO label_moves (id, workspace_id, prompt_id, label, action, from_version, to_version, comment,
            moved_by, moved_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![
            entry.id,
            workspace,
            prompt,
            &entry.label,
            &entry.action,
            entry.from_version,
            entry.to_version,
            entry.comment.as_deref(),
            Value::json(&entry.moved_by),
            entry.moved_at,
        ],
    )
    .await?;
    Ok(())
}

impl FromRow for HistoryEntry {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(HistoryEntry {
            id: row.get("id")?,
            label: row.get("label")?,
            action: row.get("action")?,
            from_version: row.opt("from_version")?,
            to_version: row.opt("to_version")?,
            moved_by: row.json("moved_by")?,
            moved_at: row.get("moved_at")?,
            comment: row.opt("comment")?,
        })
    }
}

/// Moves of one label, or of all, newest first.
pub(super) async fn history(
    tx: &mut Tx,
    prompt: Uuid,
    label: Option<&str>,
    page: Page,
) -> Result<(Vec<HistoryEntry>, i64)> {
    let workspace = tx.workspace();
    let mut count = Sql::new("SELECT COUNT(*) FROM label_moves WHERE workspace_id = ");
    count.bind(workspace).push(" AND prompt_id = ").bind(prompt);
    let mut sql = Sql::new(
        "SELECT id, label, action, from_version, to_version, comment, moved_by, moved_at FROM label_moves
         WHERE workspace_id = ",
    );
    sql.bind(workspace).push(" AND prompt_id = ").bind(prompt);
    if let Some(label) = label {
        count.push(" AND label = ").bind(label);
        sql.push(" AND label = ").bind(label);
    }
    sql.push(" ORDER BY moved_at DESC, id DESC LIMIT ").bind(page.limit).push(" OFFSET ").bind(page.offset());
    let total = tx.optional_built::<i64>(count).await?.unwrap_or(0);
    Ok((tx.all_built(sql).await?, total))
}

impl FromRow for PromptLabel {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(PromptLabel {
            label: row.get("label")?,
            version: row.get("version_number")?,
            moved_at: row.get("moved_at")?,
            moved_by: row.json("moved_by")?,
            comment: row.opt("comment")?,
            color: row.get("color")?,
            protected: row.get("is_protected")?,
        })
    }
}

/// The labels of a prompt.
pub(super) async fn of_prompt(tx: &mut Tx, prompt: Uuid) -> Result<Vec<PromptLabel>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT p.label, p.version_number, p.moved_at, p.moved_by, p.comment, l.color, l.is_protected
         FROM prompt_labels p JOIN labels l ON l.workspace_id = p.workspace_id AND l.name = p.label
         WHERE p.workspace_id = $1 AND l.workspace_id = $1 AND p.prompt_id = $2
         ORDER BY CASE WHEN p.label = 'production' THEN 0 ELSE 1 END, p.label",
        args![workspace, prompt],
    )
    .await
}

/// Label and version pairs of a prompt.
pub(in crate::features::prompts) async fn pointers(tx: &mut Tx, prompt: Uuid) -> Result<Vec<(String, i64)>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT label, version_number FROM prompt_labels WHERE workspace_id = $1 AND prompt_id = $2",
        args![workspace, prompt],
    )
    .await
}

/// Slugs of prompts on which a label stands.
pub(super) async fn prompts_with(tx: &mut Tx, label: &str, limit: i64) -> Result<Vec<(Uuid, String)>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT p.id, p.slug FROM prompt_labels l JOIN prompts p ON p.id = l.prompt_id
         WHERE l.workspace_id = $1 AND p.workspace_id = $1 AND l.label = $2 ORDER BY p.slug LIMIT $3",
        args![workspace, label, limit],
    )
    .await
}

/// Prompts with a label on a version that includes `prompt`; `selector`: only includes that name it so (empty for
/// production).
pub(in crate::features::prompts) async fn dependents_of(
    tx: &mut Tx,
    prompt: Uuid,
    selector: Option<&str>,
) -> Result<Vec<Dependent>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new(
        "SELECT DISTINCT p.id, p.slug, l.label, l.version_number FROM prompt_includes i
         JOIN prompt_labels l ON l.prompt_id = i.prompt_id AND l.version_number = i.version_number
         JOIN prompts p ON p.id = i.prompt_id
         WHERE p.deleted_at IS NULL AND i.workspace_id = ",
    );
    sql.bind(workspace).push(" AND i.included_id = ").bind(prompt);
    if let Some(selector) = selector {
        sql.push(" AND i.selector = ").bind(selector);
    }
    let rows: Vec<(Uuid, String, String, i64)> = tx.all_built(sql).await?;
    Ok(rows.into_iter().map(|(id, slug, label, version)| Dependent { id, slug, label, version }).collect())
}

/// Prompts whose newest version includes `prompt` by this selector.
pub(in crate::features::prompts) async fn latest_dependents_of(
    tx: &mut Tx,
    prompt: Uuid,
    selector: &str,
) -> Result<Vec<Dependent>> {
    let workspace = tx.workspace();
    let rows: Vec<(Uuid, String, i64)> = tx
        .all(
            "SELECT DISTINCT p.id, p.slug, p.latest_version FROM prompt_includes i
             JOIN prompts p ON p.id = i.prompt_id AND p.latest_version = i.version_number
             WHERE p.deleted_at IS NULL AND i.workspace_id = $1 AND p.workspace_id = $1
             AND i.included_id = $2 AND i.selector = $3",
            args![workspace, prompt, selector],
        )
        .await?;
    let latest = |(id, slug, version)| Dependent { id, slug, label: LATEST.to_owned(), version };
    Ok(rows.into_iter().map(latest).collect())
}
