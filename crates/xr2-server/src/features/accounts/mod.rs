//! People: registration, sign-in, sessions, profile.

pub mod admin;
mod cookie;
mod dto;
mod email;
mod login;
mod password;
mod profile;
mod queries;
mod register;
mod routes;
mod sessions;
mod setup;
mod throttle;

pub use routes::*;
pub use sessions::{SessionUser, authenticate};
pub use setup::setup_link;

use crate::config::Auth;
use password::Hasher;
use throttle::Throttle;

/// What accounts keep in memory.
pub struct Accounts {
    hasher: Hasher,
    throttle: Throttle,
}

impl Accounts {
    pub(crate) fn new(auth: &Auth) -> Accounts {
        Accounts { hasher: Hasher::new(auth), throttle: Throttle::new(auth) }
    }
}
