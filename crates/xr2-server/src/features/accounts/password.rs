//! Passwords: which ones are taken, and argon2id off the async threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordVerifier, Version};
use tokio::sync::Semaphore;

use crate::config::Auth;
use crate::error::{ApiError, Code, FieldProblem, Result};

/// Hashes computed at once: each takes a core and megabytes of memory.
const AT_ONCE: usize = 2;

/// Requests that may wait for a hash; more are turned away rather than kept waiting for minutes.
const QUEUE: usize = 100;

/// The first passwords that anybody tries, as far as they are long enough to be taken otherwise.
const COMMON: &[&str] = &[
    "0123456789",
    "1111111111",
    "1122334455",
    "1234567890",
    "12345678910",
    "123456789a",
    "1234512345",
    "123123123123",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "9876543210",
    "abcd123456",
    "abcdefghij",
    "admin12345",
    "administrator",
    "adminadmin",
    "asdfghjkl;",
    "asdfasdfasdf",
    "basketball",
    "changeme123",
    "changemenow",
    "football123",
    "helloworld",
    "iloveyou123",
    "iloveyou12",
    "letmein123",
    "letmeinnow",
    "liverpool1",
    "manchester",
    "michaeljordan",
    "mypassword",
    "p@ssw0rd123",
    "p@ssword123",
    "passw0rd123",
    "password01",
    "password10",
    "password11",
    "password12",
    "password123",
    "password1234",
    "password12345",
    "password123456",
    "passwordpassword",
    "q1w2e3r4t5",
    "q1w2e3r4t5y6",
    "qazwsxedcrfv",
    "qwer123456",
    "qwerty1234",
    "qwerty12345",
    "qwerty123456",
    "qwertyuiop",
    "qwertyuiop123",
    "secret1234",
    "starwars123",
    "sunshine123",
    "superman123",
    "supersecret",
    "testtest123",
    "test123456",
    "trustno1trustno1",
    "welcome123",
    "welcome1234",
    "zaq12wsxcde3",
    "zxcvbnm123",
];

/// Problems of a new password for an account with this address.
pub(super) fn problem(field: &str, password: &str, email: &str) -> Option<FieldProblem> {
    let lower = password.to_lowercase();
    let length = password.chars().count();
    if length < 10 {
        return Some(FieldProblem::new(field, "too_short", "must have at least 10 characters"));
    }
    if length > 256 {
        return Some(FieldProblem::new(field, "too_long", "must have at most 256 characters"));
    }
    if lower.trim() == email.trim().to_lowercase() {
        return Some(FieldProblem::new(field, "too_common", "must not be the e-mail address"));
    }
    let mut characters = lower.chars();
    let first = characters.next();
    if characters.all(|c| Some(c) == first) || COMMON.contains(&lower.as_str()) {
        return Some(FieldProblem::new(field, "too_common", "is one of the first that anybody would guess"));
    }
    None
}

/// Computes and checks hashes.
pub(super) struct Hasher {
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    /// Checked when there is no account, so that it takes as long.
    dummy: std::sync::OnceLock<String>,
}

/// What checking a password came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The password is right.
    pub(super) right: bool,
    /// The stored hash was computed with other parameters than today's.
    pub(super) outdated: bool,
}

impl Hasher {
    pub(super) fn new(auth: &Auth) -> Hasher {
        let params = Params::new(auth.argon2_memory_kib, auth.argon2_iterations, 1, None).unwrap_or_default();
        Hasher {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::default(),
            dummy: std::sync::OnceLock::new(),
        }
    }

    /// The hash to store.
    pub(super) async fn hash(&self, password: &str) -> Result<String> {
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        self.run(move || argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string()))
            .await?
            .map_err(ApiError::internal)
    }

    /// Compares with a stored hash. Without one it takes as long and says no.
    pub(super) async fn verify(&self, password: &str, stored: Option<&str>) -> Result<Verdict> {
        let known = stored.is_some();
        // Made in either case, or the first unknown address would take twice as long.
        let dummy = self.dummy().await?;
        let stored = stored.map_or(dummy, str::to_owned);
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        self.run(move || {
            let Ok(hash) = PasswordHash::new(&stored) else {
                return Verdict { right: false, outdated: false };
            };
            let right = argon2.verify_password(password.as_bytes(), &hash).is_ok();
            let outdated = Params::try_from(&hash).is_ok_and(|params| {
                let today = argon2.params();
                (params.m_cost(), params.t_cost(), params.p_cost())
                    != (today.m_cost(), today.t_cost(), today.p_cost())
            });
            Verdict { right: right && known, outdated }
        })
        .await
    }

    async fn dummy(&self) -> Result<String> {
        if let Some(hash) = self.dummy.get() {
            return Ok(hash.clone());
        }
        let hash = self.hash("nobody has this password").await?;
        Ok(self.dummy.get_or_init(|| hash).clone())
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _waiting = Waiting::enter(&self.waiting)?;
        let permit = self.permits.clone().acquire_owned().await.map_err(ApiError::internal)?;
        let work = move || {
            let outcome = work();
            drop(permit);
            outcome
        };
        tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)
    }
}

/// Counts a request in the queue until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Waiting<'_> {
    fn enter(count: &AtomicUsize) -> Result<Waiting<'_>> {
        let waiting = Waiting(count);
        if count.fetch_add(1, Ordering::SeqCst) >= QUEUE {
            drop(waiting);
            return Err(ApiError::new(
                Code::Unavailable,
                "Too many people are signing in just now. Try again in a moment.",
            )
            .with_header(axum::http::header::RETRY_AFTER, axum::http::HeaderValue::from_static("2")));
        }
        Ok(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_refused() {
        let code = |password: &str| problem("password", password, "Ann@example.com").map(|p| p.code);
        assert_eq!(code("short"), Some("too_short".into()));
        assert_eq!(code(&"x".repeat(257)), Some("too_long".into()));
        assert_eq!(code("ann@example.COM"), Some("too_common".into()));
        assert_eq!(code("aaaaaaaaaaaa"), Some("too_common".into()));
        assert_eq!(code("Password1234"), Some("too_common".into()));
        assert_eq!(code("correct horse battery"), None);
        assert_eq!(code("ééééééééé1"), None, "characters are counted, not bytes");
    }

    #[test]
    fn the_list_holds_what_would_pass_otherwise() {
        for password in COMMON.iter().filter(|password| password.chars().count() >= 10) {
            assert_eq!(**password, password.to_lowercase());
        }
    }
}
