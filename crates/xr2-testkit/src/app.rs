//! A booted server and what a test asks of it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;
use xr2_db::Db;
use xr2_server::auth::Role;
use xr2_server::clock::Clock;
use xr2_server::config::{Config, Override};
use xr2_server::events::{Actor, Change, EventType, NewEvent, Resource};
use xr2_server::http::RequestContext;
use xr2_server::{App, StartError};

use crate::canary::{self, NEEDLES};
use crate::database::Database;
use crate::fault::Faults;
use crate::logs::Logs;
use crate::proxy::Proxy;
use crate::queries::{self, EventRow};
use crate::{Answer, Canary, Options};

/// The key that all test servers share.
const SECRET_KEY: &str = "5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed";

/// How long [`TestApp::until`] waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a running server is asked to stop, and waited for.
type Running = (oneshot::Sender<()>, JoinHandle<std::io::Result<()>>);

/// A server under test; cheap to clone.
#[derive(Clone)]
pub struct TestApp(Arc<Inner>);

struct Inner {
    app: App,
    address: SocketAddr,
    http: reqwest::Client,
    workspace: Uuid,
    canary_key: String,
    logs: Logs,
    setup: Setup,
    seen_events: Mutex<i64>,
    running: Mutex<Option<Running>>,
    nodes: Mutex<Vec<TestApp>>,
    faults: tokio::sync::Mutex<Option<Faults>>,
}

/// What another node needs to know to be like the first.
#[derive(Clone)]
struct Setup {
    url: String,
    directory: std::path::PathBuf,
    options: Options,
}

impl TestApp {
    pub(crate) async fn boot(database: &Database, options: &Options, logs: Logs) -> TestApp {
        let (url, faults) = match options.has_faults {
            false => (database.url.clone(), None),
            true if database.url.starts_with("sqlite:") => {
                (database.url.clone(), Some(Faults::of_file(&database.url)))
            }
            true => {
                let (proxy, url) = Proxy::before_url(&database.url).await;
                (url, Some(Faults::Behind(proxy)))
            }
        };
        let setup = Setup { url, directory: database.directory.path().to_owned(), options: options.clone() };
        let (app, address, running) = start(&setup, Clock::default()).await.expect("the server starts");
        let (now, workspace) = (app.clock().now(), app.clock().new_id());
        let mut canary_key = String::new();
        if !options.empty {
            canary_key = canary::plant(app.db(), now).await.expect("planting the second workspace");
            queries::insert_workspace(app.db(), workspace, "acme", "Acme", now).await.expect("the workspace");
        }
        let booted = TestApp::assemble(app, address, running, workspace, canary_key, logs, setup);
        *booted.0.faults.lock().await = faults;
        booted
    }

    fn assemble(
        app: App,
        address: SocketAddr,
        running: Running,
        workspace: Uuid,
        canary_key: String,
        logs: Logs,
        setup: Setup,
    ) -> TestApp {
        let http = crate::http().redirect(reqwest::redirect::Policy::none()).build();
        TestApp(Arc::new(Inner {
            app,
            address,
            http: http.expect("an HTTP client"),
            workspace,
            canary_key,
            logs,
            setup,
            seen_events: Mutex::new(0),
            running: Mutex::new(Some(running)),
            nodes: Mutex::default(),
            faults: tokio::sync::Mutex::default(),
        }))
    }

    /// Another node on the same database. It ends with the test.
    pub async fn second_node(&self) -> TestApp {
        self.node_with(self.0.setup.options.clone()).await
    }

    /// The options this server was started with.
    pub fn options(&self) -> Options {
        self.0.setup.options.clone()
    }

    /// Another node on the same database with settings of its own.
    pub async fn node_with(&self, options: Options) -> TestApp {
        self.try_node(options).await.expect("the server starts")
    }

    /// Another node on the same database, which may not start.
    pub async fn try_node(&self, options: Options) -> Result<TestApp, StartError> {
        let inner = &self.0;
        let setup = Setup { options, ..inner.setup.clone() };
        let (app, address, running) = start(&setup, self.clock().clone()).await?;
        let node = TestApp::assemble(
            app,
            address,
            running,
            inner.workspace,
            inner.canary_key.clone(),
            inner.logs.clone(),
            setup,
        );
        lock(&inner.nodes).push(node.clone());
        Ok(node)
    }

    /// The application inside the server.
    pub fn app(&self) -> &App {
        &self.0.app
    }

    /// The database, through its two doors.
    pub fn db(&self) -> &Db {
        self.0.app.db()
    }

    /// The address of the database, for what goes around the doors.
    pub fn database_url(&self) -> &str {
        &self.0.setup.url
    }

    /// The server's data directory.
    pub fn directory(&self) -> &Path {
        &self.0.setup.directory
    }

    /// The server's clock; `advance` moves it forward.
    pub fn clock(&self) -> &Clock {
        self.0.app.clock()
    }

    /// The workspace under test (slug `acme`).
    pub fn workspace(&self) -> Uuid {
        self.0.workspace
    }

    /// Ids of the planted workspace.
    pub fn canary(&self) -> Canary {
        Canary::PLANTED
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// The whole address of a path outside `/api/v1`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.0.address)
    }

    /// Everything the server has logged so far.
    pub fn log(&self) -> String {
        self.0.logs.text()
    }

