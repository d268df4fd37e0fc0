//! What the server is told.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::server::{Asked, KEY, Server, prompt, until};

fn events(asked: &[Asked]) -> Vec<Value> {
    asked.iter().flat_map(|one| one.body["events"].as_array().unwrap().clone()).collect()
}

#[tokio::test]
async fn reads_are_added_up_and_told_when_it_is_closed() {
    let server = Server::start(7, vec![prompt("a", 3, "a"), prompt("b", 1, "b")]).await;
    let client = server.builder().instance("worker-1").build().unwrap();
    client.ready().await.unwrap();
    for _ in 0..1_000 {
        client.get_now("a").unwrap();
    }
    client.get("b").await.unwrap();
    client.close().await;
    let asked = server.asked("telemetry");
    let last = &asked.last().unwrap().body;
    assert_eq!((&last["instance"], &last["revision"]), (&json!("worker-1"), &json!(7)));
    assert!(last["sdk"].as_str().unwrap().starts_with("rust/"));
    let told = events(&asked);
    let count = |id: &str| -> u64 {
        told.iter().filter(|one| one["prompt"] == id).map(|one| one["count"].as_u64().unwrap()).sum()
    };
    assert_eq!((count("id-a"), count("id-b")), (1_000, 1));
    assert!(told.len() <= 4, "reads are added up: {told:?}");
    assert!(
        told.iter().all(|one| one["latency_us"].as_f64().is_some_and(|micros| (0.0..1e6).contains(&micros)))
    );
    assert!(last["stream"].is_boolean());
    let served = last["serving"].as_array().unwrap();
    assert!(
        served.iter().any(|one| one["prompt"] == "id-a" && one["version"] == 3 && one["since"].is_string())
    );
    assert_eq!(asked[0].headers["authorization"], format!("Bearer {KEY}"));
}

#[tokio::test]
async fn what_was_not_received_goes_again_under_the_same_ids() {
    let server = Server::start(7, vec![prompt("a", 3, "a")]).await;
    let client = server.builder().telemetry_interval(Duration::from_millis(30)).build().unwrap();
    until(&client, |client| client.is_live()).await;
    server.until_asked("telemetry", |asked| !asked.is_empty()).await;
    server.script().down = Some(StatusCode::SERVICE_UNAVAILABLE);
    client.get_now("a").unwrap();
    let has_events = |asked: &[Asked], status: u16| {
        asked.iter().any(|one| one.status == status && one.body["events"][0].is_object())
    };
    server.until_asked("telemetry", |asked| has_events(asked, 503)).await;
    client.get_now("a").unwrap();
    server.script().down = None;
    let asked = server.until_asked("telemetry", |asked| {
        let received: Vec<_> = asked.iter().filter(|one| one.status == 202).cloned().collect();
        events(&received).len() >= 2
    });
    let asked = asked.await;
    let ids = |status: u16| -> Vec<Value> {
        let of_status: Vec<_> = asked.iter().filter(|one| one.status == status).cloned().collect();
        events(&of_status).iter().map(|one| one["id"].clone()).collect()
    };
    assert_eq!(ids(503)[0], ids(202)[0]);
    assert_ne!(ids(202)[0], ids(202)[1]);
}

#[tokio::test]
async fn two_runs_under_one_name_count_both() {
    let server = Server::start(7, vec![prompt("a", 3, "a")]).await;
    for _ in 0..2 {
        let client = server.builder().instance("worker-1").build().unwrap();
        client.get("a").await.unwrap();
        client.close().await;
    }
    let asked = server.asked("telemetry");
    assert!(asked.iter().all(|one| one.body["instance"] == "worker-1"));
    let told = events(&asked);
    let ids: std::collections::HashSet<&str> = told.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!((told.len(), ids.len()), (2, 2), "the server counts an id once: {told:?}");
    assert!(ids.iter().all(|id| id.len() <= 100));
}

#[tokio::test]
async fn a_new_revision_is_told_at_once() {
    let server = Server::start(7, vec![prompt("a", 3, "a")]).await;
    let client = server.client();
    until(&client, |client| client.is_live()).await;
    client.get_now("a").unwrap();
    server.put(prompt("a", 4, "b"));
    let asked =
        server.until_asked("telemetry", |asked| asked.iter().any(|one| one.body["revision"] == 8)).await;
    let told = asked.iter().find(|one| one.body["revision"] == 8).unwrap();
    assert_eq!(told.body["serving"][0]["version"], 4, "it serves what it would hand out now");
}

#[tokio::test]
async fn it_can_be_turned_off() {
    let server = Server::start(7, vec![prompt("a", 3, "a")]).await;
    let client = server.builder().telemetry(false).build().unwrap();
    client.get("a").await.unwrap();
    client.close().await;
    assert!(server.asked("telemetry").is_empty());
}
