//! What a bulk request says, and what is answered.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::{ApiError, Code};
use crate::features::prompts::dto::nullable;

/// What can be done to many prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkAction {
    /// Add `tags`.
    Tag,
    /// Take `tags` away.
    Untag,
    /// Make `category` theirs; null: none.
    SetCategory,
    /// Into `folder` as well.
    AddToFolder,
    /// Into `folder` and out of all others; null: out of all.
    MoveToFolder,
    /// Out of `folder`.
    RemoveFromFolder,
    /// Hide from lists, read-only, delivered as before.
    Archive,
    /// Back in lists.
    Unarchive,
    /// Point `label` at `version`.
    Label,
    /// Take `label` off.
    Unlabel,
    /// Into the bin.
    Delete,
    /// Out of the bin.
    Restore,
    /// Out of the bin for good; admins only.
    Purge,
    /// Copy each; the copies are not live.
    Duplicate,
}

/// A version's number, or `latest`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum BulkVersion {
    /// A number.
    Number(i64),
    /// `latest`, or a number as text.
    Word(String),
}

/// One thing to be done to many prompts.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bulk {
    /// What.
    pub action: BulkAction,
    /// To which: slugs or ids, at most 1,000.
    #[schema(max_items = 1000, example = json!(["welcome-message", "goodbye"]))]
    pub prompts: Vec<String>,
    /// For `tag` and `untag`.
    #[schema(max_items = 50)]
    pub tags: Option<Vec<String>>,
    /// For `set_category`; null empties it.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, max_length = 100)]
    pub category: Option<Option<String>>,
    /// For `add_to_folder`, `move_to_folder` and `remove_from_folder`: the folder's id.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Uuid>)]
    pub folder: Option<Option<Uuid>>,
    /// For `label` and `unlabel`.
    #[schema(max_length = 50)]
    pub label: Option<String>,
    /// For `label`: a number, or `"latest"` for each prompt's newest version.
    #[schema(value_type = Option<Value>, example = "latest")]
    pub version: Option<BulkVersion>,
    /// For `label`: why; stands in the labels' history.
    #[schema(max_length = 1000)]
    pub comment: Option<String>,
    /// For `delete` and `unlabel`: even what is in use.
    pub force: Option<bool>,
    /// Whether a prompt that fails takes back what was done to the others.
    pub all_or_nothing: Option<bool>,
}

/// What a bulk request came to.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct BulkDone {
    /// Of each prompt, in the order asked for.
    pub results: Vec<BulkResult>,
    /// How many were changed.
    pub done: usize,
    /// How many were as asked for already.
    pub unchanged: usize,
    /// How many failed.
    pub failed: usize,
    /// Set when all or nothing was asked for and something failed: then nothing was changed.
    pub rolled_back: bool,
}

/// What came of one prompt.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkResult {
    /// As it was named.
    pub prompt: String,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Its slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Whether it was done.
    pub status: BulkStatus,
    /// Where the label pointed before, after `label` and `unlabel`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_version: Option<i64>,
    /// The new prompt, after `duplicate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<Copied>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<BulkError>,
}

/// Whether it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkStatus {
    /// It was.
    Done,
    /// There was nothing to do.
    Unchanged,
    /// It could not be; `error` says why.
    Failed,
}

/// Why one prompt failed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BulkError {
    /// As of the request for that prompt alone.
    #[schema(example = "NOT_FOUND")]
    pub code: String,
    /// In plain words.
    pub message: String,
    /// Machine-readable particulars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

/// A copy.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Copied {
    /// Its id.
    pub id: Uuid,
    /// Its slug.
    pub slug: String,
}

/// What became of a prompt.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub slug: Option<String>,
    pub end: End,
}

#[derive(Debug, Clone)]
pub(super) enum End {
    Done { previous_version: Option<i64>, copy: Option<Copied> },
    Unchanged,
    Failed(ApiError),
}

impl End {
    pub fn done() -> End {
        End::Done { previous_version: None, copy: None }
    }

    /// Done, or there was nothing to do.
    pub fn when(changed: bool) -> End {
        if changed { End::done() } else { End::Unchanged }
    }
}

impl Outcome {
    pub fn failed(slug: Option<String>, error: ApiError) -> Outcome {
        Outcome { slug, end: End::Failed(error) }
    }

    pub fn is_done(&self) -> bool {
        matches!(self.end, End::Done { .. })
    }

    pub fn is_failed(&self) -> bool {
        matches!(self.end, End::Failed(_))
    }

    /// Whether it was refused because something uses the prompt.
    pub fn is_in_use(&self) -> bool {
        matches!(&self.end, End::Failed(error) if error.code == Code::InUse)
    }

    /// The same prompt, named once more.
    pub fn again(self) -> Outcome {
        match self.end {
            End::Failed(_) => self,
            End::Done { .. } | End::Unchanged => Outcome { end: End::Unchanged, ..self },
        }
    }

    pub fn result(self, prompt: String, id: Option<Uuid>) -> BulkResult {
        let mut result = BulkResult {
            prompt,
            id,
            slug: self.slug,
            status: BulkStatus::Unchanged,
            previous_version: None,
            copy: None,
            error: None,
        };
        match self.end {
            End::Unchanged => {}
            End::Done { previous_version, copy } => {
                result = BulkResult { status: BulkStatus::Done, previous_version, copy, ..result };
            }
            End::Failed(ApiError { code, message, details, .. }) => {
                let error = BulkError { code: code.as_str().to_owned(), message, details };
                result = BulkResult { status: BulkStatus::Failed, error: Some(error), ..result };
            }
        }
        result
    }
}
