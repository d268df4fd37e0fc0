//! `POST /prompts/batch`: several prompts in one request.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body as HttpBody;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures::StreamExt;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::auth::{Access, Allow, Deliver};
use crate::error::{ApiError, Result};
use crate::features::delivery::answer::{Given, Wish, data};
use crate::features::delivery::body::Json;
use crate::features::delivery::deliver::{find, note_fetch, require_label};
use crate::features::delivery::dto::Delivery;
use crate::features::delivery::entry::Entry;
use crate::features::delivery::key::SelectorRef;
use crate::features::delivery::note::Note;
use crate::features::delivery::query::DEFAULT_LABEL;
use crate::features::delivery::routes::{MAX_VALUES, counted};
use crate::features::delivery::standing::{NoOlder, Standing};
use crate::http::Body;
use crate::state::App;

/// Prompts of one request at most.
const MOST: usize = 100;

/// Bytes of them together at most.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Prompts looked for at the same time.
const AT_ONCE: usize = 8;

/// Which prompts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// Slugs, former slugs or ids; up to 100.
    #[schema(example = json!(["welcome", "goodbye"]))]
    pub slugs: Vec<String>,
    /// Which label; `production` unless said.
    #[schema(example = "production")]
    pub label: Option<String>,
    /// Values by name, the same for all; given, the prompts come rendered.
    pub variables: Option<Map<String, Value>>,
}

/// What was found.
#[derive(Serialize, ToSchema)]
pub struct BatchAnswer {
    success: bool,
    data: Batch,
}

/// Every name asked for stands in one of the two.
#[derive(Serialize, ToSchema)]
pub struct Batch {
    /// What is delivered.
    prompts: std::collections::HashMap<String, Delivery>,
    /// What went wrong.
    errors: std::collections::HashMap<String, BatchError>,
}

/// Why a prompt is not there.
#[derive(Serialize, ToSchema)]
pub struct BatchError {
    /// As in the answer to a request of its own.
    code: &'static str,
    /// In plain words.
    message: String,
    /// Particulars, such as the variables that are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Value>,
}

/// Fetch several prompts
///
/// Up to 100 in one request, and up to 16 MiB of them; rendered when `variables` is given, else as templates. What cannot be delivered is told by
/// name and spoils nothing for the others.
#[utoipa::path(post, path = "/prompts/batch", tag = "Delivery",
    request_body = BatchRequest,
    responses(
        (status = 200, description = "What was found, and what went wrong", body = BatchAnswer),
        (status = 403, description = "The key may not see that label"),
        (status = 503, description = "The revision of `X-XR2-Min-Revision` was not reached in time"),
    ))]
pub async fn batch(
    State(app): State<App>,
    access: Result<Allow<Deliver>>,
    headers: HeaderMap,
    body: Result<Body<BatchRequest>>,
) -> Response {
    counted(async {
        let access = access?;
        let Body(request) = body?;
        check(&request)?;
        let label = request.label.as_deref().unwrap_or(DEFAULT_LABEL);
        require_label(&access, label)?;
        let wanted = NoOlder::reach(&app, access.workspace, &headers).await?;
        // Refused as a whole when nothing is left; one by one when it runs out on the way.
        drop(app.quotas().take(&app, &access).await?);
        let asked =
            Asked { app: &app, access: &access, label, variables: request.variables.as_ref(), wanted };
        let mut seen = HashSet::with_capacity(request.slugs.len());
        let names: Vec<&str> =
            request.slugs.iter().map(String::as_str).filter(|name| seen.insert(*name)).collect();
        let found = fetch_all(&asked, &names).await?;
        let tenant = app.prompt_cache().tenant(&app, access.workspace);
        let standings = found.iter().filter_map(|one| one.as_ref().ok()).map(|(_, standing)| *standing);
        let standing = standings.reduce(Standing::and).unwrap_or_else(|| Standing::of_nothing(&app, &tenant));
        let found = found.into_iter().map(|one| one.map(|(data, _)| data));
        Ok(respond(standing, names.into_iter().zip(found)))
    })
    .await
}

/// What is asked of every prompt.
struct Asked<'a> {
    app: &'a App,
    access: &'a Access,
    label: &'a str,
    variables: Option<&'a Map<String, Value>>,
    wanted: NoOlder,
}

