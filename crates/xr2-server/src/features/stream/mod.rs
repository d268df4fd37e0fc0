//! The stream of changes: who listens hears of a publish within milliseconds.

mod frame;
mod hub;
mod listen;
mod queries;
pub mod routes;

pub use frame::Changed;
pub use hub::Hub;
