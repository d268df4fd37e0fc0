//! What is asked and answered, for the documentation and for reading bodies. Answers themselves are written by hand,
//! see `body.rs`; a test holds them to these shapes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

/// What is delivered.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The prompt's id.
    pub id: Uuid,
    /// Its present slug.
    #[schema(example = "welcome-message")]
    pub slug: String,
    /// What people call it.
    pub title: String,
    /// `text` or `chat`.
    #[serde(rename = "type")]
    #[schema(example = "text")]
    pub kind: String,
    /// `simple`, `jinja` or `none`.
    #[schema(example = "simple")]
    pub syntax: String,
    /// The text, of a text prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The messages, of a chat prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<Value>>,
    /// Whether values have been put in; else this is the template.
    pub rendered: bool,
    /// Variables that had neither value nor default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Snippets it includes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub includes: Vec<IncludedSnippet>,
    /// Number of the version.
    #[schema(example = 3)]
    pub version: i64,
    /// The label asked for; null when a version was.
    #[schema(example = "production")]
    pub label: Option<String>,
    /// Variables, those of snippets and discovered ones included.
    pub variables: Vec<Value>,
    /// Model settings.
    pub config: Map<String, Value>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// With `format`: the provider's request body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Value>,
    /// With `format`: what the provider's format cannot carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<Value>>,
    /// When the version was made.
    #[schema(format = DateTime)]
    pub updated_at: String,
}

/// A snippet that a prompt includes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct IncludedSnippet {
    /// Its slug.
    pub slug: String,
    /// The version that was put in.
    pub version: i64,
}

/// What to render.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenderRequest {
    /// Values by name; never coerced.
    #[serde(default)]
    #[schema(example = json!({"name": "Ana"}))]
    pub variables: Map<String, Value>,
    /// Which label; `production` unless said. Not together with `version`.
    #[schema(example = "production")]
    pub label: Option<String>,
    /// Which version: its number or id.
    pub version: Option<VersionName>,
    /// The user it is rendered for; the same user gets the same variant of a test.
    pub user_id: Option<String>,
    /// What is known of the user.
    #[serde(default)]
    pub attributes: Map<String, Value>,
    /// `openai`, `anthropic` or `google` add the provider's request body; `text` (the usual) does not.
    pub format: Option<String>,
    /// The model it is meant for.
    #[schema(max_length = 200)]
    pub optimized_for: Option<String>,
}

/// A version's number or id.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum VersionName {
    /// Its number.
    Number(i64),
    /// Its number or id, as text.
    Text(String),
}
