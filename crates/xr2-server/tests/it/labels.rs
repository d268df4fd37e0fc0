//! Labels, of the workspace and on prompts: made, moved, rolled back, remembered.

use serde_json::{Value, json};
use xr2_server::auth::{Role, Scope};
use xr2_testkit::both;

use crate::support::{Unchanged, check_revisions, delivered, events, last_event, put, stored, text};

both!(of_the_workspace, |app| async move {
    let owner = app.owner().await;
    let names = |list: &Value| {
        list.as_array().unwrap().iter().map(|l| l["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(owner.get("/labels").await.ok().data()), ["production", "staging"]);
    let made = owner
        .post("/labels", json!({ "name": "beta.1", "color": "violet", "description": " Early " }))
        .await
        .created();
    assert_eq!(
        (&made.data()["color"], &made.data()["description"], &made.data()["protected"]),
        (&json!("violet"), &json!("Early"), &json!(false))
    );
    assert_eq!(app.new_events().await, ["label.created"]);
    let event = last_event(&app).await;
    assert_eq!(
        (event.resource_type.as_str(), event.resource_name.as_deref(), event.revision),
        ("label", Some("beta.1"), None)
    );
    let plain = owner.post("/labels", json!({ "name": "a" })).await.created();
    assert_eq!((&plain.data()["color"], &plain.data()["description"]), (&json!("gray"), &json!(null)));
    text(&owner, "p", "x").await;
    owner.put("/prompts/p/labels/beta.1", json!({ "version": 1 })).await.ok();
    let list = owner.get("/labels").await.ok().data().clone();
    assert_eq!(names(&list), ["production", "a", "beta.1", "staging"]);
    assert_eq!(
        (&list[0]["prompts"], &list[2]["prompts"], &list[3]["prompts"]),
        (&json!(1), &json!(1), &json!(0))
    );

    app.new_events().await;
    let changed = owner.put("/labels/beta.1", json!({ "color": "red", "protected": true })).await.ok();
    assert_eq!(
        (&changed.data()["color"], &changed.data()["protected"], &changed.data()["description"]),
        (&json!("red"), &json!(true), &json!("Early"))
    );
    let event = last_event(&app).await;
    assert_eq!(
        (&event.before.unwrap()["color"], &event.after.unwrap()["color"]),
        (&json!("violet"), &json!("red"))
    );
    assert_eq!(
        owner.put("/labels/beta.1", json!({ "description": "" })).await.ok().data()["description"],
        json!(null)
    );
    assert_eq!(app.new_events().await, ["label.updated"; 2]);
});

both!(names_that_cannot_be, |app| async move {
    let owner = app.owner().await;
    let unchanged = Unchanged::since(&app).await;
    for name in ["Beta", "a b", "-a", "7", "ä", "", "latest", "a/b", &"x".repeat(51)] {
        owner.post("/labels", json!({ "name": name })).await.wrong_fields(&["name"]);
    }
    owner
        .post("/labels", json!({ "name": "ok", "color": "beige", "shape": "round" }))
        .await
        .wrong_fields(&["color", "shape"]);
    owner.post("/labels", json!({})).await.wrong_fields(&["name"]);
    owner.post("/labels", json!({ "name": "staging" })).await.error(409, "CONFLICT").says("staging");
    owner.put("/labels/nowhere", json!({ "color": "red" })).await.error(404, "NOT_FOUND").says("nowhere");
    owner.delete("/labels/nowhere").await.error(404, "NOT_FOUND");
    owner.delete("/labels/production").await.error(409, "CONFLICT");
    let editor = app.member(Role::Editor).await;
    editor.post("/labels", json!({ "name": "ok" })).await.error(403, "FORBIDDEN");
    editor.put("/labels/staging", json!({ "protected": true })).await.error(403, "FORBIDDEN");
    editor.delete("/labels/staging").await.error(403, "FORBIDDEN");
    unchanged.check().await;
});

both!(one_label_for_eight_at_once, |app| async move {
    let owner = app.owner().await;
    let attempts = (0..8).map(|_| {
        let owner = owner.clone();
        async move { owner.post("/labels", json!({ "name": "canvas" })).await }
    });
    let answers = futures::future::join_all(attempts).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        answer.error(409, "CONFLICT");
    }
});

both!(deleted, |app| async move {
    let owner = app.owner().await;
    for slug in ["a", "b"] {
        text(&owner, slug, "x").await;
        owner.put(&format!("/prompts/{slug}/labels/staging"), json!({ "version": 1 })).await.ok();
    }
    let unchanged = Unchanged::since(&app).await;
    let refused = owner.delete("/labels/staging").await.error(409, "IN_USE").says("2 prompts");
    assert_eq!(
        refused.details()["reasons"],
        json!([{ "kind": "label", "slug": "a" }, { "kind": "label", "slug": "b" }])
    );
    unchanged.check().await;
    app.new_events().await;
    owner.delete("/labels/staging?force=true").await.ok();
    assert_eq!(app.new_events().await, ["label.moved", "label.moved", "label.deleted"]);
    owner.get("/prompts/a?label=staging").await.error(404, "NOT_FOUND");
    assert!(!stored(&app).await.iter().any(|line| line.starts_with("points") && line.contains("staging")));
    let history = owner.get("/prompts/a/labels/staging/history").await.ok();
    assert_eq!(history.data()[0]["action"], "removed");
    // Made again it starts without prompts.
    owner.post("/labels", json!({ "name": "staging" })).await.created();
    owner.delete("/labels/staging").await.ok();
    check_revisions(&app).await;
});

both!(moved_and_rolled_back, |app| async move {
    let owner = app.owner().await.with_header("x-request-id", "move-1");
    text(&owner, "a", "1").await;
    for n in 2..=3 {
        put(&owner, "a", json!({ "content": n.to_string() })).await;
    }
    app.new_events().await;
    let set = owner.put("/prompts/a/labels/staging", json!({ "version": 2, "comment": " Look " })).await.ok();
    assert_eq!(
        (&set.data()["label"], &set.data()["version"], &set.data()["previous_version"]),
        (&json!("staging"), &json!(2), &json!(null))
    );
    assert_eq!(set.data()["prompt"]["labels"], json!({ "production": 3, "staging": 2 }));
    assert_eq!(app.new_events().await, ["label.moved"]);
    let event = last_event(&app).await;
    assert_eq!(event.before, Some(json!({ "label": "staging", "version": null })));
    let after = event.after.unwrap();
    assert_eq!(
        (&after["version"], &after["previous_version"], &after["comment"]),
        (&json!(2), &json!(null), &json!("Look"))
    );
    assert_eq!(event.request_id.as_deref(), Some("move-1"));

    let back = owner
        .put("/prompts/a/labels/production", json!({ "version": 1, "comment": "Three was wrong" }))
        .await
        .ok();
    assert_eq!((&back.data()["version"], &back.data()["previous_version"]), (&json!(1), &json!(3)));
    assert_eq!(app.new_events().await, ["prompt.rolled_back"]);
    assert_eq!(delivered(&owner, "a").await, "1");
    assert_eq!(delivered(&owner, "a?label=latest").await, "3");
    owner.put("/prompts/a/labels/production", json!({ "version": 3 })).await.ok();
    assert_eq!(app.new_events().await, ["prompt.published"]);
    // Where it is already: nothing happens.
    let unchanged = Unchanged::since(&app).await;
    let same = owner.put("/prompts/a/labels/production", json!({ "version": 3 })).await.ok();
    assert_eq!(same.data()["previous_version"], 3);
    unchanged.check().await;

    let labels = owner.get("/prompts/a/labels").await.ok().data().clone();
    assert_eq!(
        (&labels[0]["label"], &labels[0]["version"], &labels[0]["protected"]),
        (&json!("production"), &json!(3), &json!(false))
    );
    assert_eq!(
        (&labels[1]["label"], &labels[1]["comment"], &labels[1]["color"]),
        (&json!("staging"), &json!("Look"), &json!("gray"))
    );
    assert_eq!(labels[1]["moved_by"]["id"], json!(owner.id));

    let history = owner.get("/prompts/a/labels/production/history").await.ok();
    let told: Vec<_> = history
        .data()
        .as_array()
        .unwrap()
        .iter()
        .map(|m| (m["action"].as_str().unwrap(), m["from_version"].as_i64(), m["to_version"].as_i64()))
        .collect();
    assert_eq!(
        told,
        [
            ("published", Some(1), Some(3)),
            ("rolled_back", Some(3), Some(1)),
            ("published", Some(2), Some(3)),
            ("published", Some(1), Some(2)),
            ("published", None, Some(1))
        ]
    );
    assert_eq!(history.data()[1]["comment"], "Three was wrong");
    let all = owner.get("/prompts/a/history?limit=2&page=2").await.ok();
    assert_eq!((all.json["meta"]["total"].as_i64(), all.data().as_array().unwrap().len()), (Some(6), 2));
    assert_eq!(all.data()[0]["label"], "staging");
    check_revisions(&app).await;
});

both!(taken_off, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "1").await;
    app.new_events().await;
    let off = owner.delete("/prompts/a/labels/production").await.ok();
    assert_eq!(
        (&off.data()["version"], &off.data()["previous_version"], &off.data()["prompt"]["live"]),
        (&json!(null), &json!(1), &json!(null))
    );
    assert_eq!(app.new_events().await, ["label.moved"]);
    assert_eq!(last_event(&app).await.after.unwrap()["version"], json!(null));
    owner.get("/prompts/a").await.error(404, "NOT_FOUND");
    let unchanged = Unchanged::since(&app).await;
    owner.delete("/prompts/a/labels/production").await.error(404, "NOT_FOUND");
    owner.delete("/prompts/a/labels/nowhere").await.error(404, "NOT_FOUND").says("nowhere");
    unchanged.check().await;
    let history = owner.get("/prompts/a/labels/production/history").await.ok();
    assert_eq!(
        (&history.data()[0]["action"], &history.data()[0]["to_version"]),
        (&json!("removed"), &json!(null))
    );
    // Set again, it counts as published.
    owner.put("/prompts/a/labels/production", json!({ "version": 1 })).await.ok();
    assert_eq!(app.new_events().await, ["prompt.published"]);
});

