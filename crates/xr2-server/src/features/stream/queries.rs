//! SQL of streams.

use std::collections::HashSet;

use uuid::Uuid;
use xr2_db::{Result, Sql, Tx};

/// The prompts behind slugs, former ones included.
pub(super) async fn prompts_of(tx: &mut Tx, slugs: &HashSet<String>) -> Result<Vec<Uuid>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new("SELECT prompt_id FROM prompt_slugs WHERE workspace_id = ");
    sql.bind(workspace).push(" AND slug IN ").bind_list(slugs.iter());
    tx.all_built(sql).await
}
