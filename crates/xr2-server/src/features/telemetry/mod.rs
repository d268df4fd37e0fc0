//! Telemetry: what SDKs report of reads from their memory, and which instances are there and what they serve.
//!
//! Reported reads become usage like deliveries, each once, however often a report is sent. Instances are noted in memory
//! and written every second, so that all nodes know them; one that is not heard of for two minutes is gone.

mod clients;
mod dto;
mod ids;
mod jobs;
mod names;
mod presence;
mod queries;
mod report;
mod roster;
pub mod routes;

pub use ids::ReportedIds;
pub use jobs::ForgetReports;
pub use presence::{Presence, run};
