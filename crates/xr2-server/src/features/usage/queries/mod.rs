//! SQL of usage.

pub(super) mod analytics;
pub(super) mod events;
pub(super) mod hourly;
