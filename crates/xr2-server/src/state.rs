//! The application: what every request shares.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use xr2_bus::{Bus, Hint};
use xr2_db::{Db, Purpose};

use crate::auth::Denials;
use crate::clock::Clock;
use crate::config::{Config, SecretKey};
use crate::events::Follower;
use crate::features::accounts::Accounts;
use crate::features::api_keys::KeyCache;
use crate::features::delivery::{BundleCache, PromptCache};
use crate::features::stream::Hub;
use crate::last_used::LastUsed;
use crate::queries;

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
    keys: Arc<KeyCache>,
    prompts: Arc<PromptCache>,
    bundles: BundleCache,
    streams: Arc<Hub>,
    accounts: Accounts,
    denials: Denials,
    last_used: LastUsed,
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
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

impl App {
    /// Opens the database, checks the secret key against it, starts background work.
    pub async fn start(config: Config, clock: Clock) -> Result<App, StartError> {
        let app = App::open(config, clock).await?;
        app.spawn_background();
        Ok(app)
    }

    /// Like [`App::start`] without background work; for one-off commands.
    pub async fn open(config: Config, clock: Clock) -> Result<App, StartError> {
        if !config.is_postgres() {
            create_private_dir(&config.data_dir).map_err(|error| {
                StartError::Other(format!(
                    "cannot make the data directory {}: {error}",
                    config.data_dir.display()
                ))
            })?;
        }
        let secret = config.secret_key()?;
        let (db, report) = Db::open(&config.database_options()).await?;
        if !report.applied.is_empty() {
            tracing::info!(engine = db.engine().name(), applied = ?report.applied, "database schema is up to date");
        }
        check_secret(&db, &clock, &secret).await?;
        let keys = Arc::new(KeyCache::new());
        let follower = Follower::new(db.clone());
        let prompts = Arc::new(PromptCache::new(config.limits.cache_bytes));
        let bundles = BundleCache::new(config.limits.bundle_bytes);
        let streams = Arc::new(Hub::new(&config));
        // Caches first: whoever hears of a change may ask for it at once.
        follower.set_listeners(vec![keys.clone(), prompts.clone(), streams.clone()]);
        follower.prime().await?;
        let bus = if config.redis.is_empty() {
            Bus::local()
        } else {
            Bus::redis(&config.redis).map_err(|error| StartError::Other(format!("redis: {error}")))?
        };
        let host_names = host_names(&config);
        let accounts = Accounts::new(&config.auth);
        Ok(App(Arc::new(Inner {
            config,
            db,
            clock,
            secret,
            follower,
            bus,
            keys,
            prompts,
            bundles,
            streams,
            accounts,
            denials: Denials::default(),
            last_used: LastUsed::default(),
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
            let heard = |hint: Hint| app.follower().wake(hint.workspace, hint.revision);
            app.bus().run(heard, app.stopping()).await;
        });
        let app = self.clone();
        self.0.tasks.spawn(async move { app.last_used().run(&app, app.stopping()).await });
        let app = self.clone();
        self.0.tasks.spawn(async move { app.streams().run(&app, app.stopping()).await });
        self.0.tasks.spawn(crate::telemetry::upkeep(self.stopping()));
        self.0.tasks.spawn(crate::features::prompts::run_retention(self.clone()));
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

    /// Hashing and throttling of sign-ins.
    pub fn accounts(&self) -> &Accounts {
        &self.0.accounts
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

    /// Bundles in memory.
    pub fn bundles(&self) -> &BundleCache {
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

/// The database remembers a check value of the key; a node with another key refuses to start rather than write what
/// the others cannot read.
async fn check_secret(db: &Db, clock: &Clock, secret: &SecretKey) -> Result<(), StartError> {
    const NAME: &str = "secret_key_check";
    let mut tx = db.system(Purpose::Instance).write().await?;
    match queries::setting(&mut tx, NAME).await? {
        None => queries::set_setting(&mut tx, NAME, &secret.check_value(), clock.now()).await?,
        Some(known) if known == secret.check_value() => {}
        Some(_) => {
            return Err(StartError::Other(
                "secret_key: this is not the key the database was first used with. Start with that key (XR2_SECRET_KEY, \
                 XR2_SECRET_KEY_FILE, or secret.key in the data directory)."
                    .into(),
            ));
        }
    }
    tx.commit().await?;
    Ok(())
}
