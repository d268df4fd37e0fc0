//! How a database is opened: its pools, made without connecting, and the steps of a start.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, PgPool, SqliteConnection, SqlitePool};
use tokio::sync::Notify;
use xr2_breaker::{Settings, Time};

use crate::hosts::{self, Hosts};
use crate::migrate::{self, MigrationReport, Store};
use crate::{DbError, Result, background, statistics};

/// How a database is to be opened.
#[derive(Clone)]
pub struct Options {
    /// `sqlite:PATH`, `sqlite://PATH` or `postgres://…`, with commas between several hosts.
    pub url: String,
    /// Addresses of copies that are read from where the last seconds do not matter.
    pub replicas: Vec<String>,
    /// A copy that is further behind is not read from.
    pub max_lag: Duration,
    /// Connections that read (SQLite) or that exist at most (PostgreSQL).
    pub max_connections: u32,
    /// What a commit on SQLite waits for.
    pub durability: Durability,
    /// How long a start waits for the first connection.
    pub connect_timeout: Duration,
    /// How long a request waits for a free connection.
    pub acquire_timeout: Duration,
    /// How long one statement may take.
    pub statement_timeout: Duration,
    /// When callers are refused at once because the database does not answer.
    pub breaker: Settings,
    /// Where the breakers take the time from; the machine's own clock when there is none.
    pub time: Option<Time>,
}

impl Options {
    /// Usual settings for `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Options {
            url: url.into(),
            replicas: Vec::new(),
            max_lag: Duration::from_secs(10),
            max_connections: 8,
            durability: Durability::Normal,
            connect_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            breaker: Settings { failures: 3, pause: Duration::from_secs(30) },
            time: None,
        }
    }
}

/// `PRAGMA synchronous` of SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Survives a killed process; a power cut may cost the last moments (`NORMAL`).
    Normal,
    /// Waits for the disk at every commit (`FULL`).
    Full,
}

pub(crate) enum Pools {
    Sqlite { writer: SqlitePool, reader: SqlitePool },
    Postgres { pool: PgPool },
}

impl Pools {
    pub(crate) fn size(&self) -> u32 {
        match self {
            Pools::Sqlite { writer, reader } => writer.size() + reader.size(),
            Pools::Postgres { pool } => pool.size(),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Pools::Sqlite { writer, reader } => {
                reader.close().await;
                writer.close().await;
            }
            Pools::Postgres { pool } => pool.close().await,
        }
    }
}

/// Makes pools, as often as needed.
pub(crate) struct Opener {
    target: Target,
    store: Store,
    options: Options,
    /// Told of every server that was met and cannot be written to, though it has to be.
    refused: Arc<Notify>,
}

enum Target {
    Sqlite { connect: Box<SqliteConnectOptions>, path: PathBuf },
    Postgres { hosts: Hosts },
}

