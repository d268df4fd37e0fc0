#![doc = include_str!("../README.md")]

mod batch;
mod connect;
pub mod dialect;
mod error;
mod migrate;
mod role;
mod row;
mod sql;
#[doc(hidden)]
pub mod testing;
mod tx;
mod value;

use std::sync::Arc;

use sqlx::{Postgres, Sqlite, Transaction};
use uuid::Uuid;

pub use connect::{Durability, Options};
pub use error::{DbError, ErrorKind};
pub use migrate::{Migration, MigrationReport, migrations};
pub use row::{FromRow, Row};
pub use sql::Sql;
pub use tx::Tx;
pub use value::{JsonText, Value};

use connect::Pools;

/// Result of a database call.
pub type Result<T, E = DbError> = std::result::Result<T, E>;

/// Which engine a [`Db`] talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Embedded SQLite.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

impl Engine {
    /// The engine's name as it stands in logs, metrics and `/ready`.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Sqlite => "sqlite",
            Engine::Postgres => "postgresql",
        }
    }
}

/// Why something looks across workspaces. The list is short on purpose: whoever adds a line explains in review why
/// [`Db::tenant`] will not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Users, sign-in and sessions: a user is in several workspaces.
    Accounts,
    /// Workspaces and memberships of a user, before a workspace is chosen.
    Memberships,
    /// Finding the key, and by it the workspace, that a request carries.
    KeyLookup,
    /// Batched "last used" times of keys, sessions and prompts.
    LastUsed,
    /// Settings of the whole instance: secret check value, set-up link.
    Instance,
    /// Revisions of all workspaces, compared by every node each second.
    Revisions,
    /// Emptying bins whose time is over.
    Retention,
    /// Events that belong to no workspace, such as a failed sign-in.
    InstanceEvents,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Purpose::Accounts => "accounts",
            Purpose::Memberships => "memberships",
            Purpose::KeyLookup => "key_lookup",
            Purpose::LastUsed => "last_used",
            Purpose::Instance => "instance",
            Purpose::Revisions => "revisions",
            Purpose::Retention => "retention",
            Purpose::InstanceEvents => "instance_events",
        }
    }
}

/// A handle on the database; cheap to clone.
#[derive(Clone)]
pub struct Db {
    pools: Arc<Pools>,
}

impl Db {
    /// Connects, applies outstanding migrations under a lock, and opens the pools.
    pub async fn open(options: &Options) -> Result<(Db, MigrationReport)> {
        let (pools, report) = connect::open(options).await?;
        Ok((Db { pools: Arc::new(pools) }, report))
    }

    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        match &*self.pools {
            Pools::Sqlite { .. } => Engine::Sqlite,
            Pools::Postgres { .. } => Engine::Postgres,
        }
    }

    /// The door to everything that `workspace` owns.
    pub fn tenant(&self, workspace: Uuid) -> Door<'_> {
        Door { db: self, scope: Scope::Tenant(workspace) }
    }

    /// The door to what stands above workspaces; see [`Purpose`].
    pub fn system(&self, purpose: Purpose) -> Door<'_> {
        Door { db: self, scope: Scope::System(purpose) }
    }

    /// Open connections, for the metric `xr2_db_connections`.
    pub fn connections(&self) -> u32 {
        match &*self.pools {
            Pools::Sqlite { writer, reader } => writer.size() + reader.size(),
            Pools::Postgres { pool } => pool.size(),
        }
    }

    /// Asks the database for an answer; for `/ready`.
    pub async fn ping(&self) -> Result<()> {
        match &*self.pools {
            Pools::Sqlite { reader, .. } => sqlx::query("SELECT 1").execute(reader).await.map(drop)?,
            Pools::Postgres { pool } => sqlx::query("SELECT 1").execute(pool).await.map(drop)?,
        }
        Ok(())
    }

    /// Writes a consistent copy of the SQLite database to `path`. PostgreSQL has `pg_dump` for that.
    pub async fn copy_sqlite_to(&self, path: &std::path::Path) -> Result<()> {
        let Pools::Sqlite { writer, .. } = &*self.pools else {
            return Err(DbError::usage("only a SQLite database can be copied to a file"));
        };
        let target = path.to_str().ok_or_else(|| DbError::usage("the path is not valid UTF-8"))?.to_owned();
        sqlx::query("VACUUM INTO $1").bind(target).execute(writer).await?;
        Ok(())
    }

    /// Closes all connections after the running transactions have ended.
    pub async fn close(&self) {
        match &*self.pools {
            Pools::Sqlite { writer, reader } => {
                reader.close().await;
                writer.close().await;
            }
            Pools::Postgres { pool } => pool.close().await,
        }
    }
}

#[derive(Clone, Copy)]
enum Scope {
    Tenant(Uuid),
    System(Purpose),
}

/// One of the two ways into the database; opens transactions.
pub struct Door<'a> {
    db: &'a Db,
    scope: Scope,
}

impl Door<'_> {
    /// A transaction that only reads and sees one snapshot.
    pub async fn read(&self) -> Result<Tx> {
        match &*self.db.pools {
            Pools::Sqlite { reader, .. } => Ok(Tx::sqlite(reader.begin().await?, self.workspace(), false)),
            Pools::Postgres { pool } => {
                let tx = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
                self.postgres(tx, false).await
            }
        }
    }

    /// A transaction that writes. On SQLite there is one at a time, so it waits for nothing but SQL.
    pub async fn write(&self) -> Result<Tx> {
        match &*self.db.pools {
            Pools::Sqlite { writer, .. } => {
                let tx: Transaction<'static, Sqlite> = writer.begin_with("BEGIN IMMEDIATE").await?;
                Ok(Tx::sqlite(tx, self.workspace(), true))
            }
            Pools::Postgres { pool } => self.postgres(pool.begin().await?, true).await,
        }
    }

    async fn postgres(&self, mut tx: Transaction<'static, Postgres>, write: bool) -> Result<Tx> {
        let (setting, value) = match self.scope {
            Scope::Tenant(workspace) => ("app.current_workspace_id", workspace.to_string()),
            Scope::System(purpose) => ("app.system", purpose.as_str().to_owned()),
        };
        // Local to the transaction, so that a pooled connection (also behind PgBouncer) carries nothing over.
        sqlx::query("SELECT set_config($1, $2, true)").bind(setting).bind(value).execute(&mut *tx).await?;
        Ok(Tx::postgres(tx, self.workspace(), write))
    }

    fn workspace(&self) -> Option<Uuid> {
        match self.scope {
            Scope::Tenant(workspace) => Some(workspace),
            Scope::System(_) => None,
        }
    }
}
