//! Three real servers, their database, and the Redis between them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use xr2_testkit::{Engine, Proxy, redis_url};

use super::listener::Listener;
use super::number_in;
use super::stalls::Stalls;
use crate::durability::client;
use crate::program::{Place, Program};

/// The prompt that is published.
pub const SLUG: &str = "target";

/// Longer than this and something is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// See the module.
pub struct Cluster {
    pub place: Place,
    pub redis: Proxy,
    pub stalls: Arc<Stalls>,
    redis_url: String,
    admin: String,
    nodes: Vec<Node>,
    programs: Vec<Option<Program>>,
    published: i64,
}

/// How one server is talked to; good until it is killed.
#[derive(Clone)]
pub struct Node {
    pub index: usize,
    url: String,
    http: Client,
    listener: Arc<Listener>,
    stalls: Arc<Stalls>,
}

impl Cluster {
    /// Starts everything; none without PostgreSQL and Redis, unless all is to be run.
    pub async fn start() -> Option<Cluster> {
        let Some(redis) = redis_url() else {
            let required = std::env::var_os("XR2_TEST_REQUIRE_ALL").is_some_and(|value| value == "1");
            assert!(!required, "XR2_TEST_REDIS has to name a Redis server");
            return None;
        };
        let name = format!("nodes_{}", fastrand::u32(..));
        let place = Place::fresh(Engine::Postgres, &name).await?;
        let (redis, redis_url) = Proxy::before_url(&redis).await;
        let mut cluster = Cluster {
            place,
            redis,
            stalls: Stalls::watch(),
            redis_url,
            admin: String::new(),
            nodes: Vec::new(),
            programs: (0..3).map(|_| None).collect(),
            published: 0,
        };
        let first = cluster.serve(0);
        cluster.admin = cluster.place.credentials()["admin_api_key"].as_str().expect("a key").to_owned();
        let made = json!({ "title": "Target", "slug": SLUG, "content": "text 0" });
        let http = client(&cluster.admin);
        let answer = http.post(format!("{}/api/v1/prompts", first.url)).json(&made).send().await;
        assert_eq!(answer.expect("an answer").status(), StatusCode::CREATED);
        cluster.programs[0] = Some(first);
        for index in 1..3 {
            cluster.programs[index] = Some(cluster.serve(index));
        }
        for index in 0..3 {
            let node = cluster.meet(index, None).await;
            cluster.nodes.push(node);
        }
        Some(cluster)
    }

    fn serve(&self, index: usize) -> Program {
        let data = format!("data-{index}");
        let mut command =
            self.place.command_of(&data, &["serve", "--listen", "127.0.0.1:0", "--redis", &self.redis_url]);
        command.args(["--set", "resilience.redis_pause=1s", "--set", "postgres.max_connections=6"]);
        if index == 0 {
            command.arg("--demo").arg("--credentials-file").arg(self.place.path("credentials.json"));
        }
        tokio::task::block_in_place(|| {
            Program::run(command, &self.place.path(&format!("server-{index}.log")))
        })
    }

    /// Begins to talk to a server that runs, and to listen to it.
    async fn meet(&self, index: usize, heard: Option<i64>) -> Node {
        let url = self.programs[index].as_ref().expect("it runs").url.clone();
        let http = client(&self.admin);
        let listener = Listener::open(&http, &url, heard).await;
        Node { index, url, http, listener, stalls: self.stalls.clone() }
    }

    /// A node that runs.
    pub fn node(&self, index: usize) -> &Node {
        assert!(self.programs[index].is_some(), "node {index} was killed");
        &self.nodes[index]
    }

    /// All that run.
    pub fn reachable(&self) -> Vec<Node> {
        let running = |node: &&Node| self.programs[node.index].is_some();
        self.nodes.iter().filter(running).cloned().collect()
    }

    /// What is published next.
    pub fn next_number(&mut self) -> i64 {
        self.published += 1;
        self.published
    }

    /// `kill -9`
    pub fn kill(&mut self, index: usize) {
        self.programs[index].take().expect("it runs").kill();
    }

    /// Starts a node again that was killed, if one was.
    pub async fn restart_one(&mut self) {
        let Some(index) = self.programs.iter().position(Option::is_none) else { return };
        self.programs[index] = Some(self.serve(index));
        // Its clients come back with the last they have heard.
        let heard = self.nodes[index].listener.revision();
        self.nodes[index] = self.meet(index, heard).await;
    }

    /// Ends all of it; the database is still there.
    pub fn end(self) -> Place {
        drop(self.programs);
        self.place
    }
}

impl Node {
    async fn ask(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<Value>,
    ) -> reqwest::Result<reqwest::Response> {
        let mut request = self.http.request(method, format!("{}/api/v1{path}", self.url));
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let began = Instant::now();
        let answer = request.send().await;
        self.stalls.note(began.elapsed());
        answer
    }

    /// Publishes `text <number>`; none if it did not answer.
    pub async fn publish(&self, number: i64) -> Option<StatusCode> {
        let body = json!({ "content": format!("text {number}") });
        let answer = self.ask(Method::PUT, &format!("/prompts/{SLUG}"), None, Some(body)).await;
        answer.ok().map(|answer| answer.status())
    }

    /// What it delivers, and its revision.
    pub async fn fetch(&self, min_revision: Option<i64>) -> (i64, i64) {
        let mut request = self.http.get(format!("{}/api/v1/prompts/{SLUG}", self.url));
        if let Some(revision) = min_revision {
            request = request.header("x-xr2-min-revision", revision);
        }
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        let revision = answer.headers()["x-xr2-revision"].to_str().expect("text").parse();
        let body: Value = answer.json().await.expect("JSON");
        (number_in(&body["data"]["content"]), revision.expect("a number"))
    }

    /// How long after `since` it has begun to deliver `number`.
    pub async fn until_delivered(&self, number: i64, since: Instant) -> Duration {
        loop {
            let asked = Instant::now();
            let (text, _) = self.fetch(None).await;
            self.stalls.note(asked.elapsed());
            let waited = asked.saturating_duration_since(since);
            if text >= number {
                return waited;
            }
            assert!(waited < PATIENCE, "node {} delivers {text}, never {number}", self.index);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// How long after `since` its stream has told of `number`.
    pub async fn until_heard(&self, number: i64, since: Instant) -> Duration {
        let heard = tokio::time::timeout(PATIENCE, self.listener.until(number)).await;
        let at = heard.unwrap_or_else(|_| panic!("the stream of node {} never tells {number}", self.index));
        at.saturating_duration_since(since)
    }

    /// The status of a GET with a key or session.
    pub async fn status(&self, path: &str, key: &str) -> StatusCode {
        // Without the client's own key.
        let http = xr2_testkit::http().build().expect("a client");
        let request = http.get(format!("{}/api/v1{path}", self.url)).bearer_auth(key);
        request.send().await.expect("an answer").status()
    }

    /// The body of what a POST answers.
    pub async fn post(&self, path: &str, body: Value, key: Option<&str>) -> Value {
        let answer = self.ask(Method::POST, path, key, Some(body)).await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap_or_default()
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) {
        let answer = self.ask(Method::DELETE, path, None, None).await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }
}
