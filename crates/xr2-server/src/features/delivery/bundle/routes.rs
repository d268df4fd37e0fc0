//! `GET /bundle`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::{Access, Allow, Deliver};
use crate::error::{ApiError, Code, FieldProblem, Result};
use crate::features::delivery::answer::{REVALIDATE, vary};
use crate::features::delivery::bundle::page::{Asked, MOST, Page, page, parse_cursor};
use crate::features::delivery::bundle::snapshot::{Snapshot, Wanted};
use crate::features::delivery::deliver::{is_publishable, require_label};
use crate::features::delivery::dto::Delivery;
use crate::features::delivery::key::is_label;
use crate::features::delivery::narrow;
use crate::features::delivery::query::DEFAULT_LABEL;
use crate::features::delivery::standing::{NoOlder, Standing};
use crate::http::{Encoding, Params, matches_etag};
use crate::state::App;

/// What a label delivers.
#[derive(Serialize, ToSchema)]
pub struct Bundle {
    /// The workspace's revision it is as of.
    revision: i64,
    /// The label.
    label: String,
    /// The prompts in their template form, by slug.
    prompts: Vec<BundleItem>,
}

/// A prompt as bundles and streams carry it.
#[derive(Serialize, ToSchema)]
pub struct BundleItem {
    /// As it is fetched without values; a prompt without variables too comes as its template.
    #[serde(flatten)]
    prompt: Delivery,
    /// Slugs it had before, which go on delivering it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    former_slugs: Vec<String>,
}

/// The whole answer.
#[derive(Serialize, ToSchema)]
pub struct BundleAnswer {
    success: bool,
    data: Bundle,
    meta: BundleMeta,
}

/// Pages.
#[derive(Serialize, ToSchema)]
pub struct BundleMeta {
    /// Names the next page; null on the last.
    next_cursor: Option<String>,
    /// Prompts in all.
    total: i64,
}

/// Fetch everything a label delivers
///
/// For clients that keep prompts in memory: the template form of every prompt, at one revision of the workspace.
/// Listen to `/stream` from that revision on. A page has up to 1,000 prompts or about 4 MiB; `cursor` goes on with the
/// same revision, and 409 says that it is no longer kept: begin again. A prompt that cannot be delivered is left out.
#[utoipa::path(get, path = "/bundle", tag = "Delivery",
    params(
        ("label" = Option<String>, Query, description = "Which label; `production` unless said, `latest` is the newest version"),
        ("slugs" = Option<String>, Query, description = "These prompts only; separated by commas"),
        ("tags" = Option<String>, Query, description = "Prompts with one of these tags only; separated by commas"),
        ("limit" = Option<i64>, Query, description = "Prompts on a page, up to 1,000"),
        ("cursor" = Option<String>, Query, description = "`meta.next_cursor` of the page before"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of what the client has"),
        ("X-XR2-Min-Revision" = Option<i64>, Header, description = "No older than this revision"),
    ),
    responses(
        (status = 200, description = "The bundle", body = BundleAnswer),
        (status = 304, description = "The client has it already (`If-None-Match`)"),
        (status = 403, description = "The key may not see that label"),
        (status = 409, description = "The revision of the cursor is no longer kept"),
        (status = 503, description = "The revision of `X-XR2-Min-Revision` was not reached in time"),
    ))]
pub async fn bundle(
    State(app): State<App>,
    access: Allow<Deliver>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response> {
    let label = params.get("label").filter(|label| !label.is_empty()).unwrap_or(DEFAULT_LABEL);
    if !is_label(label) {
        return Err(ApiError::invalid_field("label", "invalid", "is no label"));
    }
    require_label(&access, label)?;
    let (mut asked, cursor_revision) = asked(&params)?;
    let wanted = NoOlder::reach(&app, access.workspace, &headers).await?;
    let (snapshot, standing) = match cursor_revision {
        Some((revision, offset)) => {
            asked.offset = offset;
            of_revision(&app, &access, label, revision, wanted).await?
        }
        None => newest(&app, &access, label).await?,
    };
    standing.check(&app, wanted)?;
    let tag = tag_of(&snapshot, &asked)?;
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| matches_etag(known.as_bytes(), &tag)) {
        return respond(&access, standing, &tag, None);
    }
    let page = page(&snapshot, asked, accepts_gzip(&headers)).await?;
    respond(&access, standing, &tag, Some(page))
}

