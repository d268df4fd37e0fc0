//! What a draft is.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::clock::Time;
use crate::events::Actor;
use crate::features::prompts::source::Source;

/// A row of `prompt_drafts`.
#[derive(Debug, Clone)]
pub struct DraftRow {
    /// The line it belongs to.
    pub branch: String,
    /// Counts saves; a save has to name the one it was made on.
    pub revision: i64,
    /// The version it was begun from.
    pub base_version: i64,
    /// Its substance.
    pub source: Source,
    /// Who saved last.
    pub updated_by: Actor,
    /// When.
    pub updated_at: Time,
}

/// A draft as it stands in answers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Draft {
    /// The line it belongs to.
    #[schema(example = "main")]
    pub branch: String,
    /// Counts saves; send it back with the next one.
    pub revision: i64,
    /// The version it was begun from.
    pub base_version: i64,
    /// Whether there is a newer version than the one it was begun from.
    pub stale: bool,
    /// `text` or `chat`.
    #[serde(rename = "type")]
    #[schema(example = "text")]
    pub kind: &'static str,
    /// `simple`, `jinja` or `none`.
    #[schema(example = "simple")]
    pub syntax: &'static str,
    /// The text of a text prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The messages of a chat prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub messages: Option<Value>,
    /// Declared variables.
    #[schema(value_type = Vec<Object>)]
    pub variables: Value,
    /// Model settings.
    #[schema(value_type = Object)]
    pub config: Value,
    /// What would keep it from being published.
    #[schema(value_type = Vec<Object>)]
    pub problems: Value,
    /// Who saved last.
    pub updated_by: Actor,
    /// When.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Time,
}

impl Draft {
    /// Puts the answer together. `newest`: number of the newest version of the branch.
    pub fn of(row: DraftRow, newest: i64, problems: Value) -> Draft {
        let (content, messages) = row.source.content_fields();
        Draft {
            branch: row.branch,
            revision: row.revision,
            base_version: row.base_version,
            stale: row.base_version < newest,
            kind: row.source.content.prompt_type().as_str(),
            syntax: row.source.syntax.as_str(),
            content,
            messages,
            variables: serde_json::to_value(&row.source.contract).unwrap_or_default(),
            config: row.source.config,
            problems,
            updated_by: row.updated_by,
            updated_at: row.updated_at,
        }
    }
}
