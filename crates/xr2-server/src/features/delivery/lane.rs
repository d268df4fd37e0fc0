//! The short way: a warm fetch is answered at once, before the router, without waiting for anything.
//!
//! It takes plain cases only: a secret key that may come from anywhere, a prompt in memory, light to render. Whatever
//! is out of the ordinary, and every error, is left to the ordinary way through the router, which gives the same
//! answer; a test holds the two to that.

use std::net::IpAddr;
use std::time::Instant;

use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode, header};
use axum::response::Response;

use crate::auth::{Credential, credential};
use crate::clock::Time;
use crate::features::api_keys::{self, KeyPrincipal};
use crate::features::delivery::answer::{Given, Wish, answer_light, respond};
use crate::features::delivery::form::Form;
use crate::features::delivery::key::{KeyRef, SelectorRef, is_slug};
use crate::features::delivery::metrics;
use crate::features::delivery::note::Note;
use crate::features::delivery::query::Query;
use crate::features::delivery::standing::{NoOlder, Standing};
use crate::http::{client_address, is_ours};
use crate::limits::Who;
use crate::state::App;

const PREFIX: &str = "/api/v1/prompts/";
static X_WORKSPACE: HeaderName = HeaderName::from_static("x-workspace");

/// The answer, if it can be given at once to who asks from `peer`.
pub fn answer_at_once<B>(app: &App, request: &Request<B>, peer: IpAddr) -> Option<Response> {
    if request.method() != Method::GET {
        return None;
    }
    let name = request.uri().path().strip_prefix(PREFIX).filter(|name| is_slug(name))?;
    let headers = request.headers();
    if headers.contains_key(header::ORIGIN) || headers.contains_key(&X_WORKSPACE) || !is_ours(app, request) {
        return None;
    }
    let (began, now) = (Instant::now(), app.clock().now());
    let Some(Credential::Key(text)) = credential(headers).ok()? else { return None };
    let key = api_keys::known(app, text, now)?;
    let asked = Asked { name, query: request.uri().query().unwrap_or_default(), headers, peer, began, now };
    let response = fetch(app, &key, &asked)?;
    metrics::hit();
    metrics::answered(response.status(), began);
    Some(response)
}

struct Asked<'a> {
    name: &'a str,
    query: &'a str,
    headers: &'a HeaderMap,
    peer: IpAddr,
    began: Instant,
    /// Of all that is noted of the request.
    now: Time,
}

fn fetch(app: &App, key: &KeyPrincipal, asked: &Asked<'_>) -> Option<Response> {
    let headers = asked.headers;
    let query = Query::parse(asked.query).ok()?;
    let SelectorRef::Label(label) = query.selector().ok()? else { return None };
    if query.names_workspace || !(key.labels.is_empty() || key.labels.iter().any(|one| one == label)) {
        return None;
    }
    let wanted = KeyRef { workspace: key.workspace, name: asked.name, selector: SelectorRef::Label(label) };
    let entry = app.prompt_cache().warm(wanted)?;
    let standing = Standing::of_entry(app, &entry);
    standing.check(app, NoOlder::reached(headers, &entry.tenant)?).ok()?;
    let wish = Wish {
        values: Given::Query(&query.variables),
        render: query.render,
        format: query.format,
        model: query.optimized_for.as_deref(),
        user: query.user_id.as_deref(),
    };
    if entry.is_heavy && !wish.is_plain() {
        return None;
    }
    let address = client_address(asked.peer, headers, &app.config().trusted_proxies);
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let note = Note::of_key(key.id, address, agent, &wish, asked.began);
    let limit = match api_keys::limit_of(app, key) {
        Some(limit) => Some(app.limits().try_pass(Who::Key(key.id), limit)?.ok()?),
        None => None,
    };
    let taken = app.quotas().try_take(app, key.workspace, asked.now).and_then(Result::ok);
    let formed = taken.and_then(|call| {
        let answer = answer_light(&entry, wish).ok()?;
        Some((call, Form::at_once(&entry, answer, headers)?))
    });
    let Some((call, form)) = formed else {
        // Counted where it is answered.
        if let Some(standing) = limit {
            app.limits().take_back(Who::Key(key.id), standing);
        }
        return None;
    };
    app.last_used().fetched(&entry.fetches, key.id, asked.now);
    let mut response = respond(&entry, form, false, standing);
    if let Some(limit) = limit {
        limit.put_on(response.headers_mut());
    }
    if let Some(level) = call.level {
        level.put_on(response.headers_mut());
    }
    call.stands();
    debug_assert!(matches!(response.status(), StatusCode::OK | StatusCode::NOT_MODIFIED));
    note.record_at(app, &entry.what, response.status(), asked.now);
    Some(response)
}
