//! `POST /import` and the imports that come of it.

use axum::body::Body;
use axum::extract::{Path, Request, State as AppState};
use uuid::Uuid;

use crate::auth::{Access, Allow, Read, Write};
use crate::error::{ApiError, FieldProblem, Result};
use crate::features::imports::model::{Import, ImportReport, ReportRow, State, Status};
use crate::features::imports::options::Options;
use crate::features::imports::service;
use crate::http::{Envelope, Params, Reply, Spooled};
use crate::state::App;

/// Bring prompts in
///
/// The body is the file: a document or a table of `GET /export`, a table with other columns (see `mapping`), prompts of
/// Langfuse, a configuration of promptfoo, Markdown, text, or a zip of a folder. It is read whole before anything of it is
/// brought in. Small files are answered when they are in; larger ones with 202, and `GET /imports/{id}` tells how far they are. Once
/// more with the same file changes nothing. A row that is wrong keeps no other out, unless `all_or_nothing` is asked for.
#[utoipa::path(post, path = "/import", tag = "Import and export", params(
    ("format" = Option<String>, Query, description = "auto (default), xr2, csv, langfuse, promptfoo, markdown, text, zip"),
    ("name" = Option<String>, Query, description = "What the file is called"),
    ("dry_run" = Option<bool>, Query, description = "Only tell what would happen; see POST /imports/{id}/apply"),
    ("all_or_nothing" = Option<bool>, Query, description = "One wrong row, and nothing is brought in"),
    ("on_conflict" = Option<String>, Query, description = "Slugs that are there with another content: update (default), skip, fail, keep_edited"),
    ("publish" = Option<bool>, Query, description = "Whether what comes goes live; when absent as the file says, or if you may"),
    ("variables" = Option<String>, Query, description = "How texts write variables: dollar, braces, none; found out when absent"),
    ("mapping" = Option<String>, Query, description = "JSON: which column of a table is our title, content, slug, …"),
    ("wait" = Option<bool>, Query, description = "false: answer at once, bring it in afterwards")),
    request_body(content = String, content_type = "application/octet-stream", description = "The file"),
    responses(
        (status = 200, description = "It is over", body = Envelope<ImportReport>),
        (status = 202, description = "It goes on", body = Envelope<ImportReport>),
        (status = 403, description = "You may not write"),
        (status = 413, description = "The file is too large"),
        (status = 422, description = "The file cannot be read, or a parameter is wrong; nothing was brought in")))]
pub async fn import(
    AppState(app): AppState<App>,
    caller: Allow<Write>,
    params: Params,
    request: Request<Body>,
) -> Result<Reply<ImportReport>> {
    let options = Options::read(&params)?;
    let wait = params.flag("wait")?;
    let file = Spooled::receive(&app, request.into_body(), app.config().limits.import_bytes).await?;
    let report = service::import_file(&app, &caller, options, file.path().to_owned(), wait).await?;
    drop(file);
    Ok(answer(report))
}

fn answer(report: ImportReport) -> Reply<ImportReport> {
    match report.import.state {
        State::Reading | State::Waiting | State::Running => Reply::accepted(report),
        State::Checked | State::Done | State::Failed | State::Cancelled => Reply::ok(report),
    }
}

/// List imports
#[utoipa::path(get, path = "/imports", tag = "Import and export", params(
    ("limit" = Option<i64>, Query, description = "At most 100"),
    ("cursor" = Option<String>, Query, description = "`meta.next_cursor` of the page before")),
    responses((status = 200, description = "The latest first", body = Envelope<Vec<Import>>)))]
pub async fn list_imports(
    AppState(app): AppState<App>,
    caller: Allow<Read>,
    params: Params,
) -> Result<Reply<Vec<Import>>> {
    let limit = params.page()?.limit;
    let before =
        params.first_of(&["cursor"]).map(str::parse::<Uuid>).transpose().map_err(|_| bad_cursor())?;
    let (imports, next) = service::list(&app, &caller, before, limit).await?;
    Ok(Reply::ok(imports).next(next))
}

