//! `GET /stream`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use uuid::Uuid;

use crate::auth::{Access, Allow, Deliver, Identity};
use crate::error::{ApiError, Code, Result};
use crate::features::delivery::{reach_revision, wanted_revision};
use crate::features::stream::filter::Filter;
use crate::features::stream::frame::{Changed, hello, resync};
use crate::features::stream::hub::{Full, Seat};
use crate::features::stream::listen::Listening;
use crate::features::stream::queries;
use crate::features::stream::replay::replay;
use crate::features::stream::room::Room;
use crate::http::Params;
use crate::state::App;

/// How long a listener waits for what this node has heard of and not said yet.
const PATIENCE: Duration = Duration::from_secs(2);

/// Listen to changes
///
/// Server-sent events. `hello {revision, heartbeat}` comes first; with `stale: true` when this server is cut off from its
/// database, so that there may be later revisions than it knows of. Then, whenever a label delivers something else:
/// `changed`, and `put {revision, prompt}` with the prompt as it stands in the bundle, or `delete {revision, id, slug,
/// label}`. `edited {revision, prompt_id, slug}` tells those who listen to all labels that something changed which is not
/// delivered, such as a description. `mark {revision}`: everything up to there has been sent. `resync {revision}`: too much has happened, fetch
/// the bundle; what follows goes on from there. A comment is sent every `heartbeat` seconds.
///
/// The id of an event is the workspace's revision; `Last-Event-ID` asks for what came after it. The stream ends when
/// the key or the session does.
#[utoipa::path(get, path = "/stream", tag = "Delivery",
    params(
        ("label" = Option<String>, Query, description = "Changes of this label only"),
        ("slugs" = Option<String>, Query, description = "Changes of these prompts only; separated by commas"),
        ("tags" = Option<String>, Query, description = "Changes of prompts with one of these tags only; separated by commas"),
        ("Last-Event-ID" = Option<i64>, Header, description = "The last revision the client has; what came after it is sent first"),
        ("X-XR2-Min-Revision" = Option<i64>, Header, description = "Begin no earlier than at this revision"),
    ),
    responses(
        (status = 200, description = "The stream; the data of `changed`", body = Changed, content_type = "text/event-stream"),
        (status = 400, description = "Last-Event-ID is no revision"),
        (status = 403, description = "The key may not see that label"),
        (status = 429, description = "Too many streams are open"),
        (status = 503, description = "The server has as many streams as it takes, or cannot reach its database"),
    ))]
pub async fn stream(
    State(app): State<App>,
    access: Allow<Deliver>,
    params: Params,
    parts: Parts,
) -> Result<Response> {
    let mut filter = Filter::of(&access, &params)?;
    let last = last_event_id(&parts.headers)?;
    let wanted = wanted_revision(&parts.headers)?;
    let ticket = app.streams().admit(caller_of(&access)).map_err(|full| too_many(&full))?;
    find_prompts(&app, access.workspace, &mut filter).await;
    let room = app.streams().room(&app, access.workspace).await?;
    if let Some(wanted) = wanted {
        reach_revision(&app, access.workspace, wanted).await?;
    }
    wait_for(&app, &room, last.max(wanted).unwrap_or(0)).await;
    let mut seat = app.streams().sit(&room, ticket);
    let greeting = greet(&app, &mut seat, last, &filter).await;
    let listening = Listening::new(&app, &access, seat, filter, &parts, greeting);
    let mut response = Response::new(Body::from_stream(listening));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// Finds the prompts behind the slugs, former ones too. Without a database the slugs alone have to do.
async fn find_prompts(app: &App, workspace: Uuid, filter: &mut Filter) {
    let Some((slugs, ids)) = &mut filter.prompts else { return };
    let found = async {
        let mut tx = app.db().tenant(workspace).read().await?;
        let found = queries::prompts_of(&mut tx, slugs).await?;
        tx.commit().await?;
        Ok::<_, xr2_db::DbError>(found)
    };
    match found.await {
        Ok(found) => ids.extend(found),
        Err(error) => tracing::warn!(%error, "a stream's slugs could not be looked up"),
    }
}

/// Waits, for a while, until what this node has heard of (or the client from another node) has been said.
async fn wait_for(app: &App, room: &Arc<Room>, wanted: i64) {
    let told = app.follower().told(room.workspace).unwrap_or(0).max(room.heard());
    if wanted > told && reach_revision(app, room.workspace, wanted).await.is_err() {
        return;
    }
    let wanted = wanted.max(room.heard());
    let waiting = async {
        loop {
            let moved = room.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            if room.said() >= wanted {
                return;
            }
            moved.await;
        }
    };
    let _ = tokio::time::timeout(PATIENCE, waiting).await;
}

/// What is sent before anything that happens from now on.
async fn greet(app: &App, seat: &mut Seat, last: Option<i64>, filter: &Filter) -> VecDeque<Bytes> {
    let heartbeat = app.config().stream.heartbeat().as_secs_f64();
    // Asked after the place was taken: whoever is not told so here was greeted as of a time when all was well.
    let is_stale = app.follower().contact().stale().is_some();
    let greeting = |from, revision| hello(from, revision, heartbeat, is_stale);
    let missed = match last {
        None => return [greeting(seat.said, seat.said)].into(),
        Some(last) if last == seat.said => return [greeting(last, last)].into(),
        // Further than there is: the database is another one, or an older one.
        Some(last) if last > seat.said => None,
        Some(last) => match replay(app, seat, last, filter).await {
            Ok(missed) => missed.map(|replay| (last, replay)),
            Err(error) => {
                tracing::debug!(%error, "what was missed could not be read");
                None
            }
        },
    };
    let said = seat.said;
    match missed {
        Some((last, replay)) => {
            let mut frames: VecDeque<Bytes> = replay.parts.iter().flat_map(|part| part.cut(filter)).collect();
            frames.push_front(greeting(last, said));
            frames
        }
        None => [greeting(said, said), resync(said)].into(),
    }
}

fn caller_of(access: &Access) -> Uuid {
    match &access.caller.identity {
        Identity::Key(key) => key.id,
        Identity::Session(user) => user.session,
        Identity::Internal(_) => access.workspace,
    }
}

/// The last revision a client that comes back has.
fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    match value.to_str().ok().and_then(|text| text.trim().parse::<i64>().ok()).filter(|id| *id >= 0) {
        Some(id) => Ok(Some(id)),
        None => Err(ApiError::bad_request("Last-Event-ID must be a revision: a whole number from 0.")),
    }
}

fn too_many(full: &Full) -> ApiError {
    let (code, message, wait) = match full {
        Full::Server(most) => {
            (Code::Unavailable, format!("This server holds {most} streams open and takes no more."), "15")
        }
        Full::Caller(most) => {
            let message = format!("rate limit: {most} streams are open with this key or session already.");
            (Code::RateLimited, message, "5")
        }
    };
    ApiError::new(code, message).with_header(header::RETRY_AFTER, HeaderValue::from_static(wait))
}
