//! Saved views: lists of prompts that somebody comes back to, for themselves or for all of the workspace.

mod dto;
mod model;
mod queries;
mod routes;
mod service;

pub use routes::*;
