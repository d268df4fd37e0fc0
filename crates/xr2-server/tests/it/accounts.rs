//! Registration, sign-in, profile, password.

use chrono::TimeDelta;
use serde_json::{Value, json};
use xr2_testkit::{Client, Options, PASSWORD, TestApp, both};

fn person(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "name": "José Müller" })
}

async fn registered(app: &TestApp, email: &str) -> Client {
    let made = app.nobody().post("/auth/register", person(email)).await.created();
    app.new_events().await;
    app.bearer(&made.text_of("token"))
}

async fn sign_in(app: &TestApp, email: &str, password: &str) -> xr2_testkit::Answer {
    app.nobody().post("/auth/login", json!({ "email": email, "password": password })).await
}

both!(registering_makes_a_workspace_and_signs_in, |app| async move {
    let made = app.nobody().post("/auth/register", person(" Jose@Example.com ")).await.created();
    let (user, workspace) = (&made.data()["user"], &made.data()["workspace"]);
    assert_eq!(user["email"], "Jose@Example.com");
    assert_eq!(user["is_operator"], false);
    assert_eq!(user["preferences"], json!({}));
    assert!(user.get("password_hash").is_none());
    assert_eq!(workspace["slug"], "jose-muller");
    assert_eq!(workspace["plan"], "self_hosted");
    assert_eq!(app.new_events().await, ["workspace.created", "member.added", "user.registered"]);

    let cookie = made.header("set-cookie").expect("the browser is signed in").to_owned();
    for part in ["xr2_session=xr2s_", "; Path=/", "; HttpOnly", "; SameSite=Lax", "; Max-Age=2592000"] {
        assert!(cookie.contains(part), "{cookie} lacks {part}");
    }
    assert!(!cookie.contains("Secure"), "plain http cannot keep a Secure cookie");

    let ann = app.bearer(&made.text_of("token"));
    let me = ann.get("/auth/me").await.ok();
    assert_eq!(me.data()["kind"], "session");
    assert_eq!(me.data()["user"], *user);
    assert_eq!(me.data()["workspaces"], json!([workspace]));

    let second = app.nobody().post("/auth/register", person("other@example.com")).await.created();
    assert_eq!(second.data()["workspace"]["slug"], "jose-muller-2");
});

both!(
    cookies_are_secure_under_tls,
    Options::new().set("public_url", "https://xr2.example.com").set("auth.registration", "open"),
    |app| async move {
        let made = app.nobody().post("/auth/register", person("ann@example.com")).await.created();
        assert!(made.header("set-cookie").unwrap().ends_with("; Secure"));
        assert!(made.header("strict-transport-security").is_some());
    }
);

both!(everything_wrong_with_a_registration_is_told, |app| async move {
    let nobody = app.nobody();
    let input = json!({ "email": "nonsense", "password": "Password1234", "name": " \u{7} " });
    nobody.post("/auth/register", input).await.wrong_fields(&["email", "password", "name"]);
    let input = json!({ "password": "short", "nmae": "Ann", "email": 7 });
    nobody.post("/auth/register", input).await.wrong_fields(&["name", "password", "nmae", "email"]);
    let input =
        json!({ "email": "ann.example@example.com", "password": "Ann.Example@example.com", "name": "Ann" });
    nobody
        .post("/auth/register", input)
        .await
        .wrong_fields(&["password"])
        .says("must not be the e-mail address");
    assert!(app.new_events().await.is_empty());
    sign_in(&app, "ann.example@example.com", "Ann.Example@example.com")
        .await
        .error(401, "INVALID_CREDENTIALS");
});

both!(an_address_has_one_account, |app| async move {
    registered(&app, "jose\u{301}@example.com").await;
    let again =
        app.nobody().post("/auth/register", person("JOS\u{c9}@EXAMPLE.com")).await.error(409, "CONFLICT");
    assert_eq!(again.details()["errors"][0]["field"], "email");
    assert!(again.header("set-cookie").is_none());
    assert!(app.new_events().await.is_empty());
});

