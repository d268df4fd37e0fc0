//! SQL of single deliveries.

use uuid::Uuid;
use xr2_db::{FromRow, JsonText, Result, Row, Tx, Value, args, dialect};

use crate::features::usage::rows::EventRow;

const INSERT: &str = "INSERT INTO usage_events (workspace_id, at, prompt_id, version, label, variant, api_key_id, source,
                      status, count, latency_us, latencies, user_id, address_hash, user_agent, model, variables, includes)";
const COLUMNS: usize = 18;

/// Appends the rows of a batch, unless that was done before: whether the first attempt at it was committed cannot
/// always be known.
pub(crate) async fn insert_once(tx: &mut Tx, batch: Uuid, at: i64, rows: &[EventRow]) -> Result<()> {
    let mark = "INSERT INTO usage_batches (id, at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    match tx.execute(mark, args![batch, at]).await? {
        0 => Ok(()),
        _ => insert(tx, rows).await,
    }
}

/// Appends rows.
pub(crate) async fn insert(tx: &mut Tx, rows: &[EventRow]) -> Result<()> {
    hold_ingest(tx).await?;
    let mut values = Vec::with_capacity(rows.len() * COLUMNS);
    for row in rows {
        push(&mut values, row);
    }
    tx.insert_rows(INSERT, COLUMNS, values, "").await.map(drop)
}

fn push(values: &mut Vec<Value>, row: &EventRow) {
    let alike = &row.alike;
    let what = &alike.what;
    let json = |text: Option<&str>| Value::Json(text.map(|text| JsonText(text.to_owned())));
    values.extend([
        what.workspace.into(),
        row.at.into(),
        what.prompt.into(),
        what.version.into(),
        (&*what.label).into(),
        (&*what.variant).into(),
        alike.key.into(),
        alike.source.as_str().into(),
        i64::from(alike.status).into(),
        row.count.into(),
        row.latency_us.into(),
        row.latencies.clone().into(),
        alike.user.as_deref().into(),
        row.address_hash.as_deref().into(),
        alike.user_agent.as_deref().into(),
        alike.model.as_deref().into(),
        json(alike.variables.as_deref()),
        json(what.includes.as_deref()),
    ]);
}

/// Keeps whoever sums from believing that all sequences so far are there, until this transaction ends.
async fn hold_ingest(tx: &mut Tx) -> Result<()> {
    let sql = dialect::for_update(
        tx.engine(),
        "SELECT sequence FROM usage_cursors WHERE name = 'ingest' FOR SHARE",
        "",
    );
    if !sql.is_empty() {
        tx.one::<i64>(sql, args![]).await?;
    }
    Ok(())
}

/// The last sequence before which nothing will appear any more.
pub(crate) async fn settled(tx: &mut Tx) -> Result<i64> {
    let sql = dialect::for_update(
        tx.engine(),
        "SELECT sequence FROM usage_cursors WHERE name = 'ingest' FOR UPDATE",
        "SELECT sequence FROM usage_cursors WHERE name = 'ingest'",
    );
    tx.one::<i64>(sql, args![]).await?;
    tx.one("SELECT COALESCE(MAX(sequence), 0) FROM usage_events", args![]).await
}

/// As much of a delivery as sums are made of.
pub(crate) struct Counted {
    pub sequence: i64,
    pub workspace: Uuid,
    pub at: i64,
    pub prompt: Uuid,
    pub version: i64,
    pub label: String,
    pub variant: String,
    pub key: Option<Uuid>,
    pub source: String,
    pub status: i64,
    pub count: i64,
    pub latency_us: Option<i64>,
    pub latencies: Option<Vec<u8>>,
    pub user: Option<String>,
}

impl FromRow for Counted {
    fn from_row(row: &Row) -> Result<Self> {
        // By position: there are many of them.
        Ok(Counted {
            sequence: row.get(0)?,
            workspace: row.get(1)?,
            at: row.get(2)?,
            prompt: row.get(3)?,
            version: row.get(4)?,
            label: row.get(5)?,
            variant: row.get(6)?,
            key: row.opt(7)?,
            source: row.get(8)?,
            status: row.get(9)?,
            count: row.get(10)?,
            latency_us: row.opt(11)?,
            latencies: row.opt(12)?,
            user: row.opt(13)?,
        })
    }
}

/// Deliveries behind `after` up to `until`, in order, at most `limit`. What the dashboard fetched counts nowhere.
pub(crate) async fn following(tx: &mut Tx, after: i64, until: i64, limit: i64) -> Result<Vec<Counted>> {
    tx.all(
        "SELECT sequence, workspace_id, at, prompt_id, version, label, variant, api_key_id, source, status, count,
                latency_us, latencies, COALESCE(user_id, address_hash)
         FROM usage_events WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence LIMIT $3",
        args![after, until, limit],
    )
    .await
}

/// Forgets deliveries before a time that have been summed, at most `limit`; tells how many.
pub(crate) async fn forget(tx: &mut Tx, before: i64, limit: i64) -> Result<u64> {
    tx.execute(
        "DELETE FROM usage_events WHERE sequence IN (
             SELECT sequence FROM usage_events WHERE at < $1
                 AND sequence <= (SELECT sequence FROM usage_cursors WHERE name = 'rollup')
             ORDER BY at LIMIT $2)",
        args![before, limit],
    )
    .await
}

/// Forgets batches before a time, at most `limit`; tells how many.
pub(crate) async fn forget_batches(tx: &mut Tx, before: i64, limit: i64) -> Result<u64> {
    tx.execute(
        "DELETE FROM usage_batches WHERE id IN (SELECT id FROM usage_batches WHERE at < $1 ORDER BY at LIMIT $2)",
        args![before, limit],
    )
    .await
}
