//! SQL of folders, and of which prompts stand in them.

use std::collections::HashMap;

use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Sql, Tx, Value, args, dialect};

use crate::clock::Time;
use crate::events::Actor;

/// A row of `folders`.
#[derive(Debug, Clone)]
pub struct FolderRow {
    pub id: Uuid,
    pub parent: Option<Uuid>,
    pub name: String,
    pub created_at: Time,
    pub updated_at: Time,
}

impl FromRow for FolderRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(FolderRow {
            id: row.get("id")?,
            parent: row.opt("parent_id")?,
            name: row.get("name")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        })
    }
}

/// Lets nobody else change this workspace's tree until the commit: two moves cannot close a circle together. SQLite has one
/// writer, which is lock enough. The lock is none of a row: whoever puts a prompt into a folder holds the folder and then
/// takes the workspace's row.
pub(super) async fn lock_tree(tx: &mut Tx) -> Result<()> {
    let lock = dialect::for_update(
        tx.engine(),
        "SELECT pg_advisory_xact_lock(hashtextextended('folders ' || CAST($1 AS UUID), 0))",
        "",
    );
    if !lock.is_empty() {
        let workspace = tx.workspace();
        tx.execute(lock, args![workspace]).await?;
    }
    Ok(())
}

/// All folders of the workspace.
pub(super) async fn all(tx: &mut Tx) -> Result<Vec<FolderRow>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT id, parent_id, name, created_at, updated_at FROM folders WHERE workspace_id = $1",
        args![workspace],
    )
    .await
}

/// The folder and those it stands in.
pub(super) async fn upwards(tx: &mut Tx, folder: Uuid) -> Result<Vec<FolderRow>> {
    let workspace = tx.workspace();
    tx.all(
        "WITH RECURSIVE up (id, parent_id, name, created_at, updated_at) AS (
             SELECT id, parent_id, name, created_at, updated_at FROM folders WHERE workspace_id = $1 AND id = $2
             UNION
             SELECT f.id, f.parent_id, f.name, f.created_at, f.updated_at
             FROM folders f JOIN up ON f.id = up.parent_id WHERE f.workspace_id = $1)
         SELECT id, parent_id, name, created_at, updated_at FROM up",
        args![workspace, folder],
    )
    .await
}

/// The folder and all below it; nothing when there is no such folder.
pub async fn with_subfolders(tx: &mut Tx, folder: Uuid) -> Result<Vec<Uuid>> {
    let workspace = tx.workspace();
    tx.all(
        "WITH RECURSIVE down (id) AS (
             SELECT id FROM folders WHERE workspace_id = $1 AND id = $2
             UNION
             SELECT f.id FROM folders f JOIN down ON f.parent_id = down.id WHERE f.workspace_id = $1)
         SELECT id FROM down",
        args![workspace, folder],
    )
    .await
}

/// How many prompts stand directly in each folder, or in `only` this one, without those in the bin.
pub(super) async fn counts(tx: &mut Tx, only: Option<Uuid>) -> Result<HashMap<Uuid, i64>> {
    let workspace = tx.workspace();
    // What is in the bin is little: taken off afterwards, nobody has to look at every prompt.
    let mut sql = Sql::new("SELECT folder_id, COUNT(*) FROM prompt_folders WHERE workspace_id = ");
    sql.bind(workspace);
    if let Some(folder) = only {
        sql.push(" AND folder_id = ").bind(folder);
    }
    sql.push(" GROUP BY folder_id");
    let mut counts: HashMap<Uuid, i64> = tx.all_built::<(Uuid, i64)>(sql).await?.into_iter().collect();
    let mut sql = Sql::new(
        "SELECT f.folder_id, COUNT(*) FROM prompts p JOIN prompt_folders f ON f.prompt_id = p.id
         WHERE p.deleted_at IS NOT NULL AND p.workspace_id = ",
    );
    sql.bind(workspace).push(" AND f.workspace_id = ").bind(workspace);
    if let Some(folder) = only {
        sql.push(" AND f.folder_id = ").bind(folder);
    }
    sql.push(" GROUP BY f.folder_id");
    for (folder, in_bin) in tx.all_built::<(Uuid, i64)>(sql).await? {
        counts.entry(folder).and_modify(|count| *count -= in_bin);
    }
    Ok(counts)
}

pub(super) async fn insert(tx: &mut Tx, row: &FolderRow, by: &Actor) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "INSERT INTO folders (workspace_id, id, parent_id, name, name_key, created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        args![
            workspace,
            row.id,
            row.parent,
            &row.name,
            row.name.to_lowercase(),
            Value::json(by),
            row.created_at,
            row.updated_at
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn save(tx: &mut Tx, row: &FolderRow) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "UPDATE folders SET parent_id = $3, name = $4, name_key = $5, updated_at = $6
         WHERE workspace_id = $1 AND id = $2",
        args![workspace, row.id, row.parent, &row.name, row.name.to_lowercase(), row.updated_at],
    )
    .await?;
    Ok(())
}

