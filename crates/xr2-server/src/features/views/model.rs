//! What a saved view is.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clock::Time;
use crate::events::Actor;

/// A saved view.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct View {
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Filters and order of the list.
    #[schema(value_type = Object)]
    pub query: Value,
    /// Whether everybody in the workspace sees it.
    pub shared: bool,
    /// Whether the caller may change and delete it.
    pub can_edit: bool,
    /// By whom made.
    pub created_by: Actor,
    /// When made.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
    /// When last changed.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Time,
}
