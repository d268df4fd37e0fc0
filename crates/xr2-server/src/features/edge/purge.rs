//! How each kind of cache is told.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use xr2_jobs::Failure;
use xr2_outbound::{Answer, Client, Request};

use crate::features::edge::model::{Kind, Target};

/// A purge that was not done.
#[derive(Debug)]
pub struct NotDone {
    /// Why, without secrets.
    pub message: String,
    /// When the other side wants to be asked again.
    pub retry_after: Option<Duration>,
}

impl NotDone {
    /// For this reason.
    pub fn new(message: impl Into<String>) -> NotDone {
        NotDone { message: message.into(), retry_after: None }
    }

    /// What the job of it says.
    pub fn into_failure(self) -> Failure {
        let failure = Failure::new(self.message);
        match self.retry_after {
            Some(pause) => failure.retry_after(pause),
            None => failure,
        }
    }
}

/// Tells the caches to forget everything with one of these tags.
pub async fn purge(
    client: &Client,
    target: &Target,
    token: Option<&str>,
    tags: &[String],
) -> Result<(), NotDone> {
    for some in tags.chunks(batch_of(target.kind)) {
        let answer = client.send(request(target, token, some)).await;
        let answer = answer.map_err(|error| NotDone::new(error.to_string()))?;
        check(target.kind, &answer)?;
    }
    Ok(())
}

/// Tags that one request may carry.
fn batch_of(kind: Kind) -> usize {
    match kind {
        Kind::Fastly => 256,
        Kind::Cloudflare => 30,
        // In a header, which caches read some kilobytes of.
        Kind::Http => 50,
    }
}

fn request(target: &Target, token: Option<&str>, tags: &[String]) -> Request {
    let service = target.service.as_deref().unwrap_or_default();
    let base = |usual: &'static str| target.url.as_deref().unwrap_or(usual).trim_end_matches('/').to_owned();
    let token = token.unwrap_or_default();
    match target.kind {
        Kind::Fastly => {
            let url = format!("{}/service/{service}/purge", base("https://api.fastly.com"));
            post(url, ("fastly-key", token.to_owned()), &json!({ "surrogate_keys": tags }))
        }
        Kind::Cloudflare => {
            let url = format!("{}/zones/{service}/purge_cache", base("https://api.cloudflare.com/client/v4"));
            post(url, ("authorization", format!("Bearer {token}")), &json!({ "tags": tags }))
        }
        Kind::Http => {
            let name = target.header.as_deref().unwrap_or("Surrogate-Key");
            let mut headers = vec![(name.to_owned(), tags.join(" "))];
            if !token.is_empty() {
                headers.push(("authorization".to_owned(), token.to_owned()));
            }
            let method = target.method.as_deref().unwrap_or("PURGE").to_owned();
            Request { method, url: base(""), headers, body: Bytes::new() }
        }
    }
}

fn post(url: String, (name, token): (&str, String), body: &Value) -> Request {
    let headers = vec![
        (name.to_owned(), token),
        ("content-type".to_owned(), "application/json".to_owned()),
        ("accept".to_owned(), "application/json".to_owned()),
    ];
    Request { method: "POST".to_owned(), url, headers, body: body.to_string().into() }
}

fn check(kind: Kind, answer: &Answer) -> Result<(), NotDone> {
    let retry_after =
        answer.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let failed = |message: String| {
        Err(NotDone { message, retry_after: retry_after.map(|s| Duration::from_secs(s.min(3600))) })
    };
    if !(200..300).contains(&answer.status) {
        return failed(format!("it answered with status {}", answer.status));
    }
    // Cloudflare says in the body whether it has done it.
    let said = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    if kind == Kind::Cloudflare && said["success"] != json!(true) {
        return failed("it answered that it was not done".to_owned());
    }
    Ok(())
}
