//! SQL of imports: what is to be brought in, staged beside the prompts, and how far that has come.

use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Sql, Tx, Value, args};

use crate::auth::Rights;
use crate::clock::Time;
use crate::events::Actor;
use crate::features::imports::model::{Counts, Import, ReportRow, State, Status};
use crate::features::imports::options::Options;

/// A row of `imports`.
#[derive(Debug, Clone)]
pub(super) struct ImportRow {
    pub import: Import,
    pub options: Options,
    pub rights: Rights,
    /// Rows that were done in an earlier round are done again: a dry run is the first.
    pub round: i64,
}

impl FromRow for ImportRow {
    fn from_row(row: &Row) -> Result<Self> {
        let options: Options = row.json("options")?;
        Ok(ImportRow {
            import: Import {
                id: row.get("id")?,
                state: row.parsed("state")?,
                format: options.format,
                name: options.name.clone(),
                dry_run: options.dry_run,
                all_or_nothing: options.all_or_nothing,
                on_conflict: options.on_conflict,
                total: row.get("total")?,
                done: row.get("done")?,
                counts: Counts {
                    created: row.get("created")?,
                    updated: row.get("updated")?,
                    unchanged: row.get("unchanged")?,
                    skipped: row.get("skipped")?,
                    failed: row.get("failed")?,
                },
                message: row.opt("message")?,
                warnings: row.json("warnings")?,
                created_by: row.json("created_by")?,
                created_at: row.get("created_at")?,
                updated_at: row.get("updated_at")?,
            },
            options,
            rights: row.json("rights")?,
            round: row.get("round")?,
        })
    }
}

const COLUMNS: &str =
    "SELECT id, state, options, rights, round, total, done, created, updated, unchanged, skipped, failed,
    message, warnings, created_by, created_at, updated_at FROM imports WHERE workspace_id = ";

pub(super) async fn insert(
    tx: &mut Tx,
    id: Uuid,
    options: &Options,
    rights: Rights,
    by: &Actor,
    now: Time,
) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "INSERT INTO imports (id, workspace_id, state, options, rights, round, total, done, created, updated, unchanged,
            skipped, failed, warnings, created_by, created_at, updated_at)
         VALUES ($1, $2, 'reading', $3, $4, 1, 0, 0, 0, 0, 0, 0, 0, $5, $6, $7, $7)",
        args![
            id,
            workspace,
            Value::json(options),
            Value::json(&rights),
            Value::json(&Vec::<String>::new()),
            Value::json(by),
            now
        ],
    )
    .await
    .map(drop)
}

pub(super) async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<ImportRow>> {
    let mut sql = Sql::new(COLUMNS);
    sql.bind(tx.workspace()).push(" AND id = ").bind(id);
    tx.optional_built(sql).await
}

/// The latest ones, before `before`.
pub(super) async fn list(tx: &mut Tx, before: Option<Uuid>, limit: i64) -> Result<Vec<ImportRow>> {
    let mut sql = Sql::new(COLUMNS);
    sql.bind(tx.workspace());
    if let Some(before) = before {
        sql.push(" AND id < ").bind(before);
    }
    sql.push(" ORDER BY id DESC LIMIT ").bind(limit);
    tx.all_built(sql).await
}

/// A row of a file on its way into the table.
pub(super) struct Staged {
    pub number: i64,
    pub place: String,
    pub kind: &'static str,
    pub slug: String,
    pub title: String,
    pub status: Status,
    pub message: Option<String>,
    /// 0: it stands by itself; 1: it includes others, which have to be there before it.
    pub wave: i64,
    /// The thing as JSON; nothing for what cannot be read.
    pub payload: String,
}

const ROW: &str = "INSERT INTO import_rows (import_id, number, workspace_id, place, kind, slug, title, status, message, wave, round, payload)";

pub(super) async fn stage(tx: &mut Tx, import: Uuid, rows: Vec<Staged>) -> Result<()> {
    let workspace = tx.workspace();
    let of_row = |row: Staged| {
        let status = row.status.as_str();
        args![
            import,
            row.number,
            workspace,
            row.place,
            row.kind,
            row.slug,
            row.title,
            status,
            row.message,
            row.wave,
            0_i64,
            row.payload
        ]
    };
    let values: Vec<Value> = rows.into_iter().flat_map(of_row).collect();
    tx.insert_rows(ROW, 12, values, "").await.map(drop)
}

