//! Workspaces and who is a member of them.

mod model;
mod queries;

pub use model::Membership;
pub use queries::memberships_of;
