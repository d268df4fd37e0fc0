//! Configuration: one documented TOML file, `XR2_*` over it, flags over both. Checked at start; errors name the key.

mod check;
mod duration;
mod layers;
mod secret;
mod sections;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use layers::{ConfigError, Override};
pub use secret::SecretKey;
pub use sections::{
    Auth, Bin, Clients, Delivery, Http, Limits, Log, LogFormat, Metrics, Postgres, Registration, Resilience,
    Sqlite, Stream, Synchronous, UsageSettings,
};
use sections::{Jobs, RegistrationSetting, Role, TlsFiles};

/// Every setting with its default and what it means; also the user's documentation.
pub const DEFAULT_TOML: &str = include_str!("xr2.default.toml");

/// The settings of one server, checked.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Directory of the embedded database and generated files.
    pub data_dir: PathBuf,
    /// Database address; see [`Config::database_url`].
    database: Hidden,
    /// Redis address; see [`Config::redis_address`].
    redis: Hidden,
    database_replicas: Vec<Hidden>,
    /// Address in the browser, without a slash at the end; empty when not set.
    pub public_url: String,
    /// Further host names this server answers to.
    pub allowed_hosts: Vec<String>,
    /// Who may name the client's address.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    #[serde(deserialize_with = "places")]
    outbound_allow: Vec<xr2_outbound::Allowed>,
    allow_private_addresses: bool,
    #[serde(default)]
    secret_key: Hidden,
    #[serde(default)]
    secret_key_file: String,
    shutdown_grace_seconds: u64,
    roles: Vec<Role>,
    /// Queues that a worker works off; none: all of them.
    pub queues: Vec<String>,
    /// SQLite's own settings.
    pub sqlite: Sqlite,
    /// PostgreSQL's own settings.
    pub postgres: Postgres,
    /// Sign-in and registration.
    pub auth: Auth,
    /// What is delivered while the database cannot be reached.
    pub delivery: Delivery,
    /// How long to wait for what does not answer.
    pub resilience: Resilience,
    /// Connections.
    pub http: Http,
    tls: TlsFiles,
    /// Sizes and counts.
    pub limits: Limits,
    /// Event streams.
    pub stream: Stream,
    /// The bin.
    pub bin: Bin,
    /// Deliveries written down.
    pub usage: UsageSettings,
    /// Programs with an SDK.
    pub clients: Clients,
    jobs: Jobs,
    /// Logging.
    pub log: Log,
    /// `/metrics`.
    pub metrics: Metrics,
}

/// A setting that may hold a secret: never shown.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
struct Hidden(String);

impl std::ops::Deref for Hidden {
    type Target = String;

    fn deref(&self) -> &String {
        &self.0
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "\"\"" } else { "\"…\"" })
    }
}

impl Config {
    /// Puts the layers together: defaults, `file`, the environment (through `env`), `flags`.
    pub fn load(
        file: Option<&Path>,
        env: &dyn Fn(&str) -> Option<String>,
        flags: &[Override],
    ) -> Result<Config, ConfigError> {
        let table = layers::merge(DEFAULT_TOML, file, env, flags)?;
        let config: Config = read(table)?;
        config.check()?;
        Ok(config)
    }

