//! The stream of changes.

use std::time::Duration;

use chrono::TimeDelta;
use reqwest::Response;
use serde_json::{Value, json};
use xr2_testkit::{Client, KeyFixture, Options, both};

use super::{content, people, prompt, publish, text};

/// Something takes this long at most.
const SOON: Duration = Duration::from_secs(60);

/// A stream being read.
pub struct Listener {
    pub response: Response,
    buffer: String,
}

impl Listener {
    pub async fn open(client: &Client, query: &str) -> Listener {
        let response = client.request("GET", &format!("/stream{query}")).open().await;
        Listener::of(response)
    }

    pub fn of(response: Response) -> Listener {
        assert_eq!(response.status(), 200);
        let header =
            |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        assert_eq!(header("content-type").as_deref(), Some("text/event-stream"));
        assert_eq!(header("cache-control").as_deref(), Some("no-store"));
        assert_eq!(header("x-accel-buffering").as_deref(), Some("no"));
        Listener { response, buffer: String::new() }
    }

    /// The next event: its name, id and data. None when the stream has ended.
    pub async fn next(&mut self) -> Option<(String, Option<i64>, Value)> {
        loop {
            if let Some(end) = self.buffer.find("\n\n") {
                let block: String = self.buffer.drain(..end + 2).collect();
                let field = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
                };
                let Some(event) = field("event") else { continue };
                let data = serde_json::from_str(&field("data").unwrap_or_default()).expect("JSON");
                return Some((event, field("id").and_then(|id| id.parse().ok()), data));
            }
            let chunk =
                tokio::time::timeout(SOON, self.response.chunk()).await.expect("something comes in time");
            match chunk.expect("the stream is not broken") {
                Some(bytes) => self.buffer.push_str(std::str::from_utf8(&bytes).expect("UTF-8")),
                None => return None,
            }
        }
    }

    pub async fn hello(&mut self) -> i64 {
        let (event, id, data) = self.next().await.expect("a greeting");
        assert_eq!(event, "hello");
        assert_eq!(id, data["revision"].as_i64());
        data["revision"].as_i64().expect("a revision")
    }

    /// The next change: slug, label and version. What else is said of it is passed over.
    pub async fn changed(&mut self) -> (String, String, Option<i64>) {
        let (id, data) = loop {
            let (event, id, data) = self.next().await.expect("a change");
            match event.as_str() {
                "changed" => break (id, data),
                "put" | "delete" | "mark" => assert_eq!(id, data["revision"].as_i64()),
                _ => panic!("{event}: {data}"),
            }
        };
        assert_eq!(id, data["revision"].as_i64());
        assert!(
            data["prompt_id"].is_string() && data["at"].as_str().is_some_and(|at| at.ends_with('Z')),
            "{data}"
        );
        let text = |name: &str| data[name].as_str().expect("a text").to_owned();
        (text("slug"), text("label"), data["version"].as_i64())
    }

    /// Reads until a change of this sort comes.
    pub async fn until(&mut self, slug: &str, label: &str, version: Option<i64>) {
        while self.changed().await != (slug.to_owned(), label.to_owned(), version) {}
    }

    pub async fn assert_ends(&mut self) {
        while let Some((event, _, data)) = self.next().await {
            assert!(["changed", "put", "delete", "mark"].contains(&event.as_str()), "{event}: {data}");
        }
    }

    /// Everything up to the mark of `revision`, as an SDK would apply it, without `changed`. Ids never go back.
    pub async fn up_to(&mut self, revision: i64) -> Vec<(String, i64, Value)> {
        let (mut heard, mut newest) = (Vec::new(), 0);
        loop {
            let (event, id, data) = self.next().await.expect("a mark");
            let id = id.expect("an id");
            assert!(id >= newest, "{event} {id} after {newest}");
            assert_eq!(data["revision"], id, "{event}");
            newest = id;
            match event.as_str() {
                "mark" if id >= revision => return heard,
                "mark" | "changed" => {}
                _ => heard.push((event, id, data)),
            }
        }
    }
}

