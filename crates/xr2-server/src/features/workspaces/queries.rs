//! SQL of workspaces.

use serde_json::json;
use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Tx, Value, args};

use crate::auth::Role;
use crate::clock::Time;
use crate::events::Actor;
use crate::features::workspaces::dto::MemberUser;
use crate::features::workspaces::{Member, Membership, Workspace};

impl FromRow for Membership {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Membership {
            workspace: row.get("id")?,
            slug: row.get("slug")?,
            name: row.get("name")?,
            plan: row.get("plan")?,
            role: row.parsed("role")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// All workspaces of a user, oldest first. Runs in a system transaction.
pub async fn memberships_of(tx: &mut Tx, user: Uuid) -> Result<Vec<Membership>> {
    tx.all(
        "SELECT w.id, w.slug, w.name, w.plan, w.created_at, m.role
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
            plan: row.get("plan")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// The transaction's workspace.
pub(super) async fn workspace(tx: &mut Tx) -> Result<Option<Workspace>> {
    let id = tx.workspace();
    tx.optional("SELECT id, slug, name, plan, created_at FROM workspaces WHERE id = $1", args![id]).await
}

impl FromRow for Member {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Member {
            user: MemberUser {
                id: row.get("id")?,
                name: row.get("name")?,
                email: row.get("email")?,
                avatar_url: row.opt("avatar_url")?,
            },
            role: row.parsed("role")?,
            joined_at: row.get("created_at")?,
        })
    }
}

/// Members of a workspace in the order they came. Runs in a system transaction: people stand above workspaces.
pub(super) async fn members(tx: &mut Tx, workspace: Uuid) -> Result<Vec<Member>> {
    tx.all(
        "SELECT u.id, u.name, u.email, u.avatar_url, m.role, m.created_at
         FROM memberships m JOIN users u ON u.id = m.user_id
         WHERE m.workspace_id = $1 ORDER BY m.created_at, u.id",
        args![workspace],
    )
    .await
}

/// Whether a workspace has this slug. Runs in a system transaction.
pub(super) async fn slug_exists(tx: &mut Tx, slug: &str) -> Result<bool> {
    let found: Option<Uuid> = tx.optional("SELECT id FROM workspaces WHERE slug = $1", args![slug]).await?;
    Ok(found.is_some())
}

/// Adds the transaction's workspace.
pub(super) async fn insert(tx: &mut Tx, workspace: &Membership, personal: bool) -> Result<()> {
    tx.execute(
        "INSERT INTO workspaces (id, slug, name, plan, personal, revision, settings, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $7)",
        args![
            workspace.workspace,
            &workspace.slug,
            &workspace.name,
            &workspace.plan,
            personal,
            Value::json(&json!({})),
            workspace.created_at,
        ],
    )
    .await?;
    Ok(())
}

/// Adds a member to the transaction's workspace.
pub(super) async fn insert_member(tx: &mut Tx, user: Uuid, role: Role, now: Time) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "INSERT INTO memberships (workspace_id, user_id, role, permissions, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $5)",
        args![workspace, user, role.as_str(), Value::json(&json!({})), now],
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