/// The file has been read.
pub(super) async fn staged(
    tx: &mut Tx,
    id: Uuid,
    options: &Options,
    (total, counts): (i64, Counts),
    warnings: &[String],
    now: Time,
) -> Result<bool> {
    let workspace = tx.workspace();
    let affected = tx
        .execute(
            "UPDATE imports SET state = 'waiting', options = $3, total = $4, done = $5, skipped = $6, failed = $7,
                warnings = $8, updated_at = $9
             WHERE workspace_id = $1 AND id = $2 AND state = 'reading'",
            args![
                workspace,
                id,
                Value::json(options),
                total,
                counts.sum(),
                counts.skipped,
                counts.failed,
                Value::json(warnings),
                now
            ],
        )
        .await?;
    Ok(affected == 1)
}

/// Shows that its file is still being read.
pub(super) async fn touch(tx: &mut Tx, id: Uuid, total: i64, now: Time) -> Result<bool> {
    let workspace = tx.workspace();
    let affected = tx
        .execute(
            "UPDATE imports SET total = $3, updated_at = $4
             WHERE workspace_id = $1 AND id = $2 AND state = 'reading'",
            args![workspace, id, total, now],
        )
        .await?;
    Ok(affected == 1)
}

/// Takes an import to work on it: whoever had it before finds out at the next step.
pub(super) async fn take(tx: &mut Tx, id: Uuid, lease: Uuid, now: Time) -> Result<bool> {
    let workspace = tx.workspace();
    let affected = tx
        .execute(
            "UPDATE imports SET state = 'running', lease = $3, updated_at = $4
             WHERE workspace_id = $1 AND id = $2 AND state IN ('waiting', 'running')",
            args![workspace, id, lease, now],
        )
        .await?;
    Ok(affected == 1)
}

/// Adds what a few rows came to. False when it is not ours any more: somebody has ended it, or goes on with it.
pub(super) async fn advance(tx: &mut Tx, id: Uuid, lease: Uuid, counts: Counts, now: Time) -> Result<bool> {
    let workspace = tx.workspace();
    let affected = tx
        .execute(
            "UPDATE imports SET done = done + $4, created = created + $5, updated = updated + $6,
                unchanged = unchanged + $7, skipped = skipped + $8, failed = failed + $9, updated_at = $10
             WHERE workspace_id = $1 AND id = $2 AND lease = $3 AND state = 'running'",
            args![
                workspace,
                id,
                lease,
                counts.sum(),
                counts.created,
                counts.updated,
                counts.unchanged,
                counts.skipped,
                counts.failed,
                now
            ],
        )
        .await?;
    Ok(affected == 1)
}

/// Begins the next round: everything that can be read is looked at once more.
pub(super) async fn next_round(tx: &mut Tx, id: Uuid, options: &Options, now: Time) -> Result<bool> {
    let workspace = tx.workspace();
    let affected = tx
        .execute(
            "UPDATE imports SET round = round + 1, options = $3, done = total - (SELECT COUNT(*) FROM import_rows r
                    WHERE r.workspace_id = $1 AND r.import_id = $2 AND r.payload <> ''),
                created = 0, updated = 0, unchanged = 0,
                skipped = (SELECT COUNT(*) FROM import_rows r WHERE r.workspace_id = $1 AND r.import_id = $2
                    AND r.payload = '' AND r.status = 'skipped'),
                failed = (SELECT COUNT(*) FROM import_rows r WHERE r.workspace_id = $1 AND r.import_id = $2
                    AND r.payload = '' AND r.status = 'failed'),
                state = CASE WHEN state = 'running' THEN 'running' ELSE 'waiting' END, message = NULL, updated_at = $4
             WHERE workspace_id = $1 AND id = $2 AND state IN ('checked', 'running')",
            args![workspace, id, Value::json(options), now],
        )
        .await?;
    Ok(affected == 1)
}

