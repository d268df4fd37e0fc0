//! For the test kit alone: PostgreSQL databases made and dropped by the dozen, and the schema as each engine sees it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqliteConnection};

use uuid::Uuid;

use crate::connect::usage_file;
use crate::{Db, DbError, Door, Engine, Options, Result, Sql, migrations, statistics};

/// Any number that nothing else uses.
const TEMPLATE_LOCK: i64 = 0x7872_325f_7465_6d70;

/// The address of another database on the same server.
pub fn sibling_url(url: &str, database: &str) -> String {
    let (address, query) = url.split_once('?').map_or((url, None), |(address, query)| (address, Some(query)));
    let scheme = address.find("://").map_or(0, |at| at + 3);
    let host = address[scheme..].find('/').map_or(address, |at| &address[..scheme + at]);
    match query {
        Some(query) => format!("{host}/{database}?{query}"),
        None => format!("{host}/{database}"),
    }
}

/// Makes the migrated database that tests are copied from, unless it is there already, and returns its name. The name
/// follows from the migrations' text, so that different states of the source tree can share a server.
pub async fn postgres_template(admin_url: &str) -> Result<String> {
    let mut digest = Sha256::new();
    for migration in migrations() {
        digest.update(migration.text(Engine::Postgres));
    }
    let digest: String = digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let name = format!("xr2_template_{digest}");
    let mut admin = connect(admin_url).await?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(TEMPLATE_LOCK).execute(&mut admin).await?;
    let outcome = make_template(&mut admin, admin_url, &name).await;
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(TEMPLATE_LOCK).execute(&mut admin).await?;
    admin.close().await?;
    outcome.map(|()| name)
}

async fn make_template(admin: &mut PgConnection, admin_url: &str, name: &str) -> Result<()> {
    let known: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(name)
        .fetch_optional(&mut *admin)
        .await?;
    if known.is_some() {
        return Ok(());
    }
    // Under another name until it is complete: a killed run leaves no half template behind.
    let raw = format!("{name}_raw");
    run(admin, format!("DROP DATABASE IF EXISTS {raw} WITH (FORCE)")).await?;
    run(admin, format!("CREATE DATABASE {raw}")).await?;
    let (db, _) = Db::open(&Options::new(sibling_url(admin_url, &raw))).await?;
    db.close().await;
    run(admin, format!("ALTER DATABASE {raw} RENAME TO {name}")).await
}

/// Makes the database `name`, as a copy of `template` when one is given.
pub async fn create_postgres(admin_url: &str, name: &str, template: Option<&str>) -> Result<()> {
    let mut admin = connect(admin_url).await?;
    let template = template.map(|template| format!(" TEMPLATE {template}")).unwrap_or_default();
    run(&mut admin, format!("CREATE DATABASE {name}{template}")).await?;
    admin.close().await?;
    Ok(())
}

/// Drops the database `name`, connections and all.
pub async fn drop_postgres(admin_url: &str, name: &str) -> Result<()> {
    let mut admin = connect(admin_url).await?;
    run(&mut admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
    admin.close().await?;
    Ok(())
}

async fn connect(url: &str) -> Result<PgConnection> {
    let options = PgConnectOptions::from_str(url)?.disable_statement_logging();
    Ok(options.connect().await?)
}

async fn run(admin: &mut PgConnection, sql: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(admin).await?;
    Ok(())
}

/// Copies a closed SQLite database, that of usage with it.
pub fn copy_sqlite_files(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::copy(from, to)?;
    std::fs::copy(usage_file(from), usage_file(to))?;
    Ok(())
}

/// A column as the engine knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ColumnInfo {
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Its type in the engine's words, lower case.
    pub kind: String,
    /// Whether it may be null.
    pub nullable: bool,
}

