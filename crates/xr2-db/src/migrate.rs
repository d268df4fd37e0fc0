//! Migrations: numbered, the same in both dialects, applied once under a lock, never edited once landed.

use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqlitePool};

use crate::{DbError, Engine, Result, role};

/// Which file of SQLite a step belongs to. PostgreSQL has one database for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    /// What people and programs change.
    Main,
    /// What is written with every use.
    Usage,
}

/// One step of the schema in both dialects.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number, from 1.
    pub version: i64,
    /// The name of its file, the same in both folders.
    pub name: &'static str,
    store: Store,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! list {
    ($(($version:literal, $name:literal, $store:ident)),* $(,)?) => {
        &[$(Migration {
            version: $version,
            name: $name,
            store: Store::$store,
            sqlite: include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../migrations/postgres/", $name, ".sql")),
        }),*]
    };
}

const MIGRATIONS: &[Migration] = list![
    (1, "0001_foundation", Main),
    (2, "0002_usage", Usage),
    (3, "0003_lookups", Main),
    (4, "0004_jobs", Main),
    (5, "0005_quotas", Usage),
    (6, "0006_edge", Main),
    (7, "0007_usage_batches", Usage),
    (8, "0008_reported_ids", Usage),
    (9, "0009_idempotency", Main),
    (10, "0010_search", Main),
    (11, "0011_organise", Main),
    (12, "0012_invitations", Main),
    (13, "0013_search_plans", Main),
    (14, "0014_preview_links", Main),
    (15, "0015_imports", Main),
    (16, "0016_search_alternatives", Main),
];

/// All migrations in order.
pub fn migrations() -> &'static [Migration] {
    MIGRATIONS
}

impl Migration {
    pub(crate) fn text(&self, engine: Engine) -> &'static str {
        match engine {
            Engine::Sqlite => self.sqlite,
            Engine::Postgres => self.postgres,
        }
    }

    fn checksum(&self, engine: Engine) -> String {
        Sha256::digest(self.text(engine)).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What a start did to the schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MigrationReport {
    /// Numbers applied just now.
    pub applied: Vec<i64>,
    /// Whether the database was empty before.
    pub fresh: bool,
}

const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)";
const APPLIED: &str = "SELECT version, checksum FROM schema_migrations ORDER BY version";
const RECORD: &str = "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)";

/// Any number will do as long as all nodes use the same.
const POSTGRES_LOCK: i64 = 0x7872_325f_6d69_6772;

/// Which of the known migrations are still to be applied; refuses a database that another xr2 has shaped.
fn outstanding(engine: Engine, applied: &[(i64, String)]) -> Result<Vec<&'static Migration>> {
    for (version, checksum) in applied {
        let Some(known) = MIGRATIONS.iter().find(|m| m.version == *version) else {
            return Err(DbError::setup(format!(
                "the database has migration {version}, which this xr2 does not know: it was used by a newer xr2. \
                 Start that version, or restore a backup made before the upgrade."
            )));
        };
        if known.checksum(engine) != *checksum {
            return Err(DbError::setup(format!(
                "migration {version} ({}) in the database differs from the one in this xr2; \
                 the program or the database was changed by hand",
                known.name
            )));
        }
    }
    Ok(MIGRATIONS.iter().filter(|m| !applied.iter().any(|(version, _)| *version == m.version)).collect())
}

pub(crate) async fn sqlite(writer: &SqlitePool, store: Store) -> Result<MigrationReport> {
    // The write lock keeps a second process out until all steps are in.
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query(CREATE_TABLE).execute(&mut *tx).await?;
    let applied: Vec<(i64, String)> = sqlx::query_as(APPLIED).fetch_all(&mut *tx).await?;
    let mut report = MigrationReport { fresh: applied.is_empty(), applied: Vec::new() };
    for step in outstanding(Engine::Sqlite, &applied)?.into_iter().filter(|step| step.store == store) {
        sqlx::raw_sql(step.sqlite)
            .execute(&mut *tx)
            .await
            .map_err(|error| DbError::setup(format!("migration {} failed: {error}", step.name)))?;
        sqlx::query(RECORD)
            .bind(step.version)
            .bind(step.name)
            .bind(step.checksum(Engine::Sqlite))
            .execute(&mut *tx)
            .await?;
        report.applied.push(step.version);
    }
    tx.commit().await?;
    Ok(report)
}

/// How long a migration, one's own or another node's, may take.
const MIGRATION_PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Applies what is outstanding. A connection that says nothing for so long is given up; where there is something to
/// migrate, that may take longer than `patience`.
pub(crate) async fn postgres(owner: &mut PgConnection, patience: Duration) -> Result<MigrationReport> {
    let is_there = "SELECT to_regclass('schema_migrations') IS NOT NULL";
    let looking = async {
        let is_there: bool = sqlx::query_scalar(is_there).fetch_one(&mut *owner).await?;
        let applied: Vec<(i64, String)> =
            if is_there { sqlx::query_as(APPLIED).fetch_all(&mut *owner).await? } else { Vec::new() };
        Ok(!outstanding(Engine::Postgres, &applied)?.is_empty())
    };
    let is_outstanding = within(patience, looking).await?;
    within(if is_outstanding { MIGRATION_PATIENCE } else { patience }, postgres_alone(owner)).await
}

async fn within<T>(patience: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(patience, work).await.unwrap_or_else(|_| {
        let message = format!("PostgreSQL does not answer within {} seconds", patience.as_secs());
        Err(DbError::at_start(sqlx::Error::PoolTimedOut, message))
    })
}

async fn postgres_alone(owner: &mut PgConnection) -> Result<MigrationReport> {
    sqlx::query("SELECT pg_advisory_lock($1)").bind(POSTGRES_LOCK).execute(&mut *owner).await?;
    let outcome = postgres_locked(owner).await;
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(POSTGRES_LOCK).execute(&mut *owner).await?;
    outcome
}

async fn postgres_locked(owner: &mut PgConnection) -> Result<MigrationReport> {
    sqlx::query("SET client_min_messages = warning").execute(&mut *owner).await?;
    role::ensure(owner).await?;
    sqlx::query(CREATE_TABLE).execute(&mut *owner).await?;
    let applied: Vec<(i64, String)> = sqlx::query_as(APPLIED).fetch_all(&mut *owner).await?;
    let mut report = MigrationReport { fresh: applied.is_empty(), applied: Vec::new() };
    for step in outstanding(Engine::Postgres, &applied)? {
        let mut tx = owner.begin().await?;
        sqlx::raw_sql(AssertSqlSafe(step.postgres))
            .execute(&mut *tx)
            .await
            .map_err(|error| DbError::setup(format!("migration {} failed: {error}", step.name)))?;
        sqlx::query(RECORD)
            .bind(step.version)
            .bind(step.name)
            .bind(step.checksum(Engine::Postgres))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        report.applied.push(step.version);
    }
    role::ensure_grants(owner).await?;
    Ok(report)
}
