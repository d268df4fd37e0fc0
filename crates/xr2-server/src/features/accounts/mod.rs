//! People: registration, sign-in, sessions, profile.

mod queries;
mod sessions;

pub use sessions::{SessionUser, authenticate};
