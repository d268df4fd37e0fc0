//! Workspaces and who is a member of them.

mod create;
mod dto;
mod model;
mod queries;
mod routes;

pub use create::{create_personal, free_slug};
pub use dto::{Member, Workspace};
pub use model::Membership;
pub use queries::memberships_of;
pub use routes::*;
