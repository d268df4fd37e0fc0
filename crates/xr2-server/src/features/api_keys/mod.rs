//! API keys: what they look like, finding the one a request carries, making and ending them.

mod format;
mod principal;
mod queries;

pub use format::{KeyKind, NewKey, is_well_formed, new_key};
pub use principal::{KeyCache, KeyPrincipal, authenticate, known};
