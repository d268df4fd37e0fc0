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

/// The last of the rows behind `after` up to `until` that are summed together, at most `limit` of them.
pub(crate) async fn last_of_batch(tx: &mut Tx, after: i64, until: i64, limit: i64) -> Result<Option<i64>> {
    let last: i64 = tx
        .one(
            "SELECT COALESCE(MAX(sequence), 0) FROM (
                 SELECT sequence FROM usage_events WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence LIMIT $3
             ) AS batch",
            args![after, until, limit],
        )
        .await?;
    Ok(Some(last).filter(|last| *last > after))
}

/// Deliveries that count towards the same sum and took equally long.
pub(crate) struct Counted {
    pub workspace: Uuid,
    /// Hours since 1970.
    pub hour: i64,
    pub prompt: Uuid,
    pub version: i64,
    pub label: String,
    pub variant: String,
    pub key: Option<Uuid>,
    pub source: String,
    pub is_error: bool,
    pub latency_us: Option<i64>,
    pub latencies: Option<Vec<u8>>,
    pub count: i64,
    pub last_at: i64,
}

impl FromRow for Counted {
    fn from_row(row: &Row) -> Result<Self> {
        let is_error: i64 = row.get(8)?;
        // By position: there are many of them.
        Ok(Counted {
            workspace: row.get(0)?,
            hour: row.get(1)?,
            prompt: row.get(2)?,
            version: row.get(3)?,
            label: row.get(4)?,
            variant: row.get(5)?,
            key: row.opt(6)?,
            source: row.get(7)?,
            is_error: is_error != 0,
            latency_us: row.opt(9)?,
            latencies: row.opt(10)?,
            count: row.get(11)?,
            last_at: row.get(12)?,
        })
    }
}

/// Deliveries behind `after` up to `until`, put together as far as they are alike: to hand out each row costs more than
/// to sort them. What the dashboard fetched counts nowhere.
pub(crate) async fn counted(tx: &mut Tx, after: i64, until: i64) -> Result<Vec<Counted>> {
    tx.all(
        "SELECT workspace_id, at / 3600000000, prompt_id, version, label, variant, api_key_id, source,
                CAST(CASE WHEN status >= 400 THEN 1 ELSE 0 END AS BIGINT), latency_us, latencies, CAST(SUM(count) AS BIGINT), MAX(at)
         FROM usage_events WHERE sequence > $1 AND sequence <= $2 AND source <> 'dashboard'
         GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11",
        args![after, until],
    )
    .await
}

/// Who used a prompt in which hour.
pub(crate) struct UsedBy {
    pub workspace: Uuid,
    /// Hours since 1970.
    pub hour: i64,
    pub prompt: Uuid,
    /// The user, or a hash of the address.
    pub user: String,
}

impl FromRow for UsedBy {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(UsedBy { workspace: row.get(0)?, hour: row.get(1)?, prompt: row.get(2)?, user: row.get(3)? })
    }
}

/// Who used prompts behind `after` up to `until`, without errors.
pub(crate) async fn used_by(tx: &mut Tx, after: i64, until: i64) -> Result<Vec<UsedBy>> {
    tx.all(
        "SELECT DISTINCT workspace_id, at / 3600000000, prompt_id, COALESCE(user_id, address_hash)
         FROM usage_events
         WHERE sequence > $1 AND sequence <= $2 AND source <> 'dashboard' AND status < 400
             AND COALESCE(user_id, address_hash) IS NOT NULL",
        args![after, until],
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
