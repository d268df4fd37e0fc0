//! The routes of telemetry.

use axum::extract::State;

use crate::auth::{Allow, Deliver, Read};
use crate::error::{ApiError, Result};
use crate::features::telemetry::clients::{self, Asked, MOST_LISTED};
use crate::features::telemetry::dto::{Clients, Received, Report};
use crate::features::telemetry::report::{Incoming, receive};
use crate::heavy::bulk;
use crate::http::{Envelope, JsonBytes, Params, Reply};
use crate::state::App;

/// Longer reports are taken in beside the threads that serve requests.
const LONG: usize = 8 * 1024;

/// Report reads and presence
///
/// What an SDK has read from its memory, added up, and what it serves. Each event is taken or rejected by itself and
/// counts once within seven days, so a report may be sent again when no answer came. An instance not heard of for two
/// minutes is gone; a report without events says that it is there.
#[utoipa::path(post, path = "/telemetry", tag = "Delivery",
    request_body = Report,
    responses(
        (status = 202, description = "Taken in, as far as it is right", body = Envelope<Received>),
        (status = 422, description = "The report itself is wrong, or has more than 1000 events"),
        (status = 503, description = "Nothing was taken in; send it again"),
    ))]
pub async fn telemetry(
    State(app): State<App>,
    access: Allow<Deliver>,
    body: JsonBytes,
) -> Result<Reply<Received>> {
    let is_long = body.0.len() > LONG;
    let taking = async move { receive(&app, &access, Incoming::read(&body.0)?).await };
    let received = if is_long { bulk(taking).await? } else { taking.await };
    Ok(Reply::accepted(received?))
}

/// List clients
///
/// Instances heard of in the last two minutes and what they serve. With `prompt` and `label` only those that serve it,
/// and `counts` tells how many of them have what the label points at. `limit=0` counts and lists nobody: cheap enough to
/// be asked for every second while a publish is on its way.
#[utoipa::path(get, path = "/clients", tag = "Delivery",
    params(
        ("prompt" = Option<String>, Query, description = "Slug, former slug or id"),
        ("label" = Option<String>, Query, description = "A label"),
        ("limit" = Option<i64>, Query, description = "How many are listed, 0 to 1000 (the usual)"),
    ),
    responses(
        (status = 200, description = "The instances", body = Envelope<Clients>),
        (status = 404, description = "No such prompt"),
        (status = 422, description = "limit is no number from 0 to 1000"),
    ))]
pub async fn list_clients(
    State(app): State<App>,
    access: Allow<Read>,
    params: Params,
) -> Result<Reply<Clients>> {
    let asked = Asked {
        prompt: params.first_of(&["prompt"]),
        label: params.first_of(&["label"]),
        limit: limit(&params)?,
    };
    Ok(Reply::ok(clients::clients(&app, &access, asked).await?))
}

fn limit(params: &Params) -> Result<usize> {
    let Some(text) = params.first_of(&["limit"]) else { return Ok(MOST_LISTED) };
    text.parse()
        .ok()
        .filter(|limit| *limit <= MOST_LISTED)
        .ok_or_else(|| ApiError::invalid_field("limit", "invalid", "must be a whole number from 0 to 1000"))
}
