//! Every delivery is written down, with all that the contract names and nothing else.

use serde_json::{Value, json};
use uuid::Uuid;
use xr2_server::auth::Scope;
use xr2_testkit::{KeyFixture, Options, both};

use super::rows;
use crate::queries;
use crate::support::{made, put, text};

both!(a_delivery_is_written_with_all_its_fields, |app| async move {
    let owner = app.owner().await;
    text(&owner, "sign-off", "Yours").await;
    let body = json!({ "title": "T", "slug": "mail", "content": "{{ name }} {{ tone }} {% include \"sign-off\" %}", "syntax": "jinja" });
    let prompt: Uuid = made(&owner, body).await["id"].as_str().unwrap().parse().unwrap();
    let key = app.key(&[Scope::Deliver]).await.with_header("user-agent", "mailer/1.2");
    let path = "/prompts/mail?name=Ana&tone=warm&user_id=u-7&optimized_for=gpt-4o";
    // The first goes through the router, the second is answered at once.
    key.get(path).await.ok();
    key.get(path).await.ok();
    let all = rows(&app).await;
    assert_eq!(all.iter().map(|row| row.count).sum::<i64>(), 2);
    for row in all {
        assert_eq!((row.prompt, row.version, row.label.as_str()), (prompt, 1, "production"));
        assert_eq!((row.source.as_str(), row.status), ("api", 200));
        assert!(row.key.is_some() && row.latency_us.is_some_and(|micros| micros < 10_000_000));
        assert_eq!((row.user.as_deref(), row.address_hash), (Some("u-7"), None));
        assert_eq!((row.user_agent.as_deref(), row.model.as_deref()), (Some("mailer/1.2"), Some("gpt-4o")));
        assert_eq!(row.variables, Some(json!(["name", "tone"])));
        assert_eq!(row.includes, Some(json!([{ "slug": "sign-off", "version": 1 }])));
    }
});

