//! What a label is.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clock::Time;
use crate::events::Actor;

/// A label of the workspace.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Label {
    /// Its name.
    #[schema(example = "production")]
    pub name: String,
    /// One of: gray, red, orange, amber, green, teal, blue, violet, pink.
    #[schema(example = "green")]
    pub color: String,
    /// What it is for.
    pub description: Option<String>,
    /// Only admins may move it.
    pub protected: bool,
    /// When made.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
    /// How many prompts have it.
    pub prompts: i64,
}

/// A label on a prompt.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PromptLabel {
    /// Its name.
    pub label: String,
    /// The version it points at.
    pub version: i64,
    /// Since when.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub moved_at: Time,
    /// By whom.
    pub moved_by: Actor,
    /// Why.
    pub comment: Option<String>,
    /// See [`Label`].
    pub color: String,
    /// See [`Label`].
    pub protected: bool,
}

/// What a move was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MoveAction {
    /// `production` went to a newer version.
    Published,
    /// It went to an older version.
    RolledBack,
    /// Another label went to a newer version.
    Moved,
    /// It was taken off.
    Removed,
    /// An old version was copied and made live.
    Restored,
}

impl MoveAction {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            MoveAction::Published => "published",
            MoveAction::RolledBack => "rolled_back",
            MoveAction::Moved => "moved",
            MoveAction::Removed => "removed",
            MoveAction::Restored => "restored",
        }
    }
}

/// One move of a label, from its history.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HistoryEntry {
    /// Id of the move.
    pub id: Uuid,
    /// The label.
    pub label: String,
    /// `published`, `rolled_back`, `moved`, `removed` or `restored`.
    pub action: String,
    /// Where it pointed before.
    pub from_version: Option<i64>,
    /// Where it points since.
    pub to_version: Option<i64>,
    /// By whom.
    pub moved_by: Actor,
    /// When.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub moved_at: Time,
    /// Why.
    pub comment: Option<String>,
}