/// Get an import
#[utoipa::path(get, path = "/imports/{id}", tag = "Import and export", params(("id" = Uuid, Path)), responses(
    (status = 200, description = "How far it is, and its first rows", body = Envelope<ImportReport>),
    (status = 404, description = "No such import")))]
pub async fn get_import(
    AppState(app): AppState<App>,
    caller: Allow<Read>,
    Path(id): Path<String>,
) -> Result<Reply<ImportReport>> {
    service::report(&app, &caller, parse(&id)?).await.map(Reply::ok)
}

/// List an import's rows
#[utoipa::path(get, path = "/imports/{id}/rows", tag = "Import and export", params(
    ("id" = Uuid, Path),
    ("status" = Option<String>, Query, description = "created, updated, unchanged, skipped, failed or pending"),
    ("limit" = Option<i64>, Query, description = "At most 100"),
    ("cursor" = Option<String>, Query, description = "`meta.next_cursor` of the page before")),
    responses((status = 200, description = "What became of each row", body = Envelope<Vec<ReportRow>>),
        (status = 404, description = "No such import")))]
pub async fn list_import_rows(
    AppState(app): AppState<App>,
    caller: Allow<Read>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Reply<Vec<ReportRow>>> {
    let limit = params.page()?.limit;
    let status = params.first_of(&["status"]).map(str::parse::<Status>).transpose().map_err(|()| {
        let message = "must be created, updated, unchanged, skipped, failed or pending";
        ApiError::validation(vec![FieldProblem::new("status", "invalid", message)])
    })?;
    let after = params.first_of(&["cursor"]).map(str::parse::<i64>).transpose().map_err(|_| bad_cursor())?;
    let (rows, next) = service::rows(&app, &caller, parse(&id)?, status, after.unwrap_or(0), limit).await?;
    Ok(Reply::ok(rows).next(next))
}

/// Cancel an import
///
/// What was brought in before stays.
#[utoipa::path(post, path = "/imports/{id}/cancel", tag = "Import and export", params(("id" = Uuid, Path)), responses(
    (status = 200, description = "It is cancelled", body = Envelope<ImportReport>),
    (status = 404, description = "No such import"), (status = 409, description = "It is over already")))]
pub async fn cancel_import(
    AppState(app): AppState<App>,
    caller: Allow<Write>,
    Path(id): Path<String>,
) -> Result<Reply<ImportReport>> {
    let id = own(&app, &caller, &id).await?;
    service::cancel(&app, &caller, id).await.map(Reply::ok)
}

/// Apply a dry run
///
/// Brings in what a dry run has looked at.
#[utoipa::path(post, path = "/imports/{id}/apply", tag = "Import and export", params(
    ("id" = Uuid, Path),
    ("wait" = Option<bool>, Query, description = "false: answer at once, bring it in afterwards")),
    responses(
        (status = 200, description = "It is over", body = Envelope<ImportReport>),
        (status = 202, description = "It goes on", body = Envelope<ImportReport>),
        (status = 403, description = "Somebody else began it"),
        (status = 404, description = "No such import"),
        (status = 409, description = "It was no dry run, or was applied already")))]
pub async fn apply_import(
    AppState(app): AppState<App>,
    caller: Allow<Write>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Reply<ImportReport>> {
    let wait = params.flag("wait")?;
    let id = own(&app, &caller, &id).await?;
    service::apply_checked(&app, &caller, id, wait).await.map(answer)
}

/// The import, if the caller began it or is an admin: it acts with the rights of whoever began it.
async fn own(app: &App, caller: &Access, id: &str) -> Result<Uuid> {
    let id = parse(id)?;
    let import = service::report(app, caller, id).await?.import;
    if import.created_by.id != caller.actor().id && caller.require(crate::auth::Right::Admin).is_err() {
        return Err(ApiError::forbidden(
            "Somebody else began this import; only they or an admin may do this.",
        ));
    }
    Ok(id)
}

fn parse(id: &str) -> Result<Uuid> {
    id.parse().map_err(|_| ApiError::not_found("import"))
}

fn bad_cursor() -> ApiError {
    ApiError::bad_request("The cursor is not one of this list.")
}