both!(of_many_who_register_an_address_at_once_one_succeeds, |app| async move {
    let attempt = || {
        let client = app.nobody();
        async move { client.post("/auth/register", person("ann@example.com")).await.status }
    };
    let (a, b, c) = tokio::join!(attempt(), attempt(), attempt());
    let mut statuses = [a, b, c];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409]);
});

both!(namesakes_register_at_once, |app| async move {
    let attempt = |number: u32| {
        let client = app.nobody();
        async move {
            let made =
                client.post("/auth/register", person(&format!("p{number}@example.com"))).await.created();
            made.data()["workspace"]["slug"].as_str().unwrap().to_owned()
        }
    };
    let (a, b, c) = tokio::join!(attempt(1), attempt(2), attempt(3));
    let mut slugs = [a, b, c];
    slugs.sort();
    assert_eq!(slugs, ["jose-muller", "jose-muller-2", "jose-muller-3"]);
});

both!(signing_in_and_out, |app| async move {
    registered(&app, "ann@example.com").await;
    let answer = sign_in(&app, " ANN@example.com", PASSWORD).await.ok();
    assert_eq!(answer.data()["workspaces"][0]["role"], "owner");
    assert_eq!(app.new_events().await, ["auth.login"]);
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();

    let browser = app.nobody().with_header("cookie", &cookie).with_header("sec-fetch-site", "same-origin");
    assert_eq!(browser.get("/auth/me").await.ok().data()["user"]["email"], "ann@example.com");
    let out = browser.post("/auth/logout", json!({})).await.ok();
    assert!(out.header("set-cookie").unwrap().starts_with("xr2_session=; Path=/; Max-Age=0"));
    browser.get("/auth/me").await.error(401, "UNAUTHENTICATED");
    assert_eq!(app.new_events().await, ["auth.session_revoked"]);
    browser.post("/auth/logout", json!({})).await.ok();
    app.nobody().post("/auth/logout", json!({})).await.ok();
});

both!(unknown_and_wrong_look_the_same, |app| async move {
    registered(&app, "ann@example.com").await;
    let wrong = sign_in(&app, "ann@example.com", "not the password").await.error(401, "INVALID_CREDENTIALS");
    let unknown =
        sign_in(&app, "eve@example.com", "not the password").await.error(401, "INVALID_CREDENTIALS");
    let nonsense = sign_in(&app, "no address at all", "").await.error(401, "INVALID_CREDENTIALS");
    assert_eq!(wrong.message(), unknown.message());
    assert_eq!(wrong.message(), nonsense.message());
    assert!(wrong.header("set-cookie").is_none());

    let rows = app.event_rows().await;
    let failures: Vec<_> = rows.iter().filter(|row| row.kind == "auth.login_failed").collect();
    assert_eq!(failures.len(), 3);
    assert_eq!(failures[0].resource_name.as_deref(), Some("ann@example.com"));
    assert_eq!(failures[1].resource_name, None, "what strangers type is not kept");
    assert_eq!(failures[0].address.as_deref(), Some("127.0.0.1"));
    assert!(failures[0].request_id.as_ref().is_some_and(|id| id.starts_with("req_")));
});

both!(
    too_many_failures_close_the_account_for_a_while,
    Options::new().set("auth.attempts_per_account", 3),
    |app| {
        async move {
            registered(&app, "ann@example.com").await;
            for _ in 0..5 {
                sign_in(&app, "ann@example.com", PASSWORD).await.ok();
            }
            sign_in(&app, "ann@example.com", "wrong password 1").await.error(401, "INVALID_CREDENTIALS");
            app.clock().advance(TimeDelta::minutes(5));
            for _ in 0..2 {
                sign_in(&app, "Ann@example.com", "wrong password 2").await.error(401, "INVALID_CREDENTIALS");
            }
            let refused = sign_in(&app, "ann@example.com", PASSWORD)
                .await
                .error(429, "RATE_LIMITED")
                .says("rate limit");
            let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
            assert!((540..=600).contains(&wait), "the first failure is over in ten minutes, not {wait} s");
            assert_eq!(refused.header("ratelimit-limit"), Some("3"));
            assert_eq!(refused.header("ratelimit-remaining"), Some("0"));
            assert_eq!(refused.header("ratelimit-reset"), refused.header("retry-after"));

            sign_in(&app, "unknown@example.com", PASSWORD).await.error(401, "INVALID_CREDENTIALS");
            app.clock().advance(TimeDelta::seconds(wait));
            sign_in(&app, "ann@example.com", PASSWORD).await.ok();
        }
    }
);

