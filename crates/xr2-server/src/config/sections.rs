//! The sections of the configuration file, as they are read.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::duration;

/// `[sqlite]`
#[derive(Debug, Clone, Deserialize)]
pub struct Sqlite {
    /// What a commit waits for.
    pub synchronous: Synchronous,
}

/// `sqlite.synchronous`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Synchronous {
    /// Survives a killed process.
    Normal,
    /// Survives a power cut.
    Full,
}

/// `[postgres]`
#[derive(Debug, Clone, Deserialize)]
pub struct Postgres {
    /// Connections at most.
    pub max_connections: u32,
    #[serde(deserialize_with = "duration::read")]
    pub(super) replica_max_lag: Duration,
}

/// `[auth]`
#[derive(Debug, Clone, Deserialize)]
pub struct Auth {
    pub(super) registration: RegistrationSetting,
    pub(super) session_days: u32,
    /// Failed sign-ins per account in 15 minutes.
    pub attempts_per_account: u32,
    /// Sign-ins and registrations per network in 15 minutes.
    pub attempts_per_network: u32,
    /// Memory of one password hash in KiB.
    pub argon2_memory_kib: u32,
    /// Passes of one password hash over its memory.
    pub argon2_iterations: u32,
    /// How long known keys are accepted without the database.
    #[serde(deserialize_with = "duration::read")]
    pub max_stale: Duration,
}

/// `[delivery]`
#[derive(Debug, Clone, Deserialize)]
pub struct Delivery {
    /// How long prompts are delivered without the database.
    #[serde(deserialize_with = "duration::read")]
    pub max_stale: Duration,
    /// Whether to keep a snapshot for starts without the database.
    pub snapshot: bool,
    /// How long Redis keeps what was read for a prompt.
    #[serde(deserialize_with = "duration::read")]
    pub shared_for: Duration,
}

/// `[resilience]`
#[derive(Debug, Clone, Deserialize)]
pub struct Resilience {
    #[serde(deserialize_with = "duration::read")]
    pub(super) connect_timeout: Duration,
    #[serde(deserialize_with = "duration::read")]
    pub(super) acquire_timeout: Duration,
    #[serde(deserialize_with = "duration::read")]
    pub(super) statement_timeout: Duration,
    pub(super) database_failures: u32,
    #[serde(deserialize_with = "duration::read")]
    pub(super) database_pause: Duration,
    #[serde(deserialize_with = "duration::read")]
    pub(super) redis_timeout: Duration,
    /// How long a request waits for Redis before it goes without.
    #[serde(deserialize_with = "duration::read")]
    pub redis_patience: Duration,
    pub(super) redis_failures: u32,
    #[serde(deserialize_with = "duration::read")]
    pub(super) redis_pause: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RegistrationSetting {
    Auto,
    Open,
    Invite,
    Closed,
}

/// Who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Anyone who reaches the server.
    Open,
    /// Only with an invitation.
    Invite,
    /// Nobody.
    Closed,
}

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
pub struct Http {
    /// How long the head of a request may take.
    #[serde(deserialize_with = "duration::read")]
    pub header_timeout: Duration,
    /// How long a body may take before it has to come at [`Http::body_rate`].
    #[serde(deserialize_with = "duration::read")]
    pub body_timeout: Duration,
    /// Bytes a second that a body has to bring at least, on the whole.
    pub body_rate: u32,
    /// How long a connection may be without a request.
    #[serde(deserialize_with = "duration::read")]
    pub idle_timeout: Duration,
    /// Requests at the same time on one HTTP/2 connection.
    pub streams_per_connection: u32,
}

/// `[tls]`
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TlsFiles {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
pub struct Limits {
    /// Bytes of one version's text.
    pub content_bytes: usize,
    /// Bytes of a request body.
    pub body_bytes: usize,
    /// Bytes of a file that is imported.
    pub import_bytes: u64,
    /// Bytes of a request's headers.
    pub header_bytes: usize,
    /// Connections in all.
    pub connections: usize,
    /// Bytes of compiled prompts in memory.
    pub cache_bytes: u64,
    /// Bytes of bundles in memory.
    pub bundle_bytes: u64,
    /// Streams in all.
    pub streams: usize,
    /// Streams of one key or session.
    pub streams_per_caller: usize,
    /// Requests a minute of a key that has no limit of its own; 0: as many as anybody likes.
    pub requests_per_key: u32,
    /// Requests a minute without a valid key or session, by network; 0: as many as anybody likes.
    pub requests_per_network: u32,
    /// Deliveries a month of a workspace; 0: as many as anybody likes.
    pub calls_per_month: u64,
    /// How long Redis keeps what a node that has fallen silent holds of limits.
    #[serde(deserialize_with = "duration::read")]
    pub lent_for: Duration,
}

/// `[stream]`
#[derive(Debug, Clone, Deserialize)]
pub struct Stream {
    pub(super) heartbeat: f64,
    pub(super) stall: f64,
    /// Revisions that are replayed at most.
    pub replay_revisions: i64,
    /// Bytes of what is kept for replaying.
    pub replay_bytes: usize,
}

impl Stream {
    /// Between two signs of life.
    pub fn heartbeat(&self) -> Duration {
        Duration::from_secs_f64(self.heartbeat)
    }

    /// How long a client may take nothing of what it is sent.
    pub fn stall(&self) -> Duration {
        Duration::from_secs_f64(self.stall)
    }
}

/// `[bin]`
#[derive(Debug, Clone, Deserialize)]
pub struct Bin {
    /// Days until purged; 0 is never.
    pub retention_days: u32,
}

/// `[usage]`
#[derive(Debug, Clone, Deserialize)]
pub struct UsageSettings {
    /// Days single deliveries are kept; 0 is for good.
    pub retention_days: u32,
    /// Deliveries that wait to be written at most.
    pub buffer_events: usize,
}

/// `[clients]`
#[derive(Debug, Clone, Deserialize)]
pub struct Clients {
    /// How long one may not have been heard of before it counts as silent.
    #[serde(deserialize_with = "duration::read")]
    pub silent_after: Duration,
}

/// What a node is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    /// Answers requests.
    Api,
    /// Does what was put off.
    Worker,
}

/// `[jobs]`
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Jobs {
    pub(super) concurrency: usize,
    #[serde(deserialize_with = "duration::read")]
    pub(super) lease: Duration,
    pub(super) keep_dead_days: u32,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
pub struct Log {
    /// Filter directives.
    pub level: String,
    /// Shape of a line.
    pub format: LogFormat,
}

/// `log.format`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    Auto,
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// `[metrics]`
#[derive(Clone, Deserialize)]
pub struct Metrics {
    /// Bearer token of `/metrics`; empty: open.
    pub token: String,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").field("token", &(!self.token.is_empty()).then_some("…")).finish()
    }
}
