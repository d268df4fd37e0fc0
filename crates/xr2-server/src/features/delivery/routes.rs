//! The routes of delivery.

use std::time::Instant;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use crate::auth::{Allow, Deliver};
use crate::error::{ApiError, Result};
use crate::features::delivery::answer::{Given, Wish};
use crate::features::delivery::deliver::deliver;
use crate::features::delivery::dto::{Delivery, RenderRequest, VersionName};
use crate::features::delivery::key::SelectorRef;
use crate::features::delivery::metrics;
use crate::features::delivery::query::{DEFAULT_LABEL, Query, both_named, format_of, version_of};
use crate::http::{Body, Handled};
use crate::state::App;

/// Values of one render at most.
pub(super) const MAX_VALUES: usize = 1000;

/// Fetch a prompt
///
/// What the label points at, in one request. Every query parameter that is not listed here is a variable; when there
/// is any (or `render=true`, or the prompt has none), the text comes rendered, else as a template.
#[utoipa::path(get, path = "/prompts/{p}", tag = "Delivery",
    params(
        ("p" = String, Path, description = "Slug, former slug or id"),
        ("label" = Option<String>, Query, description = "Which label; `production` unless said, `latest` is the newest version"),
        ("version" = Option<String>, Query, description = "A version's number or id, instead of a label"),
        ("user_id" = Option<String>, Query, description = "The user it is for"),
        ("render" = Option<bool>, Query, description = "Render even without values"),
        ("format" = Option<String>, Query, description = "`openai`, `anthropic` or `google` add `data.request`"),
        ("optimized_for" = Option<String>, Query, description = "The model it is meant for"),
        ("var.<name>" = Option<String>, Query, description = "A variable, also one that is called like a parameter"),
        ("attr.<name>" = Option<String>, Query, description = "What is known of the user"),
    ),
    responses(
        (status = 200, description = "The prompt", body = Delivery),
        (status = 304, description = "The client has it already (`If-None-Match`)"),
        (status = 403, description = "The key may not see that label"),
        (status = 404, description = "No such prompt, label or version"),
        (status = 422, description = "Values are missing or wrong"),
        (status = 503, description = "The revision of `X-XR2-Min-Revision` was not reached in time"),
    ))]
pub async fn fetch(
    State(app): State<App>,
    access: Result<Allow<Deliver>>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    counted(async {
        let access = access?;
        let Path(name) = path.map_err(bad_path)?;
        let query = Query::parse(query.as_deref().unwrap_or_default())?;
        deliver(&app, &access, &headers, &name, query.selector()?, wish_of(&query)).await
    })
    .await
}

/// Fetch a version
///
/// Like fetching a prompt, for one version whether a label points at it or not.
#[utoipa::path(get, path = "/prompts/{p}/versions/{v}", tag = "Delivery",
    params(
        ("p" = String, Path, description = "Slug, former slug or id"),
        ("v" = String, Path, description = "The version's number or id"),
    ),
    responses(
        (status = 200, description = "The version", body = Delivery),
        (status = 304, description = "The client has it already (`If-None-Match`)"),
        (status = 403, description = "The key is confined to labels and none of them points at it"),
        (status = 404, description = "No such prompt or version"),
        (status = 422, description = "Values are missing or wrong"),
    ))]
pub async fn fetch_version(
    State(app): State<App>,
    access: Result<Allow<Deliver>>,
    path: Result<Path<(String, String)>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    counted(async {
        let access = access?;
        let Path((name, version)) = path.map_err(bad_path)?;
        let query = Query::parse(query.as_deref().unwrap_or_default())?;
        if query.label.is_some() || query.version.is_some() {
            return Err(ApiError::bad_request(
                "The path names the version already; leave out label and version.",
            ));
        }
        let selector = version_of(&version).ok_or_else(|| {
            let version: String = version.chars().take(120).collect();
            ApiError::not_found(&format!("version {version:?}"))
        })?;
        deliver(&app, &access, &headers, &name, selector, wish_of(&query)).await
    })
    .await
}

/// Render a prompt
///
/// Like fetching it, with values in a JSON body: they keep their types and stay out of logs and addresses.
#[utoipa::path(post, path = "/prompts/{p}/render", tag = "Delivery",
    params(("p" = String, Path, description = "Slug, former slug or id")),
    request_body = RenderRequest,
    responses(
        (status = 200, description = "The rendered prompt", body = Delivery),
        (status = 403, description = "The key may not see that label"),
        (status = 404, description = "No such prompt, label or version"),
        (status = 422, description = "Values are missing or wrong"),
    ))]
pub async fn render(
    State(app): State<App>,
    access: Result<Allow<Deliver>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Body<RenderRequest>>,
) -> Response {
    counted(async {
        let access = access?;
        let Path(name) = path.map_err(bad_path)?;
        let Body(request) = body?;
        let version = request.version.map(|version| match version {
            VersionName::Number(number) => number.to_string(),
            VersionName::Text(text) => text,
        });
        let selector = match (&request.label, &version) {
            (Some(_), Some(_)) => return Err(both_named()),
            (Some(label), None) => SelectorRef::Label(label),
            (None, None) => SelectorRef::Label(DEFAULT_LABEL),
            (None, Some(version)) => version_of(version).ok_or_else(|| {
                ApiError::invalid_field("version", "invalid", "must be a version's number or id")
            })?,
        };
        if request.variables.len() > MAX_VALUES {
            let message = format!("must have at most {MAX_VALUES} values");
            return Err(ApiError::invalid_field("variables", "too_long", message));
        }
        let format = format_of(request.format.as_deref().unwrap_or_default())
            .map_err(|problem| ApiError::validation(vec![problem]))?;
        let model = request.optimized_for.as_deref();
        let user = request.user_id.as_deref().filter(|user| !user.is_empty());
        let wish = Wish { values: Given::Body(request.variables), render: true, format, model, user };
        deliver(&app, &access, &headers, &name, selector, wish).await
    })
    .await
}

fn wish_of<'a>(query: &'a Query<'a>) -> Wish<'a> {
    Wish {
        values: Given::Query(&query.variables),
        render: query.render,
        format: query.format,
        model: query.optimized_for.as_deref(),
        user: query.user_id.as_deref(),
    }
}

fn bad_path(_: PathRejection) -> ApiError {
    ApiError::bad_request("The path is not valid UTF-8 after percent-decoding.")
}

/// Counts the answer, whatever it is.
pub(super) async fn counted(work: impl Future<Output = Result<Response>>) -> Response {
    let began = Instant::now();
    let mut response = work.await.unwrap_or_else(IntoResponse::into_response);
    response.extensions_mut().insert(Handled);
    metrics::answered(response.status(), began);
    response
}
