//! Pages of other sites and publishable keys.

use chrono::TimeDelta;
use serde_json::json;
use xr2_server::auth::Scope;
use xr2_server::features::api_keys::KeyKind;
use xr2_testkit::{Answer, KeyFixture, TestApp, both};

const SHOP: &str = "https://shop.example";
const PATH: &str = "/prompts/welcome";

async fn preflight(app: &TestApp, origin: &str, method: &str, path: &str) -> Answer {
    let request =
        app.nobody().with_header("origin", origin).with_header("access-control-request-method", method);
    request.request("OPTIONS", path).header("access-control-request-headers", "x-api-key").send().await
}

fn allowed(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

async fn with_prompt(app: &TestApp) {
    let owner = app.owner().await;
    let prompt = json!({ "title": "Welcome", "slug": "welcome", "content": "Hello" });
    owner.post("/prompts", prompt).await.created();
}

both!(a_page_fetches_with_a_publishable_key, |app| async move {
    with_prompt(&app).await;
    let key = app.publishable_key(&[SHOP]).await;
    let answer = preflight(&app, SHOP, "GET", PATH).await.status(204);
    assert_eq!(allowed(&answer), Some(SHOP));
    assert!(answer.header("access-control-allow-headers").unwrap().contains("X-API-Key"));
    assert!(answer.header("access-control-allow-credentials").is_none());
    assert!(answer.header("vary").unwrap().starts_with("Origin"));

    let page = key.clone().with_header("origin", SHOP);
    for _ in 0..2 {
        let fetched = page.get(PATH).await.ok();
        assert_eq!(allowed(&fetched), Some(SHOP));
        assert!(fetched.header("access-control-allow-credentials").is_none());
        assert!(fetched.header("access-control-expose-headers").unwrap().contains("ETag"));
        let vary: Vec<_> = fetched.headers.get_all("vary").iter().map(|v| v.to_str().unwrap()).collect();
        assert!(vary.join(", ").contains("Origin"), "{vary:?}");
    }
    let missing = page.get("/prompts/nowhere").await.error(404, "NOT_FOUND");
    assert_eq!(allowed(&missing), Some(SHOP), "a page can read why it failed");
    assert_eq!(allowed(&page.post("/prompts/welcome/render", json!({})).await.ok()), Some(SHOP));
});

both!(other_origins_get_nothing, |app| async move {
    with_prompt(&app).await;
    let (key, other) =
        (app.publishable_key(&[SHOP]).await, app.publishable_key(&["https://blog.example"]).await);
    for origin in ["https://evil.example", "http://shop.example", "https://shop.example:8443", "null"] {
        assert_eq!(allowed(&preflight(&app, origin, "GET", PATH).await.status(204)), None, "{origin}");
        let refused = key.clone().with_header("origin", origin).get(PATH).await.error(403, "FORBIDDEN");
        assert_eq!(allowed(&refused.says("origin")), None, "{origin}");
    }
    assert_eq!(
        allowed(&preflight(&app, "https://blog.example", "GET", PATH).await),
        Some("https://blog.example")
    );
    let crossed = key.with_header("origin", "https://blog.example").get(PATH).await.error(403, "FORBIDDEN");
    assert_eq!(allowed(&crossed), None, "the preflight cannot know the key, the request does");
    assert_eq!(allowed(&other.get(PATH).await.ok()), None, "no Origin, nothing to allow");
});

both!(only_delivery_is_open_to_pages, |app| async move {
    let key = app.publishable_key(&[SHOP]).await.with_header("origin", SHOP);
    for (method, path) in [("GET", "/api-keys"), ("POST", "/prompts"), ("PUT", PATH), ("GET", "/auth/me")] {
        let answer = preflight(&app, SHOP, method, path).await;
        assert_eq!(allowed(&answer), None, "{method} {path}");
    }
    assert_eq!(allowed(&key.get("/api-keys").await.error(403, "FORBIDDEN")), None);
    key.get("/prompts/welcome/details").await.error(403, "FORBIDDEN");
    key.post("/prompts", json!({ "title": "t", "content": "c" })).await.error(403, "FORBIDDEN");
});

both!(sessions_and_secret_keys_are_not_for_pages, |app| async move {
    with_prompt(&app).await;
    app.publishable_key(&[SHOP]).await;
    let secret = app.key(&[Scope::Deliver]).await.with_header("origin", SHOP).get(PATH).await.ok();
    assert_eq!(allowed(&secret), None);
    let owner = app.owner().await;
    let cookie = format!("xr2_session={}", app.session_of(owner.id.unwrap()).await);
    let session =
        app.nobody().with_header("cookie", &cookie).with_header("origin", SHOP).get(PATH).await.ok();
    assert_eq!(allowed(&session), None);
});

both!(the_preflight_follows_the_keys, |app| async move {
    let owner = app.owner().await;
    assert_eq!(allowed(&preflight(&app, SHOP, "GET", PATH).await.status(204)), None);
    let input = json!({ "name": "web", "kind": "publishable", "allowed_origins": [SHOP] });
    let made = owner.post("/api-keys", input).await.created();
    assert_eq!(allowed(&preflight(&app, SHOP, "GET", PATH).await), Some(SHOP));
    owner.delete(&format!("/api-keys/{}", made.text_of("id"))).await.ok();
    assert_eq!(allowed(&preflight(&app, SHOP, "GET", PATH).await), None);

    let expires_at = Some(app.clock().now() + TimeDelta::hours(1));
    let fixture = KeyFixture {
        kind: KeyKind::Publishable,
        allowed_origins: vec![SHOP],
        expires_at,
        ..KeyFixture::default()
    };
    app.key_with(fixture).await;
    owner.post("/api-keys", json!({ "name": "another, so that origins are read again" })).await.created();
    assert_eq!(allowed(&preflight(&app, SHOP, "GET", PATH).await), Some(SHOP));
    app.clock().advance(TimeDelta::hours(1));
    assert_eq!(allowed(&preflight(&app, SHOP, "GET", PATH).await), None);
});

both!(a_limit_can_be_read_by_the_page, |app| async move {
    with_prompt(&app).await;
    let fixture = KeyFixture {
        kind: KeyKind::Publishable,
        allowed_origins: vec![SHOP],
        rate_limit_per_minute: Some(1),
        ..KeyFixture::default()
    };
    let page = app.key_with(fixture).await.with_header("origin", SHOP);
    page.get(PATH).await.ok();
    let refused = page.get(PATH).await.error(429, "RATE_LIMITED");
    assert_eq!(allowed(&refused), Some(SHOP));
    assert!(refused.header("access-control-expose-headers").unwrap().contains("Retry-After"));
});
