//! Sessions: listed, revoked, ended by time, and cookies that only our own pages can use.

use chrono::TimeDelta;
use serde_json::json;
use xr2_server::auth::Role;
use xr2_testkit::{Options, both};

both!(sessions_are_listed_and_revoked, |app| async move {
    let ann = app.owner().await;
    let user = ann.id.unwrap();
    let second = app.bearer(&app.session_of(user).await);
    let third = app.bearer(&app.session_of(user).await);
    let sessions = ann.get("/auth/sessions").await.ok();
    let sessions = sessions.data().as_array().unwrap();
    assert_eq!(sessions.len(), 3);
    assert_eq!(sessions.iter().filter(|session| session["current"] == true).count(), 1);
    assert!(sessions.iter().all(|session| session.get("token_hash").is_none()));

    let listed = second.get("/auth/sessions").await.ok();
    let own = listed.data().as_array().unwrap().iter().find(|s| s["current"] == true).unwrap()["id"].clone();
    let path = format!("/auth/sessions/{}", own.as_str().unwrap());
    app.member(Role::Owner).await.delete(&path).await.error(404, "NOT_FOUND").says("session not found");
    ann.delete(&path).await.ok();
    second.get("/auth/me").await.error(401, "UNAUTHENTICATED").says("Please sign in again");
    ann.delete(&path).await.error(404, "NOT_FOUND");
    assert_eq!(app.new_events().await, ["auth.session_revoked"]);

    assert_eq!(ann.delete("/auth/sessions").await.ok().data()["revoked"], 1);
    third.get("/auth/me").await.error(401, "UNAUTHENTICATED");
    assert_eq!(ann.delete("/auth/sessions").await.ok().data()["revoked"], 0);
    ann.delete("/auth/sessions/nonsense").await.error(404, "NOT_FOUND");
    ann.delete(&format!("/auth/sessions/{}", app.canary().session)).await.error(404, "NOT_FOUND");
    app.stranger().get("/auth/me").await.ok();
});

both!(a_session_lasts_as_long_as_it_is_used, Options::new().set("auth.session_days", 2), |app| async move {
    // Fixtures make sessions of thirty days; what counts is the first use.
    let ann = app.owner().await;
    app.clock().advance(TimeDelta::hours(1));
    ann.get("/auth/me").await.ok();
    let expiry = || async {
        let sessions = ann.get("/auth/sessions").await.ok();
        chrono::DateTime::parse_from_rfc3339(sessions.data()[0]["expires_at"].as_str().unwrap())
            .unwrap()
            .to_utc()
    };
    let soon = app.clock().now() + TimeDelta::days(3);
    app.until("the use is written down", || async { expiry().await < soon }).await;
    app.clock().advance(TimeDelta::days(1));
    ann.get("/auth/me").await.ok();
    let later = app.clock().now() + TimeDelta::hours(47);
    app.until("the use is written down", || async { expiry().await > later }).await;
    app.clock().advance(TimeDelta::days(3));
    ann.get("/auth/me").await.error(401, "UNAUTHENTICATED");
});

both!(what_is_no_session_is_refused, |app| async move {
    for token in ["xr2s_", "xr2s_unknown", "xr2s_%00", "xr2s_\u{e9}"] {
        app.bearer(token).get("/auth/me").await.error(401, "UNAUTHENTICATED");
    }
    for header in ["Basic abc", "Bearer", "Bearer ", "bearer"] {
        let client = app.nobody().with_header("authorization", header);
        client.get("/auth/me").await.error(401, "UNAUTHENTICATED");
    }
    let none = app.nobody().get("/auth/me").await.error(401, "UNAUTHENTICATED");
    assert!(none.header("www-authenticate").is_some());
    let token = app.session_of(app.owner().await.id.unwrap()).await;
    app.nobody()
        .get(&format!("/auth/me?token={token}&access_token={token}"))
        .await
        .error(401, "UNAUTHENTICATED");
    let broken = app.nobody().with_header("cookie", "xr2_session=; other; =; xr2_session");
    broken.get("/auth/me").await.error(401, "UNAUTHENTICATED");
});

both!(the_header_beats_the_cookie, |app| async move {
    let (ann, bob) = (app.owner().await, app.member(Role::Viewer).await);
    let cookie = format!("xr2_session={}", app.session_of(ann.id.unwrap()).await);
    let me = bob.clone().with_header("cookie", &cookie).get("/auth/me").await.ok();
    assert_eq!(me.data()["user"]["id"], json!(bob.id.unwrap()));
});