both!(both_ways_to_an_answer_write_the_same, |app| async move {
    let owner = app.owner().await;
    text(&owner, "hi", "Hello {{ name }}").await;
    let key = app.key(&[Scope::Deliver]).await.with_header("user-agent", "a");
    let mut seen = Vec::new();
    for far in [true, false, false] {
        let ask = key.request("GET", "/prompts/hi?name=x");
        let ask = if far { ask.header("x-workspace", "acme") } else { ask };
        ask.send().await.ok();
        let mut row = rows(&app).await.pop().unwrap();
        row.latency_us = None;
        seen.push(row);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[1], seen[2]);
    assert_eq!(seen[0].count, 1);
    let hash = seen[0].address_hash.clone().expect("a hash in place of the address");
    assert!(hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
});

both!(versions_labels_renders_and_304_are_told_apart, |app| async move {
    let owner = app.owner().await;
    text(&owner, "hi", "one {{ x }}").await;
    put(&owner, "hi", json!({ "content": "two {{ x }}" })).await;
    let key = app.key(&[Scope::Deliver]).await;
    let etag = key.get("/prompts/hi").await.ok().header("etag").unwrap().to_owned();
    key.request("GET", "/prompts/hi").header("if-none-match", &etag).send().await;
    key.get("/prompts/hi?version=1").await.ok();
    key.get("/prompts/hi?label=latest").await.ok();
    key.get("/prompts/hi/versions/2").await.ok();
    key.post("/prompts/hi/render", json!({ "variables": { "x": 1, "y": 2 }, "user_id": "u" })).await.ok();
    let mut seen: Vec<(i64, String, i64, Option<Value>)> =
        rows(&app).await.into_iter().map(|r| (r.version, r.label, r.status, r.variables)).collect();
    seen.sort_by_key(|row| format!("{row:?}"));
    let expected = [
        (1, String::new(), 200, None),
        (2, String::new(), 200, None),
        (2, "latest".into(), 200, None),
        (2, "production".into(), 200, None),
        (2, "production".into(), 200, Some(json!(["x", "y"]))),
        (2, "production".into(), 304, None),
    ];
    assert_eq!(seen, expected);
});

both!(errors_of_a_known_prompt_are_written, |app| async move {
    let owner = app.owner().await;
    let contract = json!([{ "name": "must", "type": "string", "required": true }]);
    made(&owner, json!({ "title": "T", "slug": "p", "content": "{{ must }}", "variables": contract })).await;
    let key = app.key(&[Scope::Deliver]).await;
    for _ in 0..2 {
        key.get("/prompts/p?render").await.error(422, "MISSING_VARIABLES");
        key.get("/prompts/p?label=staging").await.error(404, "NOT_FOUND");
        key.get("/prompts/p?version=9").await.error(404, "NOT_FOUND");
        key.get("/prompts/nothing").await.error(404, "NOT_FOUND");
    }
    let confined = app.key_with(KeyFixture { labels: vec!["staging"], ..KeyFixture::default() }).await;
    confined.get("/prompts/p?version=1").await.error(403, "FORBIDDEN");
    let mut seen = std::collections::BTreeMap::new();
    for row in rows(&app).await {
        *seen.entry((row.version, row.label, row.status)).or_insert(0) += row.count;
    }
    let expected = [
        ((0, String::new(), 404), 2),
        ((0, "staging".into(), 404), 2),
        ((1, String::new(), 403), 1),
        ((1, "production".into(), 422), 2),
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
});

both!(people_are_written_as_the_dashboard_and_counted_nowhere, |app| async move {
    let owner = app.owner().await;
    text(&owner, "hi", "Hello").await;
    owner.get("/prompts/hi").await.ok();
    let all = rows(&app).await;
    assert_eq!((all.len(), all[0].source.as_str(), all[0].key), (1, "dashboard", None));
    let usage = owner.get("/analytics/usage").await.ok();
    assert_eq!(usage.data()["summary"]["total_requests"], 0);
    assert_eq!(queries::summed(app.db(), app.workspace()).await.unwrap(), (0, 0));
});

both!(a_graceful_stop_loses_nothing, |app| async move {
    let owner = app.owner().await;
    text(&owner, "hi", "Hello").await;
    let key = app.key(&[Scope::Deliver]).await;
    let node = app.second_node().await;
    for _ in 0..50 {
        node.bearer(key.token()).get("/prompts/hi").await.ok();
    }
    node.stop().await;
    let all = queries::usage(app.db(), app.workspace()).await.unwrap();
    assert_eq!(all.iter().map(|row| row.count).sum::<i64>(), 50);
});

both!(usage_is_written_by_itself, |app| async move {
    let owner = app.owner().await;
    text(&owner, "hi", "Hello").await;
    let key = app.key(&[Scope::Deliver]).await;
    key.get("/prompts/hi").await.ok();
    app.until("it is written", || async {
        !queries::usage(app.db(), app.workspace()).await.unwrap().is_empty()
    })
    .await;
});

both!(
    a_full_buffer_drops_usage_and_never_requests,
    Options::new().set("usage.buffer_events", 1000).expect_errors(),
    |app| async move {
        let owner = app.owner().await;
        text(&owner, "hi", "Hello").await;
        let key = app.key(&[Scope::Deliver]).await;
        key.get("/prompts/hi").await.ok();
        rows(&app).await;
        let held = queries::hold_usage(app.db()).await.expect("the database is kept from writing");
        for _ in 0..3000 {
            key.get("/prompts/hi").await.ok();
        }
        let dropped = app.app().usage().dropped();
        assert!(dropped > 0, "there was no room for all of it");
        held.rollback().await.unwrap();
        let kept: i64 = rows(&app).await.iter().map(|row| row.count).sum();
        assert_eq!(kept as u64 + dropped, 3001, "each is either written or counted as dropped");
    }
);
