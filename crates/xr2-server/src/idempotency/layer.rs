//! The layer that keeps answers and gives them again.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::body::HashedBody;
use super::queries::{self, Record};
use super::slot::{Claim, Outcome, Slot, being_answered, find};
use super::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED, ToldOnce};
use crate::error::{ApiError, Code, Result};
use crate::events::Written;
use crate::http::{RequestContext, read_to_end};
use crate::state::App;

/// How long an answer is kept.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// Characters of a key at most.
const LONGEST_KEY: usize = 255;

/// POSTs below `/api/v1` that take no key: they change nothing, tell apart what they were sent already, or are about
/// signing in. Beginnings or endings of the route.
const EXEMPT_BEGINNINGS: &[&str] = &["/auth/", "/telemetry", "/prompts/batch"];
const EXEMPT_ENDINGS: &[&str] = &["/render", "/test", "/preview", "/conversions", "/import"];

/// Fields of `data` that hold a secret wherever they stand, whether or not a route says so.
const SECRETS: &[&str] = &["/key", "/token", "/secret", "/link", "/url"];

/// Whether a POST to this route takes an `Idempotency-Key`.
pub fn takes_key(route: &str) -> bool {
    let Some(route) = route.strip_prefix("/api/v1") else { return false };
    !EXEMPT_BEGINNINGS.iter().any(|beginning| route.starts_with(beginning))
        && !EXEMPT_ENDINGS.iter().any(|ending| route.ends_with(ending))
}

/// See the module above. Stands around the routes and within everything that packs their answers.
pub async fn answer_once(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(key) = request.headers().get(IDEMPOTENCY_KEY).filter(|_| request.method() == Method::POST)
    else {
        return next.run(request).await;
    };
    let Some(route) = request.extensions().get::<MatchedPath>().filter(|path| takes_key(path.as_str()))
    else {
        return next.run(request).await;
    };
    let key = match check_key(key, request.headers()) {
        Ok(key) => key,
        Err(error) => return error.into_response(),
    };
    let slot = Arc::new(Slot::new(key, route.as_str().to_owned()));
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let target: [u8; 32] = Sha256::digest(target).into();
    let (mut parts, body) = request.into_parts();
    let body = HashedBody::new(body);
    if let Some(context) = parts.extensions.get_mut::<RequestContext>() {
        context.idempotency = Some(slot.clone());
    }
    let context = parts.extensions.get::<RequestContext>().cloned();
    let response = next.run(Request::from_parts(parts, body.reader())).await;
    let asked = Asked { app, target, body, context };
    asked.settle(slot.close(), response).await.unwrap_or_else(IntoResponse::into_response)
}

fn check_key(key: &HeaderValue, headers: &HeaderMap) -> Result<String> {
    let is_one = headers.get_all(IDEMPOTENCY_KEY).iter().count() == 1;
    match key.to_str() {
        Ok(text) if is_one && (1..=LONGEST_KEY).contains(&text.len()) => Ok(text.to_owned()),
        _ => Err(ApiError::bad_request(
            "Idempotency-Key has to be one header of 1 to 255 visible ASCII characters, such as a random UUID.",
        )),
    }
}

/// A request with a key, as far as it has to be told from others.
struct Asked {
    app: App,
    target: [u8; 32],
    body: HashedBody,
    context: Option<RequestContext>,
}

impl Asked {
    async fn settle(self, outcome: Outcome, response: Response) -> Result<Response> {
        let Outcome { claim, earlier, parked } = outcome;
        if let Some(record) = earlier {
            return self.replay(record).await;
        }
        let Some(claim) = claim else {
            // Nobody was let in by name, so that there is nobody to keep it for.
            if let Some(parked) = parked {
                parked.commit().await?;
            }
            return Ok(response);
        };
        if !response.status().is_success() {
            return self.failed(&claim, parked, response).await;
        }
        if !is_json(&response) {
            if let Some(parked) = parked {
                parked.commit().await?;
            }
            return Ok(response);
        }
        self.keep(&claim, parked, response).await
    }

    /// What failed has changed nothing. Another node may have done the same meanwhile, which is why it failed here.
    async fn failed(&self, claim: &Claim, parked: Option<Written>, response: Response) -> Result<Response> {
        drop(parked);
        if response.status() == StatusCode::CONFLICT
            && let Some(record) = find(&self.app, claim).await?
        {
            return self.replay(record).await;
        }
        Ok(response)
    }

