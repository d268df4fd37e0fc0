//! What a folder is.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clock::Time;

/// A folder.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Folder {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    #[schema(example = "Refunds")]
    pub name: String,
    /// The folder it stands in; null at the top.
    pub parent_folder_id: Option<Uuid>,
    /// Names from the top down to its own.
    #[schema(example = json!(["Support", "Refunds"]))]
    pub path: Vec<String>,
    /// How many prompts stand directly in it, those in the bin not among them.
    pub prompts: i64,
    /// When made.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
    /// When renamed or moved last.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Time,
}

/// What deleting a folder came to.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Deleted {
    /// How many folders are gone, the one that was named among them.
    pub folders: i64,
    /// How many prompts stood in them. They are all still there.
    pub prompts: i64,
}
