//! What one node has read, another takes from Redis; never anything older than it should be.

use serde_json::json;
use xr2_testkit::{Client, Network, Options, RedisServer, TestApp, both, has_redis};

use super::stream::Listener;
use super::{content, lose_last, people, prompt, publish, text};

/// A node on this Redis that keeps no snapshot.
async fn node(app: &TestApp, redis: &RedisServer) -> TestApp {
    let options = app.options().set("redis", redis.url()).set("delivery.snapshot", false);
    // A busy machine is no outage.
    let options = options.set("resilience.redis_patience", "10s").set("resilience.redis_timeout", "10s");
    let node = app.node_with(options).await;
    node.until("Redis is there", || async {
        app.nobody().get(&node.url("/ready")).await.json["checks"]["redis"] == "ok"
    })
    .await;
    node
}

async fn kept(redis: &RedisServer, app: &TestApp, count: usize) {
    app.until("it is kept in Redis", || async {
        redis.command("KEYS xr2:prompt:*").await.starts_with(&format!("*{count}\r\n"))
    })
    .await;
}

async fn at(key: &Client, path: &str, revision: i64) -> String {
    let request = key.request("GET", path).header("x-xr2-min-revision", &revision.to_string());
    content(&request.send().await.ok())
}

both!(
    another_node_delivers_without_the_database_what_one_has_read,
    Options::new().with_faults(),
    |app| async move {
        if !has_redis() {
            return;
        }
        let redis = RedisServer::start().await;
        let (owner, key) = people(&app).await;
        text(&owner, "snippet", "from {{ city }}").await;
        let including = json!({ "title": "P", "slug": "p", "syntax": "jinja", "content": "Hello {{ name }} {% include \"snippet\" %}" });
        prompt(&owner, including).await;
        text(&owner, "unread", "nobody has read it").await;
        let (first, second) = (node(&app, &redis).await, node(&app, &redis).await);
        let (here, there) = (first.bearer(key.token()), second.bearer(key.token()));
        let query = "/prompts/p?name=Ana&city=Bonn";
        let expected = here.get(query).await.ok();
        kept(&redis, &app, 1).await;
        let everything = redis.command("KEYS *").await;
        let name = everything.lines().find(|line| line.starts_with("xr2:prompt:")).expect("a record").trim();
        let record = redis.command(&format!("GETRANGE {name} 0 7")).await;
        assert!(record.contains("xr2frz1"), "it is sealed: {record}");
        there.get("/auth/me").await.ok();
        app.database_network(Network::Cut).await;
        let answer = there.get(query).await.ok();
        assert_eq!(content(&answer), "Hello Ana from Bonn");
        assert_eq!(answer.json["data"], expected.json["data"]);
        there.get("/prompts/unread").await.error(503, "UNAVAILABLE");
        app.database_network(Network::Works).await;
        app.until("the database is there", || async { there.get("/prompts/unread").await.status == 200 })
            .await;
    }
);

both!(nothing_older_is_taken_though_nobody_is_told, Options::new().expect_errors(), |app| async move {
    if !has_redis() {
        return;
    }
    let redis = RedisServer::start().await;
    let (owner, key) = people(&app).await;
    text(&owner, "p", "text 0").await;
    text(&owner, "other", "other").await;
    let (first, second) = (node(&app, &redis).await, node(&app, &redis).await);
    let (writer, here, there) =
        (first.bearer(owner.token()), first.bearer(key.token()), second.bearer(key.token()));
    redis.command("ACL SETUSER default -publish").await;
    for round in 1..=6 {
        // What was read before is in Redis, and goes on being there.
        let reader = if round % 2 == 0 { &here } else { &there };
        reader.get("/prompts/p").await.ok();
        reader.get("/prompts/p?label=latest").await.ok();
        kept(&redis, &app, 2).await;
        let text = format!("text {round}");
        publish(&writer, "p", &text).await;
        assert_eq!(content(&here.get("/prompts/p").await.ok()), text, "acknowledged is delivered");
        let revision = app.revision().await;
        assert_eq!(at(&there, "/prompts/p", revision).await, text);
        assert_eq!(at(&there, "/prompts/p?label=latest", revision).await, text);
        // A node that has just come knows of nothing that was before it.
        let third = node(&app, &redis).await;
        assert_eq!(content(&third.bearer(key.token()).get("/prompts/p").await.ok()), text);
        third.stop().await;
    }
    // A change of something else takes nothing away.
    let newcomer = node(&app, &redis).await.bearer(key.token());
    newcomer.get("/prompts/other").await.ok();
    publish(&writer, "other", "another").await;
    let revision = app.revision().await;
    assert_eq!(at(&newcomer, "/prompts/p", revision).await, "text 6");
    assert_eq!(at(&newcomer, "/prompts/other", revision).await, "another");
});

both!(a_record_that_was_tampered_with_is_no_record, |app| async move {
    if !has_redis() {
        return;
    }
    let redis = RedisServer::start().await;
    let (owner, key) = people(&app).await;
    text(&owner, "p", "the text").await;
    let (first, second) = (node(&app, &redis).await, node(&app, &redis).await);
    first.bearer(key.token()).get("/prompts/p").await.ok();
    kept(&redis, &app, 1).await;
    let everything = redis.command("KEYS xr2:prompt:*").await;
    let name = everything.lines().find(|line| line.starts_with("xr2:prompt:")).expect("a record").trim();
    redis.command(&format!("SETRANGE {name} 60 forged")).await;
    assert_eq!(content(&second.bearer(key.token()).get("/prompts/p").await.ok()), "the text");
});

both!(a_record_of_a_lost_history_is_no_record, |app| async move {
    if !has_redis() {
        return;
    }
    let redis = RedisServer::start().await;
    let (owner, key) = people(&app).await;
    text(&owner, "p", "saved").await;
    publish(&owner, "p", "lost").await;
    let first = node(&app, &redis).await;
    assert_eq!(content(&first.bearer(key.token()).get("/prompts/p").await.ok()), "lost");
    kept(&redis, &app, 1).await;
    first.stop().await;
    lose_last(&app).await;
    // A node that has just come has nothing to forget, and knows the revision by its number.
    let second = node(&app, &redis).await.bearer(key.token());
    assert_eq!(content(&second.get("/prompts/p").await.ok()), "saved");
});

both!(a_hint_only_wakes, |app| async move {
    if !has_redis() {
        return;
    }
    let redis = RedisServer::start().await;
    let (owner, key) = people(&app).await;
    text(&owner, "p", "first").await;
    let node = node(&app, &redis).await;
    let there = node.bearer(key.token());
    assert_eq!(content(&there.get("/prompts/p").await.ok()), "first");
    let mut listener = Listener::open(&there, "").await;
    let known = listener.hello().await;
    let claimed = known + 1_000_000;
    let hint = format!("PUBLISH xr2:revisions \"{} {claimed}\"", app.workspace());
    let heard = redis.command(&hint).await;
    assert!(heard.starts_with(":1"), "the node hears it: {heard}");
    let request = there.request("GET", "/prompts/p").header("x-xr2-min-revision", &claimed.to_string());
    request.send().await.error(503, "UNAVAILABLE");
    publish(&owner, "p", "second").await;
    assert_eq!(at(&there, "/prompts/p", app.revision().await).await, "second");
    assert_eq!(node.app().follower().told(app.workspace()), Some(known + 1));
    assert!(!node.log().contains("another history"), "{}", node.log());
});
