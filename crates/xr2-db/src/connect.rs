//! Opening the pools.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, PgPool, SqlitePool};

use crate::migrate::{self, MigrationReport, Store};
use crate::{DbError, Result};

/// How a database is to be opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite:PATH`, `sqlite://PATH` or `postgres://…`.
    pub url: String,
    /// Connections that read (SQLite) or that exist at most (PostgreSQL).
    pub max_connections: u32,
    /// What a commit on SQLite waits for.
    pub durability: Durability,
    /// How long a request waits for a free connection.
    pub acquire_timeout: Duration,
}

impl Options {
    /// Usual settings for `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Options {
            url: url.into(),
            max_connections: 8,
            durability: Durability::Normal,
            acquire_timeout: Duration::from_secs(5),
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

/// What a database is opened as: its pools, on SQLite those of the usage file, and what was done to the schema.
pub(crate) type Opened = (Pools, Option<Pools>, MigrationReport);

pub(crate) async fn open(options: &Options) -> Result<Opened> {
    let url = options.url.as_str();
    if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
        let path = PathBuf::from(path);
        if path.as_os_str().is_empty() {
            return Err(DbError::setup("sqlite: needs the path of a file"));
        }
        let (main, mut report) = open_sqlite(&path, Store::Main, options).await?;
        let (usage, of_usage) = open_sqlite(&usage_file(&path), Store::Usage, options).await?;
        report.applied.extend(of_usage.applied);
        report.applied.sort_unstable();
        Ok((main, Some(usage), report))
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        let (pools, report) = open_postgres(options).await?;
        Ok((pools, None, report))
    } else {
        Err(DbError::setup("the database address must begin with sqlite: or postgres://"))
    }
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

async fn open_sqlite(path: &Path, store: Store, options: &Options) -> Result<(Pools, MigrationReport)> {
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        // First, so that the pragmas after it wait for a busy file instead of failing.
        .busy_timeout(Duration::from_secs(5))
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match options.durability {
            Durability::Normal => SqliteSynchronous::Normal,
            Durability::Full => SqliteSynchronous::Full,
        })
        .foreign_keys(true)
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "-8192")
        .statement_cache_capacity(256)
        .optimize_on_close(true, 400)
        .disable_statement_logging();

    let writer = SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(options.acquire_timeout)
        .connect_with(connect.clone())
        .await
        .map_err(|error| {
            DbError::setup(format!("cannot open the database file {}: {error}", path.display()))
        })?;
    let report = migrate::sqlite(&writer, store).await?;
    let reader = SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(options.max_connections.max(1))
        .idle_timeout(Duration::from_secs(300))
        .acquire_timeout(options.acquire_timeout)
        .connect_with(connect.read_only(true))
        .await?;
    Ok((Pools::Sqlite { writer, reader }, report))
}

async fn open_postgres(options: &Options) -> Result<(Pools, MigrationReport)> {
    // The parser's own message may quote the address, which holds a password.
    let connect = PgConnectOptions::from_str(&options.url)
        .map_err(|_| {
            DbError::setup(
                "the PostgreSQL address could not be read; expected postgres://user:password@host/database",
            )
        })?
        .statement_cache_capacity(256)
        .application_name("xr2")
        .disable_statement_logging();
    let mut owner = connect
        .connect()
        .await
        .map_err(|error| DbError::setup(format!("cannot connect to PostgreSQL: {error}")))?;
    let report = migrate::postgres(&mut owner).await?;
    sqlx::Connection::close(owner).await?;

    let pool = PgPoolOptions::new()
        .min_connections(1)
        .max_connections(options.max_connections.max(2))
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(Duration::from_secs(300))
        .after_connect(|connection, _| {
            Box::pin(async move {
                // Row-level security binds this role even when the address names an owner or a superuser.
                sqlx::query("SET ROLE xr2_app").execute(connection).await?;
                Ok(())
            })
        })
        .connect_with(connect)
        .await?;
    Ok((Pools::Postgres { pool }, report))
}