/// All columns of all tables of ours, sorted.
pub async fn columns(url: &str) -> Result<Vec<ColumnInfo>> {
    let rows: Vec<(String, String, String, bool)> = match sqlite_path(url) {
        Some(path) => {
            let mut rows = Vec::new();
            for mut connection in open_sqlite(path).await? {
                let of_file = sqlx::query_as(
                    "SELECT t.name, c.name, lower(c.type), c.\"notnull\" = 0 AND c.pk = 0
                     FROM sqlite_schema t JOIN pragma_table_info(t.name) c
                     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE 'prompt_entries%'",
                );
                rows.extend(of_file.fetch_all(&mut connection).await?);
            }
            rows
        }
        None => {
            let mut connection = connect(url).await?;
            sqlx::query_as(
                "SELECT table_name::text, column_name::text, lower(data_type::text), is_nullable = 'YES'
                 FROM information_schema.columns WHERE table_schema = 'public' AND data_type <> 'tsvector'",
            )
            .fetch_all(&mut connection)
            .await?
        }
    };
    let mut columns: Vec<ColumnInfo> = rows
        .into_iter()
        .map(|(table, name, kind, nullable)| ColumnInfo { table, name, kind, nullable })
        .collect();
    columns.sort();
    // Both files of SQLite have the migrations' own table.
    columns.dedup();
    Ok(columns)
}

/// Names of all indexes of ours that have one of their own, sorted.
pub async fn indexes(url: &str) -> Result<Vec<String>> {
    let mut names: Vec<String> = match sqlite_path(url) {
        Some(path) => {
            let mut names = Vec::new();
            for mut connection in open_sqlite(path).await? {
                let of_file: Vec<String> = sqlx::query_scalar(
                    "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
                )
                .fetch_all(&mut connection)
                .await?;
                names.extend(of_file);
            }
            names
        }
        None => {
            let mut connection = connect(url).await?;
            // Those of constraints have no counterpart with a name on SQLite.
            sqlx::query_scalar(
                "SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                 JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = 'public' AND c.relname <> 'prompt_search_entries'
                   AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)",
            )
            .fetch_all(&mut connection)
            .await?
        }
    };
    names.sort();
    Ok(names)
}

/// Indexes of SQLite's main file that the planner is told nothing of although it is told of others of their table, and
/// those it is told of that are not there.
pub async fn wrong_statistics(path: &Path) -> Result<Vec<String>> {
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await?;
    let of_schema: Vec<(String, String)> =
        sqlx::query_as("SELECT tbl_name, name FROM sqlite_schema WHERE type = 'index'")
            .fetch_all(&mut connection)
            .await?;
    let there: BTreeSet<(&str, &str)> = of_schema.iter().map(|(t, i)| (t.as_str(), i.as_str())).collect();
    let told: BTreeSet<(&str, &str)> = statistics::lines().map(|(table, index, _)| (table, index)).collect();
    let tables: BTreeSet<&str> = told.iter().map(|(table, _)| *table).collect();
    let wrong = there.symmetric_difference(&told).filter(|(table, _)| tables.contains(table));
    Ok(wrong.map(|(table, index)| format!("{table}.{index}")).collect())
}

/// Statements that look for what belongs to one prompt, of the kinds for which SQLite would, left to itself, read the whole
/// workspace.
const OF_ONE_PROMPT: [&str; 2] = [
    "SELECT slug FROM prompt_slugs WHERE workspace_id = $1 AND prompt_id = $2 AND is_current = $3 ORDER BY slug",
    "SELECT DISTINCT p.id FROM prompt_includes i
     JOIN prompts p ON p.id = i.prompt_id AND p.latest_version = i.version_number
     WHERE p.deleted_at IS NULL AND i.workspace_id = $1 AND p.workspace_id = $1 AND i.included_id = $2",
];

/// How a new connection to SQLite's main file carries them out, step by step.
pub async fn plans_of_one_prompt(path: &Path) -> Result<Vec<Vec<String>>> {
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await?;
    let mut plans = Vec::new();
    for sql in OF_ONE_PROMPT {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let steps: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(&mut connection).await?;
        plans.push(steps.into_iter().map(|(_, _, _, step)| step).collect());
    }
    Ok(plans)
}

/// Whether row-level security is enabled and forced, and how many policies there are, by table.
pub async fn row_security(url: &str) -> Result<Vec<(String, bool, bool, i64)>> {
    let mut connection = connect(url).await?;
    Ok(sqlx::query_as(
        "SELECT c.relname::text, c.relrowsecurity, c.relforcerowsecurity,
                (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid)
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY 1",
    )
    .fetch_all(&mut connection)
    .await?)
}

