//! What is in memory is answered before the router; the answer is the same as behind it.

use serde_json::json;
use xr2_server::auth::Scope;
use xr2_testkit::{Answer, Client, KeyFixture, both};

use super::{people, prompt, publish, text};

/// All that a client can tell answers apart by, but for what differs from request to request.
fn seen(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let differs = ["date", "x-request-id", "content-length"];
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| !differs.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    headers.sort();
    let id = answer.header("x-request-id").expect("a request id");
    (answer.status, headers, answer.text.replace(id, ""))
}

/// Naming the workspace is out of the ordinary, so it goes through the router.
async fn assert_same_both_ways(key: &Client, path: &str, header: Option<(&str, &str)>) -> Answer {
    let ask = |far: bool| {
        let mut request = key.request("GET", path);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        if far { request.header("x-workspace", "acme") } else { request }
    };
    let through_the_router = ask(true).send().await;
    let at_once = ask(false).send().await;
    assert_eq!(seen(&at_once), seen(&through_the_router), "{path}");
    assert!(at_once.header("x-request-id").is_some_and(|id| id.starts_with("req_")));
    at_once
}

both!(the_short_way_answers_like_the_long_one, |app| async move {
    let (owner, key) = people(&app).await;
    let contract =
        json!([{ "name": "n", "type": "integer" }, { "name": "must", "type": "string", "required": true }]);
    let body = json!({ "title": "T", "slug": "p", "content": "{{ n }} {{ must }} {{ free }}", "variables": contract });
    prompt(&owner, body).await;
    publish(&owner, "p", "{{ must }} {{ n }} {{ free }}").await;
    text(&owner, "plain", "nothing to fill in").await;
    let looped = json!({ "title": "L", "slug": "loop", "content": "{% for i in items %}{{ i }}{% endfor %}", "syntax": "jinja" });
    prompt(&owner, looped).await;
    owner.put("/prompts/plain", json!({ "slug": "simple" })).await.ok();
    let paths = [
        "/prompts/p",
        "/prompts/p?must=a&n=1",
        "/prompts/p?must=a&n=x",
        "/prompts/p?n=1",
        "/prompts/p?must=a&unknown=1",
        "/prompts/p?must=%ff",
        "/prompts/p?render",
        "/prompts/p?label=latest",
        "/prompts/p?label=staging",
        "/prompts/p?version=1",
        "/prompts/p?label=a&version=1",
        "/prompts/p?must=a&format=openai&optimized_for=gpt-4o",
        "/prompts/p?must=a&format=nope",
        "/prompts/plain",
        "/prompts/simple",
        "/prompts/simple?a=1",
        "/prompts/loop",
        "/prompts/loop?items=a",
        "/prompts/nope",
        "/prompts/p/versions/1",
        "/prompts/p/details",
        "/prompts/search",
    ];
    for path in paths {
        let (there, back) = (assert_same_both_ways(&key, path, None).await, key.get(path).await);
        if there.error_code().is_empty() {
            assert_eq!(seen(&there), seen(&back));
        }
    }
    let etag = key.get("/prompts/p?must=a").await.header("etag").unwrap_or_default().to_owned();
    let known = assert_same_both_ways(&key, "/prompts/p?must=a", Some(("if-none-match", &etag))).await;
    assert_eq!(known.status, 304);
    for revision in ["0", "1", "soon"] {
        assert_same_both_ways(&key, "/prompts/p?must=a", Some(("x-xr2-min-revision", revision))).await;
    }
    let wrong_host = assert_same_both_ways(&key, "/prompts/p", Some(("host", "evil.example"))).await;
    assert_eq!(wrong_host.status, 421);
    let by_other_header = app.nobody();
    let garbled = "xr2_0000000000000000000000000000000000000000000000000";
    let refused = by_other_header.request("GET", "/prompts/p").header("x-api-key", garbled).send().await;
    refused.error(401, "UNAUTHENTICATED");
});

both!(every_kind_of_key_is_checked_on_the_short_way, |app| async move {
    let (owner, warm) = people(&app).await;
    text(&owner, "p", "x").await;
    warm.get("/prompts/p").await.ok();
    let staging = app.key_with(KeyFixture { labels: vec!["staging"], ..KeyFixture::default() }).await;
    let elsewhere =
        app.key_with(KeyFixture { allowed_ips: vec!["203.0.113.0/24"], ..KeyFixture::default() }).await;
    let publisher = app.key(&[Scope::Publish]).await;
    for _ in 0..3 {
        staging.get("/prompts/p").await.error(403, "FORBIDDEN");
        elsewhere.get("/prompts/p").await.error(403, "FORBIDDEN");
        app.expired_key().await.get("/prompts/p").await.error(401, "UNAUTHENTICATED");
        app.revoked_key().await.get("/prompts/p").await.error(401, "UNAUTHENTICATED");
        app.stranger_key().get("/prompts/p").await.error(404, "NOT_FOUND");
        publisher.get("/prompts/p").await.ok();
        warm.get("/prompts/p").await.ok();
    }
    let expires_at = Some(app.clock().now() + chrono::TimeDelta::minutes(1));
    let brief = app.key_with(KeyFixture { expires_at, ..KeyFixture::default() }).await;
    brief.get("/prompts/p").await.ok();
    brief.get("/prompts/p").await.ok();
    app.clock().advance(chrono::TimeDelta::minutes(2));
    brief.get("/prompts/p").await.error(401, "UNAUTHENTICATED").says("expired");
});