both!(
    unknown_addresses_are_throttled_alike,
    Options::new().set("auth.attempts_per_account", 2),
    |app| async move {
        for _ in 0..2 {
            sign_in(&app, "eve@example.com", "wrong password").await.error(401, "INVALID_CREDENTIALS");
        }
        sign_in(&app, "eve@example.com", "wrong password").await.error(429, "RATE_LIMITED");
    }
);

both!(
    attempts_side_by_side_do_not_get_around,
    Options::new().set("auth.attempts_per_account", 4),
    |app| async move {
        registered(&app, "ann@example.com").await;
        let attempts: Vec<_> = (0..12)
            .map(|number| {
                let client = app.nobody();
                let body =
                    json!({ "email": "ann@example.com", "password": format!("wrong password {number}") });
                tokio::spawn(async move { client.post("/auth/login", body).await.status })
            })
            .collect();
        let mut tried = 0;
        for attempt in attempts {
            tried += u32::from(attempt.await.unwrap() == 401);
        }
        assert_eq!(tried, 4, "four passwords were looked at, no more");
    }
);

both!(a_network_is_throttled, Options::new().set("auth.attempts_per_network", 3), |app| async move {
    for number in 0..3 {
        sign_in(&app, &format!("p{number}@example.com"), "wrong password")
            .await
            .error(401, "INVALID_CREDENTIALS");
    }
    let refused =
        app.nobody().post("/auth/register", person("ann@example.com")).await.error(429, "RATE_LIMITED");
    assert_eq!(refused.header("retry-after"), refused.header("ratelimit-reset"));
    app.clock().advance(TimeDelta::minutes(16));
    app.nobody().post("/auth/register", person("ann@example.com")).await.created();
});

both!(
    only_a_trusted_proxy_names_the_network,
    Options::new().set("auth.attempts_per_network", 1).set("trusted_proxies", "127.0.0.0/8"),
    |app| async move {
        let from = |address: &str| app.nobody().with_header("x-forwarded-for", address);
        let body = json!({ "email": "eve@example.com", "password": "wrong password" });
        from("203.0.113.7").post("/auth/login", body.clone()).await.error(401, "INVALID_CREDENTIALS");
        from("203.0.113.99").post("/auth/login", body.clone()).await.error(429, "RATE_LIMITED");
        from("198.51.100.7").post("/auth/login", body.clone()).await.error(401, "INVALID_CREDENTIALS");
        from("2001:db8:1:2ff::1, 127.0.0.1")
            .post("/auth/login", body.clone())
            .await
            .error(401, "INVALID_CREDENTIALS");
        from("198.51.100.8, 2001:db8:1:200::2").post("/auth/login", body).await.error(429, "RATE_LIMITED");
        let addresses: Vec<_> = app.event_rows().await.into_iter().filter_map(|row| row.address).collect();
        assert_eq!(addresses, ["203.0.113.7", "198.51.100.7", "2001:db8:1:2ff::1"]);
    }
);

both!(
    without_a_trusted_proxy_the_header_means_nothing,
    Options::new().set("auth.attempts_per_network", 1),
    |app| {
        async move {
            let body = json!({ "email": "eve@example.com", "password": "wrong password" });
            let from = |address: &str| app.nobody().with_header("x-forwarded-for", address);
            from("203.0.113.7").post("/auth/login", body.clone()).await.error(401, "INVALID_CREDENTIALS");
            from("198.51.100.7").post("/auth/login", body).await.error(429, "RATE_LIMITED");
            assert_eq!(app.event_rows().await[0].address.as_deref(), Some("127.0.0.1"));
        }
    }
);

