//! `kill -9` during a storm of writes: whatever was acknowledged is there afterwards, and nothing is there by halves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Notify;
use xr2_db::{Db, Options};
use xr2_testkit::Engine;

use crate::program::{Place, Program};
use crate::queries;

const KILLS: usize = 22;
/// How long a storm may take to get its answers before the test gives up.
const PATIENCE: Duration = Duration::from_secs(30);
const WRITERS: usize = 8;
/// Versions that a writer gives a prompt before it goes on to another.
const VERSIONS: usize = 5;

/// One prompt: the newest of its texts that was acknowledged, and the newest that was sent.
struct Written {
    slug: String,
    acknowledged: Option<usize>,
    sent: usize,
}

/// Counts answers; tells when there are enough of them.
struct Progress {
    answers: AtomicUsize,
    wanted: usize,
    enough: Notify,
}

impl Progress {
    fn answered(&self) {
        if self.answers.fetch_add(1, Ordering::Relaxed) + 1 == self.wanted {
            self.enough.notify_one();
        }
    }
}

fn content(number: usize) -> String {
    format!("text {number}")
}

async fn write(http: &Client, prompts: &str, slug: &str, number: usize) -> reqwest::Result<StatusCode> {
    let request = if number == 0 {
        http.post(prompts).json(&json!({ "title": slug, "slug": slug, "content": content(0) }))
    } else {
        http.put(format!("{prompts}/{slug}"))
            .json(&json!({ "content": content(number), "base_version": number }))
    };
    Ok(request.send().await?.status())
}

/// Writes prompt after prompt until the server is gone.
async fn writer(http: Client, url: String, name: String, progress: Arc<Progress>) -> Vec<Written> {
    let prompts = format!("{url}/api/v1/prompts");
    let mut all = Vec::new();
    for prompt in 0.. {
        let mut written = Written { slug: format!("{name}-{prompt}"), acknowledged: None, sent: 0 };
        for number in 0..VERSIONS {
            written.sent = number;
            match write(&http, &prompts, &written.slug, number).await {
                Ok(status) => {
                    assert!(status.is_success(), "{} {number}: {status}", written.slug);
                    written.acknowledged = Some(number);
                    progress.answered();
                }
                Err(_) => {
                    all.push(written);
                    return all;
                }
            }
        }
        all.push(written);
    }
    all
}

/// One storm, ended by a kill in the middle of it.
async fn storm(http: &Client, program: Program, round: usize) -> Vec<Written> {
    // Not always after equally many: the kill is to meet every step of a write.
    let wanted = 12 + round * 5 % 17;
    let progress = Arc::new(Progress { answers: AtomicUsize::new(0), wanted, enough: Notify::new() });
    let writers: Vec<_> = (0..WRITERS)
        .map(|n| {
            let name = format!("r{round}-w{n}");
            tokio::spawn(writer(http.clone(), program.url.clone(), name, progress.clone()))
        })
        .collect();
    tokio::time::timeout(PATIENCE, progress.enough.notified()).await.expect("enough answers in time");
    program.kill();
    join_all(writers)
        .await
        .into_iter()
        .flat_map(|written| written.expect("a writer does not panic"))
        .collect()
}

/// Fails unless the prompt is there as acknowledged (or as sent after that), and whole.
async fn check(http: &Client, url: &str, written: &Written) {
    let answer =
        http.get(format!("{url}/api/v1/prompts/{}/details", written.slug)).send().await.expect("an answer");
    if answer.status() == StatusCode::NOT_FOUND {
        assert_eq!(written.acknowledged, None, "{} was acknowledged and is gone", written.slug);
        return;
    }
    assert_eq!(answer.status(), StatusCode::OK, "{}", written.slug);
    let body: Value = answer.json().await.expect("JSON");
    let data = &body["data"];
    let newest = data["latest_version"].as_u64().expect("a number") as usize - 1;
    let lowest = written.acknowledged.unwrap_or(0);
    assert!(
        (lowest..=written.sent).contains(&newest),
        "{}: {newest} is not {lowest} to {}",
        written.slug,
        written.sent
    );
    assert_eq!(data["version"]["content"], content(newest), "{}", written.slug);
    assert_eq!(data["live"]["version"], data["latest_version"], "{}", written.slug);
    let fetched = http.get(format!("{url}/api/v1/prompts/{}", written.slug)).send().await.expect("an answer");
    let fetched: Value = fetched.json().await.expect("JSON");
    assert_eq!(fetched["data"]["content"], content(newest), "{}", written.slug);
}

async fn check_all(http: &Client, url: &str, all: &[Written]) {
    for some in all.chunks(WRITERS) {
        join_all(some.iter().map(|written| check(http, url, written))).await;
    }
}

/// Looks at the database itself: revisions without gaps, every prompt whole.
pub async fn check_database(url: &str) {
    let (db, _) = Db::open(&Options::new(url)).await.expect("the database opens");
    for (workspace, revision) in queries::workspaces(&db).await.expect("workspaces") {
        let mut told = queries::revisions_of_events(&db, workspace).await.expect("events");
        assert!(told.is_sorted(), "revisions rise in the order of writing");
        told.dedup();
        assert_eq!(told, (1..=revision).collect::<Vec<_>>(), "revisions without gaps");
        let broken = queries::broken_prompts(&db, workspace).await.expect("prompts");
        assert!(broken.is_empty(), "not whole: {broken:?}");
    }
    db.close().await;
}

async fn survives_kills(engine: Engine) {
    let Some(place) = Place::fresh(engine, "kills").await else { return };
    let mut program = Program::start(&place);
    let key = place.credentials()["admin_api_key"].as_str().expect("a key").to_owned();
    let mut all = Vec::new();
    for round in 0..KILLS {
        // A client of its own for each server: connections to a dead one are of no use.
        let http = client(&key);
        let written = storm(&http, program, round).await;
        assert!(written.iter().any(|written| written.acknowledged.is_some()));
        program = Program::start(&place);
        check_all(&client(&key), &program.url, &written).await;
        all.extend(written);
    }
    check_all(&client(&key), &program.url, &all).await;
    program.kill();
    check_database(&place.database).await;
    place.clean_up().await;
}

pub fn client(key: &str) -> Client {
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("authorization", format!("Bearer {key}").parse().expect("a header"));
    xr2_testkit::http().default_headers(headers).build().expect("a client")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_what_was_acknowledged() {
    survives_kills(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_keeps_what_was_acknowledged() {
    survives_kills(Engine::Postgres).await;
}
