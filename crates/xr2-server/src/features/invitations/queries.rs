//! SQL of invitations.

use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Tx, args};

use crate::clock::Time;
use crate::features::invitations::dto::InvitingWorkspace;
use crate::features::invitations::model::Stored;

impl FromRow for Stored {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Stored {
            id: row.get("id")?,
            workspace: row.get("workspace_id")?,
            email: row.get("email")?,
            email_key: row.get("email_key")?,
            role: row.parsed("role")?,
            invited_by: row.opt("invited_by")?,
            inviter_name: row.get("inviter_name")?,
            created_at: row.get("created_at")?,
            sent_at: row.get("sent_at")?,
            expires_at: row.get("expires_at")?,
            accepted_at: row.opt("accepted_at")?,
            revoked_at: row.opt("revoked_at")?,
        })
    }
}

/// Adds an invitation to the transaction's workspace.
pub(super) async fn insert(tx: &mut Tx, new: &Stored, token_hash: &[u8; 32]) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "INSERT INTO invitations (id, workspace_id, email, email_key, role, token_hash, invited_by, inviter_name,
                                  created_at, sent_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        args![
            new.id,
            workspace,
            &new.email,
            &new.email_key,
            new.role.as_str(),
            token_hash.to_vec(),
            new.invited_by,
            &new.inviter_name,
            new.created_at,
            new.sent_at,
            new.expires_at,
        ],
    )
    .await?;
    Ok(())
}

/// Open invitations of the transaction's workspace, the latest first.
pub(super) async fn open(tx: &mut Tx) -> Result<Vec<Stored>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT id, workspace_id, email, email_key, role, invited_by, inviter_name, created_at, sent_at, expires_at,
                accepted_at, revoked_at
         FROM invitations WHERE workspace_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL
         ORDER BY created_at DESC, id DESC",
        args![workspace],
    )
    .await
}

/// One of the transaction's workspace.
pub(super) async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<Stored>> {
    let workspace = tx.workspace();
    tx.optional(
        "SELECT id, workspace_id, email, email_key, role, invited_by, inviter_name, created_at, sent_at, expires_at,
                accepted_at, revoked_at
         FROM invitations WHERE workspace_id = $1 AND id = $2",
        args![workspace, id],
    )
    .await
}

/// The open one of the transaction's workspace for this address.
pub(super) async fn open_for(tx: &mut Tx, email_key: &str) -> Result<Option<Stored>> {
    let workspace = tx.workspace();
    tx.optional(
        "SELECT id, workspace_id, email, email_key, role, invited_by, inviter_name, created_at, sent_at, expires_at,
                accepted_at, revoked_at
         FROM invitations
         WHERE workspace_id = $1 AND email_key = $2 AND accepted_at IS NULL AND revoked_at IS NULL",
        args![workspace, email_key],
    )
    .await
}

/// How many were made in the transaction's workspace since.
pub(super) async fn count_since(tx: &mut Tx, since: Time) -> Result<i64> {
    let workspace = tx.workspace();
    let sql = "SELECT count(*) FROM invitations WHERE workspace_id = $1 AND created_at > $2";
    tx.one(sql, args![workspace, since]).await
}

/// Forgets those of the transaction's workspace that were settled, or over, before.
pub(super) async fn forget(tx: &mut Tx, before: Time) -> Result<()> {
    let workspace = tx.workspace();
    tx.later(
        "DELETE FROM invitations WHERE workspace_id = $1 AND created_at < $2 AND expires_at < $2",
        args![workspace, before],
    )
    .await
}

/// Gives an open one another link; tells whether it was open.
pub(super) async fn renew(tx: &mut Tx, renewed: &Stored, token_hash: &[u8; 32]) -> Result<bool> {
    let workspace = tx.workspace();
    let rows = tx
        .execute(
            "UPDATE invitations SET token_hash = $3, sent_at = $4, expires_at = $5, invited_by = $6, inviter_name = $7
             WHERE workspace_id = $1 AND id = $2 AND accepted_at IS NULL AND revoked_at IS NULL",
            args![
                workspace,
                renewed.id,
                token_hash.to_vec(),
                renewed.sent_at,
                renewed.expires_at,
                renewed.invited_by,
                &renewed.inviter_name,
            ],
        )
        .await?;
    Ok(rows == 1)
}

/// Takes an open one back; tells whether it was open.
pub(super) async fn revoke(tx: &mut Tx, id: Uuid, now: Time) -> Result<bool> {
    let workspace = tx.workspace();
    let rows = tx
        .execute(
            "UPDATE invitations SET revoked_at = $3
             WHERE workspace_id = $1 AND id = $2 AND accepted_at IS NULL AND revoked_at IS NULL",
            args![workspace, id, now],
        )
        .await?;
    Ok(rows == 1)
}

/// The one with this token. Runs in a system transaction.
pub(super) async fn by_token(tx: &mut Tx, token_hash: &[u8; 32]) -> Result<Option<Stored>> {
    tx.optional(
        "SELECT id, workspace_id, email, email_key, role, invited_by, inviter_name, created_at, sent_at, expires_at,
                accepted_at, revoked_at
         FROM invitations WHERE token_hash = $1",
        args![token_hash.to_vec()],
    )
    .await
}

/// Marks the one with this token accepted, if it still can be. Of two who try at once one succeeds. Runs in a system
/// transaction.
pub(super) async fn accept(tx: &mut Tx, id: Uuid, token_hash: &[u8; 32], now: Time) -> Result<bool> {
    let rows = tx
        .execute(
            "UPDATE invitations SET accepted_at = $3
             WHERE id = $1 AND token_hash = $2 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $3",
            args![id, token_hash.to_vec(), now],
        )
        .await?;
    Ok(rows == 1)
}

impl FromRow for InvitingWorkspace {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(InvitingWorkspace { name: row.get("name")?, slug: row.get("slug")? })
    }
}

/// The workspace of an invitation. Runs in a system transaction.
pub(super) async fn workspace(tx: &mut Tx, id: Uuid) -> Result<Option<InvitingWorkspace>> {
    tx.optional("SELECT name, slug FROM workspaces WHERE id = $1", args![id]).await
}

/// Whether a member of the workspace has this address. Runs in a system transaction.
pub(super) async fn is_member(tx: &mut Tx, workspace: Uuid, email_key: &str) -> Result<bool> {
    let found: Option<Uuid> = tx
        .optional(
            "SELECT u.id FROM users u JOIN memberships m ON m.user_id = u.id
             WHERE u.email_key = $2 AND m.workspace_id = $1",
            args![workspace, email_key],
        )
        .await?;
    Ok(found.is_some())
}
