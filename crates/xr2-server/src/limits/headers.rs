//! What an answer says of a limit: `RateLimit-*` as in the IETF's draft.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::{Refused, Standing};
use crate::error::ApiError;

static LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
static REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
static RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
static POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Limits whose headers are kept written; the same few keys ask again and again.
const KEPT: usize = 64;

impl Standing {
    /// Puts the headers on an answer.
    pub fn put_on(&self, headers: &mut HeaderMap) {
        let (limit, policy) = written(self.limit);
        headers.insert(LIMIT.clone(), limit);
        headers.insert(REMAINING.clone(), HeaderValue::from(self.remaining));
        headers.insert(RESET.clone(), seconds(self.reset));
        headers.insert(POLICY.clone(), policy);
    }
}

/// 429 of a limit by the minute.
pub fn too_many(refused: Refused, what: &str) -> ApiError {
    let (_, policy) = written(refused.limit);
    ApiError::rate_limited(refused, what).with_header(POLICY.clone(), policy)
}

/// `RateLimit-Limit` and `RateLimit-Policy`.
fn written(limit: u64) -> (HeaderValue, HeaderValue) {
    type Written = (u64, HeaderValue, HeaderValue);
    static WRITTEN: [OnceLock<Written>; KEPT] = [const { OnceLock::new() }; KEPT];
    let write = || {
        let policy = HeaderValue::try_from(format!("{limit};w=60"));
        (limit, HeaderValue::from(limit), policy.unwrap_or_else(|_| HeaderValue::from(limit)))
    };
    let place = usize::try_from(limit % KEPT as u64).unwrap_or(0);
    let kept = WRITTEN[place].get_or_init(write);
    let (_, limit, policy) = if kept.0 == limit { kept.clone() } else { write() };
    (limit, policy)
}

fn seconds(count: u64) -> HeaderValue {
    static SECONDS: OnceLock<Vec<HeaderValue>> = OnceLock::new();
    let written = SECONDS.get_or_init(|| (0..=61_u64).map(HeaderValue::from).collect());
    usize::try_from(count).ok().and_then(|count| written.get(count).cloned()).unwrap_or_else(|| count.into())
}

/// Where a request leaves what its answer says of a limit, and whether it has shown who it is.
#[derive(Debug, Clone, Default)]
pub struct StandingSlot(Arc<(OnceLock<Standing>, AtomicBool)>);

impl StandingSlot {
    /// Leaves it; the first one counts.
    pub fn put(&self, standing: Standing) {
        let _ = self.0.0.set(standing);
    }

    /// What was left.
    pub fn take(&self) -> Option<Standing> {
        self.0.0.get().copied()
    }

    /// Notes that a valid key or session was shown.
    pub fn verify(&self) {
        self.0.1.store(true, Ordering::Relaxed);
    }

    /// Whether a valid key or session was shown.
    pub fn is_verified(&self) -> bool {
        self.0.1.load(Ordering::Relaxed)
    }
}
