//! SQL of tags and categories.

use std::collections::HashMap;

use uuid::Uuid;
use xr2_db::{Result, Sql, Tx, args, dialect};

use crate::features::prompts::PromptRow;
use crate::features::prompts::queries::COLUMNS;

/// Tags and how many prompts have each; those in the bin do not count.
pub(super) async fn tags(tx: &mut Tx) -> Result<Vec<(String, i64)>> {
    let workspace = tx.workspace();
    let all = "SELECT tag, COUNT(*) FROM prompt_tags WHERE workspace_id = $1 GROUP BY tag";
    let all = tx.all(all, args![workspace]).await?;
    // What is in the bin is little: taken off afterwards, nobody has to look at every prompt.
    let in_bin = tx
        .all(
            "SELECT t.tag, COUNT(*) FROM prompts p JOIN prompt_tags t ON t.prompt_id = p.id
             WHERE p.workspace_id = $1 AND t.workspace_id = $1 AND p.deleted_at IS NOT NULL GROUP BY t.tag",
            args![workspace],
        )
        .await?;
    let mut counts: HashMap<String, i64> = all.into_iter().collect();
    for (tag, prompts) in in_bin {
        let tag: String = tag;
        let prompts: i64 = prompts;
        counts.entry(tag).and_modify(|count| *count -= prompts);
    }
    Ok(counts.into_iter().filter(|(_, count)| *count > 0).collect())
}

/// Categories and how many prompts have each; those in the bin do not count.
pub(super) async fn categories(tx: &mut Tx) -> Result<Vec<(String, i64)>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT category, COUNT(*) FROM prompts
         WHERE workspace_id = $1 AND deleted_at IS NULL AND category IS NOT NULL GROUP BY category",
        args![workspace],
    )
    .await
}

/// All prompts with a tag, those in the bin too, in the order of their ids.
pub(super) async fn with_tag(tx: &mut Tx, tag: &str) -> Result<Vec<Uuid>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT prompt_id FROM prompt_tags WHERE workspace_id = $1 AND tag = $2 ORDER BY prompt_id",
        args![workspace, tag],
    )
    .await
}

/// All prompts of a category, those in the bin too, in the order of their ids.
pub(super) async fn of_category(tx: &mut Tx, category: &str) -> Result<Vec<Uuid>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT id FROM prompts WHERE workspace_id = $1 AND category = $2 AND deleted_at IS NULL
         UNION ALL
         SELECT id FROM prompts WHERE workspace_id = $1 AND category = $2 AND deleted_at IS NOT NULL
         ORDER BY id",
        args![workspace, category],
    )
    .await
}

/// The rows of these prompts, locked, in the order of their ids.
pub(super) async fn locked(tx: &mut Tx, prompts: &[Uuid]) -> Result<Vec<PromptRow>> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("WHERE p.workspace_id = ").bind(tx.workspace());
    sql.push(" AND p.id IN ").bind_list(prompts.iter().copied()).push(" ORDER BY p.id");
    sql.push(dialect::for_update(tx.engine(), " FOR NO KEY UPDATE OF p", ""));
    tx.all_built(sql).await
}

/// Label → version of each of these prompts.
pub(super) async fn pointers(tx: &mut Tx, prompts: &[Uuid]) -> Result<HashMap<Uuid, Vec<(String, i64)>>> {
    let mut sql =
        Sql::new("SELECT prompt_id, label, version_number FROM prompt_labels WHERE workspace_id = ");
    sql.bind(tx.workspace()).push(" AND prompt_id IN ").bind_list(prompts.iter().copied());
    let mut pointers: HashMap<Uuid, Vec<(String, i64)>> = HashMap::new();
    for (prompt, label, version) in tx.all_built::<(Uuid, String, i64)>(sql).await? {
        pointers.entry(prompt).or_default().push((label, version));
    }
    Ok(pointers)
}
