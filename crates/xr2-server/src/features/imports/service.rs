//! Imports from their beginning to their end.

use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xr2_jobs::Terms;

use crate::auth::Access;
use crate::error::{ApiError, Code, Result};
use crate::features::imports::item::Entry;
use crate::features::imports::jobs::RunImport;
use crate::features::imports::model::{Import, ImportReport, ReportRow, State, Status};
use crate::features::imports::options::Options;
use crate::features::imports::queries::{self, ImportRow};
use crate::features::imports::run::{Ended, run};
use crate::features::imports::stage::{self, From};
use crate::state::App;

/// Files with more rows are brought in while nobody waits.
const AT_ONCE: i64 = 500;
/// A server that was killed while somebody waited leaves an import to others after so long.
const LEFT: Duration = Duration::from_secs(30);
/// Rows of the report that are shown with the import.
const SHOWN: i64 = 100;

/// Reads a file and brings in what it holds, at once or in the background. Whether it is over stands in its state.
pub async fn import_file(
    app: &App,
    access: &Access,
    options: Options,
    file: PathBuf,
    wait: Option<bool>,
) -> Result<ImportReport> {
    let id = stage::begin(app, access, &options).await?;
    let staged = stage::stage(app, access, id, options, From::File(file)).await;
    let error = match staged {
        Ok(_) => {
            go(app, access.workspace, id, wait).await?;
            return report(app, access, id).await;
        }
        Err(error) => error,
    };
    Err(error)
}

/// Has an import worked off that waits: here and now when it is small, or when one waits for it; by a worker otherwise.
async fn go(app: &App, workspace: Uuid, id: Uuid, wait: Option<bool>) -> Result<()> {
    let mut tx = app.db().tenant(workspace).write().await?;
    let Some(row) = queries::find(&mut tx, id).await? else { return Err(ApiError::not_found("import")) };
    let here = wait.unwrap_or(row.import.total <= AT_ONCE) && row.import.total <= AT_ONCE;
    let key = format!("{id} {}", row.round);
    let terms = if here { Terms::new().after(LEFT) } else { Terms::new() };
    app.jobs().enqueue(&mut tx, &RunImport { import: id }, terms.until_start(key)).await?;
    tx.commit().await?;
    if here {
        run(app, workspace, id, &app.stopping(), &mut |_| ()).await?;
    }
    Ok(())
}

/// Brings in what was read already, here and now; for the command line.
pub async fn import_entries(
    app: &App,
    access: &Access,
    options: Options,
    entries: Vec<Entry>,
    progress: &mut (dyn FnMut(&ReportRow) + Send + Sync),
) -> Result<Import> {
    bring(app, access, options, From::Entries(entries), progress).await
}

/// Reads a file and brings in what it holds, here and now; for the command line.
pub async fn import_path(
    app: &App,
    access: &Access,
    options: Options,
    file: PathBuf,
    progress: &mut (dyn FnMut(&ReportRow) + Send + Sync),
) -> Result<Import> {
    bring(app, access, options, From::File(file), progress).await
}

async fn bring(
    app: &App,
    access: &Access,
    options: Options,
    from: From,
    progress: &mut (dyn FnMut(&ReportRow) + Send + Sync),
) -> Result<Import> {
    let id = stage::begin(app, access, &options).await?;
    stage::stage(app, access, id, options, from).await?;
    let mut told = |one: &queries::Told| {
        progress(&ReportRow {
            number: one.number,
            place: String::new(),
            kind: String::new(),
            slug: one.slug.clone(),
            title: String::new(),
            status: one.status,
            message: one.message.clone(),
        });
    };
    match run(app, access.workspace, id, &CancellationToken::new(), &mut told).await? {
        Ended::Over => {}
        Ended::NotOurs | Ended::Stopping => {
            return Err(ApiError::new(Code::Conflict, "The import was cancelled, or goes on elsewhere."));
        }
    }
    Ok(find(app, access, id).await?.import)
}

async fn find(app: &App, access: &Access, id: Uuid) -> Result<ImportRow> {
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let found = queries::find(&mut tx, id).await?;
    tx.commit().await?;
    found.ok_or_else(|| ApiError::not_found("import"))
}

/// An import with its first rows.
pub async fn report(app: &App, access: &Access, id: Uuid) -> Result<ImportReport> {
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let found = queries::find(&mut tx, id).await?.ok_or_else(|| ApiError::not_found("import"))?;
    let rows = queries::first_rows(&mut tx, id, SHOWN).await?;
    tx.commit().await?;
    Ok(ImportReport { import: found.import, rows })
}

/// The latest imports; the cursor of the next page when there is one.
pub async fn list(
    app: &App,
    access: &Access,
    before: Option<Uuid>,
    limit: i64,
) -> Result<(Vec<Import>, Option<String>)> {
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let mut rows = queries::list(&mut tx, before, limit + 1).await?;
    tx.commit().await?;
    let is_more = rows.len() as i64 > limit;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| is_more).map(|row| row.import.id.to_string());
    Ok((rows.into_iter().map(|row| row.import).collect(), next))
}

/// A page of the report.
pub async fn rows(
    app: &App,
    access: &Access,
    id: Uuid,
    status: Option<Status>,
    after: i64,
    limit: i64,
) -> Result<(Vec<ReportRow>, Option<String>)> {
    find(app, access, id).await?;
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let mut rows = queries::report(&mut tx, id, status, after, limit + 1).await?;
    tx.commit().await?;
    let is_more = rows.len() as i64 > limit;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| is_more).map(|row| row.number.to_string());
    Ok((rows, next))
}

/// Ends an import. What is in stays in.
pub async fn cancel(app: &App, access: &Access, id: Uuid) -> Result<ImportReport> {
    find(app, access, id).await?;
    let mut tx = app.db().tenant(access.workspace).write().await?;
    let message = "It was cancelled; what was brought in before stays.";
    let ended = queries::end(&mut tx, id, None, State::Cancelled, Some(message), app.clock().now()).await?;
    tx.commit().await?;
    if !ended {
        return Err(ApiError::new(Code::Conflict, "This import is over already."));
    }
    report(app, access, id).await
}

/// Brings in what a dry run has looked at.
pub async fn apply_checked(app: &App, access: &Access, id: Uuid, wait: Option<bool>) -> Result<ImportReport> {
    let row = find(app, access, id).await?;
    let mut tx = app.db().tenant(access.workspace).write().await?;
    let options = Options { dry_run: false, ..row.options };
    let is_checked = row.import.state == State::Checked;
    let begun = is_checked && queries::next_round(&mut tx, id, &options, app.clock().now()).await?;
    if !begun {
        let message = "Only an import that was tried out can be applied, once.";
        return Err(ApiError::new(Code::Conflict, message));
    }
    tx.commit().await?;
    go(app, access.workspace, id, wait).await?;
    report(app, access, id).await
}
