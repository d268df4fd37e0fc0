//! A fresh database for each test, copied from one that was migrated once.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use tokio::sync::OnceCell;
use xr2_db::{Db, Engine, Options, testing};

static POSTGRES_TEMPLATE: OnceCell<String> = OnceCell::const_new();
static SQLITE_TEMPLATE: OnceCell<(TempDir, PathBuf)> = OnceCell::const_new();
static COUNTER: AtomicU32 = AtomicU32::new(0);

/// Where PostgreSQL is, when the environment says so.
#[expect(clippy::disallowed_methods, reason = "tests are told by the environment where PostgreSQL is")]
pub fn postgres_url() -> Option<String> {
    std::env::var("XR2_TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}

/// Where Redis is, when the environment says so.
#[expect(clippy::disallowed_methods, reason = "tests are told by the environment where Redis is")]
pub fn redis_url() -> Option<String> {
    std::env::var("XR2_TEST_REDIS").ok().filter(|url| !url.is_empty())
}

/// A database and the directory of the server that uses it.
pub(crate) struct Database {
    /// The server's data directory.
    pub(crate) directory: TempDir,
    /// The database's address.
    pub(crate) url: String,
    postgres: Option<(String, String)>,
}

impl Database {
    pub(crate) async fn create(engine: Engine) -> Database {
        let directory = TempDir::new().expect("a temporary directory");
        match engine {
            Engine::Sqlite => {
                let (_, template) = SQLITE_TEMPLATE.get_or_init(sqlite_template).await;
                let path = directory.path().join("xr2.sqlite3");
                testing::copy_sqlite_files(template, &path).expect("copying the template");
                Database { url: format!("sqlite:{}", path.display()), directory, postgres: None }
            }
            Engine::Postgres => {
                let admin = postgres_url().expect("checked before");
                let template =
                    POSTGRES_TEMPLATE.get_or_init(|| async { postgres_template(&admin).await }).await;
                let number = COUNTER.fetch_add(1, Ordering::Relaxed);
                let name = format!("xr2_test_{}_{number}", std::process::id());
                // A killed run with the same process id may have left one.
                testing::drop_postgres(&admin, &name).await.expect("dropping an old test database");
                testing::create_postgres(&admin, &name, Some(template)).await.expect("a test database");
                Database {
                    url: testing::sibling_url(&admin, &name),
                    directory,
                    postgres: Some((admin, name)),
                }
            }
        }
    }

    pub(crate) async fn drop(self) {
        if let Some((admin, name)) = &self.postgres
            && let Err(error) = testing::drop_postgres(admin, name).await
        {
            eprintln!("the test database {name} could not be dropped: {error}");
        }
    }
}

async fn postgres_template(admin: &str) -> String {
    testing::postgres_template(admin).await.expect("XR2_TEST_POSTGRES must let the tests make databases")
}

async fn sqlite_template() -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("template.sqlite3");
    let (db, _) =
        Db::open(&Options::new(format!("sqlite:{}", path.display()))).await.expect("migrations apply");
    let copy = directory.path().join("copy.sqlite3");
    db.copy_sqlite_to(&copy).await.expect("a copy of the template");
    db.close().await;
    (directory, copy)
}
