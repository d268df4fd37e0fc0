//! What is told of what happened.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clock::Time;
use crate::events::Actor;

/// Something that happened.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ActivityItem {
    /// Its id.
    pub id: Uuid,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(example = "prompt.published")]
    pub kind: String,
    /// When.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Time,
    /// Who did it, as they were called then.
    pub actor: Actor,
    /// To what.
    pub resource: ActivityResource,
    /// How it was, as far as it changed; long texts are cut.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// How it is since, as far as it changed; long texts are cut.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
}

/// What something happened to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ActivityResource {
    /// `prompt`, `label`, `folder`, `api_key`, `user`, …
    #[serde(rename = "type")]
    #[schema(example = "prompt")]
    pub kind: String,
    /// Its id, where it has one.
    pub id: Option<Uuid>,
    /// Its slug or name then.
    pub name: Option<String>,
}

/// What the dashboard begins with.
#[derive(Debug, Serialize, ToSchema)]
pub struct Home {
    /// What changed lately, the latest first.
    pub recent: Vec<ActivityItem>,
    /// The caller's drafts, the latest first.
    pub drafts: Vec<MyDraft>,
    /// Deliveries of the last 7 days.
    pub calls: Calls,
    /// How far the workspace has come.
    pub onboarding: Onboarding,
}

/// A draft that the caller saved last.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MyDraft {
    /// Id of its prompt.
    pub prompt_id: Uuid,
    /// Slug of its prompt.
    pub slug: String,
    /// Title of its prompt.
    pub title: String,
    /// The line it belongs to.
    pub branch: String,
    /// When it was last saved.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Time,
}

/// Deliveries of 7 days, and of the 7 before.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Calls {
    /// Deliveries of the last 7 days; those to the dashboard do not count.
    pub calls: i64,
    /// How many of them failed.
    pub errors: i64,
    /// Deliveries of the 7 days before.
    pub calls_before: i64,
    /// How many of them failed.
    pub errors_before: i64,
}

/// Steps of somebody new.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "a list of steps, each done or not")]
pub struct Onboarding {
    /// There is a prompt.
    pub has_prompt: bool,
    /// One of them is live.
    pub has_published: bool,
    /// There is an API key.
    pub has_key: bool,
    /// A program has fetched something.
    pub has_call: bool,
}