both!(moves_that_cannot_be, |app| async move {
    let owner = app.owner().await;
    let editor = app.member(Role::Editor).await;
    text(&owner, "a", "1").await;
    owner.post("/labels", json!({ "name": "guarded", "protected": true })).await.created();
    let unchanged = Unchanged::since(&app).await;
    owner
        .put("/prompts/a/labels/nowhere", json!({ "version": 1 }))
        .await
        .error(404, "NOT_FOUND")
        .says("nowhere");
    owner
        .put("/prompts/a/labels/staging", json!({ "version": 9 }))
        .await
        .error(404, "NOT_FOUND")
        .says("version 9");
    owner
        .put("/prompts/a/labels/staging", json!({ "version": 9_223_372_036_854_775_807_i64 }))
        .await
        .error(404, "NOT_FOUND");
    owner.put("/prompts/a/labels/latest", json!({ "version": 1 })).await.wrong_fields(&["label"]);
    owner.put("/prompts/a/labels/staging", json!({ "version": 0 })).await.wrong_fields(&["version"]);
    owner.put("/prompts/a/labels/staging", json!({ "version": "1" })).await.wrong_fields(&["version"]);
    owner.put("/prompts/a/labels/staging", json!({})).await.wrong_fields(&["version"]);
    owner.put("/prompts/nowhere/labels/staging", json!({ "version": 1 })).await.error(404, "NOT_FOUND");
    editor
        .put("/prompts/a/labels/guarded", json!({ "version": 1 }))
        .await
        .error(403, "PUBLISH_BLOCKED")
        .says("guarded");
    editor
        .post("/prompts/a/publish", json!({ "from": 1, "label": "guarded" }))
        .await
        .error(403, "PUBLISH_BLOCKED");
    editor.delete("/prompts/a/labels/guarded").await.error(403, "PUBLISH_BLOCKED");
    app.key(&[Scope::Write])
        .await
        .put("/prompts/a/labels/staging", json!({ "version": 1 }))
        .await
        .error(403, "FORBIDDEN");
    app.member(Role::Viewer)
        .await
        .put("/prompts/a/labels/staging", json!({ "version": 1 }))
        .await
        .error(403, "FORBIDDEN");
    unchanged.check().await;
    app.key(&[Scope::Publish]).await.put("/prompts/a/labels/staging", json!({ "version": 1 })).await.ok();
    owner.put("/prompts/a/labels/guarded", json!({ "version": 1 })).await.ok();
    assert_eq!(events(&app).await.last().unwrap().actor["type"], "user");
});