both!(a_publish_is_heard_of, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "one").await;
    let mut listener = Listener::open(&key, "").await;
    assert_eq!(listener.hello().await, app.revision().await);
    publish(&owner, "p", "two").await;
    listener.until("p", "production", Some(2)).await;
    assert_eq!(content(&key.get("/prompts/p").await.ok()), "two");
    owner.post("/prompts/p/versions", json!({ "content": "three" })).await.created();
    listener.until("p", "latest", Some(3)).await;
    owner.put("/prompts/p/labels/production", json!({ "version": 1 })).await.ok();
    listener.until("p", "production", Some(1)).await;
    owner.put("/prompts/p", json!({ "title": "Another title" })).await.ok();
    listener.until("p", "production", Some(1)).await;
    owner.delete("/prompts/p/labels/production").await.ok();
    listener.until("p", "production", None).await;
    owner.put("/prompts/p/labels/staging", json!({ "version": 2 })).await.ok();
    listener.until("p", "staging", Some(2)).await;
    owner.delete("/prompts/p?force=true").await.ok();
    listener.until("p", "staging", None).await;
    owner.post("/prompts/p/undelete", json!({})).await.ok();
    listener.until("p", "staging", Some(2)).await;
});

both!(a_snippet_is_told_of_everyone_who_includes_it, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "deep", "deep").await;
    for (slug, included) in [("rules", "deep"), ("mail", "rules")] {
        let content = format!("{{% include \"{included}\" %}}");
        prompt(&owner, json!({ "title": slug, "slug": slug, "content": content, "syntax": "jinja" })).await;
    }
    let mut listener = Listener::open(&key, "?slugs=mail").await;
    listener.hello().await;
    publish(&owner, "deep", "deeper").await;
    let mut told = [listener.changed().await, listener.changed().await];
    told.sort();
    let one = |label: &str| ("mail".to_owned(), label.to_owned(), Some(1));
    assert_eq!(told, [one("latest"), one("production")]);
    assert_eq!(content(&key.get("/prompts/mail").await.ok()), "deeper");
});

both!(filters_let_through_what_was_asked_for, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "a", "a").await;
    text(&owner, "old", "b").await;
    owner.put("/prompts/old", json!({ "slug": "newer" })).await.ok();
    let mut by_label = Listener::open(&key, "?label=staging").await;
    let mut by_slug = Listener::open(&key, "?slugs=old,nothing").await;
    by_label.hello().await;
    by_slug.hello().await;
    publish(&owner, "a", "a2").await;
    publish(&owner, "newer", "b2").await;
    owner.put("/prompts/a/labels/staging", json!({ "version": 1 })).await.ok();
    assert_eq!(by_label.changed().await, ("a".to_owned(), "staging".to_owned(), Some(1)));
    by_slug.until("newer", "production", Some(2)).await;
    let many = (0..501).map(|n| format!("p{n}")).collect::<Vec<_>>().join(",");
    key.get(&format!("/stream?slugs={many}")).await.wrong_fields(&["slugs"]);
});

both!(a_confined_key_hears_of_its_labels_only, |app| async move {
    let (owner, _) = people(&app).await;
    text(&owner, "a", "a").await;
    let key = app.key_with(KeyFixture { labels: vec!["staging"], ..KeyFixture::default() }).await;
    key.get("/stream?label=production").await.error(403, "FORBIDDEN").says("staging");
    let mut listener = Listener::open(&key, "").await;
    listener.hello().await;
    publish(&owner, "a", "a2").await;
    owner.put("/prompts/a/labels/staging", json!({ "version": 1 })).await.ok();
    assert_eq!(listener.changed().await, ("a".to_owned(), "staging".to_owned(), Some(1)));
});

