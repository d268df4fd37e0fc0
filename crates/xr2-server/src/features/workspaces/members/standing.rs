//! What somebody is in a workspace at this moment.

use xr2_db::Tx;

use crate::auth::{Access, Identity, Permissions, Right, Rights, Role};
use crate::error::{ApiError, Result};
use crate::features::workspaces::members::queries;

/// A member's role and what they may do beyond, or short of, that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The role.
    pub role: Role,
    /// Beyond it, or short of it.
    pub permissions: Permissions,
}

impl Standing {
    /// All that they may do.
    pub fn rights(self) -> Rights {
        self.permissions.applied_to(self.role)
    }
}

/// What the caller may do, read in the transaction of what they are about to do: it may have been taken from them since
/// the request was let in, and stays as it is until the commit. Refuses those who may not do `right` any more.
pub async fn standing(tx: &mut Tx, access: &Access, right: Right) -> Result<Rights> {
    queries::lock(tx).await?;
    let rights = match &access.caller.identity {
        Identity::Session(user) => match queries::standing(tx, user.id).await? {
            Some(standing) => standing.rights(),
            None => return Err(ApiError::not_found("workspace")),
        },
        Identity::Key(_) | Identity::Internal(_) => access.rights,
    };
    if rights.has(right) {
        return Ok(rights);
    }
    Err(ApiError::forbidden(
        "Your role in this workspace was changed just now and does not allow this any more.",
    ))
}
