//! API keys: what they look like, finding the one a request carries, making and ending them.

mod cors;
mod dto;
mod format;
mod freeze;
mod input;
mod lookup;
mod principal;
mod queries;
mod routes;
mod service;

pub use cors::cors;
pub use dto::{ApiKey, KeyStatus};
pub use format::{KeyKind, NewKey, is_well_formed, new_key};
pub use freeze::{freeze, kept_revision};
pub use principal::{KeyCache, KeyPrincipal, authenticate, known, limit_of, recheck};
pub use queries::{names, usable_of};
pub use routes::*;
pub use service::{create_for, describe, replace_for};