/// Gives a folder's subfolders to `parent`. The folder is about to go: its name is free for them.
pub(super) async fn lift(tx: &mut Tx, folder: Uuid, parent: Option<Uuid>, now: Time) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "UPDATE folders SET name_key = $3 WHERE workspace_id = $1 AND id = $2",
        args![workspace, folder, format!("/{folder}")],
    )
    .await?;
    tx.execute(
        "UPDATE folders SET parent_id = $3, updated_at = $4 WHERE workspace_id = $1 AND parent_id = $2",
        args![workspace, folder, parent, now],
    )
    .await?;
    Ok(())
}

/// Waits for those who are putting prompts into these folders, in the order in which those take them.
pub(super) async fn lock(tx: &mut Tx, folders: &[Uuid]) -> Result<()> {
    let lock = dialect::for_update(tx.engine(), " ORDER BY id FOR UPDATE", "");
    if !lock.is_empty() {
        let mut sql = Sql::new("SELECT id FROM folders WHERE workspace_id = ");
        sql.bind(tx.workspace()).push(" AND id IN ").bind_list(folders.iter().copied()).push(lock);
        tx.all_built::<Uuid>(sql).await?;
    }
    Ok(())
}

/// Removes these folders, and prompts from them.
pub(super) async fn delete(tx: &mut Tx, folders: &[Uuid]) -> Result<()> {
    let mut sql = Sql::new("DELETE FROM folders WHERE workspace_id = ");
    sql.bind(tx.workspace()).push(" AND id IN ").bind_list(folders.iter().copied());
    tx.execute_built(sql).await?;
    Ok(())
}

/// Takes up to `limit` prompts out of these folders; returns how many.
pub(super) async fn take_out(tx: &mut Tx, folders: &[Uuid], limit: i64) -> Result<u64> {
    let workspace = tx.workspace();
    let mut sql = Sql::new("SELECT folder_id, prompt_id FROM prompt_folders WHERE workspace_id = ");
    sql.bind(workspace).push(" AND folder_id IN ").bind_list(folders.iter().copied());
    sql.push(" LIMIT ").bind(limit);
    let rows: Vec<(Uuid, Uuid)> = tx.all_built(sql).await?;
    for (folder, prompt) in &rows {
        tx.later(TAKE_OUT, args![workspace, *folder, *prompt]).await?;
    }
    Ok(rows.len() as u64)
}

const TAKE_OUT: &str =
    "DELETE FROM prompt_folders WHERE workspace_id = $1 AND folder_id = $2 AND prompt_id = $3";

/// Which of `folders` there are. `keep`: until the commit they will not go.
pub(super) async fn existing(tx: &mut Tx, folders: &[Uuid], keep: bool) -> Result<Vec<Uuid>> {
    let mut sql = Sql::new("SELECT id FROM folders WHERE workspace_id = ");
    sql.bind(tx.workspace()).push(" AND id IN ").bind_list(folders.iter().copied()).push(" ORDER BY id");
    if keep {
        sql.push(dialect::for_update(tx.engine(), " FOR KEY SHARE", ""));
    }
    tx.all_built(sql).await
}

/// The folders of each of `prompts`, in the order of their ids.
pub async fn of_prompts(tx: &mut Tx, prompts: &[Uuid]) -> Result<HashMap<Uuid, Vec<Uuid>>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new("SELECT prompt_id, folder_id FROM prompt_folders WHERE workspace_id = ");
    sql.bind(workspace).push(" AND prompt_id IN ").bind_list(prompts.iter().copied());
    sql.push(" ORDER BY prompt_id, folder_id");
    let mut folders: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for (prompt, folder) in tx.all_built::<(Uuid, Uuid)>(sql).await? {
        folders.entry(prompt).or_default().push(folder);
    }
    Ok(folders)
}

/// Puts a prompt into the folders `after` that stands in those of `before`. See [`super::check_ids`].
pub async fn put_prompt(tx: &mut Tx, prompt: Uuid, before: &[Uuid], after: &[Uuid]) -> Result<()> {
    let workspace = tx.workspace();
    for folder in before.iter().filter(|folder| !after.contains(folder)) {
        tx.later(TAKE_OUT, args![workspace, *folder, prompt]).await?;
    }
    for folder in after.iter().filter(|folder| !before.contains(folder)) {
        tx.later(
            "INSERT INTO prompt_folders (workspace_id, folder_id, prompt_id) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
            args![workspace, *folder, prompt],
        )
        .await?;
    }
    Ok(())
}
