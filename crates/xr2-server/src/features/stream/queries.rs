//! SQL of streams.

use std::collections::HashSet;

use uuid::Uuid;
use xr2_db::{Result, Sql, Tx, args};

/// The workspace's revision.
pub(super) async fn revision(tx: &mut Tx) -> Result<i64> {
    let workspace = tx.workspace();
    Ok(tx.optional("SELECT revision FROM workspaces WHERE id = $1", args![workspace]).await?.unwrap_or(0))
}

/// The prompts behind slugs, former ones included.
pub(super) async fn prompts_of(tx: &mut Tx, slugs: &HashSet<String>) -> Result<Vec<Uuid>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new("SELECT prompt_id FROM prompt_slugs WHERE workspace_id = ");
    sql.bind(workspace).push(" AND slug IN ").bind_list(slugs.iter());
    tx.all_built(sql).await
}