    pub(crate) fn faults(&self) -> &tokio::sync::Mutex<Option<Faults>> {
        &self.0.faults
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    pub(crate) fn canary_key(&self) -> &str {
        &self.0.canary_key
    }

    /// A secret that must not turn up in logs and events.
    pub fn keep_secret(&self, secret: &str) {
        self.0.logs.keep_secret(secret);
    }

    /// Tokens and keys that an answer shows must not turn up anywhere else.
    pub(crate) fn remember_secrets(&self, answer: &Answer) {
        for field in ["token", "key"] {
            if let Some(secret) = answer.json["data"][field].as_str() {
                self.keep_secret(secret);
            }
        }
        let link = answer.json["data"]["link"].as_str();
        if let Some((_, token)) = link.and_then(|link| link.split_once("#token=")) {
            self.keep_secret(token);
        }
    }

    /// Every event outside the planted workspace, in the order written.
    pub async fn event_rows(&self) -> Vec<EventRow> {
        queries::events(self.db(), canary::CANARY_ID).await.expect("reading events")
    }

    /// Types of the events written since this was last asked.
    pub async fn new_events(&self) -> Vec<String> {
        let rows = self.event_rows().await;
        let mut seen = lock(&self.0.seen_events);
        let new = rows.iter().filter(|row| row.sequence > *seen).map(|row| row.kind.clone()).collect();
        *seen = rows.last().map_or(*seen, |row| row.sequence);
        new
    }

    /// The workspace's revision.
    pub async fn revision(&self) -> i64 {
        queries::revision(self.db(), self.workspace()).await.expect("reading the revision")
    }

    /// The stored password hash of a user.
    pub async fn password_hash(&self, user: Uuid) -> String {
        queries::password_hash(self.db(), user).await.expect("reading the hash")
    }

    /// Makes an existing user a member of the workspace under test.
    pub async fn join(&self, user: Uuid, role: Role) {
        let now = self.clock().now();
        queries::insert_member(self.db(), self.workspace(), user, role.as_str(), now)
            .await
            .expect("a member");
    }

    /// Gives a member another role (none: they leave), as the server would: with an event.
    pub async fn set_role(&self, user: Uuid, role: Option<Role>) {
        let (actor, context) = (Actor::system("test kit"), RequestContext::internal());
        let mut change =
            Change::begin_as(self.app(), self.workspace(), actor, context).await.expect("a change begins");
        queries::set_role(change.tx(), user, role.map(Role::as_str)).await.expect("the role is set");
        let kind = if role.is_some() { EventType::MemberUpdated } else { EventType::MemberRemoved };
        change.record(NewEvent::new(kind, Resource::new("user", user, "Test Person")));
        change.commit().await.expect("the change commits");
    }

    /// Waits until `condition` holds; fails after a minute.
    pub async fn until<Running: Future<Output = bool>>(&self, what: &str, condition: impl Fn() -> Running) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !condition().await {
            assert!(tokio::time::Instant::now() < deadline, "waited in vain until {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Fails when an event holds what was planted, or a secret.
    pub(crate) async fn search_events(&self) {
        let theirs = serde_json::json!(self.canary().user);
        for row in self.event_rows().await {
            if row.workspace != Some(self.workspace()) && row.actor["id"] == theirs {
                continue;
            }
            let text = format!("{row:?}");
            for needle in NEEDLES {
                assert!(!text.contains(needle), "an event holds {needle} of another workspace: {text}");
            }
            self.0.logs.assert_no_secret("an event", &text);
            assert!(!text.contains(crate::PASSWORD), "an event holds a password: {text}");
        }
    }

    /// Stops the server as a signal would, and waits for it.
    pub async fn stop(&self) {
        let nodes = std::mem::take(&mut *lock(&self.0.nodes));
        for node in nodes {
            Box::pin(node.stop()).await;
        }
        let running = lock(&self.0.running).take();
        if let Some((stop, server)) = running {
            let _ = stop.send(());
            let ended = tokio::time::timeout(Duration::from_secs(60), server).await;
            ended
                .expect("the server stops in time")
                .expect("the server does not panic")
                .expect("it ends well");
        }
    }
}

async fn start(setup: &Setup, clock: Clock) -> Result<(App, SocketAddr, Running), StartError> {
    let app = App::start(config(setup), clock).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("the listener has an address");
    let (stop, stopped) = oneshot::channel();
    let shutdown = async move { drop(stopped.await) };
    let server = tokio::spawn(xr2_server::serve::serve(app.clone(), listener, shutdown));
    Ok((app, address, (stop, server)))
}

fn config(setup: &Setup) -> Config {
    let mut settings = vec![
        ("listen".to_owned(), "127.0.0.1:0".to_owned()),
        ("data_dir".to_owned(), setup.directory.display().to_string()),
        ("database".to_owned(), setup.url.clone()),
        ("secret_key".to_owned(), SECRET_KEY.to_owned()),
        ("postgres.max_connections".to_owned(), "5".to_owned()),
        // As cheap as argon2 can be: no test is about how long it takes.
        ("auth.argon2_memory_kib".to_owned(), "8".to_owned()),
        ("auth.argon2_iterations".to_owned(), "1".to_owned()),
        // A busy machine is no outage.
        ("resilience.connect_timeout".to_owned(), "20s".to_owned()),
        ("resilience.acquire_timeout".to_owned(), "20s".to_owned()),
        ("resilience.statement_timeout".to_owned(), "20s".to_owned()),
        // Nothing happens behind the back of a test that moves the clock; `Options::with_worker` has jobs done.
        ("roles".to_owned(), "api".to_owned()),
        // Waits for the disk, which few tests are about.
        ("delivery.snapshot".to_owned(), "false".to_owned()),
    ];
    settings.extend(setup.options.settings.iter().cloned());
    let flags: Vec<Override> = settings.into_iter().map(|(key, value)| Override { key, value }).collect();
    Config::load(None, &|_| None, &flags).expect("the test's settings")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
