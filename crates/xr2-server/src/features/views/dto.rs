//! What is sent about saved views.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A new saved view.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateView {
    /// What people call it.
    #[schema(min_length = 1, max_length = 100, example = "Unused refunds")]
    pub name: String,
    /// Filters and order of the list, by the names they have in `GET /prompts`.
    #[schema(value_type = Object, example = json!({ "tag": ["refund"], "unused_days": 30, "sort": "title" }))]
    pub query: Value,
    /// Whether everybody in the workspace sees it; false when absent.
    pub shared: Option<bool>,
}

/// Changes to a saved view. Absent fields stay as they are.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateView {
    /// What people call it.
    #[schema(min_length = 1, max_length = 100, example = "Refunds")]
    pub name: Option<String>,
    /// Filters and order of the list.
    #[schema(value_type = Option<Object>, example = json!({ "tag": ["refund"] }))]
    pub query: Option<Value>,
    /// Whether everybody in the workspace sees it.
    pub shared: Option<bool>,
}
