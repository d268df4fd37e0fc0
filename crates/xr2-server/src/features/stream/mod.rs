//! The stream of changes: who listens has what a label delivers within milliseconds of a publish.

mod batch;
mod changes;
mod compose;
mod filter;
mod frame;
mod hub;
mod listen;
mod queries;
mod replay;
mod replays;
mod ring;
mod room;
pub mod routes;
mod speak;

pub use frame::Changed;
pub use hub::Hub;