/// Whether the role that pooled connections take may log in, is a superuser, or may bypass row-level security.
pub async fn app_role(url: &str) -> Result<(bool, bool, bool)> {
    let mut connection = connect(url).await?;
    let row =
        sqlx::query_as("SELECT rolcanlogin, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'xr2_app'");
    Ok(row.fetch_one(&mut connection).await?)
}

/// Whether the role that `url` itself names is a superuser.
pub async fn is_superuser(url: &str) -> Result<bool> {
    let mut connection = connect(url).await?;
    Ok(sqlx::query_scalar("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        .fetch_one(&mut connection)
        .await?)
}

/// Whether the replicas of a server have everything that it has.
pub async fn replicas_are_level(url: &str) -> Result<bool> {
    let sql = "SELECT coalesce(bool_and(replay_lsn >= pg_current_wal_insert_lsn()), false) FROM pg_stat_replication";
    let mut connection = connect(url).await?;
    Ok(sqlx::query_scalar(sql).fetch_one(&mut connection).await?)
}

/// Runs statements as the role that `url` names, one after the other.
pub async fn run_sql(url: &str, statements: &[String]) -> Result<()> {
    let mut connection = connect(url).await?;
    for sql in statements {
        run(&mut connection, sql.clone()).await?;
    }
    connection.close().await?;
    Ok(())
}

/// The server's major version.
pub async fn server_version(url: &str) -> Result<i32> {
    let mut connection = connect(url).await?;
    let sql = "SELECT current_setting('server_version_num')::int / 10000";
    Ok(sqlx::query_scalar(sql).fetch_one(&mut connection).await?)
}

/// The address of the same server with another user, password and database.
pub fn url_of(url: &str, user: &str, password: &str, database: &str) -> String {
    let sibling = sibling_url(url, database);
    let (scheme, rest) = sibling.split_once("://").unwrap_or(("postgres", &sibling));
    let host = match rest.split_once('/') {
        Some((authority, _)) => authority.rsplit_once('@').map_or(rest, |(user, _)| &rest[user.len() + 1..]),
        None => rest,
    };
    format!("{scheme}://{user}:{password}@{host}")
}

/// Makes a table of the test's own that both doors may use.
pub async fn make_table(url: &str, name: &'static str, columns: &'static str) -> Result<()> {
    let create = AssertSqlSafe(format!("CREATE TABLE {name} ({columns})"));
    match sqlite_path(url) {
        Some(path) => {
            let mut connection = SqliteConnectOptions::new()
                .filename(path)
                .busy_timeout(std::time::Duration::from_secs(5))
                .connect()
                .await?;
            sqlx::query(create).execute(&mut connection).await?;
        }
        None => {
            let mut connection = connect(url).await?;
            sqlx::query(create).execute(&mut connection).await?;
            sqlx::query(AssertSqlSafe(format!("GRANT ALL ON {name} TO xr2_app")))
                .execute(&mut connection)
                .await?;
        }
    }
    Ok(())
}

/// Tables whose rows belong to a workspace.
pub fn guarded_tables() -> &'static [&'static str] {
    &[
        "memberships",
        "api_keys",
        "prompts",
        "prompt_slugs",
        "prompt_tags",
        "prompt_versions",
        "prompt_drafts",
        "labels",
        "prompt_labels",
        "label_moves",
        "prompt_includes",
        "prompt_fetches",
        "events",
        "usage_events",
        "usage_hourly",
        "usage_users",
        "usage_monthly",
        "telemetry_ids",
        "reported_ids",
        "client_instances",
        "jobs",
    ]
}

/// Rows of `table` that belong to `workspace`, as far as `door` shows them.
pub async fn count_rows(door: Door<'_>, table: &'static str, workspace: Uuid) -> Result<i64> {
    let mut sql = Sql::new("SELECT count(*) FROM ");
    sql.push(table).push(" WHERE workspace_id = ").bind(workspace);
    count(door, sql).await
}

