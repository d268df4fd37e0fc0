//! The xr2 server: a headless CMS for AI prompts.
//!
//! `router.rs` is the table of contents of the API, `features/` has a folder for each capability. `ARCHITECTURE.md`
//! draws the map.

pub mod auth;
pub mod clock;
pub mod config;
pub mod error;
pub mod events;
pub mod features;
mod front;
pub mod frozen;
mod heavy;
pub mod http;
pub mod idempotency;
pub mod jobs;
mod last_used;
pub mod limits;
pub mod openapi;
mod outage;
mod queries;
pub mod router;
pub mod serve;
pub mod state;
pub mod telemetry;

pub use state::{App, StartError};