both!(the_profile_changes_in_part, |app| async move {
    let ann = registered(&app, "ann@example.com").await;
    let changed =
        ann.put("/auth/me", json!({ "name": " Ann  ", "preferences": { "theme": "dark" } })).await.ok();
    assert_eq!(changed.data()["user"]["name"], "Ann");
    assert_eq!(app.new_events().await, ["user.updated"]);
    let picture = "https://example.com/ann.png";
    let changed = ann.put("/auth/me", json!({ "avatar_url": picture })).await.ok();
    assert_eq!(changed.data()["user"]["avatar_url"], picture);
    assert_eq!(changed.data()["user"]["preferences"], json!({ "theme": "dark" }));
    let changed = ann.put("/auth/me", json!({ "avatar_url": null })).await.ok();
    assert_eq!(changed.data()["user"]["avatar_url"], Value::Null);
    assert_eq!(ann.get("/auth/me").await.ok().data()["user"], changed.data()["user"]);

    let before = ann.get("/auth/me").await.ok().data()["user"].clone();
    let large = json!({ "text": "x".repeat(17_000) });
    let wrong = json!({ "name": "\n", "avatar_url": "http://example.com/a.png", "preferences": large });
    ann.put("/auth/me", wrong).await.wrong_fields(&["name"]);
    let wrong = json!({ "name": "a\u{1}b", "avatar_url": "http://example.com/a.png", "preferences": large });
    ann.put("/auth/me", wrong).await.wrong_fields(&["name", "avatar_url", "preferences"]);
    ann.put("/auth/me", json!({ "is_operator": true })).await.wrong_fields(&["is_operator"]);
    ann.put("/auth/me", json!({ "preferences": [] })).await.wrong_fields(&["preferences"]);
    assert_eq!(ann.get("/auth/me").await.ok().data()["user"], before);
});

both!(a_new_password_ends_the_other_sessions, |app| async move {
    let ann = registered(&app, "ann@example.com").await;
    let other = app.bearer(&sign_in(&app, "ann@example.com", PASSWORD).await.ok().text_of("token"));
    app.new_events().await;
    let change = |current: &str, new: &str| json!({ "current_password": current, "new_password": new });

    ann.post("/auth/password", change("wrong password", "another good one"))
        .await
        .error(401, "INVALID_CREDENTIALS");
    ann.post("/auth/password", change(PASSWORD, "short")).await.wrong_fields(&["new_password"]);
    ann.post("/auth/password", change(PASSWORD, "ANN@example.com")).await.wrong_fields(&["new_password"]);
    assert!(app.new_events().await.is_empty());
    other.get("/auth/me").await.ok();

    ann.post("/auth/password", change(PASSWORD, "another good one")).await.ok();
    assert_eq!(app.new_events().await, ["auth.password_changed"]);
    other.get("/auth/me").await.error(401, "UNAUTHENTICATED");
    ann.get("/auth/me").await.ok();
    sign_in(&app, "ann@example.com", PASSWORD).await.error(401, "INVALID_CREDENTIALS");
    sign_in(&app, "ann@example.com", "another good one").await.ok();
});

both!(
    guessing_in_an_open_browser_is_throttled,
    Options::new().set("auth.attempts_per_account", 2),
    |app| async move {
        let ann = registered(&app, "ann@example.com").await;
        let guess = json!({ "current_password": "wrong password", "new_password": "another good one" });
        for _ in 0..2 {
            ann.post("/auth/password", guess.clone()).await.error(401, "INVALID_CREDENTIALS");
        }
        ann.post("/auth/password", guess).await.error(429, "RATE_LIMITED");
    }
);

both!(hashes_are_renewed_when_their_cost_changes, |app| async move {
    let ann = registered(&app, "ann@example.com").await;
    let id = ann.get("/auth/me").await.ok().data()["user"]["id"].as_str().unwrap().parse().unwrap();
    let cheap = app.password_hash(id).await;
    assert!(cheap.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{cheap}");
    let node = app.node_with(Options::new().set("auth.argon2_iterations", 3)).await;
    sign_in(&node, "ann@example.com", "wrong password").await.error(401, "INVALID_CREDENTIALS");
    assert_eq!(app.password_hash(id).await, cheap);
    sign_in(&node, "ann@example.com", PASSWORD).await.ok();
    assert!(app.password_hash(id).await.starts_with("$argon2id$v=19$m=8,t=3,p=1$"));
    sign_in(&node, "ann@example.com", PASSWORD).await.ok();
});
