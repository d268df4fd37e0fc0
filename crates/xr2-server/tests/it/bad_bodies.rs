//! What no route of accounts and keys may choke on: each gets a clear answer, and nothing changes.

use serde_json::{Value, json};
use xr2_server::auth::Role;
use xr2_testkit::{Answer, Client, Options, both};

const ROUTES: [(&str, &str); 5] = [
    ("POST", "/auth/register"),
    ("POST", "/auth/login"),
    ("PUT", "/auth/me"),
    ("POST", "/auth/password"),
    ("POST", "/api-keys"),
];

async fn send(client: &Client, route: (&str, &str), body: impl Into<Vec<u8>>) -> Answer {
    client.request(route.0, route.1).header("content-type", "application/json").bytes(body).send().await
}

both!(bodies_that_are_no_json, |app| async move {
    let owner = app.owner().await;
    for route in ROUTES {
        for (body, place) in [
            (&b"{\"name\": \"Ann\""[..], "line 1"),
            (b"{'name': 1}", "column 2"),
            (b"nonsense", "column"),
            (b"{\"name\": \"\xff\xfe\"}", "column"),
            (b"{\"name\": \"a\0b\"}", "column"),
            (b"{} trailing", "column"),
        ] {
            let answer = send(&owner, route, body).await.error(400, "BAD_REQUEST");
            let answer = answer.says("not valid JSON").says(place);
            assert!(answer.details()["line"].is_u64() && answer.details()["column"].is_u64());
        }
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        send(&owner, route, deep).await.error(400, "BAD_REQUEST").says("recursion limit");
        let deep = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
        send(&owner, route, deep).await.error(400, "BAD_REQUEST");
    }
    assert!(app.new_events().await.is_empty());
});

both!(bodies_of_the_wrong_shape, |app| async move {
    let owner = app.owner().await;
    for route in ROUTES {
        for body in [json!([]), json!("text"), json!(7), json!(null), json!(true)] {
            let answer = send(&owner, route, body.to_string()).await.error(422, "VALIDATION_ERROR");
            assert_eq!(answer.details()["errors"][0]["field"], "(body)", "{}", answer.text);
        }
        let answer = send(&owner, route, json!({ "unknown": 1, "__proto__": {} }).to_string()).await;
        let answer = answer.error(422, "VALIDATION_ERROR");
        let errors = answer.details()["errors"].as_array().unwrap();
        let unknown: Vec<&Value> =
            errors.iter().filter(|e| e["code"] == "unknown_field").map(|e| &e["field"]).collect();
        assert_eq!(unknown, [&json!("unknown"), &json!("__proto__")], "{}", answer.text);
    }
    let wrong = json!({ "email": {}, "password": ["x"], "name": 7 });
    app.nobody().post("/auth/register", wrong).await.wrong_fields(&["email", "password", "name"]);
    let wrong = json!({ "name": [], "scopes": "deliver", "labels": [1], "allowed_ips": {}, "rate_limit_per_minute": "9" });
    let fields = ["name", "scopes", "labels[0]", "allowed_ips", "rate_limit_per_minute"];
    owner.post("/api-keys", wrong).await.wrong_fields(&fields);
    let nul = json!({ "name": "a\u{0}b" });
    owner.post("/api-keys", nul.clone()).await.wrong_fields(&["name"]).says("NUL");
    owner.put("/auth/me", nul).await.wrong_fields(&["name"]);
    owner
        .put("/auth/me", json!({ "preferences": { "a": { "b\u{0}": 1 } } }))
        .await
        .wrong_fields(&["preferences.a"]);
    let twice = br#"{"name": "first", "name": "second"}"#;
    let answer = send(&owner, ("POST", "/api-keys"), &twice[..]).await;
    assert!(matches!(answer.status, 201 | 400), "{}", answer.text);
    assert!(app.event_rows().await.iter().all(|row| row.kind == "api_key.created"));
});

both!(bodies_of_another_kind, |app| async move {
    let owner = app.owner().await;
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json", "nonsense"]
    {
        let request =
            owner.request("POST", "/api-keys").header("content-type", kind).bytes("{\"name\":\"k\"}");
        request.send().await.error(415, "UNSUPPORTED_MEDIA_TYPE").says("application/json");
    }
    for kind in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.api+json"] {
        let request =
            owner.request("POST", "/api-keys").header("content-type", kind).bytes("{\"name\":\"k\"}");
        request.send().await.created();
    }
});