/// Ends an import that is in one of the states in which it can be.
pub(super) async fn end(
    tx: &mut Tx,
    id: Uuid,
    lease: Option<Uuid>,
    state: State,
    message: Option<&str>,
    now: Time,
) -> Result<bool> {
    let mut sql = Sql::new("UPDATE imports SET state = ");
    sql.bind(state.as_str()).push(", message = COALESCE(").bind(message).push(", message), updated_at = ");
    sql.bind(now).push(" WHERE workspace_id = ").bind(tx.workspace()).push(" AND id = ").bind(id);
    match lease {
        Some(lease) => sql.push(" AND state = 'running' AND lease = ").bind(lease),
        None => sql.push(" AND state IN ('reading', 'waiting', 'running', 'checked')"),
    };
    Ok(tx.execute_built(sql).await? == 1)
}

/// A row that waits.
pub(super) struct Waiting {
    pub number: i64,
    pub payload: String,
}

impl FromRow for Waiting {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Waiting { number: row.get("number")?, payload: row.get("payload")? })
    }
}

/// Numbers of rows of a wave that wait, after `after`, and how large they are.
pub(super) async fn waiting_sizes(
    tx: &mut Tx,
    import: Uuid,
    (wave, round): (i64, i64),
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, i64)>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT number, CAST(octet_length(payload) AS BIGINT) FROM import_rows
         WHERE workspace_id = $1 AND import_id = $2 AND number > $3 AND wave = $4 AND round < $5 AND payload <> ''
         ORDER BY number LIMIT $6",
        args![workspace, import, after, wave, round, limit],
    )
    .await
}

pub(super) async fn waiting(
    tx: &mut Tx,
    import: Uuid,
    (wave, round): (i64, i64),
    from: i64,
    to: i64,
) -> Result<Vec<Waiting>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT number, payload FROM import_rows
         WHERE workspace_id = $1 AND import_id = $2 AND number >= $3 AND number <= $4 AND wave = $5 AND round < $6
            AND payload <> '' ORDER BY number",
        args![workspace, import, from, to, wave, round],
    )
    .await
}

/// What a row came to.
pub(super) struct Told {
    pub number: i64,
    pub slug: String,
    pub status: Status,
    pub message: Option<String>,
    /// Whether something that it includes was not there yet.
    pub link_again: bool,
}

/// Writes what rows came to. `keep`: they are looked at again in another round.
pub(super) async fn tell(tx: &mut Tx, import: Uuid, round: i64, told: &[Told], keep: bool) -> Result<()> {
    let workspace = tx.workspace();
    let of_one = |one: &Told| {
        let (status, message) = (one.status.as_str(), one.message.as_deref());
        let wave = i64::from(one.link_again) * LINK_AGAIN;
        args![import, one.number, workspace, "", "", &one.slug, "", status, message, wave, round, ""]
    };
    let values: Vec<Value> = told.iter().flat_map(of_one).collect();
    // What is brought in needs no room any more.
    let behind = match keep {
        true => {
            "ON CONFLICT (import_id, number) DO UPDATE SET slug = excluded.slug, status = excluded.status,
                message = excluded.message, round = excluded.round"
        }
        false => {
            "ON CONFLICT (import_id, number) DO UPDATE SET slug = excluded.slug, status = excluded.status,
                message = excluded.message, round = excluded.round, wave = excluded.wave, payload = excluded.payload"
        }
    };
    tx.insert_rows(ROW, 12, values, behind).await.map(drop)
}

/// The wave of rows whose prompts are there, but not everything that they include.
pub(super) const LINK_AGAIN: i64 = 9;

/// Slugs of prompts whose includes are to be looked up once more.
pub(super) async fn to_link_again(
    tx: &mut Tx,
    import: Uuid,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, String)>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT number, slug FROM import_rows
         WHERE workspace_id = $1 AND import_id = $2 AND number > $3 AND wave = $4 ORDER BY number LIMIT $5",
        args![workspace, import, after, LINK_AGAIN, limit],
    )
    .await
}

/// Which of these slugs the import brings as well.
pub(super) async fn brings(tx: &mut Tx, import: Uuid, slugs: &[String]) -> Result<Vec<String>> {
    let mut sql = Sql::new("SELECT slug FROM import_rows WHERE workspace_id = ");
    sql.bind(tx.workspace()).push(" AND import_id = ").bind(import);
    sql.push(" AND kind = 'prompt' AND payload <> '' AND slug IN ");
    sql.bind_list(slugs.iter().map(String::as_str));
    tx.all_built(sql).await
}

