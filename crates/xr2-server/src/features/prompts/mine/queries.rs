//! SQL of favourites.

use std::collections::HashSet;

use uuid::Uuid;
use xr2_db::{Result, Sql, Tx, args};

use crate::clock::Time;

/// Which of `prompts` are among a person's favourites.
pub async fn favourites(tx: &mut Tx, user: Uuid, prompts: &[Uuid]) -> Result<HashSet<Uuid>> {
    let mut sql = Sql::new("SELECT prompt_id FROM prompt_favourites WHERE workspace_id = ");
    sql.bind(tx.workspace()).push(" AND user_id = ").bind(user);
    sql.push(" AND prompt_id IN ").bind_list(prompts.iter().copied());
    Ok(tx.all_built::<Uuid>(sql).await?.into_iter().collect())
}

/// Makes a prompt one of them. It may be one already.
pub(super) async fn add(tx: &mut Tx, user: Uuid, prompt: Uuid, now: Time) -> Result<()> {
    let workspace = tx.workspace();
    tx.later(
        "INSERT INTO prompt_favourites (workspace_id, user_id, prompt_id, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
        args![workspace, user, prompt, now],
    )
    .await
}

/// Makes a prompt none of them. It may be none already.
pub(super) async fn remove(tx: &mut Tx, user: Uuid, prompt: Uuid) -> Result<()> {
    let workspace = tx.workspace();
    tx.later(
        "DELETE FROM prompt_favourites WHERE workspace_id = $1 AND user_id = $2 AND prompt_id = $3",
        args![workspace, user, prompt],
    )
    .await
}
