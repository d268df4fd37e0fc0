//! One delivery: from a name and a wish to an answer.

use std::sync::Arc;
use std::time::Instant;

use axum::http::HeaderMap;
use axum::response::Response;
use uuid::Uuid;

use crate::auth::{Access, Identity};
use crate::error::{ApiError, Result};
use crate::features::api_keys::KeyKind;
use crate::features::delivery::answer::{Wish, answer, respond};
use crate::features::delivery::entry::Entry;
use crate::features::delivery::form::Form;
use crate::features::delivery::key::{KeyRef, SelectorRef, is_label, is_slug};
use crate::features::delivery::load::Outcome;
use crate::features::delivery::note::Note;
use crate::features::delivery::standing::{NoOlder, Standing};
use crate::features::edge;
use crate::features::usage::Delivered;
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
    let began = Instant::now();
    let wanted = NoOlder::reach(app, access.workspace, headers).await?;
    let call = app.quotas().take(app, access).await?;
    let note = Note::of(access, &wish, began);
    let (what, outcome) = match find(app, access, name, selector).await {
        Ok(entry) => {
            let is_same_for_all = wish.is_same_for_all();
            let mut answered = answer_to(app, access, headers, &entry, wish, wanted).await;
            if let Ok(response) = &mut answered
                && is_publishable(access)
            {
                let fetched =
                    edge::Fetched { prompt: entry.prompt, label: label_of(selector), is_same_for_all };
                edge::dress(app, access, fetched, response.headers_mut()).await;
            }
            (Some(entry.what.clone()), answered)
        }
        Err(miss) => (miss.what, Err(miss.error)),
    };
    if let (Some(note), Some(what)) = (note, what) {
        let status = outcome.as_ref().map_or_else(|error| error.code.status(), Response::status);
        note.record(app, &what, status);
    }
    let mut response = outcome?;
    if let Some(level) = call.level {
        level.put_on(response.headers_mut());
    }
    call.stands();
    Ok(response)
}

async fn answer_to(
    app: &App,
    access: &Access,
    headers: &HeaderMap,
    entry: &Arc<Entry>,
    wish: Wish<'_>,
    wanted: NoOlder,
) -> Result<Response> {
    let standing = Standing::of_entry(app, entry);
    standing.check(app, wanted)?;
    note_fetch(app, access, entry);
    let form = Form::of(entry, answer(entry, wish).await?, headers).await?;
    Ok(respond(entry, form, is_publishable(access), standing))
}

fn label_of(selector: SelectorRef<'_>) -> Option<&str> {
    match selector {
        SelectorRef::Label(label) => Some(label),
        SelectorRef::Number(_) | SelectorRef::Id(_) => None,
    }
}

/// Why nothing is delivered, and of which prompt, as far as that is known.
pub struct Miss {
    /// What the client is told.
    pub error: ApiError,
    /// What usage counts it as.
    pub what: Option<Arc<Delivered>>,
}

impl From<ApiError> for Miss {
    fn from(error: ApiError) -> Self {
        Miss { error, what: None }
    }
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
pub async fn find(
    app: &App,
    access: &Access,
    name: &str,
    selector: SelectorRef<'_>,
) -> Result<Arc<Entry>, Miss> {
    let not_found = || ApiError::not_found(&format!("prompt {:?}", cut(name)));
    let id = Uuid::try_parse(name).map(|id| id.to_string());
    let name = match &id {
        Ok(id) => id.as_str(),
        Err(_) if is_slug(name) => name,
        Err(_) => return Err(not_found().into()),
    };
    if let SelectorRef::Label(label) = selector {
        if !is_label(label) {
            let what = format!("label {:?} of the prompt {name:?}", cut(label));
            return Err(ApiError::not_found(&what).into());
        }
        require_label(access, label)?;
    }
    let key = KeyRef { workspace: access.workspace, name, selector };
    match app.prompt_cache().get(app, key).await? {
        Outcome::Ready(entry) => {
            let allowed = require_version(access, selector, &entry);
            allowed.map_err(|error| Miss { error, what: Some(entry.what.clone()) })?;
            Ok(entry)
        }
        // A key that sees a few labels does not learn which other versions there are.
        Outcome::Refused(refusal) if refusal.lacks_version && is_pinned(access, selector) => {
            Err(Miss { error: outside_labels(access), what: refusal.what.clone() })
        }
        Outcome::Refused(refusal) => Err(Miss { error: refusal.error.clone(), what: refusal.what.clone() }),
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
