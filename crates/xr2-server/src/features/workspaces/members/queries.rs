//! SQL of members.

use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Tx, Value, args};

use crate::auth::{Permissions, Role};
use crate::clock::Time;
use crate::features::workspaces::members::Standing;
use crate::features::workspaces::members::dto::{Member, MemberUser};

impl FromRow for Member {
    fn from_row(row: &Row) -> Result<Self> {
        let role: Role = row.parsed("role")?;
        let permissions: Permissions = row.json("permissions")?;
        Ok(Member {
            user: MemberUser {
                id: row.get("id")?,
                name: row.get("name")?,
                email: row.get("email")?,
                avatar_url: row.opt("avatar_url")?,
            },
            role,
            permissions,
            rights: permissions.applied_to(role).names(),
            joined_at: row.get("created_at")?,
            last_seen_at: row.opt("last_seen_at")?,
        })
    }
}

/// Members of a workspace in the order they came. Runs in a system transaction: people stand above workspaces.
pub(super) async fn members(tx: &mut Tx, workspace: Uuid) -> Result<Vec<Member>> {
    tx.all(
        "SELECT u.id, u.name, u.email, u.avatar_url, m.role, m.permissions, m.created_at,
                (SELECT max(s.last_used_at) FROM sessions s WHERE s.user_id = u.id) AS last_seen_at
         FROM memberships m JOIN users u ON u.id = m.user_id
         WHERE m.workspace_id = $1 ORDER BY m.created_at, u.id",
        args![workspace],
    )
    .await
}

impl FromRow for Standing {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Standing { role: row.parsed("role")?, permissions: row.json("permissions")? })
    }
}

/// What somebody is in the transaction's workspace.
pub(super) async fn standing(tx: &mut Tx, user: Uuid) -> Result<Option<Standing>> {
    let workspace = tx.workspace();
    let sql = "SELECT role, permissions FROM memberships WHERE workspace_id = $1 AND user_id = $2";
    tx.optional(sql, args![workspace, user]).await
}

/// One member of a workspace. Runs in a system transaction.
pub(super) async fn member(tx: &mut Tx, workspace: Uuid, user: Uuid) -> Result<Option<Member>> {
    tx.optional(
        "SELECT u.id, u.name, u.email, u.avatar_url, m.role, m.permissions, m.created_at,
                (SELECT max(s.last_used_at) FROM sessions s WHERE s.user_id = u.id) AS last_seen_at
         FROM memberships m JOIN users u ON u.id = m.user_id
         WHERE m.workspace_id = $1 AND m.user_id = $2",
        args![workspace, user],
    )
    .await
}

/// Keeps others from changing who may do what in the transaction's workspace until the commit, so that no two owners make
/// each other something less. SQLite has one writer, which is lock enough.
pub(super) async fn lock(tx: &mut Tx) -> Result<()> {
    if tx.engine() == xr2_db::Engine::Postgres {
        let workspace = tx.workspace();
        // Not FOR UPDATE: rows of other tables that refer to the workspace may go on being written.
        let sql = "SELECT revision FROM workspaces WHERE id = $1 FOR NO KEY UPDATE";
        tx.optional::<i64>(sql, args![workspace]).await?;
    }
    Ok(())
}

/// How many owners the transaction's workspace has.
pub(super) async fn owners(tx: &mut Tx) -> Result<i64> {
    let workspace = tx.workspace();
    let sql = "SELECT count(*) FROM memberships WHERE workspace_id = $1 AND role = 'owner'";
    tx.one(sql, args![workspace]).await
}

/// Writes what a member may do.
pub(super) async fn set_standing(tx: &mut Tx, user: Uuid, standing: Standing, now: Time) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "UPDATE memberships SET role = $3, permissions = $4, updated_at = $5
         WHERE workspace_id = $1 AND user_id = $2",
        args![workspace, user, standing.role.as_str(), Value::json(&standing.permissions), now],
    )
    .await?;
    Ok(())
}

/// Removes a member.
pub(super) async fn remove(tx: &mut Tx, user: Uuid) -> Result<()> {
    let workspace = tx.workspace();
    let sql = "DELETE FROM memberships WHERE workspace_id = $1 AND user_id = $2";
    tx.execute(sql, args![workspace, user]).await?;
    Ok(())
}

/// Takes back the open invitations that somebody has made for a role; their ids and addresses.
pub(super) async fn revoke_invitations(
    tx: &mut Tx,
    by: Uuid,
    role: Role,
    now: Time,
) -> Result<Vec<(Uuid, String)>> {
    let workspace = tx.workspace();
    tx.all(
        "UPDATE invitations SET revoked_at = $4
         WHERE workspace_id = $1 AND invited_by = $2 AND role = $3 AND accepted_at IS NULL AND revoked_at IS NULL
         RETURNING id, email",
        args![workspace, by, role.as_str(), now],
    )
    .await
}
