//! Making, using, rotating and revoking API keys.

use chrono::TimeDelta;
use serde_json::{Value, json};
use xr2_server::auth::Role;
use xr2_server::clock::rfc3339;
use xr2_testkit::{Answer, Client, KeyFixture, TestApp, both};

async fn made(by: &Client, input: Value) -> (Answer, Client) {
    let answer = by.post("/api-keys", input).await.created();
    let key = by.with_key(&answer.text_of("key"));
    (answer, key)
}

async fn shown(by: &Client, id: &Value) -> Value {
    let listed = by.get("/api-keys?limit=100").await.ok();
    let keys = listed.data().as_array().unwrap();
    keys.iter().find(|key| key["id"] == *id).unwrap_or_else(|| panic!("{id} is not listed")).clone()
}

both!(a_key_is_shown_once, |app| async move {
    let admin = app.member(Role::Admin).await;
    let (answer, key) = made(&admin, json!({ "name": " Shop " })).await;
    let data = answer.data();
    let text = data["key"].as_str().unwrap();
    assert!(text.starts_with("xr2_") && text.len() == 53, "{}", text.len());
    assert_eq!(data["prefix"], text[..12]);
    assert_eq!(data["last4"], text[49..]);
    assert_eq!(data["name"], "Shop");
    assert_eq!(data["scopes"], json!(["deliver"]));
    assert_eq!(data["kind"], "secret");
    assert_eq!(data["status"], "active");
    assert_eq!(data["created_by"]["id"], json!(admin.id.unwrap()));
    for field in ["expires_at", "revoked_at", "last_used_at", "replaced_by", "rate_limit_per_minute"] {
        assert_eq!(data[field], Value::Null, "{field}");
    }
    let listed = shown(&admin, &data["id"]).await;
    assert!(listed.get("key").is_none());
    assert!(!listed.to_string().contains(text));
    assert_eq!(app.new_events().await, ["api_key.created"]);
    assert_eq!(app.revision().await, 1, "every node hears of it by the revision");

    key.get("/auth/me").await.ok();
    app.nobody().with_header("x-api-key", text).get("/auth/me").await.ok();
    app.nobody().get(&format!("/auth/me?api_key={text}&key={text}")).await.error(401, "UNAUTHENTICATED");
    app.until("the use is written down", || async {
        shown(&admin, &answer.data()["id"]).await["last_used_at"].is_string()
    })
    .await;
});

both!(lists_are_paged, |app| async move {
    let owner = app.owner().await;
    for number in 0..5 {
        made(&owner, json!({ "name": format!("key {number}") })).await;
    }
    let page = owner.get("/api-keys?page=2&limit=2").await.ok();
    assert_eq!(page.json["meta"], json!({ "page": 2, "limit": 2, "total": 5 }));
    let names: Vec<&str> =
        page.data().as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["key 2", "key 1"]);
    owner.get("/api-keys?page=0&limit=101").await.wrong_fields(&["page", "limit"]);
});

both!(everything_wrong_with_a_key_is_told, |app| async move {
    let owner = app.owner().await;
    let wrong = json!({
        "name": "  ", "scopes": [], "labels": ["production", "nowhere"], "expires_at": "2020-01-01T00:00:00Z",
        "allowed_ips": ["10.0.0.0/8", "10.0.0.0/99", "home"], "allowed_origins": ["https://example.com"],
    });
    owner.post("/api-keys", wrong).await.wrong_fields(&["name"]);
    let wrong = json!({
        "name": "a\u{7}b", "scopes": [], "labels": ["production", "nowhere"], "expires_at": "2020-01-01T00:00:00Z",
        "allowed_ips": ["10.0.0.0/8", "10.0.0.0/99", "home"], "allowed_origins": ["https://example.com"],
    });
    let fields =
        ["name", "scopes", "labels[1]", "allowed_ips[1]", "allowed_ips[2]", "allowed_origins", "expires_at"];
    owner.post("/api-keys", wrong).await.wrong_fields(&fields);
    let wrong = json!({ "name": "k", "kind": "publishable", "scopes": ["deliver", "read"], "allowed_origins": ["*"] });
    owner.post("/api-keys", wrong).await.wrong_fields(&["scopes", "allowed_origins[0]"]);
    let wrong = json!({ "name": "k", "kind": "publishable" });
    owner.post("/api-keys", wrong).await.wrong_fields(&["allowed_origins"]).says("needs the origins");
    let wrong =
        json!({ "name": "k", "scopes": ["everything"], "rate_limit_per_minute": 0, "key": "xr2_mine" });
    owner.post("/api-keys", wrong).await.wrong_fields(&["scopes[0]", "rate_limit_per_minute", "key"]);
    let wrong = json!({ "name": "k", "rate_limit_per_minute": 100_000_001, "expires_at": "tomorrow", "kind": "open" });
    let wrong = owner.post("/api-keys", wrong).await.error(422, "VALIDATION_ERROR");
    assert_eq!(wrong.details()["errors"].as_array().unwrap().len(), 3, "{}", wrong.text);
    owner.post("/api-keys", json!({ "name": "x".repeat(101) })).await.wrong_fields(&["name"]);
    assert_eq!(owner.get("/api-keys").await.ok().json["meta"]["total"], 0);
    assert!(app.new_events().await.is_empty());
});

