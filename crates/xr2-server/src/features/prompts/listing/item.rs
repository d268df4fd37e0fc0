//! What a list shows of a prompt.

use serde::Serialize;
use utoipa::ToSchema;

use crate::features::prompts::entity::Prompt;
use crate::features::prompts::search::Highlight;

/// A prompt in a list: the entity and what only lists tell.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PromptListItem {
    /// The entity.
    #[serde(flatten)]
    pub prompt: Prompt,
    /// How often it was called within the last seven days, to the hour.
    pub calls_7d: i64,
    /// Where the words of the search stand; only in searches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub highlight: Option<Highlight>,
}