both!(other_workspaces_hear_nothing, |app| async move {
    let (owner, _) = people(&app).await;
    let mut foreign = Listener::open(&app.stranger_key(), "").await;
    foreign.hello().await;
    let mut own = Listener::open(&owner, "").await;
    own.hello().await;
    text(&owner, "a", "a").await;
    own.until("a", "production", Some(1)).await;
    assert!(foreign.buffer.is_empty());
    let silence = tokio::time::timeout(Duration::from_millis(200), foreign.response.chunk()).await;
    assert!(silence.is_err(), "nothing of it came through");
    app.nobody().get("/stream").await.error(401, "UNAUTHENTICATED");
});

both!(it_ends_with_the_key, |app| async move {
    let (owner, _) = people(&app).await;
    let expires_at = app.clock().now() + TimeDelta::seconds(5);
    let brief = app.key_with(KeyFixture { expires_at: Some(expires_at), ..KeyFixture::default() }).await;
    let mut listener = Listener::open(&brief, "").await;
    listener.hello().await;
    text(&owner, "a", "a").await;
    listener.until("a", "production", Some(1)).await;
    listener.assert_ends().await;
    assert!(app.clock().now() >= expires_at);
});

both!(
    there_are_only_so_many,
    Options::new().set("limits.streams_per_caller", 2).set("limits.streams", 3),
    |app| async move {
        let (owner, key) = people(&app).await;
        let mut first = Listener::open(&key, "").await;
        first.hello().await;
        let second = Listener::open(&key, "").await;
        let refused = key.get("/stream").await.error(429, "RATE_LIMITED").says("rate limit");
        assert!(refused.header("retry-after").is_some());
        let _third = Listener::open(&owner, "").await;
        let full = owner.get("/stream").await.error(503, "UNAVAILABLE");
        assert!(full.header("retry-after").is_some());
        drop(second);
        drop(first);
        // The server notices a closed connection when it next looks at it.
        let key = &key;
        app.until("places are given back", || async {
            let response = key.request("GET", "/stream").open().await;
            response.status() == 200
        })
        .await;
    }
);

both!(it_ends_when_the_server_stops, |app| async move {
    let node = app.second_node().await;
    let (_, key) = people(&node).await;
    let mut listener = Listener::open(&key, "").await;
    listener.hello().await;
    let stopped = tokio::spawn(async move { node.stop().await });
    listener.assert_ends().await;
    tokio::time::timeout(SOON, stopped).await.expect("the server stops in time").expect("well");
});

both!(an_open_stream_is_no_use_of_its_key, Options::new().set("stream.heartbeat", 0.05), |app| async move {
    let (owner, _) = people(&app).await;
    text(&owner, "p", "x").await;
    let made = owner.post("/api-keys", json!({ "name": "shop", "rate_limit_per_minute": 3 })).await.created();
    let key = app.bearer(&made.text_of("key"));
    let mut listener = Listener::open(&key, "").await;
    listener.hello().await;
    let last_used = async || {
        app.app().last_used().flush(app.app()).await.expect("what was noted is written");
        let keys = owner.get("/api-keys").await.ok();
        let mine = keys.data().as_array().into_iter().flatten().find(|one| one["name"] == "shop").cloned();
        mine.expect("the key")["last_used_at"].clone()
    };
    let opened = last_used().await;
    assert!(opened.is_string());
    app.clock().advance(TimeDelta::minutes(10));
    for _ in 0..10 {
        let sign = tokio::time::timeout(SOON, listener.response.chunk()).await.expect("a sign of life");
        assert!(sign.expect("the stream is not broken").is_some());
    }
    assert_eq!(last_used().await, opened);
    for _ in 0..3 {
        key.get("/prompts/p").await.ok();
    }
    key.get("/prompts/p").await.error(429, "RATE_LIMITED");
    // Looking is all the same.
    owner.delete(&format!("/api-keys/{}", made.text_of("id"))).await.ok();
    listener.assert_ends().await;
});
