//! What a node does is said by flag.

use std::process::Stdio;
use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use xr2_testkit::Engine;

use crate::program::{Place, Program};

const PATIENCE: Duration = Duration::from_secs(60);

/// Said by a worker once it has done something.
const DONE: &str = "xr2_jobs_total{queue=\"upkeep\",outcome=\"done\"}";

async fn status(http: &Client, url: &str, path: &str) -> StatusCode {
    http.get(format!("{url}{path}")).send().await.expect("an answer").status()
}

async fn metrics(http: &Client, url: &str) -> String {
    let answer = http.get(format!("{url}/metrics")).send().await.expect("an answer");
    answer.text().await.expect("text")
}

async fn until_done(http: &Client, url: &str) {
    let began = Instant::now();
    while !metrics(http, url).await.contains(DONE) {
        assert!(began.elapsed() < PATIENCE, "nothing is done:\n{}", metrics(http, url).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn each_does_its_part(engine: Engine) {
    let Some(place) = Place::fresh(engine, "roles").await else { return };
    let http = xr2_testkit::http().build().expect("a client");
    let serve = |flags: &[&str], role: &str| {
        let mut command = place.command_of("data", &["serve", "--listen", "127.0.0.1:0"]);
        command.args(flags).env("XR2_ROLES", role);
        Program::run(command, &place.path("server.log"))
    };
    // A flag beats the environment.
    let api = serve(&["--api"], "worker");
    assert_eq!(status(&http, &api.url, "/api/v1/auth/status").await, StatusCode::OK);
    let worker = serve(&["--worker=upkeep"], "api");
    for path in ["/health", "/ready", "/metrics"] {
        assert_eq!(status(&http, &worker.url, path).await, StatusCode::OK, "{path}");
    }
    for path in ["/", "/docs/", "/openapi.json", "/api/v1/auth/status", "/api/v1/prompts/a"] {
        assert_eq!(status(&http, &worker.url, path).await, StatusCode::NOT_FOUND, "{path}");
    }
    until_done(&http, &worker.url).await;
    let of_api = metrics(&http, &api.url).await;
    assert!(!of_api.contains("xr2_jobs_total"), "it does nothing in the background:\n{of_api}");
    assert!(of_api.contains("xr2_background_jobs{queue=\"upkeep\",state=\"waiting\"}"));
    api.kill();
    worker.kill();

    let whole = serve(&["--api", "--worker"], "worker");
    assert_eq!(status(&http, &whole.url, "/api/v1/auth/status").await, StatusCode::OK);
    until_done(&http, &whole.url).await;
    whole.kill();
    place.clean_up().await;
}

#[tokio::test]
async fn each_does_its_part_on_sqlite() {
    each_does_its_part(Engine::Sqlite).await;
}

#[tokio::test]
async fn each_does_its_part_on_postgresql() {
    each_does_its_part(Engine::Postgres).await;
}

#[tokio::test]
async fn a_queue_that_does_not_exist_is_refused() {
    let place = Place::fresh(Engine::Sqlite, "queues").await.expect("SQLite is always there");
    let mut command = place.command(&["serve", "--worker=upkep", "--listen", "127.0.0.1:0"]);
    let output = command.stdout(Stdio::null()).output().expect("xr2 runs");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(message.contains("no queue \"upkep\"") && message.contains("upkeep"), "{message}");
}
