//! What SDKs report and what is answered.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clock::Time;

/// What an instance of a client reports. Fields that are not known are ignored: newer clients say more.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Report {
    /// Which instance: a UUID made when it starts, or anything else that stays the same as long as it runs.
    #[schema(min_length = 1, max_length = 100)]
    pub instance: String,
    /// Name and version of the SDK.
    #[serde(default)]
    #[schema(max_length = 100, example = "python/0.1.0")]
    pub sdk: Option<String>,
    /// The revision it has applied.
    #[serde(default)]
    pub revision: Option<i64>,
    /// Whether a stream keeps it up to date; polling does otherwise.
    #[serde(default)]
    pub stream: Option<bool>,
    /// What it serves now, of what it has used; absent: the same as last time.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub serving: Option<Vec<ServingReport>>,
    /// Reads from its memory, added up.
    #[serde(default)]
    #[schema(max_items = 1000, value_type = Vec<ReportedEvent>)]
    pub events: Vec<Box<RawValue>>,
}

/// What an instance serves for a label.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct ServingReport {
    /// Slug, former slug or id.
    pub prompt: String,
    /// The label; `production` when absent.
    #[serde(default)]
    pub label: Option<String>,
    /// The version.
    pub version: i64,
    /// Since when.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub since: Option<String>,
}

/// Reads of one version, added up.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ReportedEvent {
    /// Chosen by the client; the same one counts once within seven days.
    #[schema(min_length = 1, max_length = 100)]
    pub id: String,
    /// `delivery`.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// Slug, former slug or id.
    pub prompt: String,
    /// The version that was read.
    #[serde(default)]
    pub version: Option<i64>,
    /// The label it was read by.
    #[serde(default)]
    pub label: Option<String>,
    /// The variant of a test.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub variant: Option<String>,
    /// The user it was for.
    #[serde(default)]
    pub user_id: Option<String>,
    /// When; at most seven days ago.
    #[schema(format = DateTime)]
    pub at: String,
    /// How many reads; one when absent.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1000000)]
    pub count: Option<i64>,
    /// Microseconds a read took: a number, or percentiles of them.
    #[serde(default)]
    pub latency_us: Option<ReportedLatency>,
    /// Code of the error that the reads ended with.
    #[serde(default)]
    pub error: Option<String>,
}

/// A number, or percentiles.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ReportedLatency {
    /// Of each.
    Number(f64),
    /// Of all.
    Percentiles {
        /// Half took less.
        p50: f64,
    },
}

/// What became of a report.
#[derive(Debug, Serialize, ToSchema)]
pub struct Received {
    /// Events that count.
    pub accepted: i64,
    /// Events that counted before.
    pub duplicates: i64,
    /// Events that do not count.
    pub rejected: Vec<Rejected>,
}

/// An event that does not count.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rejected {
    /// Its place in the report, from 0.
    pub index: usize,
    /// Why.
    pub message: String,
}

/// Instances of clients that were heard of in the last two minutes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Clients {
    /// The workspace's revision.
    pub revision: i64,
    /// When this was so, by the server's clock, which is that of all times here.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Time,
    /// The instances, at most a thousand: those that are behind first, else by name.
    pub instances: Vec<ClientInstance>,
    /// All of them.
    pub counts: ClientCounts,
}

/// How many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClientCounts {
    /// Instances (with a filter: those that serve it).
    pub total: i64,
    /// Those that have the latest.
    pub current: i64,
    /// Those that have not got the latest and have not been heard of for `clients.silent_after` (40 seconds, where
    /// nobody has set it): they report every 30.
    pub silent: i64,
}

/// A running program with an SDK.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClientInstance {
    /// As it calls itself.
    pub instance: String,
    /// Name and version of its SDK.
    pub sdk: String,
    /// The key it uses.
    pub key: Option<ClientKey>,
    /// The revision it has applied.
    pub revision: i64,
    /// Whether it has the latest: with a filter, whether it serves what the label points at; else whether it has
    /// applied the workspace's revision.
    pub current: bool,
    /// Whether it has not been heard of for `clients.silent_after` (40 seconds, where nobody has set it).
    pub silent: bool,
    /// When it reported last.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Time,
    /// When it reported first.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Time,
    /// What it serves.
    pub serving: Vec<ClientServing>,
    /// Whether a stream keeps it up to date.
    pub stream: bool,
}

/// A key by its name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClientKey {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// What an instance serves for a label.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClientServing {
    /// The prompt's id.
    pub prompt: Uuid,
    /// Its slug.
    pub slug: Option<String>,
    /// The label.
    pub label: String,
    /// The version.
    pub version: i64,
    /// Since when, as far as it says.
    #[serde(with = "crate::clock::micros::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Time>,
}
