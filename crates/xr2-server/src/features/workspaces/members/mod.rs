//! Who is a member of a workspace, and what each may do.

mod dto;
mod queries;
pub mod routes;
mod service;
mod standing;

pub use standing::{Standing, standing};
