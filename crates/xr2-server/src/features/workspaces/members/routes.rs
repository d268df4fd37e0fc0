//! Routes of members.

use axum::extract::State;
use xr2_db::Purpose;

use crate::auth::{Allow, Read};
use crate::error::Result;
use crate::features::workspaces::members::dto::Member;
use crate::features::workspaces::members::queries;
use crate::http::{Envelope, Reply};
use crate::state::App;

/// List the members of a workspace
#[utoipa::path(get, path = "/{ws}/members", tag = "Workspaces",
    params(("ws" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "Members in the order they came", body = Envelope<Vec<Member>>),
        (status = 404, description = "You are not a member of such a workspace")))]
pub async fn list_members(State(app): State<App>, access: Allow<Read>) -> Result<Reply<Vec<Member>>> {
    let mut tx = app.db().system(Purpose::Memberships).read().await?;
    let members = queries::members(&mut tx, access.workspace).await?;
    tx.commit().await?;
    Ok(Reply::ok(members))
}
