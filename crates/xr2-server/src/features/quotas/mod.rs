//! Calls a month: how many a workspace has, and what its programs are told of it.
//!
//! Calls are counted in memory. What other nodes and earlier runs of this one have counted comes from the sums of the
//! month, read when a workspace is first asked for and every few seconds after.

mod counter;
mod queries;
mod service;

pub use counter::month_of;
pub use service::{Call, Level, Quotas, quota, run};