/// A prompt as JSON.
type Found = Result<(Vec<u8>, Standing)>;

/// The prompts of these names, in their order; an error when they are too large together.
async fn fetch_all(asked: &Asked<'_>, names: &[&str]) -> Result<Vec<Found>> {
    let mut fetches: Vec<BoxFuture<'_, Found>> = Vec::with_capacity(names.len());
    for name in names {
        fetches.push(Box::pin(fetch(asked, name)));
    }
    let mut fetches = futures::stream::iter(fetches).buffered(AT_ONCE);
    let (mut all, mut bytes) = (Vec::with_capacity(names.len()), 0);
    while let Some(found) = fetches.next().await {
        bytes += found.as_ref().map_or(0, |(data, _)| data.len());
        if bytes > MOST_BYTES {
            let message = format!(
                "must name fewer prompts: they are larger together than the {} MiB an answer may have",
                MOST_BYTES >> 20
            );
            return Err(ApiError::invalid_field("slugs", "too_large", message));
        }
        all.push(found);
    }
    Ok(all)
}

fn check(request: &BatchRequest) -> Result<()> {
    if request.slugs.len() > MOST {
        return Err(ApiError::invalid_field("slugs", "too_long", format!("must have at most {MOST} names")));
    }
    if request.variables.as_ref().is_some_and(|variables| variables.len() > MAX_VALUES) {
        let message = format!("must have at most {MAX_VALUES} values");
        return Err(ApiError::invalid_field("variables", "too_long", message));
    }
    Ok(())
}

async fn fetch(asked: &Asked<'_>, name: &str) -> Found {
    let Asked { app, access, label, variables, .. } = *asked;
    let call = app.quotas().take(app, access).await?;
    let values = variables.cloned().map_or_else(Given::default, Given::Body);
    let note = Note::of(access, &Wish { values, ..Wish::default() }, Instant::now());
    let (what, outcome) = match find(app, access, name, SelectorRef::Label(label)).await {
        Ok(entry) => {
            let standing = Standing::of_entry(app, &entry);
            (Some(entry.what.clone()), deliver(asked, &entry, standing).await.map(|data| (data, standing)))
        }
        Err(miss) => (miss.what, Err(miss.error)),
    };
    if let (Some(note), Some(what)) = (note, what) {
        note.record(
            app,
            &what,
            outcome.as_ref().map_or_else(|error| error.code.status(), |_| StatusCode::OK),
        );
    }
    if outcome.is_ok() {
        call.stands();
    }
    outcome
}

async fn deliver(asked: &Asked<'_>, entry: &Arc<Entry>, standing: Standing) -> Result<Vec<u8>> {
    standing.check(asked.app, asked.wanted)?;
    note_fetch(asked.app, asked.access, entry);
    data(entry, asked.variables.cloned()).await
}

fn respond<'a>(standing: Standing, found: impl Iterator<Item = (&'a str, Result<Vec<u8>>)>) -> Response {
    let (mut prompts, mut errors) = (Json::new(), Json::new());
    let (mut any_prompt, mut any_error) = (false, false);
    let place = |json: &mut Json, any: &mut bool, name: &str| {
        json.raw(if std::mem::replace(any, true) { "," } else { "" }).value(name).raw(":");
    };
    for (name, found) in found {
        match found {
            Ok(data) => {
                place(&mut prompts, &mut any_prompt, name);
                prompts.bytes(&data);
            }
            Err(error) => {
                if let Some(cause) = error.cause() {
                    tracing::error!(code = error.code.as_str(), cause, "a prompt of a batch failed");
                }
                place(&mut errors, &mut any_error, name);
                let (code, message, details) = (error.code.as_str(), error.message, error.details);
                errors.value(&BatchError { code, message, details });
            }
        }
    }
    let mut body = Json::new();
    body.raw(r#"{"success":true,"data":{"prompts":{"#)
        .bytes(&prompts.into_bytes())
        .raw(r#"},"errors":{"#)
        .bytes(&errors.into_bytes())
        .raw(r#"}},"meta":{}}"#);
    let mut response = Response::new(HttpBody::from(body.into_bytes().into_vec()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    standing.put(headers);
    response
}
