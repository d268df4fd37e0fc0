//! Opening the pools.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, PgPool, SqlitePool};

use crate::migrate::{self, MigrationReport};
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

pub(crate) async fn open(options: &Options) -> Result<(Pools, MigrationReport)> {
    let url = options.url.as_str();
    if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
        open_sqlite(PathBuf::from(path), options).await
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        open_postgres(options).await
    } else {
        Err(DbError::setup("the database address must begin with sqlite: or postgres://"))
    }
}

async fn open_sqlite(path: PathBuf, options: &Options) -> Result<(Pools, MigrationReport)> {
    if path.as_os_str().is_empty() {
        return Err(DbError::setup("sqlite: needs the path of a file"));
    }
    let connect = SqliteConnectOptions::new()
        .filename(&path)
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
    let report = migrate::sqlite(&writer).await?;
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
