//! The JSON document of a workspace, as it is written and read. What is not there is what it is by default, so that a
//! document written by hand can be short.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::clock::Time;
use crate::events::Actor;

/// What `format` says.
pub const FORMAT: &str = "xr2";
/// What `version` says: documents of a later one are refused.
pub const VERSION: i64 = 1;

/// The workspace itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Workspace {
    /// Its slug; for people.
    #[serde(default)]
    pub slug: String,
    /// Its name; for people.
    #[serde(default)]
    pub name: String,
    /// Its settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Box<RawValue>>,
}

/// A label of the workspace.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// Its colour.
    #[serde(default)]
    pub color: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether only admins may move it.
    #[serde(default)]
    pub protected: bool,
    /// By whom.
    #[serde(default)]
    pub created_by: Option<Actor>,
    /// When made.
    #[serde(default, with = "crate::clock::micros::option")]
    pub created_at: Option<Time>,
}

/// A prompt with everything that belongs to it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Prompt {
    /// How programs call it.
    pub slug: String,
    /// What people call it; the slug when absent.
    #[serde(default)]
    pub title: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// One word to sort by.
    #[serde(default)]
    pub category: Option<String>,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Free JSON object.
    #[serde(default)]
    pub metadata: Option<Box<RawValue>>,
    /// Whether it is archived.
    #[serde(default)]
    pub archived: bool,
    /// By whom it was made.
    #[serde(default)]
    pub created_by: Option<Actor>,
    /// When.
    #[serde(default, with = "crate::clock::micros::option")]
    pub created_at: Option<Time>,
    /// Who changed it last.
    #[serde(default)]
    pub updated_by: Option<Actor>,
    /// When.
    #[serde(default, with = "crate::clock::micros::option")]
    pub updated_at: Option<Time>,
    /// Since when it is in the bin.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::clock::micros::option")]
    pub deleted_at: Option<Time>,
    /// Who put it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_by: Option<Actor>,
    /// Slugs that it had and that keep delivering.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_slugs: Vec<FormerSlug>,
    /// Where its labels point.
    #[serde(default)]
    pub labels: Vec<Pointer>,
    /// Where they pointed before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub label_history: Vec<Move>,
    /// What is being worked on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drafts: Vec<Draft>,
    /// Its versions, the oldest first. Written last, because they are many.
    #[serde(default)]
    pub versions: Vec<Version>,
}

/// A slug that a prompt had.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FormerSlug {
    /// The slug.
    pub slug: String,
    /// Since when it is the prompt's.
    #[serde(default, with = "crate::clock::micros::option")]
    pub created_at: Option<Time>,
}

/// A label of a prompt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pointer {
    /// Its name.
    pub label: String,
    /// The version it points at.
    pub version: i64,
    /// Why.
    #[serde(default)]
    pub comment: Option<String>,
    /// By whom.
    #[serde(default)]
    pub moved_by: Option<Actor>,
    /// When.
    #[serde(default, with = "crate::clock::micros::option")]
    pub moved_at: Option<Time>,
}

/// A move of a label.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Move {
    /// The label.
    pub label: String,
    /// `published`, `rolled_back`, `moved`, `removed` or `restored`.
    pub action: String,
    /// Where it pointed before.
    #[serde(default)]
    pub from_version: Option<i64>,
    /// Where it pointed then.
    #[serde(default)]
    pub to_version: Option<i64>,
    /// Why.
    #[serde(default)]
    pub comment: Option<String>,
    /// By whom.
    #[serde(default)]
    pub moved_by: Option<Actor>,
    /// When.
    #[serde(default, with = "crate::clock::micros::option")]
    pub moved_at: Option<Time>,
}

/// The substance of a version or draft.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Substance {
    /// `text` or `chat`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `simple`, `jinja` or `none`; found out when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub syntax: Option<String>,
    /// The text of a text prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The messages of a chat prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<Box<RawValue>>,
    /// Declared variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variables: Option<Box<RawValue>>,
    /// Model settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Box<RawValue>>,
}

/// A version of a prompt.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Version {
    /// Its number, from 1; in the order of the list when absent.
    #[serde(default)]
    pub number: Option<i64>,
    /// The version it was made from.
    #[serde(default)]
    pub parent: Option<i64>,
    /// The line it belongs to; `main` when absent.
    #[serde(default)]
    pub branch: Option<String>,
    /// Why it was made.
    #[serde(default)]
    pub origin: Option<String>,
    /// What changed.
    #[serde(default)]
    pub change_summary: Option<String>,
    /// By whom.
    #[serde(default)]
    pub created_by: Option<Actor>,
    /// When.
    #[serde(default, with = "crate::clock::micros::option")]
    pub created_at: Option<Time>,
    /// Its text or messages, variables, settings.
    pub source: Substance,
}

/// A draft of a prompt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Draft {
    /// The line it belongs to.
    pub branch: String,
    /// Counts saves.
    pub revision: i64,
    /// The version it was begun from.
    pub base_version: i64,
    /// Who saved last.
    #[serde(default)]
    pub updated_by: Option<Actor>,
    /// When.
    #[serde(default, with = "crate::clock::micros::option")]
    pub updated_at: Option<Time>,
    /// Its text or messages, variables, settings.
    pub source: Substance,
}