both!(other_sites_cannot_write_with_the_cookie, |app| async move {
    let ann = app.owner().await;
    let cookie = format!("xr2_session={}", app.session_of(ann.id.unwrap()).await);
    let browser = app.nobody().with_header("cookie", &cookie);
    let own = app.url("");
    let body = json!({ "name": "Mallory was here" });
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("x-nothing", "neither header"),
    ] {
        let evil = browser.clone().with_header(name, value);
        evil.put("/auth/me", body.clone()).await.error(403, "FORBIDDEN").says("another site");
        evil.post("/auth/logout", json!({})).await.error(403, "FORBIDDEN");
        evil.get("/auth/me").await.ok();
    }
    let both = browser.clone().with_header("origin", &own).with_header("sec-fetch-site", "cross-site");
    both.put("/auth/me", body.clone()).await.error(403, "FORBIDDEN");
    assert_eq!(ann.get("/auth/me").await.ok().data()["user"]["name"], "Test Person");
    assert!(app.new_events().await.is_empty());

    browser.clone().with_header("origin", &own).put("/auth/me", json!({ "name": "Ann" })).await.ok();
    browser.with_header("sec-fetch-site", "same-origin").put("/auth/me", json!({ "name": "Ann" })).await.ok();
});

both!(other_sites_cannot_sign_anybody_in, |app| async move {
    let body = json!({ "email": "eve@example.com", "password": "a good password", "name": "Eve" });
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let evil = app.nobody().with_header(name, value);
        evil.post("/auth/register", body.clone()).await.error(403, "FORBIDDEN").says("another site");
        let login = json!({ "email": "eve@example.com", "password": "a good password" });
        let refused = evil.post("/auth/login", login).await.error(403, "FORBIDDEN");
        assert!(refused.header("set-cookie").is_none());
    }
    assert!(app.new_events().await.is_empty());
    app.nobody().with_header("origin", &app.url("")).post("/auth/register", body).await.created();
});

both!(
    other_hosts_get_nothing,
    Options::new().set("public_url", "https://xr2.example.com"),
    |app| async move {
        let ann = app.owner().await;
        for host in
            ["evil.example", "localhost.evil.example", "169.254.169.254", "xr2.example.com.evil.example", ""]
        {
            let refused = ann.clone().with_header("host", host).get("/auth/me").await;
            refused.error(421, "MISDIRECTED").says("host name");
        }
        for host in ["xr2.example.com", "XR2.example.com:8443", "localhost", "127.0.0.1:1234", "[::1]:80"] {
            ann.clone().with_header("host", host).get("/auth/me").await.ok();
        }
        app.nobody().with_header("host", "10.0.0.7").get(&app.url("/health")).await.ok();
    }
);

both!(
    the_cookie_lasts_as_long_as_the_session,
    Options::new().set("auth.session_days", 2),
    |app| async move {
        let ann = app.owner().await;
        let token = app.session_of(ann.id.unwrap()).await;
        let browser = app.nobody().with_header("cookie", &format!("other=1; xr2_session={token}"));
        let cookie = |answer: &xr2_testkit::Answer| answer.header("set-cookie").map(str::to_owned);
        assert_eq!(cookie(&browser.get("/auth/me").await.ok()), None, "used just now");
        app.clock().advance(TimeDelta::hours(1));
        let set = cookie(&browser.get("/auth/me").await.ok()).expect("the session is extended");
        assert!(set.starts_with(&format!("xr2_session={token}; Path=/; Max-Age=172800; HttpOnly")), "{set}");
        app.until("the use is written down", || async {
            cookie(&browser.get("/auth/me").await.ok()).is_none()
        })
        .await;
        // A program that sends the token itself has no cookie to keep.
        app.clock().advance(TimeDelta::hours(1));
        assert_eq!(cookie(&app.bearer(&token).get("/auth/me").await.ok()), None);
        app.clock().advance(TimeDelta::hours(1));
        let gone = browser.with_header("origin", &app.url("")).post("/auth/logout", json!({})).await.ok();
        assert!(cookie(&gone).unwrap().contains("Max-Age=0"), "signing out takes the cookie away");
    }
);
