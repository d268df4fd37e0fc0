//! `GET /export`.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;

use crate::auth::{Allow, Read};
use crate::error::{ApiError, FieldProblem, Result};
use crate::features::exports::{Form, Selection, filename, queries, run};
use crate::http::Params;
use crate::state::App;

/// Prompts that a request can name.
const MOST_NAMED: usize = 1000;

/// Take everything out
///
/// The workspace as one JSON document (prompts with all versions, drafts, labels and their history, label definitions,
/// settings, former slugs), or its prompts as a table with the text that is live. Sent while it is read. The last line
/// says that it is whole: without it, or when the connection breaks off, the export is not complete. `POST /import` takes
/// both.
#[utoipa::path(get, path = "/export", tag = "Import and export", params(
    ("format" = Option<String>, Query, description = "json (default) or csv"),
    ("deleted" = Option<bool>, Query, description = "What is in the bin as well"),
    ("prompts" = Option<String>, Query, description = "These only: slugs or ids, separated by commas")),
    responses(
        (status = 200, description = "The document (application/json), or the table (text/csv)",
         content((Object = "application/json"), (String = "text/csv"))),
        (status = 422, description = "No such format"),
        (status = 429, description = "Too many exports are being written")))]
pub async fn export(State(app): State<App>, caller: Allow<Read>, params: Params) -> Result<Response> {
    let (form, selection) = read(&params)?;
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let slug = queries::workspace(&mut tx).await?.slug;
    tx.commit().await?;
    let pieces = run(&app, caller.workspace, form, selection).await?;
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    let kind = match form {
        Form::Json => "application/json",
        Form::Csv => "text/csv; charset=utf-8",
    };
    let name = format!("attachment; filename=\"{}\"", filename(&slug, form, app.clock().now()));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).map_err(ApiError::internal)?);
    Ok(response)
}

fn read(params: &Params) -> Result<(Form, Selection)> {
    let mut problems = Vec::new();
    let form = params.first_of(&["format"]).unwrap_or("json").parse().unwrap_or_else(|problem| {
        problems.push(FieldProblem::new("format", "invalid", problem));
        Form::Json
    });
    let with_bin = params.flag("deleted")?.unwrap_or(false);
    let only = params.get("prompts").map(|names| {
        names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    });
    if only.as_ref().is_some_and(|names| names.len() > MOST_NAMED) {
        problems.push(FieldProblem::new("prompts", "too_many", "may name at most 1,000 prompts"));
    }
    if problems.is_empty() {
        Ok((form, Selection { with_bin, only }))
    } else {
        Err(ApiError::validation(problems))
    }
}
