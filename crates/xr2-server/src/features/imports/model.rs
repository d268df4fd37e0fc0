//! What an import is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clock::Time;
use crate::events::Actor;
use crate::features::imports::options::{Format, OnConflict};

/// Where an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its file is being read.
    Reading,
    /// It is about to begin.
    Waiting,
    /// It is being worked on.
    Running,
    /// It was tried out: apply it, or leave it.
    Checked,
    /// It is over.
    Done,
    /// It could not be done; see `message`.
    Failed,
    /// Somebody has ended it; what was brought in before stays.
    Cancelled,
}

impl State {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Reading => "reading",
            State::Waiting => "waiting",
            State::Running => "running",
            State::Checked => "checked",
            State::Done => "done",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
        }
    }
}

impl std::str::FromStr for State {
    type Err = ();

    fn from_str(text: &str) -> Result<State, ()> {
        serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(drop)
    }
}

/// How many rows have come to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Made.
    pub created: i64,
    /// Given a new version, or other facts.
    pub updated: i64,
    /// There already, the same.
    pub unchanged: i64,
    /// Left as they were.
    pub skipped: i64,
    /// Not brought in; each row says why.
    pub failed: i64,
}

/// An import.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Import {
    /// Its id.
    pub id: Uuid,
    /// Where it is.
    pub state: State,
    /// What the file is.
    pub format: Format,
    /// What the file is called.
    #[schema(example = "team.csv")]
    pub name: String,
    /// Whether it only tells what would happen.
    pub dry_run: bool,
    /// Whether one wrong row keeps all others out.
    pub all_or_nothing: bool,
    /// What becomes of what is there.
    pub on_conflict: OnConflict,
    /// Rows in the file.
    pub total: i64,
    /// Rows looked at.
    pub done: i64,
    /// What they came to; in a dry run, what they would come to.
    pub counts: Counts,
    /// Why it could not be done, or what to know of the whole.
    pub message: Option<String>,
    /// What did not stop it, but deserves a look.
    pub warnings: Vec<String>,
    /// By whom.
    pub created_by: Actor,
    /// When.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
    /// When something happened last.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Time,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing yet.
    Pending,
    /// Made.
    Created,
    /// Given a new version, or other facts.
    Updated,
    /// There already, the same.
    Unchanged,
    /// Left as it was.
    Skipped,
    /// Not brought in.
    Failed,
}

impl Status {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Created => "created",
            Status::Updated => "updated",
            Status::Unchanged => "unchanged",
            Status::Skipped => "skipped",
            Status::Failed => "failed",
        }
    }
}

impl std::str::FromStr for Status {
    type Err = ();

    fn from_str(text: &str) -> Result<Status, ()> {
        serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(drop)
    }
}

impl Counts {
    /// Counts a row.
    pub fn add(&mut self, status: Status) {
        match status {
            Status::Created => self.created += 1,
            Status::Updated => self.updated += 1,
            Status::Unchanged => self.unchanged += 1,
            Status::Skipped => self.skipped += 1,
            Status::Failed => self.failed += 1,
            Status::Pending => {}
        }
    }

    /// Rows in all.
    pub fn sum(self) -> i64 {
        self.created + self.updated + self.unchanged + self.skipped + self.failed
    }
}

/// A row of an import, as its report shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReportRow {
    /// Its number, from 1.
    pub number: i64,
    /// Where it stands in the file.
    #[schema(example = "team.csv line 7")]
    pub place: String,
    /// `prompt`, `label`, `settings`; empty for what cannot be read.
    #[schema(example = "prompt")]
    pub kind: String,
    /// The slug it has, or the name.
    #[schema(example = "welcome")]
    pub slug: String,
    /// Its title.
    pub title: String,
    /// What became of it.
    pub status: Status,
    /// Why, or what to know.
    pub message: Option<String>,
}

/// An import with the first rows that deserve a look.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportReport {
    /// The import.
    #[serde(flatten)]
    pub import: Import,
    /// Its first hundred rows, those that failed or were skipped before the others.
    pub rows: Vec<ReportRow>,
}
