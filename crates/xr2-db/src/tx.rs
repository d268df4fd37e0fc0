//! Transactions: the only thing that runs a statement.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Postgres, SqlSafeStr, SqlStr, Sqlite, Transaction};
use uuid::Uuid;

use crate::batch::Batch;
use crate::row::Inner as RowInner;
use crate::watch::Watch;
use crate::{DbError, Engine, FromRow, Result, Row, Sql, Value};

/// Longer than this and a write transaction is named in the log: the one writer of SQLite was held too long.
const SLOW_WRITE: Duration = Duration::from_millis(250);

/// More than so many statements are not put off.
const MAX_PENDING: usize = 64;

/// A running transaction. Dropped without [`Tx::commit`] it is rolled back.
pub struct Tx {
    inner: Inner,
    workspace: Option<Uuid>,
    write: bool,
    began: Instant,
    /// What [`Tx::later`] put off.
    pending: Batch,
    /// What is to happen once it is committed.
    afterwards: Vec<Box<dyn FnOnce() + Send + Sync>>,
    /// How much of that was asked for before [`Tx::mark`].
    marked: usize,
    watch: Watch,
}

enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Waits for a statement, but not for ever.
macro_rules! watched {
    ($tx:expr, $statement:expr) => {{
        $tx.watch.sends()?;
        let outcome = tokio::time::timeout($tx.watch.limit(), $statement).await;
        $tx.watch.judge(outcome)?
    }};
}

/// Runs one statement on whichever engine and maps what it gives.
macro_rules! run {
    ($tx:expr, $sql:expr, $args:expr, $method:ident, |$sqlite:ident| $map_sqlite:expr, |$pg:ident| $map_pg:expr) => {
        match &mut $tx.inner {
            Inner::Sqlite(tx) => {
                let $sqlite = watched!($tx, bind_sqlite($sql, $args).$method(&mut **tx));
                $map_sqlite
            }
            Inner::Postgres(tx) => {
                let $pg = watched!($tx, bind_postgres($sql, $args).$method(&mut **tx));
                $map_pg
            }
        }
    };
}

impl Tx {
    pub(crate) fn sqlite(tx: Transaction<'static, Sqlite>, workspace: Option<Uuid>, watch: Watch) -> Self {
        Tx::new(Inner::Sqlite(tx), workspace, watch)
    }

    pub(crate) fn postgres(
        tx: Transaction<'static, Postgres>,
        workspace: Option<Uuid>,
        watch: Watch,
    ) -> Self {
        Tx::new(Inner::Postgres(tx), workspace, watch)
    }

    fn new(inner: Inner, workspace: Option<Uuid>, watch: Watch) -> Self {
        let write = watch.is_write();
        Tx {
            inner,
            workspace,
            write,
            began: Instant::now(),
            pending: Batch::default(),
            afterwards: Vec::new(),
            marked: 0,
            watch,
        }
    }

    /// Which engine runs it, for the few statements that differ (see [`crate::dialect`]).
    pub fn engine(&self) -> Engine {
        match self.inner {
            Inner::Sqlite(_) => Engine::Sqlite,
            Inner::Postgres(_) => Engine::Postgres,
        }
    }

    /// The workspace of a tenant transaction.
    ///
    /// # Panics
    /// In a system transaction, which has none: that is a defect in the calling query.
    pub fn workspace(&self) -> Uuid {
        self.workspace.expect("a tenant query ran in a system transaction")
    }

    /// The workspace of a tenant transaction; none in a system transaction.
    pub fn scope(&self) -> Option<Uuid> {
        self.workspace
    }

    /// Has something done as soon as the transaction is committed, and not otherwise. It must be quick.
    pub fn on_commit(&mut self, then: impl FnOnce() + Send + Sync + 'static) {
        self.afterwards.push(Box::new(then));
    }

    /// Lets a system transaction act in `workspace` as well. Only for making a workspace together with its first
    /// member: both or neither.
    pub async fn in_workspace(mut self, workspace: Uuid) -> Result<Tx> {
        self.flush().await?;
        if let Inner::Postgres(tx) = &mut self.inner {
            let enter = sqlx::query("SELECT set_config('app.current_workspace_id', $1, true)")
                .bind(workspace.to_string())
                .execute(&mut **tx);
            watched!(self, enter);
        }
        self.workspace = Some(workspace);
        Ok(self)
    }

