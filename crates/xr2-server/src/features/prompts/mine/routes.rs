//! Routes of favourites. People have them, keys do not.

use axum::extract::{Path, State};

use crate::auth::{Access, Allow, Read};
use crate::error::Result;
use crate::events::Change;
use crate::features::prompts::entity::{Can, Prompt};
use crate::features::prompts::mine::queries;
use crate::features::prompts::{access, read};
use crate::http::{Envelope, Reply};
use crate::state::App;

/// Make a prompt one of your favourites
#[utoipa::path(put, path = "/prompts/{p}/favourite", tag = "Prompts", params(("p" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "It is one now", body = Envelope<Prompt>), (status = 404, description = "No such prompt")))]
pub async fn add_favourite(
    State(app): State<App>,
    caller: Allow<Read>,
    Path(name): Path<String>,
) -> Result<Reply<Prompt>> {
    set(&app, &caller, &name, true).await.map(Reply::ok)
}

/// Take a prompt out of your favourites
#[utoipa::path(delete, path = "/prompts/{p}/favourite", tag = "Prompts", params(("p" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "It is none now", body = Envelope<Prompt>), (status = 404, description = "No such prompt")))]
pub async fn remove_favourite(
    State(app): State<App>,
    caller: Allow<Read>,
    Path(name): Path<String>,
) -> Result<Reply<Prompt>> {
    set(&app, &caller, &name, false).await.map(Reply::ok)
}

async fn set(app: &App, caller: &Access, name: &str, favourite: bool) -> Result<Prompt> {
    // Nobody else can see it, so it is no event.
    let mut change = Change::begin(app, caller).await?;
    let row = access::existing(change.tx(), name, false).await?;
    let user = caller.caller.user()?.id;
    if favourite {
        queries::add(change.tx(), user, row.id, app.clock().now()).await?;
    } else {
        queries::remove(change.tx(), user, row.id).await?;
    }
    let prompt = read::entity(change.tx(), row, Can::of(caller)).await?;
    change.commit().await?;
    Ok(prompt)
}
