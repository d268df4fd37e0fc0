//! SQL of bulk requests: what is known of many prompts, in as many statements as of one.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use xr2_db::{Result, Sql, Tx, dialect};

use crate::clock::Time;
use crate::features::prompts::PromptRow;
use crate::features::prompts::queries::COLUMNS;

/// Names of one statement at most.
const AT_ONCE: usize = 500;

/// The prompts behind ids, present and former slugs, in the bin or not.
pub(super) async fn ids_of(tx: &mut Tx, names: &[String]) -> Result<HashMap<String, Uuid>> {
    let workspace = tx.workspace();
    let mut found = HashMap::new();
    let (ids, slugs): (Vec<_>, Vec<_>) = names.iter().partition(|name| name.parse::<Uuid>().is_ok());
    for some in ids.chunks(AT_ONCE) {
        let parsed: HashMap<Uuid, Vec<&String>> = some.iter().fold(HashMap::new(), |mut map, name| {
            if let Ok(id) = name.parse() {
                map.entry(id).or_insert_with(Vec::new).push(*name);
            }
            map
        });
        let mut sql = Sql::new("SELECT id FROM prompts WHERE workspace_id = ");
        sql.bind(workspace).push(" AND id IN ").bind_list(parsed.keys().copied());
        for id in tx.all_built::<Uuid>(sql).await? {
            found.extend(parsed.get(&id).into_iter().flatten().map(|name| ((*name).clone(), id)));
        }
    }
    for some in slugs.chunks(AT_ONCE) {
        let mut sql = Sql::new("SELECT slug, prompt_id FROM prompt_slugs WHERE workspace_id = ");
        sql.bind(workspace).push(" AND slug IN ").bind_list(some.iter().map(|name| name.as_str()));
        found.extend(tx.all_built::<(String, Uuid)>(sql).await?);
    }
    Ok(found)
}

/// The rows of these prompts, locked in the order of their ids: whoever locks several does it in this order, so that no
/// two wait for each other.
pub(super) async fn lock_rows(tx: &mut Tx, prompts: &[Uuid]) -> Result<Vec<PromptRow>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new(COLUMNS);
    sql.push("WHERE p.workspace_id = ").bind(workspace);
    sql.push(" AND p.id IN ").bind_list(prompts.iter().copied()).push(" ORDER BY p.id");
    sql.push(dialect::for_update(tx.engine(), " FOR NO KEY UPDATE OF p", ""));
    tx.all_built(sql).await
}

/// Label and version of every pointer of these prompts.
pub(super) async fn pointers(tx: &mut Tx, prompts: &[Uuid]) -> Result<Vec<(Uuid, String, i64)>> {
    let workspace = tx.workspace();
    let mut sql =
        Sql::new("SELECT prompt_id, label, version_number FROM prompt_labels WHERE workspace_id = ");
    sql.bind(workspace).push(" AND prompt_id IN ").bind_list(prompts.iter().copied());
    tx.all_built(sql).await
}

/// Those of these prompts that some version of another includes.
pub(super) async fn included(tx: &mut Tx, prompts: &[Uuid]) -> Result<HashSet<Uuid>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new("SELECT DISTINCT included_id FROM prompt_includes WHERE workspace_id = ");
    sql.bind(workspace).push(" AND included_id IN ").bind_list(prompts.iter().copied());
    Ok(tx.all_built::<Uuid>(sql).await?.into_iter().collect())
}

/// When each of these prompts was last fetched.
pub(super) async fn last_fetches(tx: &mut Tx, prompts: &[Uuid]) -> Result<HashMap<Uuid, Time>> {
    let workspace = tx.workspace();
    let mut sql =
        Sql::new("SELECT prompt_id, MAX(last_fetched_at) FROM prompt_fetches WHERE workspace_id = ");
    sql.bind(workspace).push(" AND prompt_id IN ").bind_list(prompts.iter().copied());
    sql.push(" GROUP BY prompt_id");
    Ok(tx.all_built::<(Uuid, Time)>(sql).await?.into_iter().collect())
}