async fn newest(app: &App, access: &Access, label: &str) -> Result<(Arc<Snapshot>, Standing)> {
    let bundled = app.bundles().get(app, access.workspace, label).await?;
    let tenant = app.prompt_cache().tenant(app, access.workspace);
    let standing = Standing::of_bundle(app, &tenant, &bundled);
    Ok((bundled.snapshot, standing))
}

/// A page goes on with the revision the first one was of.
async fn of_revision(
    app: &App,
    access: &Access,
    label: &str,
    revision: i64,
    wanted: NoOlder,
) -> Result<(Arc<Snapshot>, Standing)> {
    if let Some(snapshot) = app.bundles().of_revision(access.workspace, label, revision)
        && wanted.allows(revision)
    {
        return Ok((snapshot, Standing::of_page(app, revision)));
    }
    let (newest, standing) = newest(app, access, label).await?;
    if newest.revision == revision {
        return Ok((newest, standing));
    }
    let message =
        format!("The bundle of revision {revision} is no longer kept. Begin again without a cursor.");
    Err(ApiError::new(Code::Conflict, message)
        .with_details(serde_json::json!({ "revision": newest.revision })))
}

fn asked(params: &Params) -> Result<(Asked, Option<(i64, usize)>)> {
    let mut problems = Vec::new();
    let slugs = narrow::slugs(params, &mut problems);
    let tags = narrow::tags(params, &mut problems);
    let given = |name| params.get(name).filter(|text| !text.is_empty());
    let limit = given("limit").map_or(Some(MOST), |text| text.parse().ok());
    let limit = limit.filter(|limit| (1..=MOST).contains(limit)).unwrap_or_else(|| {
        let message = format!("must be a whole number from 1 to {MOST}");
        problems.push(FieldProblem::new("limit", "invalid", message));
        MOST
    });
    let cursor = given("cursor").and_then(|text| {
        let cursor = parse_cursor(text);
        if cursor.is_none() {
            problems.push(FieldProblem::new("cursor", "invalid", "is not from meta.next_cursor"));
        }
        cursor
    });
    if problems.is_empty() {
        Ok((Asked { wanted: Wanted { slugs, tags }, limit, offset: 0 }, cursor))
    } else {
        Err(ApiError::validation(problems))
    }
}

fn tag_of(snapshot: &Snapshot, asked: &Asked) -> Result<HeaderValue> {
    let (revision, label, mut name) = (snapshot.revision, &snapshot.label, asked.name());
    if snapshot.is_partial {
        name.push_str("kept");
    }
    let tag = if name.is_empty() {
        format!("\"r{revision}-{label}\"")
    } else {
        format!("\"r{revision}-{label}-{:016x}\"", xxhash_rust::xxh3::xxh3_64(name.as_bytes()))
    };
    HeaderValue::try_from(tag).map_err(ApiError::internal)
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    Encoding::accepted(headers, &[Encoding::Gzip]).is_some()
}

fn respond(access: &Access, standing: Standing, tag: &HeaderValue, page: Option<Page>) -> Result<Response> {
    let is_packed = page.as_ref().is_some_and(|page| page.is_gzip);
    let tag = if is_packed { Encoding::Gzip.tag(tag) } else { tag.clone() };
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(header::CACHE_CONTROL, REVALIDATE);
    headers.insert(header::ETAG, tag);
    headers.insert(header::VARY, vary(is_publishable(access)));
    standing.put(&mut headers);
    let (status, body) = match page {
        None => (StatusCode::NOT_MODIFIED, Body::empty()),
        Some(page) => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            if page.is_gzip {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            (StatusCode::OK, Body::from(page.body))
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
