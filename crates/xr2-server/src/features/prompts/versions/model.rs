//! What a version is.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clock::Time;
use crate::events::Actor;
use crate::features::prompts::source::Source;

/// A row of `prompt_versions`.
#[derive(Debug, Clone)]
pub struct VersionRow {
    /// Its id.
    pub id: Uuid,
    /// Its number, from 1.
    pub number: i64,
    /// The version it was made from.
    pub parent: Option<i64>,
    /// The line it belongs to.
    pub branch: String,
    /// `author`, `restore`, `import`, `test`, …: why it was made.
    pub origin: String,
    /// Its substance.
    pub source: Source,
    /// What changed.
    pub change_summary: String,
    /// By whom.
    pub created_by: Actor,
    /// When.
    pub created_at: Time,
}

/// A version as it stands in answers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Version {
    /// Its number, from 1.
    pub number: i64,
    /// Its id.
    pub id: Uuid,
    /// Number of the version it was made from.
    pub parent: Option<i64>,
    /// The line it belongs to.
    #[schema(example = "main")]
    pub branch: String,
    /// `text` or `chat`.
    #[serde(rename = "type")]
    #[schema(example = "text")]
    pub kind: &'static str,
    /// `simple`, `jinja` or `none`.
    #[schema(example = "simple")]
    pub syntax: &'static str,
    /// In a list: the text or the messages are left out, because the page would be too large with them. With `limit=1`
    /// they are always there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub omitted: bool,
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
    /// What changed, in a sentence.
    pub change_summary: String,
    /// Labels that point at it.
    pub labels: Vec<String>,
    /// By whom.
    pub created_by: Actor,
    /// When.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
}

impl Version {
    /// Puts the answer together.
    pub fn of(row: VersionRow, labels: Vec<String>) -> Version {
        let (content, messages) = row.source.content_fields();
        Version {
            number: row.number,
            id: row.id,
            parent: row.parent,
            branch: row.branch,
            kind: row.source.content.prompt_type().as_str(),
            syntax: row.source.syntax.as_str(),
            omitted: false,
            content,
            messages,
            variables: serde_json::to_value(&row.source.contract).unwrap_or_default(),
            config: row.source.config,
            change_summary: row.change_summary,
            labels,
            created_by: row.created_by,
            created_at: row.created_at,
        }
    }

    /// Leaves out the text.
    pub fn without_text(self) -> Version {
        Version { omitted: true, content: None, messages: None, ..self }
    }
}
