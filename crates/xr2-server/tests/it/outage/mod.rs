//! The database, or Redis, goes away, hangs or is slow while programs fetch prompts.

mod hosts;
mod journal;
mod kept;
mod last_used;
mod load;
mod recovery;
mod redis;
mod replicas;
mod restart;
mod tampering;
mod together;
mod usage_file;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;
use tokio::task::JoinHandle;
use xr2_server::features::accounts;
use xr2_server::features::delivery::kept_revision;
use xr2_testkit::{Answer, Client, PASSWORD, TestApp};

/// An owner, and a key made through the API, so that it is told of like any other.
async fn people(app: &TestApp) -> (Client, Client) {
    let owner = app.owner().await;
    let key = key(&owner, json!({ "name": "shop" })).await;
    (owner, key)
}

async fn key(owner: &Client, body: serde_json::Value) -> Client {
    let made = owner.post("/api-keys", body).await.created();
    let mut key = owner.with_key(&made.text_of("key"));
    key.id = made.text_of("id").parse().ok();
    key
}

/// The first account of a server on an empty database.
async fn first_owner(node: &TestApp) -> Client {
    let link = accounts::setup_link(node.app()).await.unwrap().expect("an empty server has a set-up link");
    let token = link.split_once("#token=").expect("a token").1.to_owned();
    node.keep_secret(&token);
    let person =
        json!({ "email": "ana@example.com", "password": PASSWORD, "name": "Ana", "setup_token": token });
    let made = node.nobody().post("/auth/register", person).await.created();
    node.bearer(&made.text_of("token"))
}

async fn text(owner: &Client, slug: &str, content: &str) {
    owner.post("/prompts", json!({ "title": slug, "slug": slug, "content": content })).await.created();
}

/// `/ready`, whatever its status.
async fn ready(app: &TestApp) -> Answer {
    app.nobody().get(&app.url("/ready")).await
}

/// Waits until `/ready` says so.
async fn until_ready(app: &TestApp, status: &str) {
    app.until(status, || async { ready(app).await.json["status"] == status }).await;
}

/// Waits until everything changed so far is kept.
async fn until_kept(app: &TestApp) {
    let wanted = app.revision().await;
    let (frozen, workspace) = (app.app().frozen(), app.workspace());
    app.until("the snapshot is written", || async { kept_revision(frozen, workspace) == Some(wanted) }).await;
}

/// Programs that fetch warm prompts without a pause, and fail the test when one delivery does.
struct Load {
    is_over: Arc<AtomicBool>,
    delivered: Arc<AtomicUsize>,
    marked_stale: Arc<AtomicUsize>,
    programs: Vec<JoinHandle<()>>,
}

const PROGRAMS: usize = 6;
const PROMPTS: usize = 10;

impl Load {
    /// Makes the prompts, warms them, and begins.
    async fn begin(owner: &Client, key: &Client) -> Load {
        for n in 0..PROMPTS {
            text(owner, &format!("p{n}"), &format!("{n} for {{{{ name }}}}")).await;
            key.get(&format!("/prompts/p{n}?name=Ana")).await.ok();
        }
        let mut load = Load {
            is_over: Arc::default(),
            delivered: Arc::default(),
            marked_stale: Arc::default(),
            programs: Vec::new(),
        };
        load.programs = (0..PROGRAMS).map(|program| load.program(program, key.clone())).collect();
        load
    }

    /// As many programs fetch the same prompts from another node.
    async fn also(&mut self, key: &Client) {
        for n in 0..PROMPTS {
            key.get(&format!("/prompts/p{n}?name=Ana")).await.ok();
        }
        let more = (0..PROGRAMS).map(|program| self.program(program, key.clone()));
        let more: Vec<_> = more.collect();
        self.programs.extend(more);
    }

    fn program(&self, program: usize, key: Client) -> JoinHandle<()> {
        let (is_over, delivered, stale) =
            (self.is_over.clone(), self.delivered.clone(), self.marked_stale.clone());
        tokio::spawn(async move {
            let mut n = program;
            while !is_over.load(Ordering::Relaxed) {
                n = (n + 1) % PROMPTS;
                let answer = key.get(&format!("/prompts/p{n}?name=Ana")).await.ok();
                assert_eq!(answer.text_of("content"), format!("{n} for Ana"));
                stale.fetch_add(usize::from(answer.header("x-xr2-stale").is_some()), Ordering::Relaxed);
                delivered.fetch_add(1, Ordering::Relaxed);
            }
        })
    }

    fn delivered(&self) -> usize {
        self.delivered.load(Ordering::Relaxed)
    }

    fn marked_stale(&self) -> usize {
        self.marked_stale.load(Ordering::Relaxed)
    }

    /// Waits until `more` further prompts have been delivered.
    async fn goes_on(&self, app: &TestApp, more: usize) {
        let wanted = self.delivered() + more;
        app.until("deliveries go on", || async { self.delivered() >= wanted }).await;
    }

    /// Ends it. How many were delivered, every one of them well.
    async fn end(self) -> usize {
        self.is_over.store(true, Ordering::Relaxed);
        for program in self.programs {
            program.await.expect("no delivery failed");
        }
        self.delivered.load(Ordering::Relaxed)
    }
}
