//! SQL of preview links.

use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Tx, Value, args};

use crate::clock::Time;
use crate::features::prompts::preview_links::model::LinkRow;

impl FromRow for LinkRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(LinkRow {
            id: row.get("id")?,
            prompt: row.get("prompt_id")?,
            version: row.opt("version_number")?,
            note: row.opt("note")?,
            created_by: row.json("created_by")?,
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

pub(super) async fn insert(tx: &mut Tx, row: &LinkRow, token_hash: &[u8; 32]) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "INSERT INTO preview_links (id, workspace_id, prompt_id, token_hash, version_number, note, created_by,
            created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            row.id,
            workspace,
            row.prompt,
            token_hash.to_vec(),
            row.version,
            row.note.as_deref(),
            Value::json(&row.created_by),
            row.created_at,
            row.expires_at,
        ],
    )
    .await?;
    Ok(())
}

/// Links of a prompt that nobody has revoked, newest first.
pub(super) async fn of_prompt(tx: &mut Tx, prompt: Uuid, limit: i64) -> Result<Vec<LinkRow>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT id, prompt_id, version_number, note, created_by, created_at, expires_at FROM preview_links
         WHERE workspace_id = $1 AND prompt_id = $2 AND revoked_at IS NULL
         ORDER BY created_at DESC, id DESC LIMIT $3",
        args![workspace, prompt, limit],
    )
    .await
}

/// Links of a prompt that have not ended.
pub(super) async fn count_open(tx: &mut Tx, prompt: Uuid, now: Time) -> Result<i64> {
    let workspace = tx.workspace();
    tx.one(
        "SELECT COUNT(*) FROM preview_links
         WHERE workspace_id = $1 AND prompt_id = $2 AND revoked_at IS NULL AND expires_at > $3",
        args![workspace, prompt, now],
    )
    .await
}

/// Ends a link; tells whether it was there.
pub(super) async fn revoke(tx: &mut Tx, prompt: Uuid, id: Uuid, now: Time) -> Result<bool> {
    let workspace = tx.workspace();
    let ended = tx
        .execute(
            "UPDATE preview_links SET revoked_at = $4
             WHERE workspace_id = $1 AND prompt_id = $2 AND id = $3 AND revoked_at IS NULL",
            args![workspace, prompt, id, now],
        )
        .await?;
    Ok(ended == 1)
}

/// Forgets links of a prompt that ended before a time.
pub(super) async fn forget(tx: &mut Tx, prompt: Uuid, before: Time) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "DELETE FROM preview_links WHERE workspace_id = $1 AND prompt_id = $2
         AND (expires_at < $3 OR revoked_at < $3)",
        args![workspace, prompt, before],
    )
    .await?;
    Ok(())
}

/// The workspace of the link with this token. Runs in a system transaction.
pub(super) async fn workspace_of(tx: &mut Tx, token_hash: &[u8; 32]) -> Result<Option<Uuid>> {
    tx.optional("SELECT workspace_id FROM preview_links WHERE token_hash = $1", args![token_hash.to_vec()])
        .await
}

/// The link with this token, unless it has ended.
pub(super) async fn open(tx: &mut Tx, token_hash: &[u8; 32], now: Time) -> Result<Option<LinkRow>> {
    let workspace = tx.workspace();
    tx.optional(
        "SELECT id, prompt_id, version_number, note, created_by, created_at, expires_at FROM preview_links
         WHERE workspace_id = $1 AND token_hash = $2 AND revoked_at IS NULL AND expires_at > $3",
        args![workspace, token_hash.to_vec(), now],
    )
    .await
}

/// Whether a person is a member.
pub(super) async fn is_member(tx: &mut Tx, user: Uuid) -> Result<bool> {
    let workspace = tx.workspace();
    let role: Option<String> = tx
        .optional(
            "SELECT role FROM memberships WHERE workspace_id = $1 AND user_id = $2",
            args![workspace, user],
        )
        .await?;
    Ok(role.is_some())
}
