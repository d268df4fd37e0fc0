//! Workspaces and who is a member of them.

mod choose;
mod create;
mod dto;
pub mod members;
mod model;
mod queries;
pub mod routes;
mod update;

pub use choose::{Chosen, choose};
pub use create::{create_personal, free_slug};
pub use dto::Workspace;
pub use members::standing;
pub use model::{Membership, Settings};
pub use queries::{insert_member, memberships_of};
pub use routes::of_key;
