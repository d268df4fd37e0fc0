//! Choosing a workspace at the command line.

use uuid::Uuid;
use xr2_db::Purpose;

use crate::error::{ApiError, Code, Result};
use crate::features::workspaces::queries;
use crate::state::App;

/// A workspace by id and slug.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// Its id.
    pub id: Uuid,
    /// Its slug.
    pub slug: String,
}

/// The workspace with that slug or id; the only one when none is named.
pub async fn choose(app: &App, named: Option<&str>) -> Result<Chosen> {
    let mut tx = app.db().system(Purpose::Memberships).read().await?;
    let all = queries::all_slugs(&mut tx).await?;
    tx.commit().await?;
    let slugs = || all.iter().map(|(_, slug)| slug.as_str()).collect::<Vec<_>>().join(", ");
    let found = match (named, all.as_slice()) {
        (Some(name), _) => all.iter().find(|(id, slug)| slug == name || name.parse() == Ok(*id)),
        (None, [only]) => Some(only),
        (None, []) => None,
        (None, _) => {
            let message = format!("there are several workspaces; name one with --workspace: {}", slugs());
            return Err(ApiError::new(Code::WorkspaceRequired, message));
        }
    };
    match (found, named) {
        (Some((id, slug)), _) => Ok(Chosen { id: *id, slug: slug.clone() }),
        (None, Some(name)) => {
            Err(ApiError::new(Code::NotFound, format!("workspace {name} not found; there is: {}", slugs())))
        }
        (None, None) => {
            let message = "there is no workspace yet; make the first account with the set-up link";
            Err(ApiError::new(Code::NotFound, message))
        }
    }
}