both!(input_is_kept_tidy, |app| async move {
    let owner = app.owner().await;
    let input = json!({
        "name": "web", "kind": "publishable", "labels": ["production", "latest", "production"],
        "allowed_ips": ["203.0.113.9/24", "::1", "203.0.113.0/24"],
        "allowed_origins": ["HTTPS://Example.com:443", "http://localhost:3000", "https://example.com"],
        "expires_at": "2099-01-01T01:00:00+01:00", "rate_limit_per_minute": 600,
    });
    let (answer, _) = made(&owner, input).await;
    let data = answer.data();
    assert!(data["key"].as_str().unwrap().starts_with("xr2_pub_"));
    assert_eq!(data["labels"], json!(["production", "latest"]));
    assert_eq!(data["allowed_ips"], json!(["203.0.113.0/24", "::1"]));
    assert_eq!(data["allowed_origins"], json!(["https://example.com", "http://localhost:3000"]));
    assert_eq!(data["expires_at"], "2099-01-01T00:00:00.000000Z");
    assert_eq!(data["rate_limit_per_minute"], 600);
});

both!(no_key_makes_a_wider_one, |app| async move {
    let admin = app.member(Role::Admin).await;
    let confined = json!({
        "name": "automation", "scopes": ["admin"], "labels": ["staging"], "allowed_ips": ["127.0.0.0/8"],
        "expires_at": rfc3339(&(app.clock().now() + TimeDelta::days(7))), "rate_limit_per_minute": 1000,
    });
    let (parent, key) = made(&admin, confined).await;
    let (child, _) = made(&key, json!({ "name": "child", "scopes": ["read", "write", "publish"] })).await;
    for field in ["labels", "allowed_ips", "expires_at", "rate_limit_per_minute"] {
        assert_eq!(child.data()[field], parent.data()[field], "{field} is taken over");
    }
    assert_eq!(child.data()["created_by"]["type"], "key");
    for wider in [
        json!({ "name": "k", "labels": ["staging", "production"] }),
        json!({ "name": "k", "labels": ["latest"] }),
        json!({ "name": "k", "allowed_ips": ["0.0.0.0/0"] }),
        json!({ "name": "k", "allowed_ips": ["127.0.0.1", "10.0.0.1"] }),
    ] {
        key.post("/api-keys", wider).await.error(403, "FORBIDDEN").says("wider");
    }
    let longer =
        json!({ "name": "k", "expires_at": "2099-01-01T00:00:00Z", "rate_limit_per_minute": 1_000_000 });
    let (longer, _) = made(&key, longer).await;
    assert_eq!(longer.data()["expires_at"], parent.data()["expires_at"]);
    assert_eq!(longer.data()["rate_limit_per_minute"], 1000);
    let (narrower, _) =
        made(&key, json!({ "name": "k", "allowed_ips": ["127.0.0.1"], "rate_limit_per_minute": 5 })).await;
    assert_eq!(narrower.data()["allowed_ips"], json!(["127.0.0.1"]));
    assert_eq!(narrower.data()["rate_limit_per_minute"], 5);

    // Rotating hands out a secret too.
    let (free, _) = made(&admin, json!({ "name": "free", "labels": ["production"] })).await;
    let path = format!("/api-keys/{}/rotate", free.text_of("id"));
    key.post(&path, json!({})).await.error(403, "FORBIDDEN");
    assert_eq!(shown(&admin, &free.data()["id"]).await["status"], "active");
});

