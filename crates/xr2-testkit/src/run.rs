//! One run of a test: boot, body, searches, clean-up.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Once;
use std::time::Duration;

use tokio::runtime::Runtime;
use xr2_db::Engine;

use crate::database::{Database, postgres_url};
use crate::logs::Logs;
use crate::{TestApp, canary};

/// How the server of one test differs from the usual.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) empty: bool,
    pub(crate) errors_expected: bool,
    pub(crate) has_faults: bool,
}

impl Options {
    /// The usual server: one workspace `acme`, the planted one, registration open.
    pub fn new() -> Options {
        Options::default()
    }

    /// Sets a setting, such as `auth.registration`.
    pub fn set(mut self, key: &str, value: impl ToString) -> Options {
        self.settings.push((key.to_owned(), value.to_string()));
        self
    }

    /// A server that also does what was put off.
    pub fn with_worker(self) -> Options {
        self.set("roles", "api,worker")
    }

    /// A server nobody has used yet: no users, no workspaces, nothing planted.
    pub fn empty(mut self) -> Options {
        self.empty = true;
        self
    }

    /// A server whose database can be taken away ([`TestApp::database_network`]), which keeps a snapshot and tries again
    /// sooner than usual.
    pub fn with_faults(mut self) -> Options {
        self.has_faults = true;
        self.expect_errors()
            .set("delivery.snapshot", true)
            .set("resilience.database_pause", "1s")
            .set("resilience.redis_pause", "1s")
    }

    /// Lines of level ERROR in the log do not fail the test.
    pub fn expect_errors(mut self) -> Options {
        self.errors_expected = true;
        self
    }
}

/// Runs `test` against a fresh server. Called by [`crate::both!`].
pub fn run<Test, Running>(engine: Engine, options: Options, test: Test)
where
    Test: FnOnce(TestApp) -> Running,
    Running: Future<Output = ()>,
{
    if engine == Engine::Postgres && postgres_url().is_none() {
        return say_that_postgres_is_absent();
    }
    let logs = Logs::default();
    let runtime = runtime(&logs);
    let _guard = logs.install();
    let database = runtime.block_on(Database::create(engine));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let app = TestApp::boot(&database, &options, logs.clone()).await;
            let outcome = AssertUnwindSafe(test(app.clone()));
            outcome.0.await;
            app.search_events().await;
            app.stop().await;
        });
        logs.search(&canary::NEEDLES, options.errors_expected);
    }));
    // Ends a server that a failed test left running, so that its database can be dropped.
    runtime.shutdown_timeout(Duration::from_secs(5));
    Runtime::new().expect("a runtime for the clean-up").block_on(database.drop());
    if let Err(panic) = outcome {
        logs.print_tail();
        resume_unwind(panic);
    }
}

fn say_that_postgres_is_absent() {
    static ONCE: Once = Once::new();
    let required = std::env::var_os("XR2_TEST_REQUIRE_ALL").is_some_and(|value| value == "1");
    assert!(
        !required,
        "XR2_TEST_POSTGRES is not set: give the address of a PostgreSQL server on which databases may be made"
    );
    ONCE.call_once(|| eprintln!("XR2_TEST_POSTGRES is not set: tests run on SQLite only"));
}

fn runtime(logs: &Logs) -> Runtime {
    let logs = logs.clone();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .on_thread_start(move || logs.install_for_this_thread())
        .build()
        .expect("a runtime can be made")
}