    /// [`Config::load`] with the process's environment.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_process(file: Option<&Path>, flags: &[Override]) -> Result<Config, ConfigError> {
        Config::load(file, &|name| std::env::var(name).ok().filter(|value| !value.is_empty()), flags)
    }

    /// Address of the database, the embedded one when none is set.
    pub fn database_url(&self) -> String {
        if self.database.is_empty() {
            format!("sqlite:{}", self.data_dir.join("xr2.sqlite3").display())
        } else {
            self.database.to_string()
        }
    }

    /// Whether the database is a PostgreSQL server.
    pub fn is_postgres(&self) -> bool {
        self.database.starts_with("postgres")
    }

    /// How the database is opened; `time` is what its breakers go by.
    pub fn database_options(&self, time: xr2_db::Time) -> xr2_db::Options {
        let mut options = xr2_db::Options::new(self.database_url());
        let resilience = &self.resilience;
        options.connect_timeout = resilience.connect_timeout;
        options.acquire_timeout = resilience.acquire_timeout;
        options.statement_timeout = resilience.statement_timeout;
        options.breaker = xr2_db::BreakerSettings {
            failures: resilience.database_failures,
            pause: resilience.database_pause,
        };
        options.time = Some(time);
        if self.is_postgres() {
            options.max_connections = self.postgres.max_connections;
            options.replicas = self.database_replicas.iter().map(|address| address.to_string()).collect();
            options.max_lag = self.postgres.replica_max_lag;
        }
        options.durability = match self.sqlite.synchronous {
            Synchronous::Normal => xr2_db::Durability::Normal,
            Synchronous::Full => xr2_db::Durability::Full,
        };
        options
    }

    /// How Redis is used; `time` is what its breaker goes by.
    pub fn bus_options(&self, node: uuid::Uuid, time: xr2_db::Time) -> xr2_bus::Options {
        let resilience = &self.resilience;
        let breaker =
            xr2_bus::BreakerSettings { failures: resilience.redis_failures, pause: resilience.redis_pause };
        xr2_bus::Options { node, timeout: resilience.redis_timeout, breaker, time }
    }

    /// The instance's secret key: given, read from its file, or generated in the data directory.
    pub fn secret_key(&self) -> Result<SecretKey, ConfigError> {
        secret::load(&self.secret_key, &self.secret_key_file, &self.data_dir, self.is_postgres())
    }

    /// Whether this node answers requests, beside those of load balancers and monitoring.
    pub fn is_api(&self) -> bool {
        self.roles.contains(&Role::Api)
    }

    /// Whether this node does what was put off.
    pub fn is_worker(&self) -> bool {
        self.roles.contains(&Role::Worker)
    }

    /// Queues are given by name; there is none of another name.
    pub(crate) fn check_queues(&self, known: &BTreeSet<&'static str>) -> Result<(), ConfigError> {
        match self.queues.iter().find(|queue| !known.contains(queue.as_str())) {
            None => Ok(()),
            Some(queue) => {
                let known = known.iter().copied().collect::<Vec<_>>().join(", ");
                Err(ConfigError::new(format!("queues: there is no queue {queue:?}; there are: {known}")))
            }
        }
    }

    /// How jobs are worked off.
    pub(crate) fn job_options(&self) -> xr2_jobs::Options {
        xr2_jobs::Options {
            concurrency: self.jobs.concurrency,
            lease: self.jobs.lease,
            poll: Duration::from_secs(1),
            // Before the rest of the server is cut off.
            grace: self.shutdown_grace().mul_f64(0.8),
            keep_dead: Duration::from_secs(u64::from(self.jobs.keep_dead_days) * 86_400),
        }
    }

    /// What addresses that users set may lead to.
    pub fn outbound_rules(&self) -> xr2_outbound::Rules {
        xr2_outbound::Rules {
            allowed: self.outbound_allow.clone(),
            allows_private: self.allow_private_addresses,
        }
    }

    /// How long running requests may take when the server stops.
    pub fn shutdown_grace(&self) -> Duration {
        Duration::from_secs(self.shutdown_grace_seconds)
    }

    /// The Redis address, which may hold a password; none: there is one node.
    pub fn redis_address(&self) -> Option<&str> {
        Some(self.redis.as_str()).filter(|address| !address.is_empty())
    }

    /// How long a sign-in lasts without use.
    pub fn session_lifetime(&self) -> chrono::TimeDelta {
        chrono::TimeDelta::days(i64::from(self.auth.session_days))
    }

    /// Who may register, with `auto` decided.
    pub fn registration(&self) -> Registration {
        match self.auth.registration {
            RegistrationSetting::Open => Registration::Open,
            RegistrationSetting::Invite => Registration::Invite,
            RegistrationSetting::Closed => Registration::Closed,
            // Behind a proxy a server listens on loopback as well, but the world reaches it.
            RegistrationSetting::Auto
                if self.listen.ip().is_loopback()
                    && self.public_url.is_empty()
                    && self.trusted_proxies.is_empty() =>
            {
                Registration::Open
            }
            RegistrationSetting::Auto => Registration::Invite,
        }
    }

    /// The address to print and to write into examples.
    pub fn base_url(&self) -> String {
        if !self.public_url.is_empty() {
            return self.public_url.clone();
        }
        let host = match self.listen.ip() {
            ip if ip.is_loopback() || ip.is_unspecified() => "localhost".to_owned(),
            IpAddr::V6(ip) => format!("[{ip}]"),
            IpAddr::V4(ip) => ip.to_string(),
        };
        let scheme = if self.tls_files().is_some() { "https" } else { "http" };
        format!("{scheme}://{host}:{}", self.listen.port())
    }

    /// Whether browsers reach this server by TLS, so that cookies are marked `Secure`.
    pub fn is_secure(&self) -> bool {
        self.public_url.starts_with("https://") || self.tls_files().is_some()
    }

    /// Certificate and key of the server, when it speaks TLS itself.
    pub fn tls_files(&self) -> Option<(&Path, &Path)> {
        let TlsFiles { certificate, key } = &self.tls;
        (!certificate.as_os_str().is_empty()).then_some((certificate, key))
    }
}

fn read<T: DeserializeOwned>(table: toml::Table) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(toml::Value::Table(table)).map_err(|error| {
        let path = error.path().to_string();
        // The value itself may be a secret, so the message names the key and the expectation only.
        ConfigError::new(format!("{path}: {}", error.into_inner().to_string().trim()))
    })
}

fn places<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<xr2_outbound::Allowed>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
}

fn networks<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|text| {
            text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
                serde::de::Error::custom(format!(
                    "{text:?} is neither an address nor a network such as 10.0.0.0/8"
                ))
            })
        })
        .collect()
}
