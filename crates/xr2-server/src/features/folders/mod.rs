//! Folders: a tree in which people put prompts, each in as many folders as they like.

mod dto;
mod model;
mod queries;
mod routes;
mod service;
mod tree;

pub use queries::{of_prompts, put_prompt, with_subfolders};
pub use routes::*;
pub use service::{MAX_OF_PROMPT, check_ids, unknown};
