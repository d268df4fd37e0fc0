//! Versions: immutable, numbered from 1 for each prompt.

mod model;
pub(super) mod queries;
pub mod routes;
mod service;

pub use model::{Version, VersionRow};
