//! The prompt as it stands in answers.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::{Access, Right};
use crate::clock::Time;
use crate::events::Actor;
use crate::features::prompts::PromptRow;

/// A prompt.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Prompt {
    /// Its id.
    pub id: Uuid,
    /// How programs call it.
    pub slug: String,
    /// What people call it.
    pub title: String,
    /// What it is for.
    pub description: Option<String>,
    /// `text` or `chat`, of the newest version.
    #[serde(rename = "type")]
    #[schema(example = "text")]
    pub kind: String,
    /// `simple`, `jinja` or `none`, of the newest version.
    #[schema(example = "simple")]
    pub syntax: String,
    /// One word to sort by.
    pub category: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Free JSON object.
    pub metadata: Value,
    /// Folders it stands in.
    pub folder_ids: Vec<Uuid>,
    /// Whether it is one of the caller's favourites.
    pub favourite: bool,
    /// Hidden from lists, read-only, still delivered.
    pub archived: bool,
    /// Which label points at which version.
    pub labels: BTreeMap<String, i64>,
    /// Newest version on `main`.
    pub latest_version: i64,
    /// Whether a draft on `main` waits.
    pub has_draft: bool,
    /// What `production` delivers.
    pub live: Option<Live>,
    /// Beginning of the newest text.
    pub excerpt: String,
    /// When a client last fetched it.
    #[serde(with = "crate::clock::micros::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_fetched_at: Option<Time>,
    /// When clients last fetched it by each label or version, and with which key; the latest first.
    pub fetches: Vec<LastFetch>,
    /// When made.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
    /// By whom.
    pub created_by: Actor,
    /// When last changed.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Time,
    /// By whom.
    pub updated_by: Actor,
    /// When it went to the bin.
    #[serde(with = "crate::clock::micros::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub deleted_at: Option<Time>,
    /// Who put it there.
    pub deleted_by: Option<Actor>,
    /// When it will go for good, if it stays in the bin.
    #[serde(with = "crate::clock::micros::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub purge_at: Option<Time>,
    /// What the caller may do with it.
    pub can: Can,
}

/// When a label or version of a prompt was last fetched.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LastFetch {
    /// The label; null for a version asked for by itself.
    pub label: Option<String>,
    /// The version asked for by itself.
    pub version: Option<i64>,
    /// When.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub last_fetched_at: Time,
    /// With which key; null when it is gone.
    pub key: Option<FetchKey>,
}

/// A key by its name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FetchKey {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// What is live.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Live {
    /// Its number.
    pub version: i64,
    /// Since when.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub since: Time,
    /// By whom.
    pub by: Actor,
}

/// What the caller may do with a prompt.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Can {
    /// Change it and save drafts.
    pub edit: bool,
    /// Make a version live.
    pub publish: bool,
    /// Put it into the bin.
    pub delete: bool,
    /// Who asks, if it is a person: for what is theirs alone.
    #[serde(skip)]
    #[schema(ignore)]
    pub person: Option<Uuid>,
}

impl Can {
    /// Of this caller.
    pub fn of(access: &Access) -> Can {
        Can {
            edit: access.rights.has(Right::Write),
            publish: access.rights.has(Right::Publish),
            delete: access.rights.has(Right::Remove),
            person: access.caller.user().ok().map(|user| user.id),
        }
    }
}

/// A label on a prompt, as far as the entity shows it.
#[derive(Debug, Clone)]
pub struct LabelPointer {
    /// The prompt.
    pub prompt: Uuid,
    /// The label.
    pub label: String,
    /// What it points at.
    pub version: i64,
    /// Since when.
    pub moved_at: Time,
    /// By whom.
    pub moved_by: Actor,
}

/// What an entity shows beside the prompt's row.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// Which label points where.
    pub labels: Vec<LabelPointer>,
    /// Whether a draft on `main` waits.
    pub has_draft: bool,
    /// When it was last fetched, the latest first.
    pub fetches: Vec<LastFetch>,
    /// The folders it stands in.
    pub folder_ids: Vec<Uuid>,
    /// Whether it is one of the caller's favourites.
    pub favourite: bool,
}

impl Prompt {
    /// Tells when the prompt will go, if it is in the bin; `days`: how long things stay there, 0 for good.
    pub fn going_after(mut self, days: u32) -> Prompt {
        let days = i64::from(days);
        self.purge_at = self.deleted_at.filter(|_| days > 0).map(|at| at + chrono::TimeDelta::days(days));
        self
    }

    /// Puts the entity together.
    pub fn assemble(row: PromptRow, beside: Beside, can: Can) -> Prompt {
        let Beside { labels, has_draft, fetches, folder_ids, favourite } = beside;
        let live = labels.iter().find(|pointer| pointer.label == "production").map(|pointer| Live {
            version: pointer.version,
            since: pointer.moved_at,
            by: pointer.moved_by.clone(),
        });
        Prompt {
            id: row.id,
            slug: row.slug,
            title: row.title,
            description: row.description,
            kind: row.kind,
            syntax: row.syntax,
            category: row.category,
            tags: row.tags,
            metadata: row.metadata,
            folder_ids,
            favourite,
            archived: row.archived,
            labels: labels.into_iter().map(|pointer| (pointer.label, pointer.version)).collect(),
            latest_version: row.latest_version,
            has_draft,
            live,
            excerpt: row.excerpt,
            last_fetched_at: fetches.first().map(|fetch| fetch.last_fetched_at),
            fetches,
            created_at: row.created_at,
            created_by: row.created_by,
            updated_at: row.updated_at,
            updated_by: row.updated_by,
            deleted_at: row.deleted_at,
            deleted_by: row.deleted_by,
            purge_at: None,
            can,
        }
    }
}
