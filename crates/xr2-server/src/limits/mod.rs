//! Limits kept in memory of this node: attempts at signing in, requests of a key.

mod attempts;
mod window;

pub use attempts::Attempts;
pub use window::{Refused, Windows};
