//! One delivery: from a name and a wish to an answer.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::Response;
use uuid::Uuid;

use crate::auth::{Access, Identity};
use crate::error::{ApiError, Result};
use crate::features::api_keys::KeyKind;
use crate::features::delivery::answer::{Wish, answer, respond};
use crate::features::delivery::entry::Entry;
use crate::features::delivery::key::{KeyRef, SelectorRef, is_label, is_slug};
use crate::features::delivery::load::Outcome;
use crate::features::delivery::revision;
use crate::state::App;

/// Delivers what the prompt `name` has at `selector`.
pub async fn deliver(
    app: &App,
    access: &Access,
    headers: &HeaderMap,
    name: &str,
    selector: SelectorRef<'_>,
    wish: Wish<'_>,
) -> Result<Response> {
    if let Some(wanted) = revision::wanted(headers)? {
        revision::reach(app, access.workspace, wanted).await?;
    }
    let entry = find(app, access, name, selector).await?;
    note_fetch(app, access, &entry);
    let answer = answer(&entry, wish).await?;
    Ok(respond(&entry, answer, headers, is_publishable(access)))
}

/// Notes that a client has fetched it.
pub fn note_fetch(app: &App, access: &Access, entry: &Entry) {
    if let Identity::Key(key) = &access.caller.identity {
        app.last_used().fetched(&entry.fetches, key.id, app.clock().now());
    }
}

/// Whether a page of another site may be asking.
pub fn is_publishable(access: &Access) -> bool {
    matches!(&access.caller.identity, Identity::Key(key) if key.kind == KeyKind::Publishable)
}

/// What the prompt `name` has at `selector`, if the caller may see it.
pub async fn find(app: &App, access: &Access, name: &str, selector: SelectorRef<'_>) -> Result<Arc<Entry>> {
    let not_found = || ApiError::not_found(&format!("prompt {:?}", cut(name)));
    let id = Uuid::try_parse(name).map(|id| id.to_string());
    let name = match &id {
        Ok(id) => id.as_str(),
        Err(_) if is_slug(name) => name,
        Err(_) => return Err(not_found()),
    };
    if let SelectorRef::Label(label) = selector {
        if !is_label(label) {
            return Err(ApiError::not_found(&format!("label {:?} of the prompt {name:?}", cut(label))));
        }
        require_label(access, label)?;
    }
    let key = KeyRef { workspace: access.workspace, name, selector };
    match app.prompt_cache().get(app, key).await? {
        Outcome::Ready(entry) => {
            require_version(access, selector, &entry)?;
            Ok(entry)
        }
        // A key that sees a few labels does not learn which other versions there are.
        Outcome::Refused(refusal) if refusal.lacks_version && is_pinned(access, selector) => {
            Err(outside_labels(access))
        }
        Outcome::Refused(refusal) => Err(refusal.error.clone()),
    }
}

/// A key that is confined to labels may ask for these only.
pub fn require_label(access: &Access, label: &str) -> Result<()> {
    match access.labels() {
        Some(labels) if !labels.iter().any(|one| one == label) => {
            let message =
                format!("This API key may not see the label {label:?}; it may see: {}.", labels.join(", "));
            Err(ApiError::forbidden(message))
        }
        _ => Ok(()),
    }
}

/// It may ask for a version only while one of its labels points at that.
fn require_version(access: &Access, selector: SelectorRef<'_>, entry: &Entry) -> Result<()> {
    let Some(labels) = access.labels().filter(|_| is_pinned(access, selector)) else { return Ok(()) };
    let points_here = |label: &String| entry.labels.iter().any(|one| **one == **label);
    if labels.iter().any(points_here) { Ok(()) } else { Err(outside_labels(access)) }
}

fn is_pinned(access: &Access, selector: SelectorRef<'_>) -> bool {
    access.labels().is_some() && !matches!(selector, SelectorRef::Label(_))
}

fn outside_labels(access: &Access) -> ApiError {
    let labels = access.labels().unwrap_or_default().join(", ");
    ApiError::forbidden(format!("This API key may fetch only the versions its labels point at: {labels}."))
}

/// Names in messages are cut: they come from outside.
fn cut(text: &str) -> String {
    text.chars().take(120).collect()
}
