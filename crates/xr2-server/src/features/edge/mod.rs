//! Edge mode: caches of a CDN may keep what publishable keys fetch, and are told when it changes.
//!
//! A workspace that has turned it on gets cache headers and surrogate keys on such answers. What has to be purged is read
//! from the events, from where the last purge ended: so nothing is lost when this server stops, or the CDN is gone, and
//! many changes become one purge.

mod cache;
mod dto;
mod headers;
mod jobs;
mod model;
mod purge;
mod queries;
mod routes;
mod service;
mod tags;

pub use cache::Edges;
pub use headers::{Fetched, dress};
pub use jobs::{FindPurges, Leave, Purge, run};
pub use routes::*;
