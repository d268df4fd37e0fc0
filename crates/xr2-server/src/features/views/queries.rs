//! SQL of saved views.

use serde_json::Value as Json;
use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Sql, Tx, Value, args, dialect};

use crate::clock::Time;
use crate::events::Actor;

/// A row of `saved_views`.
#[derive(Debug, Clone)]
pub struct ViewRow {
    pub id: Uuid,
    pub owner: Option<Uuid>,
    pub name: String,
    pub query: Json,
    pub shared: bool,
    pub created_by: Actor,
    pub created_at: Time,
    pub updated_at: Time,
}

impl FromRow for ViewRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(ViewRow {
            id: row.get("id")?,
            owner: row.opt("owner_id")?,
            name: row.get("name")?,
            query: row.json("query")?,
            shared: row.get("shared")?,
            created_by: row.json("created_by")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        })
    }
}

const COLUMNS: &str = "SELECT id, owner_id, name, query, shared, created_by, created_at, updated_at
    FROM saved_views WHERE workspace_id = ";

/// Shared views, and `user`'s own.
pub(super) async fn seen_by(tx: &mut Tx, user: Option<Uuid>) -> Result<Vec<ViewRow>> {
    let mut sql = Sql::new(COLUMNS);
    sql.bind(tx.workspace()).push(" AND (shared = ").bind(true);
    if let Some(user) = user {
        sql.push(" OR owner_id = ").bind(user);
    }
    sql.push(")");
    tx.all_built(sql).await
}

/// One view, shared or not; locked.
pub(super) async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<ViewRow>> {
    let mut sql = Sql::new(COLUMNS);
    sql.bind(tx.workspace()).push(" AND id = ").bind(id);
    sql.push(dialect::for_update(tx.engine(), " FOR NO KEY UPDATE", ""));
    tx.optional_built(sql).await
}

/// How many shared views there are, or how many private ones of `owner`.
pub(super) async fn count(tx: &mut Tx, owner: Option<Uuid>) -> Result<i64> {
    let mut sql = Sql::new("SELECT COUNT(*) FROM saved_views WHERE workspace_id = ");
    sql.bind(tx.workspace()).push(" AND shared = ").bind(owner.is_none());
    if let Some(owner) = owner {
        sql.push(" AND owner_id = ").bind(owner);
    }
    Ok(tx.optional_built(sql).await?.unwrap_or(0))
}

pub(super) async fn insert(tx: &mut Tx, row: &ViewRow) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "INSERT INTO saved_views (id, workspace_id, owner_id, name, query, shared, created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            row.id,
            workspace,
            row.owner,
            &row.name,
            Value::json(&row.query),
            row.shared,
            Value::json(&row.created_by),
            row.created_at,
            row.updated_at
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn save(tx: &mut Tx, row: &ViewRow) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "UPDATE saved_views SET name = $3, query = $4, shared = $5, updated_at = $6
         WHERE workspace_id = $1 AND id = $2",
        args![workspace, row.id, &row.name, Value::json(&row.query), row.shared, row.updated_at],
    )
    .await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut Tx, id: Uuid) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute("DELETE FROM saved_views WHERE workspace_id = $1 AND id = $2", args![workspace, id]).await?;
    Ok(())
}
