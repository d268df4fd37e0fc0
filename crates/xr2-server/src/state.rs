//! The application: what every request shares.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use xr2_bus::{Bus, Heard};
use xr2_db::Db;
use xr2_jobs::Jobs;

use crate::auth::Denials;
use crate::clock::Clock;
use crate::config::{Config, SecretKey};
use crate::events::Follower;
use crate::features::accounts::Accounts;
use crate::features::api_keys::KeyCache;
use crate::features::delivery::{BundleCache, Freezer, PromptCache, WarmTier};
use crate::features::edge::Edges;
use crate::features::prompts::{RecentCalls, Vocabularies};
use crate::features::quotas::{self, Quotas};
use crate::features::stream::Hub;
use crate::features::telemetry::{Presence, ReportedIds};
use crate::features::usage::Usage;
use crate::frozen::Frozen;
use crate::idempotency::InFlight;
use crate::last_used::LastUsed;
use crate::limits::{Lender, RateLimits, Terms};
use crate::{jobs, outage};

/// Limits remembered at once, of keys and of networks.
const LIMITS_KNOWN: usize = 100_000;

/// A handle on the application; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    config: Config,
    db: Db,
    clock: Clock,
    secret: SecretKey,
    follower: Follower,
    bus: Bus,
    limits: RateLimits,
    keys: Arc<KeyCache>,
    prompts: Arc<PromptCache>,
    warm: Arc<WarmTier>,
    frozen: Arc<Frozen>,
    freezer: Arc<Freezer>,
    bundles: Arc<BundleCache>,
    streams: Arc<Hub>,
    accounts: Accounts,
    denials: Denials,
    in_flight: InFlight,
    last_used: LastUsed,
    recent_calls: RecentCalls,
    vocabularies: Vocabularies,
    usage: Usage,
    quotas: Quotas,
    presence: Presence,
    reported_ids: ReportedIds,
    edges: Arc<Edges>,
    outbound: xr2_outbound::Client,
    jobs: Jobs,
    host_names: Vec<String>,
    /// Cancelled when the server is asked to stop: streams end, background work flushes.
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Why the application could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is not right.
    #[error("{0}")]
    Config(#[from] crate::config::ConfigError),
    /// The database is not usable.
    #[error("{0}")]
    Database(#[from] xr2_db::DbError),
    /// The database's file is gone.
    #[error("{0}")]
    Missing(String),
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

impl StartError {
    /// Whether the database is not there just now, rather than wrong.
    fn is_outage(&self) -> bool {
        match self {
            StartError::Database(error) => error.is_unavailable(),
            StartError::Missing(_) => true,
            StartError::Config(_) | StartError::Other(_) => false,
        }
    }
}

impl App {
    /// Opens the database, checks the secret key against it, starts background work. When the database cannot be reached
    /// and there is a snapshot, delivers from that until it can.
    pub async fn start(config: Config, clock: Clock) -> Result<App, StartError> {
        let app = App::prepare(config, clock)?;
        match outage::connect(&app).await {
            Err(error) if error.is_outage() && app.frozen().has_snapshot() => {
                outage::begin_without(&app, &error);
            }
            connected => connected?,
        }
        app.spawn_background();
        Ok(app)
    }

    /// Like [`App::start`] without background work; for one-off commands.
    pub async fn open(config: Config, clock: Clock) -> Result<App, StartError> {
        let app = App::prepare(config, clock)?;
        outage::connect(&app).await?;
        Ok(app)
    }

    /// Everything but the connection to the database.
    fn prepare(config: Config, clock: Clock) -> Result<App, StartError> {
        if !config.is_postgres() {
            create_private_dir(&config.data_dir).map_err(|error| {
                StartError::Other(format!(
                    "cannot make the data directory {}: {error}",
                    config.data_dir.display()
                ))
            })?;
        }
        config.check_queues(&jobs::registry().queues())?;
        let secret = config.secret_key()?;
        let time: xr2_db::Time = {
            let clock = clock.clone();
            Arc::new(move || clock.monotonic())
        };
        let db = Db::prepare(&config.database_options(time.clone()))?;
        let frozen = Arc::new(Frozen::open(&config, &secret));
        let freezer = Arc::new(Freezer::default());
        let keys = Arc::new(KeyCache::new());
        let follower = Follower::new(db.clone(), clock.clone());
        let prompts = Arc::new(PromptCache::new(config.limits.cache_bytes));
        let bundles = Arc::new(BundleCache::new(config.limits.bundle_bytes, clock.clone()));
        let streams = Arc::new(Hub::new(&config));
        let edges = Arc::new(Edges::default());
        let outbound = xr2_outbound::Client::new(config.outbound_rules())
            .map_err(|error| StartError::Other(error.to_string()))?;
        let node = clock.new_id();
        let bus = match config.redis_address() {
            None => Bus::local(),
            Some(address) => Bus::redis(address, config.bus_options(node, time))
                .map_err(|error| StartError::Other(format!("redis: {error}")))?,
        };
        // Each with a lender of its own: that one of them waits for the database is no reason for the other to go alone.
        let lender = || {
            let (patience, terms) = (config.resilience.redis_patience, Terms::new(config.limits.lent_for));
            Lender::new(bus.clone(), clock.clone(), node, patience, terms)
        };
        let limits = RateLimits::new(lender(), LIMITS_KNOWN);
        let quotas = Quotas::new(lender());
        let warm = Arc::new(WarmTier::new(bus.clone(), &config, &secret));
        // Caches first: whoever hears of a change may ask for it at once.
        follower.set_listeners(vec![
            keys.clone(),
            prompts.clone(),
            bundles.clone(),
            warm.clone(),
            frozen.clone(),
            freezer.clone(),
            streams.clone(),
            edges.clone(),
        ]);
        let host_names = host_names(&config);
        let accounts =
            Accounts::new(&config.auth, lender(), &clock, secret.derive("addresses of sign-in attempts"));
        let jobs = Jobs::new(db.clone(), clock.clone(), config.job_options());
        let usage = Usage::new(&config.usage, secret.derive("addresses in usage"));
        Ok(App(Arc::new(Inner {
            config,
            db,
            clock,
            secret,
            follower,
            bus,
            limits,
            keys,
            prompts,
            warm,
            frozen,
            freezer,
            bundles,
            streams,
            accounts,
            denials: Denials::default(),
            in_flight: InFlight::default(),
            last_used: LastUsed::default(),
            recent_calls: RecentCalls::default(),
            vocabularies: Vocabularies::default(),
            usage,
            quotas,
            presence: Presence::default(),
            reported_ids: ReportedIds::default(),
            edges,
            outbound,
            jobs,
            host_names,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })))
    }

    fn spawn_background(&self) {
        let app = self.clone();
        self.0.tasks.spawn(async move { app.follower().run(app.stopping()).await });
        let app = self.clone();
        self.0.tasks.spawn(async move {
            let heard = |heard: Heard| match heard {
                Heard::Revision(hint) => app.follower().wake(hint.workspace, hint.revision),
                Heard::Recall(name) => {
                    app.limits().recall(&name);
                    app.quotas().recall(&app, &name);
                }
            };
            app.bus().run(heard, app.stopping()).await;
        });
        // Before the rest of the server is cut off.
        let grace = self.config().shutdown_grace().mul_f64(0.8);
        let app = self.clone();
        self.0.tasks.spawn(async move { app.limits().run(app.stopping(), grace).await });
        let app = self.clone();
        self.0.tasks.spawn(async move { app.last_used().run(&app, app.stopping()).await });
        let app = self.clone();
        self.0.tasks.spawn(async move { app.0.freezer.run(&app).await });
        self.0.tasks.spawn(outage::keep_connected(self.clone()));
        let app = self.clone();
        self.0.tasks.spawn(async move {
            let stop = app.stopping();
            tokio::select! { () = stop.cancelled() => {}, () = app.db().watch_replicas() => {} }
        });
        let app = self.clone();
        self.0.tasks.spawn(async move { app.usage().run(&app, app.stopping()).await });
        self.0.tasks.spawn(crate::features::telemetry::run(self.clone()));
        if self.config().limits.calls_per_month > 0 {
            self.0.tasks.spawn(quotas::run(self.clone(), grace));
        }
        let app = self.clone();
        self.0.tasks.spawn(async move { app.streams().run(&app, app.stopping()).await });
        self.0.tasks.spawn(crate::features::edge::run(self.clone()));
        self.0.tasks.spawn(crate::telemetry::upkeep(self.stopping()));
        if self.config().is_worker() {
            self.0.tasks.spawn(jobs::run(self.clone()));
        }
    }

    /// Asks streams and background work to end.
    pub fn begin_stop(&self) {
        self.0.stop.cancel();
    }

    /// Waits for background work to end, then closes the database.
    pub async fn finish_stop(&self) {
        self.begin_stop();
        self.0.tasks.close();
        self.0.tasks.wait().await;
        if let Err(error) = self.last_used().flush(self).await {
            tracing::warn!(%error, "could not write the last last-used times");
        }
        if let Err(error) = self.usage().flush(self).await {
            let lost = self.usage().give_up().await;
            tracing::warn!(%error, lost, "could not write the last usage");
        }
        self.0.db.close().await;
    }

    /// Cancelled when the server is asked to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.0.stop.clone()
    }

    /// Runs `work` in the background; a stopping server waits for it.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.spawn(work);
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// The time.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The instance's secret key.
    pub fn secret(&self) -> &SecretKey {
        &self.0.secret
    }

    /// Follows what happens.
    pub fn follower(&self) -> &Follower {
        &self.0.follower
    }

    /// What nodes tell each other.
    pub fn bus(&self) -> &Bus {
        &self.0.bus
    }

    /// Requests per minute.
    pub fn limits(&self) -> &RateLimits {
        &self.0.limits
    }

    /// Hashing and throttling of sign-ins.
    pub fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    /// Keys of requests that are being answered.
    pub fn in_flight(&self) -> &InFlight {
        &self.0.in_flight
    }

    /// Notes who was refused.
    pub fn denials(&self) -> &Denials {
        &self.0.denials
    }

    /// API keys in memory.
    pub fn keys(&self) -> &KeyCache {
        &self.0.keys
    }

    /// Compiled prompts in memory.
    pub fn prompt_cache(&self) -> &PromptCache {
        &self.0.prompts
    }

    /// What nodes leave each other in Redis.
    pub fn warm_tier(&self) -> &Arc<WarmTier> {
        &self.0.warm
    }

    /// What is kept for times without the database.
    pub fn frozen(&self) -> &Arc<Frozen> {
        &self.0.frozen
    }

    /// Bundles in memory.
    pub fn bundles(&self) -> &Arc<BundleCache> {
        &self.0.bundles
    }

    /// Event streams.
    pub fn streams(&self) -> &Arc<Hub> {
        &self.0.streams
    }

    /// Notes of what was used.
    pub fn last_used(&self) -> &LastUsed {
        &self.0.last_used
    }

    /// How often prompts were called of late, as lists show it.
    pub fn recent_calls(&self) -> &RecentCalls {
        &self.0.recent_calls
    }

    /// Words of workspaces, for searches with a mistyped one.
    pub fn vocabularies(&self) -> &Vocabularies {
        &self.0.vocabularies
    }

    /// Notes of deliveries.
    pub fn usage(&self) -> &Usage {
        &self.0.usage
    }

    /// Calls of the month.
    pub fn quotas(&self) -> &Quotas {
        &self.0.quotas
    }

    /// Instances of clients.
    pub fn presence(&self) -> &Presence {
        &self.0.presence
    }

    /// Ids of reported events.
    pub fn reported_ids(&self) -> &ReportedIds {
        &self.0.reported_ids
    }

    /// What is done later, by whichever node.
    pub fn jobs(&self) -> &Jobs {
        &self.0.jobs
    }

    /// Edge modes of workspaces.
    pub fn edges(&self) -> &Edges {
        &self.0.edges
    }

    /// Asks addresses that users have set.
    pub fn outbound(&self) -> &xr2_outbound::Client {
        &self.0.outbound
    }

    /// Host names this server answers to, beside loopback.
    pub fn host_names(&self) -> &[String] {
        &self.0.host_names
    }
}

/// Makes a directory (and what leads to it) that only this user can look into.
fn create_private_dir(path: &std::path::Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn host_names(config: &Config) -> Vec<String> {
    let mut names = config.allowed_hosts.clone();
    if let Some((_, rest)) = config.public_url.split_once("://") {
        let authority = rest.split('/').next().unwrap_or("");
        let name = match authority.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => authority,
        };
        names.push(name.trim_matches(['[', ']']).to_owned());
    }
    names
}
