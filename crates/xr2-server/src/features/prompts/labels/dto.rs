//! What is sent about labels.

use serde::Deserialize;
use utoipa::ToSchema;

/// Colours a label can have.
#[derive(Debug, Clone, Copy, Deserialize, serde::Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    Gray,
    Red,
    Orange,
    Amber,
    Green,
    Teal,
    Blue,
    Violet,
    Pink,
}

impl Color {
    /// As stored.
    pub fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// A new label.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateLabel {
    /// Lower-case letters, digits, `-`, `_`, `.`; not only digits.
    #[schema(min_length = 1, max_length = 50, example = "canary")]
    pub name: String,
    /// Gray when absent.
    pub color: Option<Color>,
    /// What it is for.
    #[schema(max_length = 500)]
    pub description: Option<String>,
    /// Only admins may move it.
    pub protected: Option<bool>,
}

/// Changes to a label.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateLabel {
    /// Its colour.
    pub color: Option<Color>,
    /// What it is for.
    #[schema(max_length = 500)]
    pub description: Option<String>,
    /// Only admins may move it.
    pub protected: Option<bool>,
}

/// Where a label is to point.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLabel {
    /// Number of the version; an older one rolls back.
    #[schema(minimum = 1)]
    pub version: i64,
    /// Why.
    #[schema(max_length = 1000)]
    pub comment: Option<String>,
}
