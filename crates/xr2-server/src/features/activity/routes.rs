//! Routes of activity and the home page.

use axum::extract::State;

use crate::auth::{Allow, Read};
use crate::error::Result;
use crate::features::activity::dto::{ActivityItem, Home};
use crate::features::activity::{feed, home as page};
use crate::http::{Envelope, Params, Reply};
use crate::state::App;

/// What has happened
///
/// The latest first. Who is no admin sees nothing of keys, sign-ins and refusals. A page may have fewer items than `limit`,
/// or none, although `meta.next_cursor` says that there is more: what is rare is looked for piece by piece.
#[utoipa::path(get, path = "/activity", tag = "Activity", params(
    ("type" = Option<String>, Query, description = "Types such as prompt.published, or groups such as prompt, with commas between"),
    ("prompt" = Option<String>, Query, description = "Slug or id"),
    ("actor" = Option<String>, Query, description = "me, or the id of a person or key"),
    ("limit" = Option<i64>, Query, description = "At most 100; 30 when absent"),
    ("cursor" = Option<String>, Query, description = "meta.next_cursor of the page before")),
    responses((status = 200, description = "What happened", body = Envelope<Vec<ActivityItem>>),
        (status = 404, description = "No such prompt"), (status = 422, description = "A filter is not valid")))]
pub async fn activity(
    State(app): State<App>,
    caller: Allow<Read>,
    params: Params,
) -> Result<Reply<Vec<ActivityItem>>> {
    let (items, next) = feed::page(&app, &caller, &params).await?;
    Ok(Reply::ok(items).next(next))
}

/// The home page
///
/// What changed lately, the caller's drafts, deliveries of 7 days against the 7 before, and how far the workspace has come.
#[utoipa::path(get, path = "/home", tag = "Activity",
    responses((status = 200, description = "What the dashboard begins with", body = Envelope<Home>)))]
pub async fn home(State(app): State<App>, caller: Allow<Read>) -> Result<Reply<Home>> {
    page::home(&app, &caller).await.map(Reply::ok)
}
