//! `GET /stream`.

use std::collections::HashSet;

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use futures::stream::unfold;
use uuid::Uuid;

use crate::auth::{Access, Allow, Deliver, Identity};
use crate::error::{ApiError, Code, Result};
use crate::features::delivery::require_label;
use crate::features::stream::frame::{Changed, hello, resync};
use crate::features::stream::hub::Full;
use crate::features::stream::listen::{Filter, Listening};
use crate::features::stream::queries;
use crate::http::Params;
use crate::state::App;

/// Prompts one stream may be narrowed to.
const MAX_SLUGS: usize = 500;

/// Listen to changes
///
/// Server-sent events: `hello {revision}` first, then `changed` whenever a label delivers something else, with the
/// workspace's revision as id; `resync {revision}` when something was missed and everything has to be looked at
/// again; a comment every 15 seconds. Ends when the key or the session does.
#[utoipa::path(get, path = "/stream", tag = "Delivery",
    params(
        ("label" = Option<String>, Query, description = "Changes of this label only"),
        ("slugs" = Option<String>, Query, description = "Changes of these prompts only; separated by commas"),
    ),
    responses(
        (status = 200, description = "The stream; the data of `changed`", body = Changed, content_type = "text/event-stream"),
        (status = 403, description = "The key may not see that label"),
        (status = 429, description = "Too many streams are open"),
    ))]
pub async fn stream(
    State(app): State<App>,
    access: Allow<Deliver>,
    params: Params,
    parts: Parts,
) -> Result<Response> {
    let mut filter = filter_of(&access, &params)?;
    let seat = app.streams().sit(access.workspace, caller_of(&access)).map_err(|full| too_many(&full))?;
    // Read after taking the place: what happens from here on comes through it.
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let revision = queries::revision(&mut tx).await?;
    if let Some((slugs, ids)) = &mut filter.prompts {
        ids.extend(queries::prompts_of(&mut tx, slugs).await?);
    }
    tx.commit().await?;
    let mut greeting = vec![hello(revision)];
    if last_event_id(&parts).is_some_and(|last| last != revision) {
        greeting.push(resync(revision));
    }
    let listening = Listening::new(&app, &access, seat, filter, parts, revision, greeting);
    let frames = unfold(listening, async |mut listening| {
        let bytes = listening.next().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), listening))
    });
    let mut response = Response::new(Body::from_stream(frames));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

fn filter_of(access: &Access, params: &Params) -> Result<Filter> {
    let label = params.get("label").filter(|label| !label.is_empty());
    if let Some(label) = label {
        require_label(access, label)?;
    }
    let prompts = params.get("slugs").filter(|slugs| !slugs.is_empty()).map(|slugs| {
        let slugs: HashSet<String> =
            slugs.split(',').map(str::trim).filter(|slug| !slug.is_empty()).map(str::to_owned).collect();
        let ids: HashSet<Uuid> = slugs.iter().filter_map(|slug| Uuid::try_parse(slug).ok()).collect();
        (slugs, ids)
    });
    if prompts.as_ref().is_some_and(|(slugs, _)| slugs.len() > MAX_SLUGS) {
        let message = format!("must name at most {MAX_SLUGS} prompts; leave it out to hear of all");
        return Err(ApiError::invalid_field("slugs", "too_long", message));
    }
    Ok(Filter { label: label.map(str::to_owned), prompts, allowed: access.labels().map(<[String]>::to_vec) })
}

fn caller_of(access: &Access) -> Uuid {
    match &access.caller.identity {
        Identity::Key(key) => key.id,
        Identity::Session(user) => user.session,
        Identity::Internal(_) => access.workspace,
    }
}

/// The last change a client that comes back has heard of.
fn last_event_id(parts: &Parts) -> Option<i64> {
    parts.headers.get("last-event-id")?.to_str().ok()?.trim().parse().ok()
}

fn too_many(full: &Full) -> ApiError {
    let message = match full {
        Full::Server(most) => format!("rate limit: this server holds {most} streams open and takes no more."),
        Full::Caller(most) => {
            format!("rate limit: {most} streams are open with this key or session already.")
        }
    };
    ApiError::new(Code::RateLimited, message).with_header(header::RETRY_AFTER, HeaderValue::from_static("5"))
}
