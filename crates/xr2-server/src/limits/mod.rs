//! Limits: requests per minute (of a key, or of callers without one), and attempts at signing in.

mod attempts;
mod hand;
mod headers;
mod lending;
mod network;
mod rate;
mod share;
mod strangers;
mod window;

pub use attempts::{Attempts, Counted, SharedAttempts};
pub use headers::{StandingSlot, too_many};
pub use network::{network_of, office_of};
pub use rate::{RateLimits, Who};
pub use strangers::{count_strangers, is_network_used_up};

pub(crate) use hand::{Hand, Terms, Wish};
pub(crate) use lending::{Asking, Borrower, Gate, Lender, Turn, number};

/// A refused request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The limit that was reached.
    pub limit: u64,
    /// Seconds until the next one is let through.
    pub wait_seconds: u64,
}

/// Where a request that passed leaves its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Requests a minute.
    pub limit: u64,
    /// How many of them are left.
    pub remaining: u64,
    /// Seconds until there are more.
    pub reset: u64,
    /// Whether it took a permit of those that all nodes share.
    is_lent: bool,
}