/// All rows of `table` that `door` shows.
pub async fn count_all(door: Door<'_>, table: &'static str) -> Result<i64> {
    let mut sql = Sql::new("SELECT count(*) FROM ");
    sql.push(table);
    count(door, sql).await
}

async fn count(door: Door<'_>, sql: Sql) -> Result<i64> {
    let mut tx = door.read().await?;
    Ok(tx.optional_built(sql).await?.unwrap_or(0))
}

/// Tries to write a label into a workspace.
pub async fn insert_label(door: Door<'_>, workspace: Uuid) -> Result<()> {
    let mut sql = Sql::new(
        "INSERT INTO labels (workspace_id, name, color, is_protected, created_by, created_at, updated_at)
         SELECT ",
    );
    sql.bind(workspace).push(", 'smuggled', 'gray', false, '{}', now(), now()");
    let mut tx = door.write().await?;
    tx.execute_built(sql).await?;
    tx.commit().await
}

/// Tries to move the rows of one workspace into another.
pub async fn move_rows(door: Door<'_>, table: &'static str, from: Uuid, to: Uuid) -> Result<()> {
    let mut sql = Sql::new("UPDATE ");
    sql.push(table).push(" SET workspace_id = ").bind(to).push(" WHERE workspace_id = ").bind(from);
    let mut tx = door.write().await?;
    tx.execute_built(sql).await?;
    tx.commit().await
}

static FRESH: AtomicU32 = AtomicU32::new(0);

/// An empty database that nothing has migrated yet.
pub struct Fresh {
    url: String,
    postgres: Option<(String, String)>,
}

impl Fresh {
    /// Makes one, on the server at `admin_url` or in `directory`.
    pub async fn create(engine: &Engine, directory: &Path, admin_url: Option<String>) -> Result<Fresh> {
        match (engine, admin_url) {
            (Engine::Postgres, Some(admin)) => {
                let number = FRESH.fetch_add(1, Ordering::Relaxed);
                let name = format!("xr2_fresh_{}_{number}", std::process::id());
                drop_postgres(&admin, &name).await?;
                create_postgres(&admin, &name, None).await?;
                Ok(Fresh { url: sibling_url(&admin, &name), postgres: Some((admin, name)) })
            }
            _ => {
                let path = directory.join("fresh.sqlite3");
                Ok(Fresh { url: format!("sqlite:{}", path.display()), postgres: None })
            }
        }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Drops it.
    pub async fn drop(self) -> Result<()> {
        match &self.postgres {
            Some((admin, name)) => drop_postgres(admin, name).await,
            None => Ok(()),
        }
    }
}

/// A SQLite file that somebody else holds for writing, until this is dropped.
pub struct FileLock(#[expect(dead_code, reason = "held, not used")] SqliteConnection);

/// Locks a SQLite file against all other writers.
pub async fn lock_sqlite(url: &str) -> Result<FileLock> {
    let path = sqlite_path(url).ok_or_else(|| DbError::usage("only a SQLite file can be locked"))?;
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(std::time::Duration::from_secs(5));
    let mut connection = options.connect().await?;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
    Ok(FileLock(connection))
}

fn sqlite_path(url: &str) -> Option<&str> {
    url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))
}

/// The main file and that of usage.
async fn open_sqlite(path: &str) -> Result<Vec<SqliteConnection>> {
    let mut connections = Vec::new();
    for file in [PathBuf::from(path), usage_file(Path::new(path))] {
        let options = SqliteConnectOptions::new().filename(file).read_only(true).disable_statement_logging();
        connections.push(options.connect().await.map_err(DbError::from)?);
    }
    Ok(connections)
}

#[cfg(test)]
mod tests {
    use super::sibling_url;

    #[test]
    fn a_sibling_keeps_host_and_options() {
        assert_eq!(sibling_url("postgres://u:p@h:1/a", "b"), "postgres://u:p@h:1/b");
        assert_eq!(sibling_url("postgres://h", "b"), "postgres://h/b");
        assert_eq!(sibling_url("postgres://h/a?sslmode=disable", "b"), "postgres://h/b?sslmode=disable");
    }
}
