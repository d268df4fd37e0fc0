//! Drafts: the one mutable working copy of each branch. Never delivered.

mod model;
pub(super) mod queries;
pub mod routes;
mod service;

pub use model::{Draft, DraftRow};
pub use service::{discard, is_branch, read, save, stale};

/// The branch that is meant when none is named.
pub const MAIN: &str = "main";
