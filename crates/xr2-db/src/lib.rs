#![doc = include_str!("../README.md")]

pub mod background;
mod batch;
mod connect;
pub mod dialect;
mod error;
mod hosts;
mod migrate;
mod replicas;
mod role;
mod row;
mod rows;
mod shared;
mod sql;
mod statistics;
#[doc(hidden)]
pub mod testing;
mod tx;
mod value;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use sqlx::{PgPool, Postgres, Sqlite, Transaction};
use tokio::time::timeout;
use uuid::Uuid;

pub use connect::{Durability, Options};
pub use error::{DbError, ErrorKind};
pub use migrate::{Migration, MigrationReport, migrations};
pub use row::{Column, FromRow, Row};
pub use sql::Sql;
pub use tx::Tx;
pub use value::{JsonText, Value};
pub use xr2_breaker::{Settings as BreakerSettings, State as BreakerState, Time};

use connect::{Opener, Pools};
use replicas::Replicas;
use shared::Shared;
use watch::Watch;

/// Result of a database call.
pub type Result<T, E = DbError> = std::result::Result<T, E>;

/// Which engine a [`Db`] talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// Deliveries of all workspaces, written in batches and summed by the hour.
    Usage,
    /// Purges that caches of any workspace wait for.
    Edge,
    /// Finding the preview link, and by it the workspace, that somebody without an account opens.
    PreviewLinks,
    /// Work that is put off, of all workspaces and of none.
    Jobs,
    /// Kept answers: that of a request which makes a workspace, and those whose time is over.
    Idempotency,
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
            Purpose::Usage => "usage",
            Purpose::Edge => "edge",
            Purpose::PreviewLinks => "preview_links",
            Purpose::Jobs => "jobs",
            Purpose::Idempotency => "idempotency",
        }
    }
}

/// Whoever waits so long for a connection has it looked whether another server has taken over.
const SUSPICIOUS: Duration = Duration::from_secs(1);

/// A handle on the database; cheap to clone.
#[derive(Clone)]
pub struct Db {
    shared: Arc<Shared>,
    /// SQLite's file of usage; PostgreSQL keeps it with the rest.
    usage: Option<Arc<Shared>>,
    replicas: Arc<Replicas>,
    /// Reading may be answered by a replica.
    reads_replicas: bool,
}

impl Db {
    /// Connects, applies outstanding migrations under a lock, and opens the pools.
    pub async fn open(options: &Options) -> Result<(Db, MigrationReport)> {
        let db = Db::prepare(options)?;
        let report = db.start().await?;
        Ok((db, report))
    }

    /// A handle that is not connected yet: everything is unavailable until [`Db::start`] has succeeded.
    pub fn prepare(options: &Options) -> Result<Db> {
        let opener = Opener::new(options)?;
        let usage = opener.of_usage()?.map(|opener| Arc::new(Shared::new(opener)));
        let replicas = Arc::new(Replicas::new(options)?);
        Ok(Db { shared: Arc::new(Shared::new(opener)), usage, replicas, reads_replicas: false })
    }

    /// Connects and applies outstanding migrations under a lock. May be tried again when it failed.
    pub async fn start(&self) -> Result<MigrationReport> {
        let mut report = self.shared.start().await?;
        if let Some(usage) = &self.usage {
            report.applied.extend(usage.start().await?.applied);
            report.applied.sort_unstable();
        }
        Ok(report)
    }

    /// Whether [`Db::start`] has succeeded.
    pub fn has_started(&self) -> bool {
        self.shared.has_started()
    }

    /// Whether [`Db::start`] is to be called: it has not succeeded yet, or the file is another one than it opened.
    pub fn wants_start(&self) -> bool {
        self.shared.wants_start()
    }

    /// Whether SQLite's file of usage is gone, or another one than was opened, beside a database that is there.
    pub fn lacks_usage(&self) -> bool {
        let is_wrong = |usage: &Arc<Shared>| usage.check_file().is_err();
        self.has_started() && self.shared.check_file().is_ok() && self.usage.as_ref().is_some_and(is_wrong)
    }

    /// Opens the file of usage anew. One that is gone is replaced by an empty one, unlike the database itself: what was
    /// delivered is worth less than noting what is.
    pub async fn restart_usage(&self) -> Result<()> {
        match &self.usage {
            Some(usage) => usage.start().await.map(drop),
            None => Ok(()),
        }
    }

    /// Takes a start back: everything is unavailable again.
    pub fn withdraw(&self) {
        self.shared.withdraw();
    }

    /// Whether the database is a file that is not there.
    pub fn lacks_file(&self) -> bool {
        self.shared.lacks_file()
    }

    /// Where usage is kept, with the same two doors: on SQLite a file of its own, so that deliveries being written down
    /// and people's changes never wait for each other; on PostgreSQL the same database.
    pub fn usage(&self) -> Db {
        let shared = self.usage.clone().unwrap_or_else(|| self.shared.clone());
        Db { shared, usage: None, ..self.clone() }
    }

