//! A server that starts while the database is gone.

use serde_json::json;
use xr2_testkit::{Answer, Client, Network, Options, both};

use super::{key, people, ready, text, until_kept, until_ready};

/// What a program sees of a prompt.
fn seen(answer: &Answer) -> (String, Option<String>, Option<String>) {
    let header = |name: &str| answer.header(name).map(str::to_owned);
    (answer.text.clone(), header("etag"), header("x-xr2-version"))
}

async fn fetch_all(key: &Client) -> Vec<(String, Option<String>, Option<String>)> {
    let mut all = Vec::new();
    for path in PATHS {
        all.push(seen(&key.get(path).await.ok()));
    }
    all
}

const PATHS: &[&str] = &[
    "/prompts/simple?name=Ana",
    "/prompts/simple",
    "/prompts/simple?label=staging&name=Ana",
    "/prompts/simple?label=latest&name=Ana",
    "/prompts/simple?version=1",
    "/prompts/with-snippets?n=3",
    "/prompts/former?name=Ana",
    "/prompts/chat?name=Ana&format=openai",
];

pub(super) async fn make_prompts(owner: &Client) {
    text(owner, "snippet", "one").await;
    owner.put("/prompts/snippet", json!({ "content": "two" })).await.ok();
    text(owner, "former", "Once {{ name }}").await;
    owner.put("/prompts/former", json!({ "slug": "present" })).await.ok();
    text(owner, "simple", "Hello {{ name }}").await;
    owner.put("/prompts/simple", json!({ "content": "Hi {{ name }}" })).await.ok();
    owner.post("/labels", json!({ "name": "staging" })).await;
    owner.put("/prompts/simple/labels/staging", json!({ "version": 1 })).await.ok();
    let jinja = "{% include \"snippet\" %} {% include \"snippet@1\" %} {% if n > 2 %}many{% endif %}";
    let variables = json!([{ "name": "n", "type": "integer" }]);
    let body = json!({ "title": "J", "slug": "with-snippets", "content": jinja, "variables": variables });
    owner.post("/prompts", body).await.created();
    let messages =
        json!([{ "role": "system", "content": "Be kind" }, { "role": "user", "content": "{{ name }}" }]);
    let body = json!({ "title": "C", "slug": "chat", "type": "chat", "messages": messages, "config": { "model": "gpt-4o" } });
    owner.post("/prompts", body).await.created();
}

both!(it_delivers_what_was_kept_and_recovers_by_itself, Options::new().with_faults(), |app| async move {
    let (owner, shop) = people(&app).await;
    make_prompts(&owner).await;
    let confined = key(&owner, json!({ "name": "staging only", "labels": ["staging"] })).await;
    let revoked = key(&owner, json!({ "name": "old" })).await;
    revoked.get("/prompts/simple").await.ok();
    owner.delete(&format!("/api-keys/{}", revoked.id.expect("an id"))).await.ok();
    let before = fetch_all(&shop).await;
    until_kept(&app).await;
    app.database_network(Network::Cut).await;
    until_ready(&app, "degraded").await;

    let node = app.second_node().await;
    let here = |client: &Client| node.bearer(client.token());
    assert_eq!(fetch_all(&here(&shop)).await, before, "every prompt is as it was");
    let stale = here(&shop).get("/prompts/simple").await.ok();
    assert!(stale.header("x-xr2-stale").is_some_and(|seconds| seconds != "0"));
    here(&confined).get("/prompts/simple?label=staging").await.ok();
    here(&confined).get("/prompts/simple").await.error(403, "FORBIDDEN");
    here(&revoked).get("/prompts/simple").await.error(503, "UNAVAILABLE");
    here(&shop).get("/prompts/never-made").await.error(503, "UNAVAILABLE");
    here(&owner).post("/prompts", json!({ "title": "T", "content": "x" })).await.error(503, "UNAVAILABLE");
    here(&owner).get("/prompts").await.error(503, "UNAVAILABLE");
    let degraded = ready(&node).await.ok();
    assert_eq!(degraded.json["status"], "degraded");
    assert!(degraded.json["checks"]["snapshot_age_seconds"].is_i64());
    assert!(node.log().contains("starting without the database"));

    app.database_network(Network::Works).await;
    until_ready(&node, "ready").await;
    until_ready(&app, "ready").await;
    app.until("the first node writes again", || async {
        owner.put("/prompts/simple", json!({ "content": "Welcome {{ name }}" })).await.status == 200
    })
    .await;
    app.until("the restarted node follows", || async {
        here(&shop).get("/prompts/simple?name=Ana").await.ok().text_of("content") == "Welcome Ana"
    })
    .await;
    here(&revoked).get("/prompts/simple").await.error(401, "UNAUTHENTICATED");
    here(&shop).get("/prompts/never-made").await.error(404, "NOT_FOUND");
});

both!(a_key_revoked_just_before_stays_revoked, Options::new().with_faults(), |app| async move {
    let (owner, shop) = people(&app).await;
    text(&owner, "p", "x").await;
    let (revoked, rotated) =
        (key(&owner, json!({ "name": "a" })).await, key(&owner, json!({ "name": "b" })).await);
    let id = |key: &Client| key.id.expect("an id");
    until_kept(&app).await;
    owner.delete(&format!("/api-keys/{}", id(&revoked))).await.ok();
    let path = format!("/api-keys/{}/rotate", id(&rotated));
    let successor = owner.post(&path, json!({ "overlap_seconds": 0 })).await.created().text_of("key");
    // No waiting here: the snapshot may well be the one from before.
    app.database_network(Network::Cut).await;
    let node = app.second_node().await;
    for gone in [&revoked, &rotated] {
        let answer = node.bearer(gone.token()).get("/prompts/p").await;
        assert!(matches!(answer.status, 401 | 503), "{}", answer.text);
    }
    node.bearer(shop.token()).get("/prompts/p").await.ok();
    app.database_network(Network::Works).await;
    until_ready(&node, "ready").await;
    for gone in [&revoked, &rotated] {
        node.bearer(gone.token()).get("/prompts/p").await.error(401, "UNAUTHENTICATED");
    }
    node.bearer(&successor).get("/prompts/p").await.ok();
});

both!(keys_end_sooner_than_prompts, Options::new().with_faults(), |app| async move {
    let (owner, shop) = people(&app).await;
    text(&owner, "p", "x").await;
    shop.get("/prompts/p").await.ok();
    until_kept(&app).await;
    app.database_network(Network::Cut).await;
    until_ready(&app, "degraded").await;
    app.clock().advance(chrono::TimeDelta::minutes(59));
    shop.get("/prompts/p").await.ok();
    app.clock().advance(chrono::TimeDelta::minutes(2));
    app.until("the key is not accepted any more", || async { shop.get("/prompts/p").await.status == 503 })
        .await;
    shop.get("/prompts/p").await.error(503, "UNAVAILABLE").says("auth.max_stale");
    assert_eq!(ready(&app).await.status(503).json["checks"]["delivery"], "unavailable");
    let node = app.node_with(Options::new().with_faults().set("auth.max_stale", "7d")).await;
    node.bearer(shop.token()).get("/prompts/p").await.ok();
    app.clock().advance(chrono::TimeDelta::hours(24));
    let there = node.bearer(shop.token());
    app.until("prompts are too old", || async { there.get("/prompts/p").await.status == 503 }).await;
    there.get("/prompts/p").await.error(503, "UNAVAILABLE").says("delivery.max_stale");
    app.database_network(Network::Works).await;
    until_ready(&app, "ready").await;
    shop.get("/prompts/p").await.ok();
});
