//! Calls a month: how many a workspace has, and what its programs are told of it.
//!
//! Calls are counted in memory. With Redis a node holds permits in hand, lent from what all nodes share, and asks for more
//! ahead of need, as for limits per minute. On one node, and while Redis is away, what other nodes and earlier runs of this
//! one have counted comes from the sums of the month, read when a workspace is first asked for and every few seconds
//! after; they also tell Redis what it has forgotten.

mod call;
mod counter;
mod lease;
mod queries;
mod service;
mod sharing;

pub use call::{Call, Level};
pub use counter::month_of;
pub use service::{Quotas, quota, run};
