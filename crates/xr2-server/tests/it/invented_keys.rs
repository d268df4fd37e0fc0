//! Keys that nobody has made: asking with them costs nearly nothing, and nobody else waits for it.

use chrono::TimeDelta;
use futures::StreamExt;
use serde_json::json;
use xr2_server::features::api_keys::{KeyKind, new_key};
use xr2_testkit::{Answer, Client, Options, TestApp, both};

use crate::support::text;

const ADDRESS: &str = "203.0.113.7";
const LIMIT: usize = 20;

fn limited() -> Options {
    Options::new().set("limits.requests_per_network", LIMIT).set("trusted_proxies", "127.0.0.0/8")
}

async fn fetch(client: &Client) -> Answer {
    client.request("GET", "/prompts/p").header("x-forwarded-for", ADDRESS).send().await
}

/// A key like one that was made.
fn invented(nobody: &Client) -> Client {
    nobody.with_key(&new_key(KeyKind::Secret).text)
}

async fn flood(app: &TestApp, count: usize) -> Vec<Answer> {
    let nobody = app.nobody();
    let asks = (0..count).map(|_| {
        let stranger = invented(&nobody);
        async move { fetch(&stranger).await }
    });
    futures::stream::iter(asks).buffer_unordered(24).collect().await
}

async fn made(owner: &Client, name: &str) -> Client {
    let made = owner.post("/api-keys", json!({ "name": name })).await.created();
    let mut key = owner.with_key(&made.text_of("key"));
    key.id = made.text_of("id").parse().ok();
    key
}

fn number(answer: &Answer, name: &str) -> u64 {
    answer.header(name).and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name}"))
}

both!(a_flood_of_invented_keys_costs_nearly_no_lookups, limited(), |app| async move {
    let owner = app.owner().await;
    text(&owner, "p", "x").await;
    let (known, cold) = (made(&owner, "known").await, made(&owner, "cold").await);
    fetch(&known).await.ok();
    let lookups = || app.app().keys().lookups_so_far();
    let before = lookups();
    let (answers, ()) = futures::join!(flood(&app, 400), async {
        for _ in 0..100 {
            fetch(&known).await.ok();
        }
    });
    let refused = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(refused, LIMIT);
    for answer in answers.into_iter().filter(|answer| answer.status != 401) {
        let answer = answer.error(429, "RATE_LIMITED").says("Requests without a valid key from your network");
        let wait = number(&answer, "retry-after");
        assert!((1..=61).contains(&wait), "{wait}");
        let told = (number(&answer, "ratelimit-limit"), number(&answer, "ratelimit-remaining"));
        assert_eq!(told, (LIMIT as u64, 0));
        assert_eq!(number(&answer, "ratelimit-reset"), wait);
    }
    // Those that were on their way when the limit was reached, and what there is at all.
    let cost = lookups() - before;
    assert!(cost <= LIMIT as u64 + 25, "{cost} lookups");

    // From here on nothing is looked up in vain.
    let before = lookups();
    flood(&app, 100).await.into_iter().for_each(|answer| drop(answer.error(429, "RATE_LIMITED")));
    assert!(lookups() - before <= 1, "{} lookups", lookups() - before);
    fetch(&cold).await.ok();
    let fresh = made(&owner, "fresh").await;
    fetch(&fresh).await.ok();
    let path = format!("/api-keys/{}/rotate", fresh.id.expect("an id"));
    let rotated = owner.post(&path, json!({})).await.created();
    fetch(&owner.with_key(&rotated.text_of("key"))).await.ok();
    fetch(&fresh).await.ok();
    fetch(&invented(&owner)).await.error(429, "RATE_LIMITED");
});

both!(a_key_made_on_another_node_is_known_all_the_same, limited(), |app| async move {
    let owner = app.owner().await;
    text(&owner, "p", "x").await;
    let node = app.second_node().await;
    flood(&node, 2 * LIMIT).await;
    fetch(&invented(&node.nobody())).await.error(429, "RATE_LIMITED");
    let fresh = made(&owner, "fresh").await;
    let there = node.bearer(fresh.token());
    node.until("the other node has heard of it", || async { fetch(&there).await.status == 200 }).await;
});

both!(a_key_that_is_gone_is_not_looked_up_again_and_again, |app| async move {
    let owner = app.owner().await;
    text(&owner, "p", "x").await;
    let gone = made(&owner, "gone").await;
    fetch(&gone).await.ok();
    owner.delete(&format!("/api-keys/{}", gone.id.expect("an id"))).await.ok();
    let before = app.app().keys().lookups_so_far();
    for _ in 0..50 {
        fetch(&gone).await.error(401, "UNAUTHENTICATED");
    }
    let cost = app.app().keys().lookups_so_far() - before;
    assert!(cost <= 5, "{cost} lookups");
    app.clock().advance(TimeDelta::seconds(11));
    fetch(&gone).await.error(401, "UNAUTHENTICATED");
    assert!(app.app().keys().lookups_so_far() - before > cost, "for a while only");
});