impl FromRow for ReportRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(ReportRow {
            number: row.get("number")?,
            place: row.get("place")?,
            kind: row.get("kind")?,
            slug: row.get("slug")?,
            title: row.get("title")?,
            status: row.parsed("status")?,
            message: row.opt("message")?,
        })
    }
}

const REPORT: &str =
    "SELECT number, place, kind, slug, title, status, message FROM import_rows WHERE workspace_id = ";

/// Rows of the report after `after`, of one status or of all.
pub(super) async fn report(
    tx: &mut Tx,
    import: Uuid,
    status: Option<Status>,
    after: i64,
    limit: i64,
) -> Result<Vec<ReportRow>> {
    let mut sql = Sql::new(REPORT);
    sql.bind(tx.workspace()).push(" AND import_id = ").bind(import).push(" AND number > ").bind(after);
    if let Some(status) = status {
        sql.push(" AND status = ").bind(status.as_str());
    }
    sql.push(" ORDER BY number LIMIT ").bind(limit);
    tx.all_built(sql).await
}

/// The first rows, those that deserve a look before the others.
pub(super) async fn first_rows(tx: &mut Tx, import: Uuid, limit: i64) -> Result<Vec<ReportRow>> {
    let mut rows = report(tx, import, Some(Status::Failed), 0, limit).await?;
    for status in [Status::Skipped, Status::Created, Status::Updated, Status::Unchanged, Status::Pending] {
        let room = limit - rows.len() as i64;
        if room > 0 {
            rows.extend(report(tx, import, Some(status), 0, room).await?);
        }
    }
    Ok(rows)
}

/// Whether whoever began an import may still do anything here: a member, or a key that is not revoked.
pub(super) async fn is_still_there(tx: &mut Tx, by: &Actor) -> Result<bool> {
    let (workspace, Some(id)) = (tx.workspace(), by.id) else { return Ok(true) };
    let found: Option<i64> = tx
        .optional(
            "SELECT CAST(1 AS BIGINT) FROM memberships WHERE workspace_id = $1 AND user_id = $2
             UNION ALL
             SELECT CAST(1 AS BIGINT) FROM api_keys WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL",
            args![workspace, id],
        )
        .await?;
    Ok(found.is_some())
}

/// The workspace's settings.
pub(super) async fn settings(tx: &mut Tx) -> Result<serde_json::Value> {
    struct Settings(serde_json::Value);
    impl FromRow for Settings {
        fn from_row(row: &Row) -> Result<Self> {
            row.json("settings").map(Settings)
        }
    }
    let workspace = tx.workspace();
    let Settings(value) = tx.one("SELECT settings FROM workspaces WHERE id = $1", args![workspace]).await?;
    Ok(value)
}

pub(super) async fn set_settings(tx: &mut Tx, settings: &serde_json::Value, now: Time) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "UPDATE workspaces SET settings = $2, updated_at = $3 WHERE id = $1",
        args![workspace, Value::json(settings), now],
    )
    .await
    .map(drop)
}

/// Imports, with their workspaces, whose file stopped being read before `before`, or that nobody needs any more. Runs in
/// a system transaction.
pub(super) async fn stale(
    tx: &mut Tx,
    state: Option<State>,
    before: Time,
    limit: i64,
) -> Result<Vec<(Uuid, Uuid)>> {
    let mut sql = Sql::new("SELECT workspace_id, id FROM imports WHERE updated_at < ");
    sql.bind(before);
    if let Some(state) = state {
        sql.push(" AND state = ").bind(state.as_str());
    }
    sql.push(" ORDER BY updated_at LIMIT ").bind(limit);
    tx.all_built(sql).await
}

/// Removes rows of an import, at most `limit`; how many there were.
pub(super) async fn forget_rows(tx: &mut Tx, import: Uuid, limit: i64) -> Result<u64> {
    let workspace = tx.workspace();
    tx.execute(
        "DELETE FROM import_rows WHERE workspace_id = $1 AND import_id = $2 AND number IN (
             SELECT number FROM import_rows WHERE workspace_id = $1 AND import_id = $2 ORDER BY number LIMIT $3)",
        args![workspace, import, limit],
    )
    .await
}

pub(super) async fn forget(tx: &mut Tx, import: Uuid) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute("DELETE FROM imports WHERE workspace_id = $1 AND id = $2", args![workspace, import])
        .await
        .map(drop)
}
