//! What is delivered, kept for times without the database: written a second or two after each change, read when a prompt
//! is asked for that is not in memory and the database does not answer.

mod model;
mod queries;
mod thaw;
mod writer;

pub use model::{FrozenPrompt, FrozenVersion};
pub use thaw::{Thawed, thaw};
pub use writer::Freezer;