impl Opener {
    /// Reads the address.
    pub(crate) fn new(options: &Options) -> Result<Opener> {
        let url = options.url.as_str();
        let target = if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))
        {
            sqlite(PathBuf::from(path), options)?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Target::Postgres { hosts: Hosts::parse(url)? }
        } else {
            return Err(DbError::setup("the database address must begin with sqlite: or postgres://"));
        };
        Ok(Opener { target, store: Store::Main, options: options.clone(), refused: Arc::default() })
    }

    /// Of SQLite's file of usage; PostgreSQL has none.
    pub(crate) fn of_usage(&self) -> Result<Option<Opener>> {
        let Some(main) = self.file() else { return Ok(None) };
        let target = sqlite(usage_file(main), &self.options)?;
        let options = self.options.clone();
        Ok(Some(Opener { target, store: Store::Usage, options, refused: Arc::default() }))
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn refused(&self) -> &Notify {
        &self.refused
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.target, Target::Sqlite { .. })
    }

    /// The database's file, if it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.target {
            Target::Sqlite { path, .. } => Some(path),
            Target::Postgres { .. } => None,
        }
    }

    /// The hosts of PostgreSQL.
    pub(crate) fn hosts(&self) -> Option<&Hosts> {
        match &self.target {
            Target::Sqlite { .. } => None,
            Target::Postgres { hosts } => Some(hosts),
        }
    }

    /// Fresh pools, which connect when they are first asked.
    pub(crate) fn pools(&self) -> Pools {
        let acquire = self.options.acquire_timeout;
        match &self.target {
            Target::Sqlite { connect, .. } => {
                let store = self.store;
                let writer = SqlitePoolOptions::new()
                    .max_connections(1)
                    .idle_timeout(None)
                    .max_lifetime(None)
                    .acquire_timeout(acquire)
                    .after_connect(move |connection, _| Box::pin(prepare_writer(connection, store)))
                    .connect_lazy_with(self.of_writer((**connect).clone()));
                let reader = SqlitePoolOptions::new()
                    .max_connections(self.options.max_connections.max(1))
                    .idle_timeout(Duration::from_secs(300))
                    .acquire_timeout(acquire)
                    .connect_lazy_with((**connect).clone().read_only(true));
                Pools::Sqlite { writer, reader }
            }
            Target::Postgres { hosts } => {
                let limit = self.options.statement_timeout.as_millis();
                let (must_write, refused) = (hosts.must_write(), self.refused.clone());
                let pool = PgPoolOptions::new()
                    .max_connections(self.options.max_connections.max(2))
                    .acquire_timeout(acquire)
                    .idle_timeout(Duration::from_secs(300))
                    .after_connect(move |connection, _| {
                        let refused = refused.clone();
                        Box::pin(async move {
                            // One that was the primary before would show what it was left with.
                            if must_write && hosts::is_read_only(connection).await? {
                                refused.notify_one();
                                let message = "the server cannot be written to";
                                return Err(sqlx::Error::Io(std::io::Error::other(message)));
                            }
                            // Row-level security binds this role even when the address names an owner or a
                            // superuser. The server ends what the client has given up waiting for.
                            let setup = format!("SET ROLE xr2_app; SET statement_timeout = {limit}");
                            sqlx::raw_sql(sqlx::AssertSqlSafe(setup)).execute(connection).await?;
                            Ok(())
                        })
                    })
                    .connect_lazy_with(hosts.current().clone());
                Pools::Postgres { pool }
            }
        }
    }

    /// Ids of reported events come in no order, each to a page of its own. What is written again and again had better stay
    /// in memory, and be carried over from the log into the file once for many times.
    fn of_writer(&self, connect: SqliteConnectOptions) -> SqliteConnectOptions {
        match self.store {
            Store::Main => connect,
            Store::Usage => connect.pragma("cache_size", "-65536").pragma("wal_autocheckpoint", "16000"),
        }
    }

    /// Connects, makes what is not there yet, and applies outstanding migrations under a lock. `pools` are fresh.
    pub(crate) async fn start(&self, pools: &Pools) -> Result<MigrationReport> {
        match (&self.target, pools) {
            (Target::Sqlite { path, .. }, Pools::Sqlite { writer, reader }) => {
                let failed = |error: sqlx::Error| {
                    let message = format!("cannot open the database file {}: {error}", path.display());
                    DbError::at_start(error, message)
                };
                // Made here and by no connection: a file that goes missing later is not to be replaced by an empty one.
                make_file(path).map_err(sqlx::Error::Io).map_err(failed)?;
                drop(writer.acquire().await.map_err(failed)?);
                let report = migrate::sqlite(writer, self.store).await?;
                if self.store == Store::Main {
                    statistics::tell(writer).await?;
                }
                drop(reader.acquire().await?);
                Ok(report)
            }
            (Target::Postgres { hosts }, Pools::Postgres { pool }) => {
                let failed = |error: sqlx::Error| {
                    let message = format!("cannot connect to PostgreSQL: {error}");
                    DbError::at_start(error, message)
                };
                let connected =
                    tokio::time::timeout(self.options.connect_timeout, hosts.current().connect()).await;
                let mut owner = connected.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(failed)?;
                let report = migrate::postgres(&mut owner, self.options.connect_timeout).await?;
                // Politeness, for which nobody waits on a network that hangs.
                let closing = sqlx::Connection::close(owner);
                let _ = tokio::time::timeout(self.options.connect_timeout, closing).await;
                drop(pool.acquire().await.map_err(failed)?);
                Ok(report)
            }
            // Pools are made by this very opener.
            _ => Err(DbError::usage("these pools are another engine's")),
        }
    }
}

/// Usage is written for nobody who waits: the thread of its connection gives way, and in long statements lets others have
/// the processor every now and then.
async fn prepare_writer(connection: &mut SqliteConnection, store: Store) -> sqlx::Result<()> {
    /// Instructions of SQLite's virtual machine, some tens of microseconds.
    const BREATHE_EVERY: i32 = 1000;
    if store == Store::Usage {
        let mut connection = connection.lock_handle().await?;
        connection.set_progress_handler(BREATHE_EVERY, || {
            // On the connection's own thread.
            background::enter();
            background::breathe();
            true
        });
    }
    Ok(())
}

fn make_file(path: &Path) -> std::io::Result<()> {
    std::fs::OpenOptions::new().create(true).append(true).open(path).map(drop)
}

/// The file of usage beside the main one: `xr2.sqlite3` and `xr2-usage.sqlite3`.
pub(crate) fn usage_file(main: &Path) -> PathBuf {
    let mut name = main.file_stem().unwrap_or_default().to_owned();
    name.push("-usage");
    if let Some(extension) = main.extension() {
        name.push(".");
        name.push(extension);
    }
    main.with_file_name(name)
}

fn sqlite(path: PathBuf, options: &Options) -> Result<Target> {
    if path.as_os_str().is_empty() {
        return Err(DbError::setup("sqlite: needs the path of a file"));
    }
    let connect = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(false)
        // First, so that the pragmas after it wait for a busy file instead of failing.
        .busy_timeout(options.acquire_timeout)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match options.durability {
            Durability::Normal => SqliteSynchronous::Normal,
            Durability::Full => SqliteSynchronous::Full,
        })
        .foreign_keys(true)
        // The log shrinks again when a long reader has let it grow.
        .pragma("journal_size_limit", "67108864")
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "-8192")
        .statement_cache_capacity(256)
        .disable_statement_logging();
    Ok(Target::Sqlite { connect: Box::new(connect), path })
}
