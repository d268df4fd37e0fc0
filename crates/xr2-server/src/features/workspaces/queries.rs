//! SQL of workspaces.

use serde_json::{Value as Json, json};
use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Tx, Value, args};

use crate::auth::{Permissions, Role};
use crate::clock::Time;
use crate::events::Actor;
use crate::features::workspaces::{Membership, Workspace};

impl FromRow for Membership {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Membership {
            workspace: row.get("id")?,
            slug: row.get("slug")?,
            name: row.get("name")?,
            plan: row.get("plan")?,
            personal: row.get("personal")?,
            settings: row.json("settings")?,
            role: row.parsed("role")?,
            permissions: row.json("permissions")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// All workspaces of a user, oldest first. Runs in a system transaction.
pub async fn memberships_of(tx: &mut Tx, user: Uuid) -> Result<Vec<Membership>> {
    tx.all(
        "SELECT w.id, w.slug, w.name, w.plan, w.personal, w.settings, w.created_at, m.role, m.permissions
         FROM memberships m JOIN workspaces w ON w.id = m.workspace_id
         WHERE m.user_id = $1 ORDER BY w.created_at, w.id",
        args![user],
    )
    .await
}

impl FromRow for Workspace {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Workspace {
            id: row.get("id")?,
            slug: row.get("slug")?,
            name: row.get("name")?,
            role: None,
            rights: Vec::new(),
            plan: row.get("plan")?,
            personal: row.get("personal")?,
            settings: row.json("settings")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// The transaction's workspace.
pub(super) async fn workspace(tx: &mut Tx) -> Result<Option<Workspace>> {
    let id = tx.workspace();
    let sql = "SELECT id, slug, name, plan, personal, settings, created_at FROM workspaces WHERE id = $1";
    tx.optional(sql, args![id]).await
}

/// Whether a workspace has this slug. Runs in a system transaction.
pub(super) async fn slug_exists(tx: &mut Tx, slug: &str) -> Result<bool> {
    let found: Option<Uuid> = tx.optional("SELECT id FROM workspaces WHERE slug = $1", args![slug]).await?;
    Ok(found.is_some())
}

/// How many workspaces somebody owns. Runs in a system transaction.
pub(super) async fn owned_by(tx: &mut Tx, user: Uuid) -> Result<i64> {
    let sql = "SELECT count(*) FROM memberships WHERE user_id = $1 AND role = 'owner'";
    tx.one(sql, args![user]).await
}

/// Adds the transaction's workspace.
pub(super) async fn insert(tx: &mut Tx, workspace: &Membership) -> Result<()> {
    tx.execute(
        "INSERT INTO workspaces (id, slug, name, plan, personal, revision, settings, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $7)",
        args![
            workspace.workspace,
            &workspace.slug,
            &workspace.name,
            &workspace.plan,
            workspace.personal,
            Value::json(&json!({})),
            workspace.created_at,
        ],
    )
    .await?;
    Ok(())
}

/// Settings of the transaction's workspace as they are stored, which may be more than this xr2 knows. Locks the workspace.
pub(super) async fn stored_settings(tx: &mut Tx, now: Time) -> Result<Json> {
    let id = tx.workspace();
    struct Stored(Json);
    impl FromRow for Stored {
        fn from_row(row: &Row) -> Result<Self> {
            row.json("settings").map(Stored)
        }
    }
    let sql = "UPDATE workspaces SET updated_at = $2 WHERE id = $1 RETURNING settings";
    let Stored(settings) = tx.one(sql, args![id, now]).await?;
    Ok(settings)
}

/// Writes name, slug and settings of the transaction's workspace.
pub(super) async fn update(tx: &mut Tx, slug: &str, name: &str, settings: &Json) -> Result<()> {
    let id = tx.workspace();
    tx.execute(
        "UPDATE workspaces SET slug = $2, name = $3, settings = $4 WHERE id = $1",
        args![id, slug, name, Value::json(settings)],
    )
    .await?;
    Ok(())
}

/// Adds a member to the transaction's workspace.
pub async fn insert_member(tx: &mut Tx, user: Uuid, role: Role, now: Time) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "INSERT INTO memberships (workspace_id, user_id, role, permissions, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $5)",
        args![workspace, user, role.as_str(), Value::json(&Permissions::default()), now],
    )
    .await?;
    Ok(())
}

/// Adds one of the labels that every workspace begins with.
pub(super) async fn insert_label(
    tx: &mut Tx,
    name: &str,
    color: &str,
    description: &str,
    by: &Actor,
    now: Time,
) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "INSERT INTO labels (workspace_id, name, color, description, is_protected, created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        args![workspace, name, color, description, false, Value::json(by), now],
    )
    .await?;
    Ok(())
}

/// Id and slug of every workspace, by slug.
pub(super) async fn all_slugs(tx: &mut Tx) -> Result<Vec<(Uuid, String)>> {
    tx.all("SELECT id, slug FROM workspaces ORDER BY slug", args![]).await
}
