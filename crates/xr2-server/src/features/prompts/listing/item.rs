//! What a list shows of a prompt.

use serde::Serialize;
use utoipa::ToSchema;

use crate::features::prompts::entity::Prompt;

/// A prompt in a list: the entity and what only lists tell.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PromptListItem {
    /// The entity.
    #[serde(flatten)]
    pub prompt: Prompt,
    /// How often it was called within the last seven days, to the hour.
    pub calls_7d: i64,
}