    /// Changes whenever another server has taken over, of several.
    pub fn switches(&self) -> tokio::sync::watch::Receiver<u64> {
        self.shared.switches()
    }

    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        if self.shared.is_sqlite() { Engine::Sqlite } else { Engine::Postgres }
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
        self.files().map(|shared| shared.pools().size()).sum::<u32>() + self.replicas.connections()
    }

    /// Where the breakers of reads and of writes stand.
    pub fn breakers(&self) -> (BreakerState, BreakerState) {
        (self.shared.breaker(false).state(), self.shared.breaker(true).state())
    }

    /// Asks the database for an answer; for `/ready`.
    pub async fn ping(&self) -> Result<()> {
        let mut tx = self.system(Purpose::Instance).read().await?;
        let _: Vec<i64> = tx.all("SELECT CAST(1 AS BIGINT)", Vec::new()).await?;
        tx.commit().await
    }

    /// Writes a consistent copy of the SQLite database to `path`, and of its usage beside it. PostgreSQL has `pg_dump`
    /// for that.
    pub async fn copy_sqlite_to(&self, path: &std::path::Path) -> Result<()> {
        for (shared, path) in self.files().zip([path, &connect::usage_file(path)]) {
            let Pools::Sqlite { writer, .. } = &*shared.pools() else {
                return Err(DbError::usage("only a SQLite database can be copied to a file"));
            };
            let target =
                path.to_str().ok_or_else(|| DbError::usage("the path is not valid UTF-8"))?.to_owned();
            sqlx::query("VACUUM INTO $1").bind(target).execute(writer).await?;
        }
        Ok(())
    }

    /// The database, and SQLite's file of usage.
    fn files(&self) -> impl Iterator<Item = &Arc<Shared>> {
        std::iter::once(&self.shared).chain(&self.usage)
    }

    /// Closes all connections after the running transactions have ended.
    pub async fn close(&self) {
        for shared in self.files() {
            shared.close().await;
        }
        self.replicas.close().await;
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
        if self.db.reads_replicas
            && let Some(tx) = self.db.replicas.begin(self).await
        {
            return Ok(tx);
        }
        self.begin_on(&self.db.shared, false).await
    }

    /// A transaction that writes. On SQLite there is one at a time, so it waits for nothing but SQL.
    pub async fn write(&self) -> Result<Tx> {
        self.begin_on(&self.db.shared, true).await
    }

    async fn begin_on(&self, shared: &Arc<Shared>, write: bool) -> Result<Tx> {
        let mut watch = Watch::new(shared.clone(), shared.enter(write)?, write);
        watch.sends()?;
        let limit = shared.options().acquire_timeout + watch.limit();
        match &*shared.pools() {
            Pools::Sqlite { writer, reader } => {
                let (pool, statement) =
                    if write { (writer.clone(), "BEGIN IMMEDIATE") } else { (reader.clone(), "BEGIN") };
                // Who begins may have to connect.
                let began = background::leave(async move { pool.begin_with(statement).await });
                let outcome =
                    timeout(limit, began).await.map(|began| began.unwrap_or(Err(sqlx::Error::WorkerCrashed)));
                if write && matches!(outcome, Ok(Err(sqlx::Error::PoolTimedOut))) {
                    // Others of this process write, slowly: that is a queue, no outage.
                    return Err(sqlx::Error::PoolTimedOut.into());
                }
                let tx: Transaction<'static, Sqlite> = watch.judge(outcome)?;
                Ok(Tx::sqlite(tx, self.workspace(), watch))
            }
            Pools::Postgres { .. } => {
                let mut switches = shared.switches();
                loop {
                    let pools = shared.pools();
                    let Pools::Postgres { pool } = &*pools else {
                        return Err(DbError::usage("these pools are another engine's"));
                    };
                    let beginning = timeout(limit, self.begin_postgres(pool, write));
                    let slow = tokio::time::sleep(SUSPICIOUS);
                    tokio::pin!(beginning, slow);
                    let mut is_suspected = false;
                    loop {
                        tokio::select! {
                            outcome = &mut beginning => {
                                let tx: Transaction<'static, Postgres> = watch.judge(outcome)?;
                                return Ok(Tx::postgres(tx, self.workspace(), watch));
                            }
                            // Whoever waits for a server that is gone goes on with the one that has taken over.
                            _ = switches.changed() => break,
                            // The pool tries on and says nothing, as long as somebody waits.
                            () = shared.refused() => Shared::suspect(shared),
                            () = &mut slow, if !is_suspected => {
                                is_suspected = true;
                                Shared::suspect(shared);
                            }
                        }
                    }
                }
            }
        }
    }

    async fn begin_postgres(
        &self,
        pool: &PgPool,
        write: bool,
    ) -> std::result::Result<Transaction<'static, Postgres>, sqlx::Error> {
        let mut tx = match write {
            true => pool.begin().await?,
            false => pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
        };
        let (setting, value) = match self.scope {
            Scope::Tenant(workspace) => ("app.current_workspace_id", workspace.to_string()),
            Scope::System(purpose) => ("app.system", purpose.as_str().to_owned()),
        };
        // Local to the transaction, so that a pooled connection (also behind PgBouncer) carries nothing over.
        sqlx::query("SELECT set_config($1, $2, true)").bind(setting).bind(value).execute(&mut *tx).await?;
        Ok(tx)
    }

    fn workspace(&self) -> Option<Uuid> {
        match self.scope {
            Scope::Tenant(workspace) => Some(workspace),
            Scope::System(_) => None,
        }
    }
}