    /// Adds the answer to the change and makes both last.
    async fn keep(&self, claim: &Claim, parked: Option<Written>, response: Response) -> Result<Response> {
        let told_once = response.extensions().get::<ToldOnce>().map_or(&[][..], |told_once| told_once.0);
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.map_err(ApiError::internal)?.to_bytes();
        let answer = without(&bytes, SECRETS.iter().chain(told_once))?;
        let now = self.app.clock().now();
        let record = Record {
            target: self.target.to_vec(),
            body: self.body.hash().map(|hash| hash.to_vec()),
            status: i64::from(parts.status.as_u16()),
            answer,
            revision: parked.as_ref().and_then(Written::revision),
            expires_at: now + KEPT,
        };
        let is_kept = match (parked, claim.workspace) {
            (Some(mut parked), _) => {
                let is_new = queries::insert(parked.tx(), &claim.scope, &record, now).await?;
                if is_new {
                    parked.commit().await?;
                }
                is_new
            }
            // It changed nothing, but the key is taken all the same.
            (None, Some(workspace)) => {
                let mut tx = self.app.db().tenant(workspace).write().await?;
                let is_new = queries::insert(&mut tx, &claim.scope, &record, now).await?;
                tx.commit().await?;
                is_new
            }
            (None, None) => true,
        };
        if is_kept {
            return Ok(Response::from_parts(parts, Body::from(bytes)));
        }
        // Another node was quicker; what was done here is taken back.
        let record = find(&self.app, claim).await?.ok_or_else(being_answered)?;
        self.replay(record).await
    }

    async fn replay(&self, record: Record) -> Result<Response> {
        let mut is_same = record.target == self.target;
        if let Some(expected) = record.body.as_ref().filter(|_| is_same) {
            read_to_end(self.body.reader(), self.app.config()).await?;
            is_same = self.body.hash().is_some_and(|hash| *expected == hash);
        }
        if !is_same {
            return Err(ApiError::new(
                Code::IdempotencyKeyReused,
                "This Idempotency-Key was used for another request within the last 24 hours. Take a new key for each request.",
            ));
        }
        if let (Some(context), Some(revision)) = (&self.context, record.revision) {
            context.revision.reached(revision);
        }
        let status = u16::try_from(record.status).ok().and_then(|code| StatusCode::from_u16(code).ok());
        let mut response = (status.unwrap_or(StatusCode::OK), record.answer).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let replayed = HeaderName::from_static(IDEMPOTENCY_REPLAYED);
        headers.insert(replayed, HeaderValue::from_static("true"));
        Ok(response)
    }
}

fn is_json(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/json"))
}

/// The answer as it is kept: without what is told once, and saying so. One that tells nothing once is kept letter for letter.
fn without<'a>(bytes: &[u8], pointers: impl Iterator<Item = &'a &'static str>) -> Result<String> {
    let mut answer: Value = serde_json::from_slice(bytes).map_err(ApiError::internal)?;
    let mut removed = Vec::new();
    for pointer in pointers {
        if let Some(value) = answer.pointer_mut(&format!("/data{pointer}"))
            && !value.is_null()
        {
            *value = Value::Null;
            removed.push(pointer.trim_start_matches('/').replace('/', "."));
        }
    }
    if removed.is_empty() {
        return String::from_utf8(bytes.to_vec()).map_err(ApiError::internal);
    }
    let message = format!(
        "{} was shown in the first answer to this Idempotency-Key and cannot be shown again. Make a new one if it is lost.",
        removed.join(", ")
    );
    let warning = json!({ "code": "SHOWN_ONCE", "message": message });
    match answer["meta"]["warnings"].as_array_mut() {
        Some(warnings) => warnings.push(warning),
        None => answer["meta"]["warnings"] = json!([warning]),
    }
    serde_json::to_string(&answer).map_err(ApiError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_a_key() {
        for route in ["/api/v1/prompts", "/api/v1/prompts/{p}/publish", "/api/v1/prompts/{p}/preview-links"] {
            assert!(takes_key(route), "{route}");
        }
        for route in ["/api/v1/auth/login", "/api/v1/prompts/{p}/render", "/api/v1/preview", "/graphql"] {
            assert!(!takes_key(route), "{route}");
        }
    }

    #[test]
    fn secrets_are_not_kept() {
        let kept = without(
            br#"{"success":true,"data":{"key":"xr2_x","name":"a"},"meta":{}}"#,
            ["/key", "/no"].iter(),
        );
        let kept: Value = serde_json::from_str(&kept.unwrap()).unwrap();
        assert_eq!(kept["data"], json!({ "key": null, "name": "a" }));
        assert_eq!(kept["meta"]["warnings"][0]["code"], "SHOWN_ONCE");
    }
}
