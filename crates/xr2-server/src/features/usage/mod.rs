//! Usage: every delivery is noted in memory, written in batches, summed by the hour, and looked at in analytics.
//!
//! A request calls [`Usage::record`] and goes on. Twice a second [`Usage::flush`] turns what was noted into rows
//! (deliveries alike in all but time and latency share one) and appends them. [`SumUsage`] sums what was appended.

mod analytics;
mod buffer;
mod dto;
mod event;
mod intern;
mod jobs;
mod periods;
mod queries;
mod retention;
mod rollup;
pub mod routes;
mod rows;
mod sketch;
mod writer;

pub use analytics::week_and_before;
pub use dto::{PromptAnalytics, UsageAnalytics};
pub use event::{Alike, Delivered, Delivery, Source, cut};
pub(crate) use intern::{agent, names};
pub use jobs::{ForgetUsage, SumUsage};
pub(crate) use queries::events::insert;
pub use retention::forget_old;
pub(crate) use rows::EventRow;
pub use writer::{Usage, settle};
