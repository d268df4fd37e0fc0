//! SQL of drafts.

use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Tx, Value, args};

use crate::features::prompts::drafts::DraftRow;
use crate::features::prompts::versions::queries::read_source;

impl FromRow for DraftRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(DraftRow {
            branch: row.get("branch")?,
            revision: row.get("revision")?,
            base_version: row.get("base_version")?,
            source: read_source(row)?,
            updated_by: row.json("updated_by")?,
            updated_at: row.get("updated_at")?,
        })
    }
}

pub(in crate::features::prompts) async fn find(
    tx: &mut Tx,
    prompt: Uuid,
    branch: &str,
) -> Result<Option<DraftRow>> {
    let workspace = tx.workspace();
    tx.optional(
        "SELECT branch, revision, base_version, type, syntax, content, variables, config, updated_by, updated_at
         FROM prompt_drafts WHERE workspace_id = $1 AND prompt_id = $2 AND branch = $3",
        args![workspace, prompt, branch],
    )
    .await
}

/// Writes the draft if the stored one still has `row.revision - 1` (or there is none and it is the first). Tells
/// whether it was written.
pub(super) async fn save(tx: &mut Tx, prompt: Uuid, row: &DraftRow) -> Result<bool> {
    let workspace = tx.workspace();
    let written = tx
        .execute(
            "INSERT INTO prompt_drafts (workspace_id, prompt_id, branch, revision, base_version, type, syntax, content,
                variables, config, updated_by, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             ON CONFLICT (prompt_id, branch) DO UPDATE SET revision = excluded.revision,
                base_version = excluded.base_version, type = excluded.type, syntax = excluded.syntax,
                content = excluded.content, variables = excluded.variables, config = excluded.config,
                updated_by = excluded.updated_by, updated_at = excluded.updated_at
             WHERE prompt_drafts.revision = excluded.revision - 1",
            args![
                workspace,
                prompt,
                &row.branch,
                row.revision,
                row.base_version,
                row.source.content.prompt_type().as_str(),
                row.source.syntax.as_str(),
                row.source.stored_content(),
                Value::json(&row.source.contract),
                Value::json(&row.source.config),
                Value::json(&row.updated_by),
                row.updated_at,
            ],
        )
        .await?;
    Ok(written == 1)
}

pub(in crate::features::prompts) async fn delete(tx: &mut Tx, prompt: Uuid, branch: &str) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "DELETE FROM prompt_drafts WHERE workspace_id = $1 AND prompt_id = $2 AND branch = $3",
        args![workspace, prompt, branch],
    )
    .await?;
    Ok(())
}
