//! What is delivered, kept for times without the database: written a second or two after each change, read when a prompt
//! is asked for that is not in memory and the database does not answer.

mod freezer;
mod model;
mod queries;
mod thaw;
mod writer;

pub use freezer::Freezer;
pub use model::{FrozenPrompt, FrozenVersion, FrozenWorkspace};
pub use thaw::{Thawed, thaw};

use uuid::Uuid;

use crate::features::api_keys;
use crate::frozen::{Frozen, Part};
use model::Pages;

/// The revision up to which everything of a workspace is kept. Waits for the disk.
pub fn kept_revision(frozen: &Frozen, workspace: Uuid) -> Option<i64> {
    let keys = api_keys::kept_revision(frozen, workspace)?;
    let prompts = Pages::parse_head(&frozen.read(workspace, Part::Prompts)?)?;
    Some(keys.min(prompts.revision))
}
