//! `Idempotency-Key`: a POST that was sent twice is done once, and answered alike.
//!
//! The answer is kept in the transaction of the change that it tells of, so that there is never one without the other. A
//! service knows nothing of that: where a request carries a key, [`Change::commit`](crate::events::Change::commit) writes
//! everything but does not commit; it *parks* the change in the request's [`Slot`]. The layer around all routes then has the
//! answer, adds it to the transaction and commits both. A request that fails leaves nothing: neither a change nor an answer,
//! and may be sent again with the same key. A second change of the same request ends the first one; the answer goes with
//! the last.
//!
//! Whoever asks is let in as always before an earlier answer is looked for ([`claim`]): rights that are gone meanwhile are
//! gone for it too.

mod body;
mod jobs;
mod layer;
mod queries;
mod slot;

pub use jobs::ForgetAnswers;
pub use layer::{answer_once, takes_key};
pub use slot::{InFlight, Slot, claim};

/// The header of a request.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The header of an answer that was given before.
pub const IDEMPOTENCY_REPLAYED: &str = "idempotency-replayed";

/// Parts of an answer that are told once and never stored: pointers below `data`. Among a response's extensions.
#[derive(Debug, Clone, Copy)]
pub struct ToldOnce(pub &'static [&'static str]);
