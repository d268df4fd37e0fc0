//! What must hold of settings: everything that does not is told at once.

use std::time::Duration;

use super::{Config, ConfigError, TlsFiles};

/// The shortest time that is taken for meant.
const SHORTEST: Duration = Duration::from_millis(10);

#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn demand(&mut self, holds: bool, key: &str, message: &str) {
        if !holds {
            self.0.push(format!("{key}: {message}"));
        }
    }

    fn demand_times(&mut self, times: &[(&str, Duration)]) {
        for (key, value) in times {
            self.demand(*value >= SHORTEST, key, "must be at least 10ms");
        }
    }
}

impl Config {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Problems::default();
        self.check_addresses(&mut problems);
        self.check_auth(&mut problems);
        self.check_jobs(&mut problems);
        self.check_limits(&mut problems);
        self.check_http(&mut problems);
        self.check_resilience(&mut problems);
        self.check_stream(&mut problems);
        self.check_clients(&mut problems);
        self.check_storage(&mut problems);
        if problems.0.is_empty() { Ok(()) } else { Err(ConfigError::new(problems.0.join("\n"))) }
    }

    fn check_addresses(&self, problems: &mut Problems) {
        let url = &self.public_url;
        problems.demand(
            url.is_empty() || url.starts_with("http://") || url.starts_with("https://"),
            "public_url",
            "must begin with http:// or https://",
        );
        problems.demand(!url.ends_with('/'), "public_url", "must not end with a slash");
        problems.demand(
            self.database.is_empty()
                || self.database.starts_with("sqlite:")
                || self.database.starts_with("postgres"),
            "database",
            "must be empty, sqlite:PATH or postgres://…",
        );
        problems.demand(
            self.database_replicas.iter().all(|address| address.starts_with("postgres"))
                && (self.database_replicas.is_empty() || self.is_postgres()),
            "database_replicas",
            "must be postgres://… addresses, beside a database that is one",
        );
        if let Some(Err(error)) = self.redis_address().map(xr2_bus::check_address) {
            problems.demand(false, "redis", &error.to_string());
        }
    }

    fn check_auth(&self, problems: &mut Problems) {
        let auth = &self.auth;
        problems.demand(
            self.secret_key.is_empty() || self.secret_key_file.is_empty(),
            "secret_key",
            "give either secret_key or secret_key_file, not both",
        );
        problems.demand(
            (1..=3650).contains(&auth.session_days),
            "auth.session_days",
            "must be between 1 and 3650",
        );
        problems.demand(auth.attempts_per_account > 0, "auth.attempts_per_account", "must be at least 1");
        problems.demand(auth.attempts_per_network > 0, "auth.attempts_per_network", "must be at least 1");
        problems.demand(
            (8..=4_194_304).contains(&auth.argon2_memory_kib),
            "auth.argon2_memory_kib",
            "must be between 8 and 4194304",
        );
        problems.demand(
            (1..=100).contains(&auth.argon2_iterations),
            "auth.argon2_iterations",
            "must be between 1 and 100",
        );
    }

    fn check_jobs(&self, problems: &mut Problems) {
        let jobs = &self.jobs;
        problems.demand(!self.roles.is_empty(), "roles", "must name api, worker or both");
        problems.demand(
            (1..=1000).contains(&jobs.concurrency),
            "jobs.concurrency",
            "must be between 1 and 1000",
        );
        problems.demand(
            (Duration::from_millis(500)..=Duration::from_secs(3600)).contains(&jobs.lease),
            "jobs.lease",
            "must be between 500ms and 1h",
        );
    }

    fn check_limits(&self, problems: &mut Problems) {
        let limits = &self.limits;
        problems.demand(limits.content_bytes >= 1024, "limits.content_bytes", "must be at least 1024");
        problems.demand(
            limits.body_bytes >= limits.content_bytes,
            "limits.body_bytes",
            "must not be smaller than limits.content_bytes",
        );
        problems.demand(
            (4096..=1_048_576).contains(&limits.header_bytes),
            "limits.header_bytes",
            "must be between 4096 and 1048576",
        );
        problems.demand(
            (1..=10_000_000).contains(&limits.connections),
            "limits.connections",
            "must be between 1 and 10000000",
        );
        let lent_for = (Duration::from_secs(2)..=Duration::from_secs(600)).contains(&limits.lent_for);
        problems.demand(lent_for, "limits.lent_for", "must be between 2s and 10m");
    }

    fn check_http(&self, problems: &mut Problems) {
        let http = &self.http;
        problems.demand_times(&[
            ("http.header_timeout", http.header_timeout),
            ("http.body_timeout", http.body_timeout),
            ("http.idle_timeout", http.idle_timeout),
        ]);
        problems.demand(http.body_rate > 0, "http.body_rate", "must be at least 1");
        problems.demand(
            (1..=100_000).contains(&http.streams_per_connection),
            "http.streams_per_connection",
            "must be between 1 and 100000",
        );
        let TlsFiles { certificate, key } = &self.tls;
        problems.demand(
            certificate.as_os_str().is_empty() == key.as_os_str().is_empty(),
            "tls.key",
            "tls.certificate and tls.key go together",
        );
    }

    fn check_resilience(&self, problems: &mut Problems) {
        let resilience = &self.resilience;
        problems.demand(
            resilience.database_failures > 0,
            "resilience.database_failures",
            "must be at least 1",
        );
        problems.demand(resilience.redis_failures > 0, "resilience.redis_failures", "must be at least 1");
        problems.demand_times(&[
            ("resilience.connect_timeout", resilience.connect_timeout),
            ("resilience.acquire_timeout", resilience.acquire_timeout),
            ("resilience.statement_timeout", resilience.statement_timeout),
            ("resilience.redis_timeout", resilience.redis_timeout),
        ]);
    }

    fn check_stream(&self, problems: &mut Problems) {
        let stream = &self.stream;
        let is_time = |seconds: f64| (0.05..=3600.0).contains(&seconds);
        problems.demand(is_time(stream.heartbeat), "stream.heartbeat", "must be between 0.05 and 3600");
        problems.demand(is_time(stream.stall), "stream.stall", "must be between 0.05 and 3600");
        problems.demand(
            (0..=1_000_000).contains(&stream.replay_revisions),
            "stream.replay_revisions",
            "must be between 0 and 1000000",
        );
    }

    fn check_clients(&self, problems: &mut Problems) {
        problems.demand(
            (Duration::from_secs(1)..=Duration::from_secs(120)).contains(&self.clients.silent_after),
            "clients.silent_after",
            "must be between 1s and 2m",
        );
    }

    fn check_storage(&self, problems: &mut Problems) {
        problems.demand(
            (2..=1000).contains(&self.postgres.max_connections),
            "postgres.max_connections",
            "must be between 2 and 1000",
        );
        problems.demand(
            (1_000..=100_000_000).contains(&self.usage.buffer_events),
            "usage.buffer_events",
            "must be between 1000 and 100000000",
        );
    }
}
