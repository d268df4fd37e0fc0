//! What a preview link is, and what it shows.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clock::Time;
use crate::events::Actor;

/// A row of `preview_links`.
#[derive(Debug, Clone)]
pub struct LinkRow {
    /// Its id.
    pub id: Uuid,
    /// The prompt it shows.
    pub prompt: Uuid,
    /// The version it shows; none: the draft.
    pub version: Option<i64>,
    /// What its maker said about it.
    pub note: Option<String>,
    /// Who made it.
    pub created_by: Actor,
    /// When.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
}

/// A preview link to be made.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePreviewLink {
    /// Number of the version to show; the newest when neither this nor `draft` is given.
    #[schema(minimum = 1)]
    pub version: Option<i64>,
    /// Show the draft as it stands instead of a version.
    pub draft: Option<bool>,
    /// Days until it ends; 7 when absent.
    #[schema(minimum = 1, maximum = 365)]
    pub expires_in_days: Option<i64>,
    /// For whoever opens it.
    #[schema(max_length = 500)]
    pub note: Option<String>,
}

/// A preview link.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PreviewLink {
    /// Its id.
    pub id: Uuid,
    /// The version it shows; null: the draft as it stands.
    pub version: Option<i64>,
    /// Whether it shows the draft.
    pub draft: bool,
    /// What its maker said about it.
    pub note: Option<String>,
    /// Who made it.
    pub created_by: Actor,
    /// When.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
    /// When it ends.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Time,
    /// Whether it has ended.
    pub expired: bool,
}

impl PreviewLink {
    /// As of `now`.
    pub fn of(row: LinkRow, now: Time) -> PreviewLink {
        PreviewLink {
            id: row.id,
            version: row.version,
            draft: row.version.is_none(),
            note: row.note,
            created_by: row.created_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            expired: row.expires_at <= now,
        }
    }
}

/// A preview link just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewPreviewLink {
    /// The link.
    #[serde(flatten)]
    pub link: PreviewLink,
    /// Its address, shown this once.
    pub url: String,
    /// The part of the address that opens it, shown this once.
    pub token: String,
}

/// What a preview link shows: the prompt and nothing around it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SharedPrompt {
    /// What people call it.
    pub title: String,
    /// `text` or `chat`.
    #[serde(rename = "type")]
    #[schema(example = "text")]
    pub kind: &'static str,
    /// `simple`, `jinja` or `none`.
    #[schema(example = "simple")]
    pub syntax: &'static str,
    /// The version shown; null: the draft.
    pub version: Option<i64>,
    /// The text with its variables, snippets in line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The messages with their variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub messages: Option<Value>,
    /// Its variables: name, type, whether required, default, description and sample.
    #[schema(value_type = Vec<Object>)]
    pub variables: Value,
    /// The same with samples and defaults filled in; null when the template has a mistake.
    pub sample: Option<SharedSample>,
    /// Who shares it.
    pub shared_by: String,
    /// What they say about it.
    pub note: Option<String>,
    /// Since when.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub shared_at: Time,
    /// Until when.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Time,
    /// When the version was made or the draft last saved.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Time,
}

/// A prompt with samples filled in.
#[derive(Debug, Serialize, ToSchema)]
pub struct SharedSample {
    /// The text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub messages: Option<Value>,
    /// Variables that have neither sample nor default.
    pub missing: Vec<String>,
}
