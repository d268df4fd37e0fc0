//! SQL of members.

use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Tx, args};

use crate::auth::{Permissions, Role};
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
