//! Edge mode: what caches may keep, and how they are told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use serde_json::{Value, json};
use xr2_server::auth::Scope;
use xr2_server::features::api_keys::KeyKind;
use xr2_testkit::{Client, KeyFixture, Options, TestApp, both};

use crate::support::{put, text};

const TOKEN: &str = "edge-token-93f1c7";

/// A cache that writes down what it is told.
#[derive(Clone, Default)]
struct Cache {
    told: Arc<Mutex<Vec<Told>>>,
    /// What it answers next; then 200.
    answers: Arc<Mutex<VecDeque<(u16, &'static str)>>>,
}

#[derive(Debug, Clone)]
struct Told {
    line: String,
    keys: String,
    token: String,
    body: Value,
}

impl Cache {
    async fn start() -> (Cache, SocketAddr) {
        let cache = Cache::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = axum::Router::new().fallback(hear).with_state(cache.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (cache, address)
    }

    fn answers(&self, answers: &[(u16, &'static str)]) {
        self.answers.lock().unwrap().extend(answers.iter().copied());
    }

    fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// Everything it was told to forget.
    fn all(&self) -> String {
        self.told().iter().map(|told| format!("{} {}\n", told.keys, told.body)).collect()
    }

    fn forget(&self) {
        self.told.lock().unwrap().clear();
    }
}

async fn hear(State(cache): State<Cache>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header = |name: &str| {
        parts.headers.get(name).map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    };
    let line = format!("{} {}", parts.method, parts.uri.path());
    let (keys, token) = (header("surrogate-key"), header("authorization") + &header("fastly-key"));
    let body = axum::body::to_bytes(body, 1_000_000).await.expect("a body");
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    cache.told.lock().unwrap().push(Told { line, keys, token, body });
    let answer = cache.answers.lock().unwrap().pop_front().unwrap_or((200, r#"{"success":true}"#));
    (StatusCode::from_u16(answer.0).unwrap(), answer.1).into_response()
}

fn reachable() -> Options {
    Options::new().with_worker().set("outbound_allow", "127.0.0.0/8")
}

fn by_http(address: SocketAddr) -> Value {
    json!({ "enabled": true, "purge": { "kind": "http", "url": format!("http://{address}/purge"), "token": TOKEN } })
}

async fn page_key(app: &TestApp) -> Client {
    app.publishable_key(&["https://shop.example"]).await.with_header("origin", "https://shop.example")
}

fn tag(kind: &str, id: &Value) -> String {
    format!("xr2-{kind}-{}", id.as_str().unwrap().replace('-', ""))
}

both!(nothing_may_be_kept_unless_it_was_turned_on, |app| async move {
    let owner = app.owner().await;
    text(&owner, "p", "Hello").await;
    let key = page_key(&app).await;
    let is_private = |answer: &xr2_testkit::Answer| {
        answer.header("cache-control") == Some("private, no-cache")
            && answer.header("surrogate-key").is_none()
    };
    assert!(is_private(&key.get("/prompts/p").await.ok()));
    let off = owner.get("/workspaces/acme/edge").await.ok();
    assert_eq!(*off.data(), json!({ "enabled": false, "ttl_seconds": 60, "purge": null }));
    owner.put("/workspaces/acme/edge", json!({ "enabled": true, "ttl_seconds": 90 })).await.ok();
    let kept = key.get("/prompts/p").await.ok();
    assert_eq!(kept.header("cache-control"), Some("public, max-age=0, s-maxage=90, must-revalidate"));
    assert_eq!(kept.header("cdn-cache-control"), Some("public, max-age=90"));
    assert_eq!(kept.header("surrogate-control"), Some("max-age=90"));
    owner.put("/workspaces/acme/edge", json!({ "enabled": false })).await.ok();
    assert!(is_private(&key.get("/prompts/p").await.ok()));
});

both!(what_is_kept_is_what_everybody_gets, |app| async move {
    let owner = app.owner().await;
    let fixed = text(&owner, "fixed", "Hello").await;
    text(&owner, "open", "Hello {{ name }}").await;
    owner.put("/workspaces/acme/edge", json!({ "enabled": true })).await.ok();
    let key = page_key(&app).await;
    let workspace = tag("w", &json!(app.workspace()));
    for path in ["/prompts/fixed", "/prompts/open", "/prompts/fixed?version=1", "/prompts/fixed?render=true"]
    {
        let answer = key.get(path).await.ok();
        assert!(
            answer.header("cache-control").unwrap().starts_with("public, max-age=0, s-maxage=60"),
            "{path}"
        );
        assert!(answer.header("surrogate-key").unwrap().starts_with(&workspace), "{path}");
        let vary: Vec<_> = answer.headers.get_all("vary").iter().map(|v| v.to_str().unwrap()).collect();
        let vary = vary.join(", ");
        assert!(vary.contains("Authorization") && vary.contains("X-XR2-Min-Revision"), "{vary}");
    }
    let answer = key.get("/prompts/fixed").await.ok();
    let names = answer.header("surrogate-key").unwrap();
    for name in [
        tag("p", &fixed["id"]),
        tag("k", &json!(key.id)),
        format!("{}-production", workspace.replace("-w-", "-l-")),
    ] {
        assert!(names.split(' ').any(|one| one == name), "{name} in {names}");
    }
    assert_eq!(answer.header("cache-tag"), Some(names.replace(' ', ",").as_str()));
    let etag = answer.header("etag").unwrap();
    let known = key.request("GET", "/prompts/fixed").header("if-none-match", etag).send().await.status(304);
    assert_eq!(known.header("cache-control"), answer.header("cache-control"));
    assert_eq!(known.header("surrogate-key"), Some(names));

    for path in ["/prompts/open?name=Ana", "/prompts/fixed?user_id=7", "/prompts/fixed?label=latest"] {
        assert_eq!(key.get(path).await.ok().header("cache-control"), Some("private, no-cache"), "{path}");
    }
    let rendered = key.post("/prompts/fixed/render", json!({})).await.ok();
    assert_eq!(rendered.header("cache-control"), Some("private, no-cache"));
    assert_eq!(
        key.get("/prompts/none").await.error(404, "NOT_FOUND").header("cache-control"),
        Some("no-store")
    );
    let secret = app.key(&[Scope::Deliver]).await;
    assert_eq!(secret.get("/prompts/fixed").await.ok().header("cache-control"), Some("private, no-cache"));
    assert_eq!(owner.get("/prompts/fixed").await.ok().header("surrogate-key"), None);
});

both!(nothing_is_kept_longer_than_its_key, |app| async move {
    let owner = app.owner().await;
    text(&owner, "p", "Hello").await;
    owner.put("/workspaces/acme/edge", json!({ "enabled": true, "ttl_seconds": 3600 })).await.ok();
    let fixture = |end: Option<TimeDelta>, allowed_ips| KeyFixture {
        kind: KeyKind::Publishable,
        allowed_origins: vec!["https://shop.example"],
        allowed_ips,
        expires_at: end.map(|end| app.clock().now() + end),
        ..KeyFixture::default()
    };
    let ending = app.key_with(fixture(Some(TimeDelta::seconds(100)), Vec::new())).await;
    let answer = ending.get("/prompts/p").await.ok();
    let seconds = answer.header("surrogate-control").unwrap().trim_start_matches("max-age=");
    assert!((1..=100).contains(&seconds.parse::<i64>().unwrap()), "{seconds}");
    let confined = app.key_with(fixture(None, vec!["127.0.0.0/8"])).await;
    assert_eq!(confined.get("/prompts/p").await.ok().header("surrogate-key"), None);
});

both!(changes_are_purged, reachable(), |app| async move {
    let owner = app.owner().await;
    app.keep_secret(TOKEN);
    let (cache, address) = Cache::start().await;
    let p = text(&owner, "p", "Hello").await;
    let outer = text(&owner, "outer", "{% include \"p\" %}").await;
    owner.put("/workspaces/acme/edge", by_http(address)).await.ok();
    let cache = &cache;
    let hears = |what: String| {
        let app = app.clone();
        async move {
            app.until(&format!("the cache hears of {what}"), || async { cache.all().contains(&what) }).await;
            // And once more, when every node has heard: then nothing of it is told later.
            app.until("it hears again", || async { cache.all().matches(&what).count() >= 2 }).await;
            cache.forget();
        }
    };
    hears(tag("w", &json!(app.workspace()))).await;
    put(&owner, "p", json!({ "content": "Good day" })).await;
    let (p, outer) = (tag("p", &p["id"]), tag("p", &outer["id"]));
    app.until("both are purged", || async { cache.all().contains(&p) && cache.all().contains(&outer) }).await;
    let told = cache.told().remove(0);
    assert_eq!((told.line.as_str(), told.token.as_str()), ("PURGE /purge", TOKEN));
    hears(outer.clone()).await;
    owner.put("/prompts/p/labels/production", json!({ "version": 1 })).await.ok();
    hears(p.clone()).await;
    owner.post("/prompts/outer/archive", Value::Null).await.ok();
    hears(outer.clone()).await;
    owner.delete("/prompts/outer?force=true").await.ok();
    hears(outer).await;
    let made = json!({ "name": "web", "kind": "publishable", "allowed_origins": ["https://shop.example"] });
    let made = owner.post("/api-keys", made).await.created().text_of("id");
    owner.delete(&format!("/api-keys/{made}")).await.ok();
    hears(tag("k", &json!(made))).await;
    let state = owner.get("/workspaces/acme/edge").await.ok().data()["purge"].clone();
    assert_eq!((&state["has_token"], &state["failed_attempts"]), (&json!(true), &json!(0)));
    assert!(state["purged_at"].is_string(), "{state}");
});

both!(caches_are_told_again_when_every_node_has_heard, reachable(), |app| async move {
    let owner = app.owner().await;
    app.keep_secret(TOKEN);
    let (cache, address) = Cache::start().await;
    let p = tag("p", &text(&owner, "p", "Hello").await["id"]);
    owner.put("/workspaces/acme/edge", by_http(address)).await.ok();
    put(&owner, "p", json!({ "content": "Good day" })).await;
    let times =
        || cache.told().iter().filter(|told| told.keys.contains(&p) || told.keys.contains("-w-")).count();
    app.until("it is told twice", || async { times() >= 2 }).await;
});

both!(a_cache_that_is_left_forgets_everything, reachable(), |app| async move {
    let owner = app.owner().await;
    app.keep_secret(TOKEN);
    text(&owner, "p", "Hello").await;
    let ((old, old_address), (new, new_address)) = (Cache::start().await, Cache::start().await);
    let all = tag("w", &json!(app.workspace()));
    // At once, and when every node has heard.
    let times = |cache: &Cache| cache.told().iter().filter(|told| told.keys == all).count();
    owner.put("/workspaces/acme/edge", by_http(old_address)).await.ok();
    app.until("the first cache knows of it", || async { times(&old) == 2 }).await;
    owner.put("/workspaces/acme/edge", by_http(new_address)).await.ok();
    app.until("the cache that is left forgets all", || async { times(&old) == 4 }).await;
    app.until("the second cache knows of it", || async { times(&new) == 2 }).await;
    owner.put("/workspaces/acme/edge", json!({ "enabled": true })).await.ok();
    app.until("the second cache forgets all", || async { times(&new) == 4 }).await;
    assert!(old.told().iter().chain(&new.told()).all(|told| told.token == TOKEN));
});

both!(a_cache_that_fails_is_told_later, reachable(), |app| async move {
    let owner = app.owner().await;
    app.keep_secret(TOKEN);
    let (cache, address) = Cache::start().await;
    cache.answers(&[(500, ""), (503, "")]);
    owner.put("/workspaces/acme/edge", by_http(address)).await.ok();
    let state = || async { owner.get("/workspaces/acme/edge").await.ok().data()["purge"].clone() };
    app.until("the failure shows", || async { state().await["last_error"].is_string() }).await;
    app.until("it is done", || async { !state().await["purged_at"].is_null() }).await;
    let after = state().await;
    assert_eq!((&after["failed_attempts"], &after["last_error"]), (&json!(0), &Value::Null));
    assert!(cache.told().len() >= 3);
});

both!(purges_outlast_the_server, reachable().set("roles", "api"), |app| async move {
    let owner = app.owner().await;
    app.keep_secret(TOKEN);
    let (cache, address) = Cache::start().await;
    let ids = [text(&owner, "a", "Hello").await, text(&owner, "b", "Hello").await];
    owner.put("/workspaces/acme/edge", by_http(address)).await.ok();
    for n in 0..5 {
        put(&owner, "a", json!({ "content": format!("a {n}") })).await;
        put(&owner, "b", json!({ "content": format!("b {n}") })).await;
    }
    assert!(cache.told().is_empty(), "this node works off no jobs");
    app.node_with(app.options().set("roles", "worker")).await;
    app.until("all is purged", || async { !cache.told().is_empty() }).await;
    // The settings changed as well: one purge of everything stands for all eleven changes.
    let first = cache.told().remove(0);
    assert_eq!(first.keys, tag("w", &json!(app.workspace())), "{ids:?}");
});

both!(each_kind_is_told_in_its_own_way, reachable(), |app| async move {
    let owner = app.owner().await;
    app.keep_secret(TOKEN);
    let (cache, address) = Cache::start().await;
    let whole = tag("w", &json!(app.workspace()));
    let put = |kind: &'static str| {
        let owner = owner.clone();
        async move {
            let purge = json!({ "kind": kind, "service": "abc123", "url": format!("http://{address}"), "token": TOKEN });
            owner.put("/workspaces/acme/edge", json!({ "enabled": true, "purge": purge })).await.ok()
        }
    };
    put("fastly").await;
    app.until("Fastly is told", || async { !cache.told().is_empty() }).await;
    let told = cache.told().remove(0);
    assert_eq!((told.line.as_str(), told.token.as_str()), ("POST /service/abc123/purge", TOKEN));
    assert_eq!(told.body, json!({ "surrogate_keys": [whole] }));
    app.until("it is confirmed", || async { cache.told().len() >= 2 }).await;
    cache.forget();
    cache.answers(&[(200, r#"{"success":false,"errors":[]}"#)]);
    put("cloudflare").await;
    app.until("Cloudflare is told until it has done it", || async { cache.told().len() >= 2 }).await;
    let told = cache.told().remove(1);
    assert_eq!(told.line, "POST /zones/abc123/purge_cache");
    assert_eq!(told.token, format!("Bearer {TOKEN}"));
    assert_eq!(told.body, json!({ "tags": [whole] }));
});

both!(settings_are_checked_and_tokens_stay_secret, reachable(), |app| async move {
    let owner = app.owner().await;
    app.keep_secret(TOKEN);
    let put = |body: Value| {
        let owner = owner.clone();
        async move { owner.put("/workspaces/acme/edge", body).await }
    };
    let purge = |purge: Value| put(json!({ "enabled": true, "purge": purge }));
    put(json!({ "enabled": true, "ttl_seconds": 0 })).await.wrong_fields(&["ttl_seconds"]);
    purge(json!({ "kind": "fastly", "service": "a b" })).await.wrong_fields(&["purge.service"]);
    purge(json!({ "kind": "fastly", "service": "abc" })).await.wrong_fields(&["purge.token"]);
    purge(json!({ "kind": "http" })).await.wrong_fields(&["purge.url"]);
    for url in ["http://10.0.0.1/", "http://169.254.169.254/", "ftp://a.example/", "http://u:p@a.example/"] {
        purge(json!({ "kind": "http", "url": url })).await.wrong_fields(&["purge.url"]);
    }
    purge(json!({ "kind": "http", "url": "https://a.example", "header": "Host" }))
        .await
        .wrong_fields(&["purge.header"]);
    purge(json!({ "kind": "http", "url": "https://a.example", "method": "GET" }))
        .await
        .wrong_fields(&["purge.method"]);

    let (_cache, address) = Cache::start().await;
    let shown = put(by_http(address)).await.ok();
    assert_eq!(shown.data()["purge"]["has_token"], true);
    assert!(!shown.text.contains(TOKEN));
    let mut again = by_http(address);
    again["purge"].as_object_mut().unwrap().remove("token");
    assert_eq!(put(again.clone()).await.ok().data()["purge"]["has_token"], true, "it is kept");
    again["purge"]["url"] = json!(format!("http://{address}/elsewhere"));
    assert_eq!(put(again).await.ok().data()["purge"]["has_token"], false, "it goes nowhere else");
});
