//! SQL of workspaces.

use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Tx, args};

use crate::features::workspaces::Membership;

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
