//! Pages of other sites: only with a publishable key, only from the origins it lists, never with cookies.
//!
//! A browser asks first (preflight), and cannot send the key with that question; so it is answered for every origin
//! that some publishable key lists. The answer to the request itself is readable only when its own key lists the origin.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use xr2_db::Purpose;

use crate::auth::{Credential, credential, token_hash};
use crate::clock::Time;
use crate::error::Result;
use crate::features::api_keys::{KeyKind, queries};
use crate::state::App;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, X-API-Key, Content-Type, X-Workspace, If-None-Match, Last-Event-ID, X-Request-ID, \
     X-XR2-Min-Revision",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "ETag, X-Request-ID, X-XR2-Revision, X-XR2-Version, X-XR2-Stale, Retry-After, RateLimit-Limit, \
     RateLimit-Remaining, RateLimit-Reset, RateLimit-Policy",
);
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const VARY_ORIGIN: HeaderValue = HeaderValue::from_static("Origin");
const VARY_PREFLIGHT: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
static REQUEST_METHOD: HeaderName = header::ACCESS_CONTROL_REQUEST_METHOD;

/// The layer; concerns the routes of delivery and nothing else.
pub async fn cors(State(app): State<App>, request: Request, next: Next) -> Response {
    let preflight_for = request
        .headers()
        .get(&REQUEST_METHOD)
        .filter(|_| request.method() == Method::OPTIONS)
        .and_then(|method| Method::from_bytes(method.as_bytes()).ok());
    let method = preflight_for.as_ref().unwrap_or(request.method());
    if !is_delivery(method, request.uri().path()) {
        return next.run(request).await;
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    if preflight_for.is_some() {
        return match preflight(&app, origin).await {
            Ok(response) => response,
            Err(error) => error.into_response(),
        };
    }
    // A browser that sends a key always sends an Origin with it; programs send none.
    let Some(origin) = origin else { return next.run(request).await };
    let hash = key_hash(request.headers());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(header::VARY, VARY_ORIGIN);
    if hash.is_some_and(|hash| app.keys().allows_origin(&hash, &origin)) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    response
}

fn key_hash(headers: &HeaderMap) -> Option<[u8; 32]> {
    match credential(headers) {
        Ok(Some(Credential::Key(key))) => Some(token_hash(key)),
        _ => None,
    }
}

async fn preflight(app: &App, origin: Option<HeaderValue>) -> Result<Response> {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::VARY, VARY_PREFLIGHT);
    let Some(origin) = origin else { return Ok(response) };
    if let Ok(text) = origin.to_str()
        && is_known(app, text).await?
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
    Ok(response)
}

/// Whether a page may use the route with a publishable key.
fn is_delivery(method: &Method, path: &str) -> bool {
    let Some(path) = path.strip_prefix("/api/v1/") else { return false };
    let mut segments = path.split('/');
    let parts = [segments.next(), segments.next(), segments.next(), segments.next(), segments.next()];
    let reads = *method == Method::GET || *method == Method::HEAD;
    let posts = *method == Method::POST;
    match parts {
        [Some("prompts"), Some("batch"), None, ..] => posts,
        [Some("prompts"), Some(_), None, ..] => reads,
        [Some("prompts"), Some(_), Some("render"), None, _] => posts,
        [Some("prompts"), Some(_), Some("versions"), Some(_), None] => reads,
        [Some("bundle" | "stream"), None, ..] => reads,
        [Some("telemetry"), None, ..] => posts,
        [Some("ab-tests"), Some(_), Some("conversions"), None, _] => posts,
        _ => false,
    }
}

/// Origins that some publishable key lists, and until when.
type Known = Arc<HashMap<String, Option<Time>>>;

/// The origins in memory; empty until asked for and after every change of a key.
#[derive(Default)]
pub(super) struct Origins(RwLock<Option<Known>>);

impl Origins {
    pub(super) fn forget(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn get(&self) -> Option<Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, known: Known) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }
}

async fn is_known(app: &App, origin: &str) -> Result<bool> {
    let known = match app.keys().origins().get() {
        Some(known) => known,
        None => match load(app).await {
            Err(error) if error.is_unavailable() => {
                let kept = app.keys().thawed().knows_origin(app, origin).await;
                return kept.ok_or_else(|| error.into());
            }
            loaded => loaded?,
        },
    };
    let now = app.clock().now();
    Ok(known.get(origin).is_some_and(|end| end.is_none_or(|end| end > now)))
}

async fn load(app: &App) -> xr2_db::Result<Known> {
    let epoch = app.keys().epoch();
    let mut tx = app.db().system(Purpose::KeyLookup).read().await?;
    let keys = queries::origins(&mut tx).await?;
    tx.commit().await?;
    let mut known: HashMap<String, Option<Time>> = HashMap::new();
    for key in keys {
        for origin in key.origins {
            let end = known.entry(origin).or_insert(key.expires_at);
            *end = end.and_then(|known| key.expires_at.map(|own| own.max(known)));
        }
    }
    let known = Arc::new(known);
    app.keys().origins().put(known.clone());
    if app.keys().epoch() != epoch {
        // A key changed while we read.
        app.keys().origins().forget();
    }
    Ok(known)
}

/// Whether a key of this kind listing `allowed` may be used from `origin`.
pub(super) fn allows(kind: KeyKind, allowed: &[String], origin: &HeaderValue) -> bool {
    kind == KeyKind::Publishable && allowed.iter().any(|known| origin.as_bytes() == known.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_reach_delivery_only() {
        for (method, path) in [
            (Method::GET, "/api/v1/prompts/welcome"),
            (Method::HEAD, "/api/v1/prompts/welcome"),
            (Method::POST, "/api/v1/prompts/welcome/render"),
            (Method::POST, "/api/v1/prompts/batch"),
            (Method::GET, "/api/v1/prompts/welcome/versions/3"),
            (Method::GET, "/api/v1/stream"),
        ] {
            assert!(is_delivery(&method, path), "{method} {path}");
        }
        for (method, path) in [
            (Method::PUT, "/api/v1/prompts/welcome"),
            (Method::GET, "/api/v1/prompts"),
            (Method::GET, "/api/v1/prompts/welcome/details"),
            (Method::POST, "/api/v1/prompts/welcome/publish"),
            (Method::GET, "/api/v1/api-keys"),
            (Method::POST, "/api/v1/auth/login"),
            (Method::GET, "/api/v1/prompts/a/versions/1/diff"),
            (Method::GET, "/"),
        ] {
            assert!(!is_delivery(&method, path), "{method} {path}");
        }
    }
}
