//! Calls a month: counted over restarts and nodes, warned of, and in the end refused.

mod lease;
mod shared;
mod unread;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde_json::json;
use xr2_server::auth::Scope;
use xr2_server::features::usage::settle;
use xr2_testkit::{Answer, Client, Options, TestApp, both};

fn ten() -> Options {
    Options::new().set("limits.calls_per_month", 10)
}

async fn people(app: &TestApp) -> (Client, Client) {
    let owner = app.owner().await;
    let body = json!({ "title": "P", "slug": "p", "content": "Hello {{ name }}" });
    owner.post("/prompts", body).await.created();
    (owner, app.key(&[Scope::Deliver]).await)
}

fn warning(answer: &Answer) -> Option<&str> {
    answer.header("x-xr2-warning")
}

/// The first day of the next month.
fn renews(now: DateTime<Utc>) -> String {
    let (year, month) = if now.month() == 12 { (now.year() + 1, 1) } else { (now.year(), now.month() + 1) };
    format!("{year:04}-{month:02}-01")
}

/// Moves the clock behind the end of the month.
fn begin_next_month(app: &TestApp) {
    let now = app.clock().now();
    let next = renews(now).parse::<chrono::NaiveDate>().unwrap().and_time(chrono::NaiveTime::MIN).and_utc();
    app.clock().advance(next - now + TimeDelta::seconds(1));
}

both!(calls_are_warned_of_and_then_refused, ten(), |app| async move {
    let (owner, key) = people(&app).await;
    let renews = renews(app.clock().now());
    for call in 1..=11 {
        owner.get("/prompts/p?name=Ana").await.ok();
        key.get("/prompts/none").await.error(404, "NOT_FOUND");
        let answer = match call % 3 {
            0 => key.post("/prompts/p/render", json!({ "variables": { "name": "Ana" } })).await.ok(),
            _ => key.get("/prompts/p?name=Ana").await.ok(),
        };
        let expected = match call {
            ..8 => None,
            8..10 => Some(format!("quota; used=80%; renews={renews}")),
            10.. => Some(format!("quota; used=100%; renews={renews}")),
        };
        assert_eq!(warning(&answer), expected.as_deref(), "call {call}");
    }
    for _ in 0..2 {
        let refused = key.get("/prompts/p?name=Ana").await.error(429, "QUOTA_EXCEEDED").says(&renews);
        assert_eq!(refused.header("retry-after"), None);
        assert_eq!(refused.details()["renews"], renews.as_str());
    }
    key.post("/prompts/p/render", json!({ "variables": {} })).await.error(429, "QUOTA_EXCEEDED");
    key.post("/prompts/batch", json!({ "slugs": ["p"] })).await.error(429, "QUOTA_EXCEEDED");
    key.get("/bundle").await.ok();
    owner.get("/prompts/p?name=Ana").await.ok();
    let warnings = owner.get("/analytics/usage").await.ok().json["meta"]["warnings"].clone();
    assert_eq!(warnings[0]["code"], "QUOTA_100", "{warnings}");

    // What SDKs have read is counted, not refused.
    let at = app.clock().now().to_rfc3339();
    let event = json!({ "id": "1", "type": "delivery", "prompt": "p", "version": 1, "at": at, "count": 500 });
    let report = json!({ "instance": "one", "sdk": "test/1", "revision": 1, "events": [event] });
    key.post("/telemetry", report).await.status(202);

    begin_next_month(&app);
    assert_eq!(warning(&key.get("/prompts/p?name=Ana").await.ok()), None, "it begins anew");
});

both!(what_sdks_say_they_have_read_uses_up_nothing, ten(), |app| async move {
    let (_, key) = people(&app).await;
    let at = app.clock().now().to_rfc3339();
    let event = json!({ "id": "1", "prompt": "p", "version": 1, "at": at, "count": 1_000_000 });
    key.post("/telemetry", json!({ "instance": "one", "events": [event] })).await.status(202);
    let other = app.second_node().await;
    let there = other.bearer(key.token());
    // Before it is summed and after.
    assert_eq!(warning(&there.get("/prompts/p?name=Ana").await.ok()), None);
    settle(app.app()).await.unwrap();
    let third = app.second_node().await;
    let there = third.bearer(key.token());
    assert_eq!(warning(&there.get("/prompts/p?name=Ana").await.ok()), None);
});

both!(exactly_the_quota_and_a_tenth_pass_at_the_same_time, ten(), |app| async move {
    let (_, key) = people(&app).await;
    let requests: Vec<_> = (0..30)
        .map(|_| {
            let key = key.clone();
            tokio::spawn(async move { key.get("/prompts/p?name=Ana").await.status })
        })
        .collect();
    let mut passed = 0;
    for request in requests {
        let status = request.await.unwrap();
        assert!([200, 429].contains(&status), "{status}");
        passed += usize::from(status == 200);
    }
    assert_eq!(passed, 11);
});

both!(other_nodes_and_earlier_runs_count, ten(), |app| async move {
    let (_, key) = people(&app).await;
    for _ in 0..4 {
        key.get("/prompts/p?name=Ana").await.ok();
    }
    // Half of it is summed, half is not.
    settle(app.app()).await.unwrap();
    for _ in 0..4 {
        key.get("/prompts/p?name=Ana").await.ok();
    }
    app.app().usage().flush(app.app()).await.unwrap();
    let other = app.second_node().await;
    let there = other.bearer(key.token());
    for call in 9..=11 {
        assert!(warning(&there.get("/prompts/p?name=Ana").await.ok()).is_some(), "call {call}");
    }
    there.get("/prompts/p?name=Ana").await.error(429, "QUOTA_EXCEEDED");
    app.until("the first node has heard", || async {
        other.app().usage().flush(other.app()).await.unwrap();
        let answer = key.get("/prompts/none").await;
        answer.error_code() == "QUOTA_EXCEEDED"
    })
    .await;
});
