//! Who is asking from where, and under which request id.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::request::Parts;
use rand::RngCore;

use crate::idempotency::Slot;
use crate::limits::StandingSlot;

/// The id of one request: the caller's own when it is sane, else a fresh one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub Arc<str>);

impl RequestId {
    /// Takes over `given` when it is 1 to 128 letters, digits or `-_.:`; makes one otherwise.
    pub fn from_header(given: Option<&str>) -> RequestId {
        match given {
            Some(id) if is_sane(id) => RequestId(id.into()),
            _ => RequestId::random(),
        }
    }

    fn random() -> RequestId {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let mut random = [0u8; 20];
        rand::rng().fill_bytes(&mut random);
        let mut text = *b"req_00000000000000000000";
        for (slot, byte) in text[4..].iter_mut().zip(random) {
            *slot = DIGITS[usize::from(byte & 31)];
        }
        RequestId(std::str::from_utf8(&text).unwrap_or_default().into())
    }
}

fn is_sane(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
}

/// What events and logs keep of a request.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The request's id.
    pub request_id: RequestId,
    /// The client's address, through trusted proxies only. None for work without a request.
    pub address: Option<IpAddr>,
    /// The User-Agent header, cut to 256 bytes.
    pub user_agent: Option<Arc<str>>,
    /// Whether the client came by TLS (as far as a trusted proxy or `public_url` tells).
    pub secure: bool,
    /// Where the request leaves what its answer says of a limit.
    pub standing: StandingSlot,
    /// Where the request leaves the revision it has made.
    pub revision: RevisionSlot,
    /// Where a request with an `Idempotency-Key` leaves its change until the answer is there.
    pub idempotency: Option<Arc<Slot>>,
}

impl RequestContext {
    /// For work that no request asked for: imports, clean-up, the demo.
    pub fn internal() -> RequestContext {
        RequestContext {
            request_id: RequestId::random(),
            address: None,
            user_agent: None,
            secure: false,
            standing: StandingSlot::default(),
            revision: RevisionSlot::default(),
            idempotency: None,
        }
    }
}

/// The revision that a request has made, for its answer: whoever sends it on as `X-XR2-Min-Revision` gets no older text
/// from any node.
#[derive(Debug, Clone, Default)]
pub struct RevisionSlot(Arc<AtomicI64>);

impl RevisionSlot {
    /// A change was committed as this revision.
    pub fn reached(&self, revision: i64) {
        self.0.fetch_max(revision, Ordering::Relaxed);
    }

    /// The last revision made, if one was.
    pub fn last(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|revision| *revision > 0)
    }
}

/// Where a request leaves the cookie that its answer is to set: the browser keeps the session as long as the server
/// does.
#[derive(Debug, Clone, Default)]
pub struct CookieSlot(Arc<OnceLock<HeaderValue>>);

impl CookieSlot {
    /// Leaves it; the first one counts.
    pub fn put(&self, cookie: HeaderValue) {
        let _ = self.0.set(cookie);
    }

    /// What was left.
    pub fn take(&self) -> Option<HeaderValue> {
        self.0.get().cloned()
    }
}

impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<RequestContext>().cloned().unwrap_or_else(RequestContext::internal))
    }
}
