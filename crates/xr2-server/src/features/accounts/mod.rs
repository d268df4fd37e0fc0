//! People: registration, sign-in, sessions, profile.

pub mod admin;
mod cookie;
mod dto;
mod email;
mod login;
mod newcomer;
mod password;
mod profile;
mod queries;
mod register;
mod routes;
mod sessions;
mod setup;
mod throttle;

pub use dto::User;
pub use email::Email;
pub use newcomer::{Newcomer, has_account};
pub use routes::*;
pub use sessions::{SessionUser, authenticate};
pub use setup::setup_link;
pub use throttle::Attempt;

use axum::http::HeaderValue;

use crate::clock::{Clock, Time};
use crate::config::Auth;
use crate::error::Result;
use crate::http::RequestContext;
use crate::limits::Lender;
use crate::state::App;
use password::Hasher;
use throttle::Throttle;

/// The cookie that keeps a session in the browser for as long as the session lasts when it is used now.
pub fn session_cookie(app: &App, token: &str, secure: bool) -> Result<HeaderValue> {
    cookie::set(token, app.config().session_lifetime(), secure)
}

/// What accounts keep in memory.
pub struct Accounts {
    hasher: Hasher,
    throttle: Throttle,
}

impl Accounts {
    /// `secret` keys the hashes of addresses that somebody tried.
    pub(crate) fn new(auth: &Auth, lender: Lender, clock: &Clock, secret: [u8; 32]) -> Accounts {
        Accounts { hasher: Hasher::new(auth), throttle: Throttle::new(auth, lender, clock, secret) }
    }

    /// Counts an attempt to get in with something that can be guessed, such as the token of a link. It counts as failed
    /// until it is forgiven.
    pub async fn attempt(&self, context: &RequestContext, now: Time) -> Result<Attempt<'_>> {
        self.throttle.attempt_of_network(context, now).await
    }
}
