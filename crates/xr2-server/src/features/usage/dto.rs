//! What analytics answer.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clock::Time;

/// Usage of a workspace in a period. Fetches by the dashboard count nowhere.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageAnalytics {
    /// `24h`, `7d` or `30d`.
    #[schema(example = "24h")]
    pub period: &'static str,
    /// Its beginning: a full hour, or midnight UTC.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub from: Time,
    /// All prompts together.
    pub summary: UsageSummary,
    /// The prompts used most, at most a hundred.
    pub prompts: Vec<PromptUsage>,
    /// One point an hour (`24h`) or a day.
    pub time_series: Vec<UsagePoint>,
}

/// Requests and how they went.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct UsageSummary {
    /// Deliveries, those that SDKs read from memory included.
    pub total_requests: i64,
    /// Those answered with an error.
    pub total_errors: i64,
    /// Share of errors, 0 to 1; null without requests.
    pub error_rate: Option<f64>,
    /// Mean milliseconds to an answer; null when nobody measured.
    pub avg_response_time: Option<f64>,
    /// Different users; clients that name none count by their address.
    pub unique_users: i64,
}

/// Usage of one prompt.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromptUsage {
    /// The prompt's id.
    pub prompt_id: Uuid,
    /// Its slug; null when it has been removed for good.
    pub slug: Option<String>,
    /// What people call it.
    pub title: Option<String>,
    /// Sums.
    #[serde(flatten)]
    pub sums: UsageSummary,
    /// Days on which it was used.
    pub active_days: i64,
    /// When it was used last.
    #[serde(with = "crate::clock::micros::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used: Option<Time>,
}

/// One point of a series.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsagePoint {
    /// Its beginning.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Time,
    /// Deliveries.
    pub requests: i64,
    /// Those answered with an error.
    pub errors: i64,
    /// Mean milliseconds to an answer.
    pub avg_response_time: Option<f64>,
}

/// What became of one prompt in a period. Figures of runs against models are null while none are reported.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromptAnalytics {
    /// The prompt's id.
    pub prompt_id: Uuid,
    /// Its slug.
    pub slug: String,
    /// `24h`, `7d` or `30d`.
    pub period: &'static str,
    /// Runs.
    pub total_executions: Option<i64>,
    /// Share of runs that went well.
    pub success_rate: Option<f64>,
    /// Mean milliseconds of a run.
    pub avg_latency: Option<f64>,
    /// Tokens of all runs.
    pub total_tokens: Option<i64>,
    /// What all runs cost, in dollars.
    pub total_cost: Option<String>,
    /// Runs by provider.
    #[schema(value_type = Option<Object>)]
    pub by_provider: Option<BTreeMap<String, Value>>,
    /// Runs by model.
    #[schema(value_type = Option<Object>)]
    pub by_model: Option<BTreeMap<String, Value>>,
    /// Deliveries.
    pub deliveries: PromptDeliveries,
    /// One point an hour (`24h`) or a day.
    pub daily_trend: Vec<UsagePoint>,
}

/// Deliveries of one prompt.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromptDeliveries {
    /// Sums.
    #[serde(flatten)]
    pub sums: UsageSummary,
    /// Milliseconds to an answer.
    pub response_time: ResponseTime,
    /// Days on which it was used.
    pub active_days: i64,
    /// When it was used last.
    #[serde(with = "crate::clock::micros::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used: Option<Time>,
    /// By what was delivered.
    pub by_version: Vec<VersionUsage>,
    /// By the key it was asked with.
    pub by_key: Vec<KeyUsage>,
    /// By the way it was asked: `api`, `sdk`.
    pub by_source: BTreeMap<String, i64>,
}

/// Percentiles, right to one in a hundred.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct ResponseTime {
    /// Half were quicker.
    pub p50: Option<f64>,
    /// 95 of 100 were quicker.
    pub p95: Option<f64>,
    /// 99 of 100 were quicker.
    pub p99: Option<f64>,
}

/// Deliveries of a version under a label.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionUsage {
    /// The version; null when there was none to deliver.
    pub version: Option<i64>,
    /// The label it was asked for by; null for a version asked for by itself.
    pub label: Option<String>,
    /// The variant of a test.
    pub variant: Option<String>,
    /// Deliveries.
    pub requests: i64,
    /// Those answered with an error.
    pub errors: i64,
}

/// Deliveries with a key.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyUsage {
    /// The key's id; null without a key.
    pub id: Option<Uuid>,
    /// Its name; null when it is gone.
    pub name: Option<String>,
    /// Deliveries.
    pub requests: i64,
}