    /// Runs a statement before the next one whose result somebody asks for, at the latest at the commit. For writes
    /// that answer nothing: on SQLite, where every statement is a hop to another thread, all that were put off make
    /// one hop together with what follows them. What is wrong with such a statement is told by what it is run with.
    pub async fn later(&mut self, sql: &'static str, args: Vec<Value>) -> Result<()> {
        self.pending.push(sql, args);
        if self.pending.len() >= MAX_PENDING { self.flush().await } else { Ok(()) }
    }

    /// Runs what [`Tx::later`] put off.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let pending = std::mem::take(&mut self.pending);
        match &mut self.inner {
            Inner::Sqlite(tx) => {
                let (sql, args) = pending.into_script(None);
                watched!(self, bind_sqlite(AssertSqlSafe(sql).into_sql_str(), args).execute(&mut **tx));
            }
            Inner::Postgres(tx) => {
                for (sql, args) in pending.into_statements() {
                    watched!(self, bind_postgres(sql.into_sql_str(), args).execute(&mut **tx));
                }
            }
        }
        Ok(())
    }

    /// The statement together with what was put off, where the engine can run several at once; else runs that first.
    async fn after_pending(&mut self, sql: SqlStr, args: Vec<Value>) -> Result<(SqlStr, Vec<Value>)> {
        if self.pending.is_empty() {
            return Ok((sql, args));
        }
        if let Inner::Postgres(_) = self.inner {
            self.flush().await?;
            return Ok((sql, args));
        }
        let (script, args) = std::mem::take(&mut self.pending).into_script(Some((sql.as_str(), args)));
        Ok((AssertSqlSafe(script).into_sql_str(), args))
    }

    /// Remembers this place. What comes after it is kept with [`Tx::keep`] or undone with [`Tx::take_back`], and the
    /// transaction goes on, after a failed statement too. One place at a time.
    pub async fn mark(&mut self) -> Result<()> {
        self.marked = self.afterwards.len();
        self.execute("SAVEPOINT marked", Vec::new()).await.map(drop)
    }

    /// Keeps what was done since [`Tx::mark`].
    pub async fn keep(&mut self) -> Result<()> {
        self.execute("RELEASE SAVEPOINT marked", Vec::new()).await.map(drop)
    }

    /// Undoes what was done since [`Tx::mark`].
    pub async fn take_back(&mut self) -> Result<()> {
        self.pending = Batch::default();
        self.afterwards.truncate(self.marked);
        self.execute("ROLLBACK TO SAVEPOINT marked", Vec::new()).await?;
        self.execute("RELEASE SAVEPOINT marked", Vec::new()).await.map(drop)
    }

    /// Runs a statement and tells how many rows it touched.
    pub async fn execute(&mut self, sql: &'static str, args: Vec<Value>) -> Result<u64> {
        self.flush().await?;
        let sql = sql.into_sql_str();
        Ok(run!(self, sql, args, execute, |done| done.rows_affected(), |done| done.rows_affected()))
    }

    /// All rows.
    pub async fn all<T: FromRow>(&mut self, sql: &'static str, args: Vec<Value>) -> Result<Vec<T>> {
        self.all_of(sql.into_sql_str(), args).await
    }

    /// The first row, if any.
    pub async fn optional<T: FromRow>(&mut self, sql: &'static str, args: Vec<Value>) -> Result<Option<T>> {
        self.optional_of(sql.into_sql_str(), args).await
    }

    /// The one row; none is an error.
    pub async fn one<T: FromRow>(&mut self, sql: &'static str, args: Vec<Value>) -> Result<T> {
        self.optional(sql, args).await?.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Like [`Tx::all`], for a statement put together at run time.
    pub async fn all_built<T: FromRow>(&mut self, sql: Sql) -> Result<Vec<T>> {
        let (text, args) = sql.into_parts();
        self.all_of(AssertSqlSafe(text).into_sql_str(), args).await
    }

    /// Like [`Tx::optional`], for a statement put together at run time.
    pub async fn optional_built<T: FromRow>(&mut self, sql: Sql) -> Result<Option<T>> {
        let (text, args) = sql.into_parts();
        self.optional_of(AssertSqlSafe(text).into_sql_str(), args).await
    }

    /// Like [`Tx::execute`], for a statement put together at run time.
    pub async fn execute_built(&mut self, sql: Sql) -> Result<u64> {
        self.flush().await?;
        let (text, args) = sql.into_parts();
        let sql = AssertSqlSafe(text).into_sql_str();
        Ok(run!(self, sql, args, execute, |done| done.rows_affected(), |done| done.rows_affected()))
    }

    async fn all_of<T: FromRow>(&mut self, sql: SqlStr, args: Vec<Value>) -> Result<Vec<T>> {
        let (sql, args) = self.after_pending(sql, args).await?;
        run!(
            self,
            sql,
            args,
            fetch_all,
            |rows| rows.into_iter().map(|row| T::from_row(&Row(RowInner::Sqlite(row)))).collect(),
            |rows| rows.into_iter().map(|row| T::from_row(&Row(RowInner::Postgres(row)))).collect()
        )
    }

    async fn optional_of<T: FromRow>(&mut self, sql: SqlStr, args: Vec<Value>) -> Result<Option<T>> {
        let (sql, args) = self.after_pending(sql, args).await?;
        run!(
            self,
            sql,
            args,
            fetch_optional,
            |row| row.map(|row| T::from_row(&Row(RowInner::Sqlite(row)))).transpose(),
            |row| row.map(|row| T::from_row(&Row(RowInner::Postgres(row)))).transpose()
        )
    }

    /// Makes the changes last.
    pub async fn commit(mut self) -> Result<()> {
        self.flush().await?;
        self.watch.sends()?;
        let limit = self.watch.limit();
        let outcome = match self.inner {
            Inner::Sqlite(tx) => tokio::time::timeout(limit, tx.commit()).await,
            Inner::Postgres(tx) => tokio::time::timeout(limit, tx.commit()).await,
        };
        self.watch.judge(outcome).map_err(|error| if self.write { error.at_commit() } else { error })?;
        if self.write {
            self.watch.check_file().map_err(DbError::lost)?;
            let held = self.began.elapsed();
            metrics::histogram!("xr2_db_write_transaction_seconds").record(held.as_secs_f64());
            if held > SLOW_WRITE {
                tracing::warn!(held_ms = held.as_millis() as u64, "slow write transaction");
            }
        }
        for then in self.afterwards {
            then();
        }
        Ok(())
    }

    /// Takes everything back. Dropping does the same, later.
    pub async fn rollback(mut self) -> Result<()> {
        self.watch.sends()?;
        let limit = self.watch.limit();
        let outcome = match self.inner {
            Inner::Sqlite(tx) => tokio::time::timeout(limit, tx.rollback()).await,
            Inner::Postgres(tx) => tokio::time::timeout(limit, tx.rollback()).await,
        };
        self.watch.judge(outcome)
    }
}

macro_rules! bind_all {
    ($name:ident, $db:ty, $json:expr) => {
        fn $name(
            sql: SqlStr,
            args: Vec<Value>,
        ) -> sqlx::query::Query<'static, $db, <$db as sqlx::Database>::Arguments> {
            let mut query = sqlx::query::<$db>(sql);
            for value in args {
                query = match value {
                    Value::Uuid(v) => query.bind(v),
                    Value::Text(v) => query.bind(v),
                    Value::I64(v) => query.bind(v),
                    Value::F64(v) => query.bind(v),
                    Value::Bool(v) => query.bind(v),
                    Value::Time(v) => query.bind(v),
                    Value::Json(v) => query.bind($json(v)),
                    Value::Bytes(v) => query.bind(v),
                };
            }
            query
        }
    };
}
bind_all!(bind_sqlite, Sqlite, |v: Option<crate::JsonText>| v.map(|json| json.0));
bind_all!(bind_postgres, Postgres, |v| v);
