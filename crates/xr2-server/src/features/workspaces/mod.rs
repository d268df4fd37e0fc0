//! Workspaces and who is a member of them.

mod choose;
mod create;
mod dto;
mod model;
mod queries;
mod routes;

pub use choose::{Chosen, choose};
pub use create::{create_personal, free_slug};
pub use dto::{Member, Workspace};
pub use model::Membership;
pub use queries::memberships_of;
pub use routes::*;