both!(a_key_is_worth_no_more_than_its_maker, |app| async move {
    let (owner, maker) = (app.owner().await, app.member(Role::Admin).await);
    let (_, key) = made(&maker, json!({ "name": "k", "scopes": ["admin"] })).await;
    key.get("/api-keys").await.ok();
    app.set_role(maker.id.unwrap(), Some(Role::Viewer)).await;
    key.get("/api-keys").await.error(403, "FORBIDDEN").says("scopes");
    key.get("/workspaces/acme").await.ok();
    app.set_role(maker.id.unwrap(), None).await;
    key.get("/workspaces/acme").await.error(403, "FORBIDDEN").says("no longer a member");
    owner.get("/api-keys").await.ok();
});

both!(rotation_overlaps, |app| async move {
    let owner = app.owner().await;
    let (old, old_key) =
        made(&owner, json!({ "name": "shop", "labels": ["production"], "scopes": ["read"] })).await;
    app.new_events().await;
    let path = format!("/api-keys/{}/rotate", old.text_of("id"));
    let new = owner.post(&path, json!({ "overlap_seconds": 3600 })).await.created();
    let new_key = app.bearer(&new.text_of("key"));
    assert_ne!(new.data()["id"], old.data()["id"]);
    for field in ["name", "labels", "scopes", "kind"] {
        assert_eq!(new.data()[field], old.data()[field], "{field}");
    }
    assert_eq!(app.new_events().await, ["api_key.rotated"]);
    let listed = shown(&owner, &old.data()["id"]).await;
    assert_eq!(listed["status"], "expiring");
    assert_eq!(listed["replaced_by"], new.data()["id"]);
    old_key.get("/auth/me").await.ok();
    new_key.get("/auth/me").await.ok();
    owner.post(&path, json!({})).await.error(409, "CONFLICT").says("replaced already");

    app.clock().advance(TimeDelta::seconds(3601));
    old_key.get("/auth/me").await.error(401, "UNAUTHENTICATED").says("expired");
    new_key.get("/auth/me").await.ok();
    assert_eq!(shown(&owner, &old.data()["id"]).await["status"], "expired");
    owner.post(&path, json!({})).await.error(409, "CONFLICT").says("expired");

    let path = format!("/api-keys/{}/rotate", new.text_of("id"));
    owner.post(&path, json!({ "overlap_seconds": 2_592_001 })).await.wrong_fields(&["overlap_seconds"]);
    owner.post(&path, json!({ "overlap_seconds": 0 })).await.created();
    new_key.get("/auth/me").await.error(401, "UNAUTHENTICATED");
});

both!(rotation_renews_the_lifetime, |app| async move {
    let owner = app.owner().await;
    let end = rfc3339(&(app.clock().now() + TimeDelta::days(30)));
    let (old, _) = made(&owner, json!({ "name": "k", "expires_at": end })).await;
    app.clock().advance(TimeDelta::days(29));
    let new = owner.post(&format!("/api-keys/{}/rotate", old.text_of("id")), json!({})).await.created();
    let end = chrono::DateTime::parse_from_rfc3339(&new.text_of("expires_at")).unwrap();
    assert!((end.to_utc() - app.clock().now()).num_days() >= 29, "{end}");
    assert!(
        shown(&owner, &old.data()["id"]).await["expires_at"].as_str().unwrap()
            <= old.text_of("expires_at").as_str()
    );
});

both!(revocation_is_in_force_at_once, |app| async move {
    let owner = app.owner().await;
    let (answer, key) = made(&owner, json!({ "name": "shop" })).await;
    key.get("/auth/me").await.ok();
    app.new_events().await;
    let path = format!("/api-keys/{}", answer.text_of("id"));
    let revoked = owner.delete(&path).await.ok();
    key.get("/auth/me").await.error(401, "UNAUTHENTICATED").says("revoked");
    assert_eq!(revoked.data()["status"], "revoked");
    assert_eq!(app.new_events().await, ["api_key.revoked"]);
    assert_eq!(owner.delete(&path).await.ok().data(), revoked.data(), "twice is once");
    assert!(app.new_events().await.is_empty());
    owner.post(&format!("{path}/rotate"), json!({})).await.error(409, "CONFLICT").says("revoked");
});

