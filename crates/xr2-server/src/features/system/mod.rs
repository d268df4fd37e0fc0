//! Health, readiness, metrics, and the dashboard's files.

mod dashboard;
mod probes;

pub use dashboard::dashboard;
pub use probes::{__path_health, __path_metrics, __path_ready, health, metrics, ready};