both!(
    bodies_that_are_too_large,
    Options::new().set("limits.content_bytes", 2048).set("limits.body_bytes", 4096),
    |app| async move {
        let owner = app.owner().await;
        for route in ROUTES {
            let body = json!({ "name": "x".repeat(5000) }).to_string();
            send(&owner, route, body).await.error(413, "PAYLOAD_TOO_LARGE").says("4096 bytes");
        }
        assert!(app.new_events().await.is_empty());
    }
);

both!(query_strings_that_are_no_text, |app| async move {
    let owner = app.owner().await;
    owner.get("/api-keys?page=%ff").await.error(400, "BAD_REQUEST").says("UTF-8");
    owner.get("/api-keys?page=%00").await.error(400, "BAD_REQUEST").says("NUL");
    owner.get("/api-keys?workspace=%c3%28").await.error(400, "BAD_REQUEST");
    for page in ["-1", "0", "1.5", "x", "99999999999999999999"] {
        owner.get(&format!("/api-keys?page={page}")).await.wrong_fields(&["page"]);
    }
    owner.get("/api-keys?page=1000000").await.ok();
    owner.get("/api-keys?page=%31%zz").await.wrong_fields(&["page"]);
});

both!(ids_that_are_none, |app| async move {
    let owner = app.owner().await;
    for id in [
        "1",
        "%00",
        "%ff",
        "..",
        "%2e%2e%2f",
        "a".repeat(5000).as_str(),
        "'; drop table users; --",
        "%F0%9F%92%A9",
    ] {
        let id = id.replace(' ', "%20");
        let status = owner.delete(&format!("/api-keys/{id}")).await.status;
        assert!(matches!(status, 400 | 404 | 405), "{id}: {status}");
        let status = owner.delete(&format!("/auth/sessions/{id}")).await.status;
        assert!(matches!(status, 400 | 404 | 405 | 200), "{id}: {status}");
        let status = owner.get(&format!("/workspaces/{id}")).await.status;
        assert!(matches!(status, 400 | 404 | 200), "{id}: {status}");
    }
    owner.get("/auth/me").await.ok();
});

both!(request_ids_are_taken_over_when_sane, |app| async move {
    let echo = |id: &str| {
        let client = app.nobody().with_header("x-request-id", id);
        async move {
            client
                .get("/auth/me")
                .await
                .error(401, "UNAUTHENTICATED")
                .header("x-request-id")
                .unwrap()
                .to_owned()
        }
    };
    assert_eq!(echo("order-17:a.b_c").await, "order-17:a.b_c");
    for bad in ["", "a b", "<script>", &"x".repeat(129), "a\tb"] {
        let id = echo(bad).await;
        assert!(id.starts_with("req_") && id.len() == 24, "{bad:?} came back as {id}");
    }
});

both!(text_of_all_the_world, |app| async move {
    let owner = app.member(Role::Owner).await;
    for name in ["山田 太郎", "🦀 crab", "O'Brien; --", "ﷺ", "\u{202e}reversed", "<b>bold</b>", "a\\b\"c"]
    {
        let changed = owner.put("/auth/me", json!({ "name": name })).await.ok();
        assert_eq!(changed.data()["user"]["name"], name);
        let made = owner.post("/api-keys", json!({ "name": name })).await.created();
        assert_eq!(made.data()["name"], name);
    }
    let preferences = json!({ "z": 1, "a": [null, 1.5, { "ü": "\u{1F980}" }], "big": 9007199254740993_i64 });
    let kept = owner.put("/auth/me", json!({ "preferences": preferences })).await.ok();
    assert_eq!(
        kept.data()["user"]["preferences"].to_string(),
        preferences.to_string(),
        "order of keys included"
    );
});

both!(answers_carry_what_browsers_need, |app| async move {
    let answer = app.nobody().get("/auth/status").await.ok();
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert!(answer.header("referrer-policy").is_some());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("strict-transport-security").is_none());
    let page = app.nobody().get(&app.url("/login")).await.ok();
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
});