both!(other_nodes_hear_of_it, |app| async move {
    let (owner, node) = (app.owner().await, app.second_node().await);
    let (answer, _) = made(&owner, json!({ "name": "shop" })).await;
    let there = node.bearer(&answer.text_of("key"));
    there.get("/auth/me").await.ok();
    owner.delete(&format!("/api-keys/{}", answer.text_of("id"))).await.ok();
    node.until("the other node refuses the key", || async { there.get("/auth/me").await.status == 401 })
        .await;
});

both!(keys_of_others_are_not_there, |app| async move {
    let owner = app.owner().await;
    for id in [app.canary().key.to_string(), "nonsense".into(), uuid::Uuid::nil().to_string()] {
        owner.delete(&format!("/api-keys/{id}")).await.error(404, "NOT_FOUND").says("API key not found");
        owner.post(&format!("/api-keys/{id}/rotate"), json!({})).await.error(404, "NOT_FOUND");
    }
    assert_eq!(owner.get("/api-keys").await.ok().json["meta"]["total"], 0);
    let theirs = app.stranger().get("/api-keys").await.ok();
    assert_eq!(theirs.data()[0]["status"], "active");
    assert_eq!(theirs.data()[0]["revoked_at"], Value::Null);
});

both!(garbled_expired_and_revoked_keys, |app| async move {
    let (_, key) = made(&app.owner().await, json!({ "name": "k" })).await;
    let good = key.token().to_owned();
    let flipped = good.replacen(&good[20..21], if &good[20..21] == "a" { "b" } else { "a" }, 1);
    for garbled in [&good[..52], &flipped, "xr2_", "sk-1234", &good.to_uppercase(), &format!("{good}x")] {
        app.bearer(garbled).get("/auth/me").await.error(401, "UNAUTHENTICATED").says("cut or mistyped");
    }
    let unknown = xr2_server::features::api_keys::new_key(xr2_server::features::api_keys::KeyKind::Secret);
    app.bearer(&unknown.text)
        .get("/auth/me")
        .await
        .error(401, "UNAUTHENTICATED")
        .says("unknown or has been revoked");
    app.expired_key().await.get("/auth/me").await.error(401, "UNAUTHENTICATED").says("expired");
    app.revoked_key().await.get("/auth/me").await.error(401, "UNAUTHENTICATED").says("revoked");
});

both!(a_key_ends_when_its_time_comes, |app| async move {
    let end = Some(app.clock().now() + TimeDelta::minutes(5));
    let key = app.key_with(KeyFixture { expires_at: end, ..KeyFixture::default() }).await;
    key.get("/auth/me").await.ok();
    app.clock().advance(TimeDelta::minutes(5));
    key.get("/auth/me").await.error(401, "UNAUTHENTICATED").says("expired");
});

async fn confined(app: &TestApp, networks: &[&'static str]) -> Client {
    app.key_with(KeyFixture { allowed_ips: networks.to_vec(), ..KeyFixture::default() }).await
}

both!(
    a_key_is_used_from_where_it_may,
    xr2_testkit::Options::new().set("trusted_proxies", "127.0.0.1"),
    |app| async move {
        let key = confined(&app, &["203.0.113.0/24", "2001:db8::/32"]).await;
        for address in ["203.0.113.200", "2001:db8:1::1", "::ffff:203.0.113.1"] {
            key.clone().with_header("x-forwarded-for", address).get("/auth/me").await.ok();
        }
        for address in ["203.0.114.1", "198.51.100.1", "203.0.113.1, 198.51.100.1"] {
            let refused = key.clone().with_header("x-forwarded-for", address).get("/auth/me").await;
            refused.error(403, "FORBIDDEN").says("network address");
        }
        key.get("/auth/me").await.error(403, "FORBIDDEN");
        assert_eq!(app.new_events().await, ["access.denied"], "noted once a minute");
    }
);

both!(without_a_proxy_nobody_names_an_address, |app| async move {
    let key = confined(&app, &["203.0.113.0/24"]).await;
    key.with_header("x-forwarded-for", "203.0.113.1").get("/auth/me").await.error(403, "FORBIDDEN");
    confined(&app, &["127.0.0.1"]).await.get("/auth/me").await.ok();
});
