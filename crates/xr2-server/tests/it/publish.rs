//! Publishing: versions and drafts, at the same time as others.

use serde_json::json;
use xr2_server::auth::{Role, Scope};
use xr2_testkit::both;

use crate::support::{Unchanged, check_revisions, delivered, details, events, last_event, put, text};

both!(a_saved_version, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "1").await;
    put(&owner, "a", json!({ "content": "2", "publish": false })).await;
    app.new_events().await;
    let published = owner.post("/prompts/a/publish", json!({ "from": 2, "comment": "Now" })).await.ok();
    let data = published.data();
    assert_eq!(
        (&data["label"], &data["previous_version"], &data["version"]["number"]),
        (&json!("production"), &json!(1), &json!(2))
    );
    assert_eq!(
        (&data["version"]["labels"], &data["prompt"]["live"]["version"]),
        (&json!(["production"]), &json!(2))
    );
    assert_eq!(app.new_events().await, ["prompt.published"]);
    let event = last_event(&app).await;
    assert_eq!(
        (event.revision, event.before),
        (Some(3), Some(json!({ "label": "production", "version": 1 })))
    );
    assert_eq!(event.after.unwrap()["comment"], "Now");
    // The number as text; another label; an older one is a roll-back.
    owner.post("/prompts/a/publish", json!({ "from": "2", "label": "staging" })).await.ok();
    owner.post("/prompts/a/publish", json!({ "from": 1 })).await.ok();
    assert_eq!(app.new_events().await, ["label.moved", "prompt.rolled_back"]);
    assert_eq!(
        (delivered(&owner, "a").await, delivered(&owner, "a?label=staging").await),
        ("1".into(), "2".into())
    );
});

both!(what_cannot_be_published, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "1").await;
    put(&owner, "a", json!({ "content": "2" })).await;
    let unchanged = Unchanged::since(&app).await;
    owner.post("/prompts/a/publish", json!({})).await.wrong_fields(&["from"]);
    owner.post("/prompts/a/publish", json!({ "from": "latest" })).await.wrong_fields(&["from"]);
    for from in [json!(null), json!(1.5), json!([1]), json!({})] {
        owner.post("/prompts/a/publish", json!({ "from": from })).await.error(422, "VALIDATION_ERROR");
    }
    for number in [0, -1, 9, i64::MAX] {
        owner
            .post("/prompts/a/publish", json!({ "from": number }))
            .await
            .error(404, "NOT_FOUND")
            .says("version");
    }
    owner
        .post("/prompts/a/publish", json!({ "from": 1, "label": "nowhere" }))
        .await
        .error(404, "NOT_FOUND")
        .says("nowhere");
    owner.post("/prompts/a/publish", json!({ "from": 1, "label": "latest" })).await.wrong_fields(&["label"]);
    owner.post("/prompts/a/publish", json!({ "from": 1, "labels": "x" })).await.wrong_fields(&["labels"]);
    owner.post("/prompts/a/publish?freeze=perhaps", json!({ "from": 1 })).await.wrong_fields(&["freeze"]);
    owner.post("/prompts/nowhere/publish", json!({ "from": 1 })).await.error(404, "NOT_FOUND");
    let stale = owner.post("/prompts/a/publish", json!({ "from": 1, "base_version": 1 })).await;
    assert_eq!(stale.error(409, "VERSION_CONFLICT").details()["current_version"], 2);
    app.member(Role::Viewer)
        .await
        .post("/prompts/a/publish", json!({ "from": 1 }))
        .await
        .error(403, "FORBIDDEN");
    app.key(&[Scope::Write])
        .await
        .post("/prompts/a/publish", json!({ "from": 1 }))
        .await
        .error(403, "FORBIDDEN");
    unchanged.check().await;
});

both!(twenty_at_the_same_time, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "1").await;
    for n in 2..=5 {
        put(&owner, "a", json!({ "content": n.to_string(), "publish": false })).await;
    }
    let publishes = (0..20).map(|n| {
        let owner = owner.clone();
        async move { owner.post("/prompts/a/publish", json!({ "from": n % 5 + 1 })).await.ok() }
    });
    let answers = futures::future::join_all(publishes).await;
    let live = details(&owner, "a").await["labels"]["production"].as_i64().unwrap();
    assert_eq!(delivered(&owner, "a").await, live.to_string());

    // The history is one chain: each move begins where the one before it ended.
    let history = owner.get("/prompts/a/labels/production/history?limit=100").await.ok();
    let moves = history.data().as_array().unwrap().clone();
    assert_eq!(moves[0]["to_version"], live);
    for pair in moves.windows(2) {
        assert_eq!(pair[0]["from_version"], pair[1]["to_version"], "{pair:?}");
        let back = pair[0]["from_version"].as_i64() > pair[0]["to_version"].as_i64();
        assert_eq!(pair[0]["action"], if back { "rolled_back" } else { "published" });
    }
    // As many events as moves, in the same order, and every answer told the truth about its own.
    let told: Vec<_> = events(&app)
        .await
        .into_iter()
        .filter(|event| event.kind.starts_with("prompt.published") || event.kind == "prompt.rolled_back")
        .collect();
    assert_eq!(told.len(), moves.len());
    for (event, entry) in told.iter().zip(moves.iter().rev()) {
        let after = event.after.as_ref().unwrap();
        assert_eq!(
            (&after["version"], &after["previous_version"]),
            (&entry["to_version"], &entry["from_version"])
        );
    }
    let stayed = answers
        .iter()
        .filter(|answer| answer.data()["previous_version"] == answer.data()["version"]["number"])
        .count();
    assert_eq!(stayed + moves.len() - 1, 20);
    check_revisions(&app).await;
});

both!(twenty_prompts_at_the_same_time, |app| async move {
    let owner = app.owner().await;
    let many = (0..20).map(|n| {
        let owner = owner.clone();
        async move {
            let slug = format!("p{n}");
            text(&owner, &slug, "1").await;
            put(&owner, &slug, json!({ "content": "2" })).await;
            assert_eq!(delivered(&owner, &slug).await, "2", "one's own writes are read at once");
        }
    });
    futures::future::join_all(many).await;
    assert_eq!(app.revision().await, 40);
    check_revisions(&app).await;
});

both!(drafts_at_the_same_time, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "1").await;
    owner.put("/prompts/a/draft", json!({ "content": "2" })).await.ok();
    let publishes = (0..8).map(|_| {
        let owner = owner.clone();
        async move { owner.post("/prompts/a/publish", json!({ "from": "draft" })).await }
    });
    let answers = futures::future::join_all(publishes).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in answers.into_iter().filter(|answer| answer.status != 200) {
        answer.error(404, "NOT_FOUND").says("draft");
    }
    assert_eq!(details(&owner, "a").await["latest_version"], 2);
});
