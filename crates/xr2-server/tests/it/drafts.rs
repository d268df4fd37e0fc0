//! Drafts: one mutable copy of each branch.

use serde_json::{Value, json};
use xr2_testkit::both;

use crate::support::{Unchanged, check_revisions, delivered, details, events, last_event, made, put, text};

both!(saved_again_and_again, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "one").await;
    owner.get("/prompts/a/draft").await.error(404, "NOT_FOUND").says("draft not found");
    let revision = app.revision().await;
    app.new_events().await;
    let first = owner.put("/prompts/a/draft", json!({ "content": "two {{ x }}" })).await.ok();
    let draft = first.data();
    assert_eq!(
        (&draft["revision"], &draft["base_version"], &draft["branch"]),
        (&json!(1), &json!(1), &json!("main"))
    );
    assert_eq!(
        (&draft["stale"], &draft["problems"], &draft["type"]),
        (&json!(false), &json!([]), &json!("text"))
    );
    assert_eq!(draft["updated_by"]["id"], json!(owner.id));
    let second = owner
        .put("/prompts/a/draft", json!({ "content": "three", "revision": 1, "config": { "model": "m" } }))
        .await
        .ok();
    assert_eq!(second.data()["revision"], 2);
    // What is not given stays as it was in the draft.
    let third = owner.put("/prompts/a/draft", json!({ "revision": 2, "variables": { "x": {} } })).await.ok();
    assert_eq!(
        (&third.data()["content"], &third.data()["config"]),
        (&json!("three"), &json!({ "model": "m" }))
    );
    assert_eq!(owner.get("/prompts/a/draft").await.ok().data(), third.data());
    let shown = details(&owner, "a").await;
    assert_eq!((&shown["has_draft"], &shown["draft"]), (&json!(true), third.data()));
    assert_eq!(delivered(&owner, "a").await, "one", "never delivered");
    assert_eq!(delivered(&owner, "a?label=latest").await, "one");
    assert_eq!(app.new_events().await, ["draft.saved"; 3]);
    let event = last_event(&app).await;
    assert_eq!((event.revision, event.after), (None, Some(json!({ "branch": "main", "revision": 3 }))));
    assert_eq!(app.revision().await, revision, "delivery sees nothing of it");
});

both!(two_at_one_draft, |app| async move {
    let (ana, ben) = (app.owner().await, app.owner().await);
    text(&ana, "a", "one").await;
    ana.put("/prompts/a/draft", json!({ "content": "by Ana" })).await.ok();
    let unchanged = Unchanged::since(&app).await;
    for stale in [
        json!({ "content": "by Ben" }),
        json!({ "content": "by Ben", "revision": 0 }),
        json!({ "content": "by Ben", "revision": 2 }),
    ] {
        let answer = ben
            .put("/prompts/a/draft", stale)
            .await
            .error(409, "CONFLICT")
            .says("Test Person saved this draft");
        let current = &answer.details()["current"];
        assert_eq!((&current["content"], &current["revision"]), (&json!("by Ana"), &json!(1)));
        assert_eq!(current["updated_by"]["id"], json!(ana.id));
    }
    ben.delete("/prompts/a/draft?revision=2").await.error(409, "CONFLICT");
    ben.delete("/prompts/a/draft?revision=x").await.wrong_fields(&["revision"]);
    unchanged.check().await;
    ben.put("/prompts/a/draft", json!({ "content": "by both", "revision": 1 })).await.ok();
    // One that was published or thrown away meanwhile.
    ana.delete("/prompts/a/draft?revision=2").await.ok();
    let answer =
        ben.put("/prompts/a/draft", json!({ "content": "late", "revision": 2 })).await.error(409, "CONFLICT");
    assert_eq!(answer.details()["current"], json!(null));
});

both!(eight_saves_of_one_revision, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "one").await;
    for revision in 0..3 {
        let saves = (0..8).map(|n| {
            let owner = owner.clone();
            async move {
                owner
                    .put("/prompts/a/draft", json!({ "content": format!("by {n}"), "revision": revision }))
                    .await
            }
        });
        let answers = futures::future::join_all(saves).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 7));
        for answer in lost {
            let answer = answer.error(409, "CONFLICT");
            assert_eq!(answer.details()["current"]["content"], won[0].data()["content"]);
        }
        assert_eq!(owner.get("/prompts/a/draft").await.ok().data()["revision"], revision + 1);
    }
});

both!(saved_with_problems, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "one").await;
    let saved =
        owner.put("/prompts/a/draft", json!({ "syntax": "jinja", "content": "fine\n{% if x %}" })).await.ok();
    let problems = saved.data()["problems"].as_array().unwrap().clone();
    assert!(
        !problems.is_empty()
            && problems[0]["line"].as_u64().unwrap() >= 1
            && problems[0]["message"].is_string()
    );
    let saved = owner.put("/prompts/a/draft", json!({ "content": "", "revision": 1 })).await.ok();
    assert_eq!(saved.data()["content"], "");
    let saved = owner
        .put("/prompts/a/draft", json!({ "content": "{% include \"nowhere\" %}", "revision": 2 }))
        .await
        .ok();
    assert!(saved.data()["problems"][0]["message"].as_str().unwrap().contains("nowhere"));
    // But not with what is no draft at all.
    let unchanged = Unchanged::since(&app).await;
    owner
        .put("/prompts/a/draft", json!({ "content": "x", "revision": 3, "variables": [{ "name": "1" }] }))
        .await
        .wrong_fields(&["variables[0].name"]);
    owner
        .put("/prompts/a/draft", json!({ "content": "x", "revision": 3, "base_version": 9 }))
        .await
        .wrong_fields(&["base_version"]);
    owner.put("/prompts/a/draft?branch=a%20b", json!({ "content": "x" })).await.wrong_fields(&["branch"]);
    owner.put("/prompts/a/draft", json!({ "text": "x" })).await.wrong_fields(&["text"]);
    owner
        .post("/prompts/a/publish", json!({ "from": "draft" }))
        .await
        .error(422, "TEMPLATE_ERROR")
        .says("nowhere");
    unchanged.check().await;
    owner.put("/prompts/a/draft", json!({ "content": " ", "revision": 3 })).await.ok();
    owner.post("/prompts/a/publish", json!({ "from": "draft" })).await.wrong_fields(&["content"]);
});

both!(published, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "one").await;
    owner.put("/prompts/a/draft", json!({ "content": "two", "config": { "model": "m" } })).await.ok();
    app.new_events().await;
    let published = owner
        .post(
            "/prompts/a/publish",
            json!({ "from": "draft", "comment": "Better", "change_summary": "Says two" }),
        )
        .await
        .ok();
    let data = published.data();
    assert_eq!((&data["label"], &data["previous_version"]), (&json!("production"), &json!(1)));
    let version = &data["version"];
    assert_eq!(
        (&version["number"], &version["parent"], &version["content"]),
        (&json!(2), &json!(1), &json!("two"))
    );
    assert_eq!(
        (&version["change_summary"], &version["labels"]),
        (&json!("Says two"), &json!(["production"]))
    );
    assert_eq!(data["prompt"]["has_draft"], false);
    assert_eq!(app.new_events().await, ["version.created", "prompt.published"]);
    assert_eq!(delivered(&owner, "a").await, "two");
    owner.get("/prompts/a/draft").await.error(404, "NOT_FOUND");
    owner.post("/prompts/a/publish", json!({ "from": "draft" })).await.error(404, "NOT_FOUND").says("draft");

    // One that says what is live already makes no version, and is gone as well.
    owner.put("/prompts/a/draft", json!({ "content": "two" })).await.ok();
    app.new_events().await;
    let same = owner.post("/prompts/a/publish", json!({ "from": "draft" })).await.ok();
    assert_eq!(
        (&same.data()["version"]["number"], &same.data()["prompt"]["has_draft"]),
        (&json!(2), &json!(false))
    );
    assert_eq!(app.new_events().await, ["draft.discarded"]);
    // To another label.
    owner.put("/prompts/a/draft", json!({ "content": "three" })).await.ok();
    let staged = owner.post("/prompts/a/publish", json!({ "from": "draft", "label": "staging" })).await.ok();
    assert_eq!(staged.data()["prompt"]["labels"], json!({ "production": 2, "staging": 3 }));
    assert_eq!(delivered(&owner, "a").await, "two");
    check_revisions(&app).await;
});

both!(stale_once_somebody_saved_a_version, |app| async move {
    let (ana, ben) = (app.owner().await, app.owner().await);
    text(&ana, "a", "one").await;
    ana.put("/prompts/a/draft", json!({ "content": "by Ana" })).await.ok();
    put(&ben, "a", json!({ "content": "by Ben" })).await;
    let draft = ana.get("/prompts/a/draft").await.ok();
    assert_eq!((&draft.data()["stale"], &draft.data()["base_version"]), (&json!(true), &json!(1)));
    assert_eq!(details(&ana, "a").await["draft"]["stale"], true);
    let unchanged = Unchanged::since(&app).await;
    let answer =
        ana.post("/prompts/a/publish", json!({ "from": "draft" })).await.error(409, "VERSION_CONFLICT");
    assert_eq!(
        (&answer.details()["current_version"], &answer.details()["changed_by"]["id"]),
        (&json!(2), &json!(ben.id))
    );
    ana.post("/prompts/a/publish", json!({ "from": "draft", "base_version": 1 }))
        .await
        .error(409, "VERSION_CONFLICT");
    unchanged.check().await;
    // Knowing what she does, Ana publishes over it.
    let published = ana.post("/prompts/a/publish", json!({ "from": "draft", "base_version": 2 })).await.ok();
    assert_eq!(published.data()["version"]["number"], 3);
    assert_eq!(delivered(&ana, "a").await, "by Ana");
});

both!(thrown_away, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "one").await;
    owner.delete("/prompts/a/draft").await.error(404, "NOT_FOUND");
    owner.put("/prompts/a/draft", json!({ "content": "two" })).await.ok();
    app.new_events().await;
    assert_eq!(owner.delete("/prompts/a/draft").await.ok().data(), &json!({}));
    assert_eq!(app.new_events().await, ["draft.discarded"]);
    assert_eq!(last_event(&app).await.before, Some(json!({ "branch": "main", "revision": 1 })));
    owner.get("/prompts/a/draft").await.error(404, "NOT_FOUND");
    assert_eq!(details(&owner, "a").await["has_draft"], false);
});

both!(one_of_each_branch, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "one").await;
    owner.put("/prompts/a/draft", json!({ "content": "main draft" })).await.ok();
    owner.put("/prompts/a/draft?branch=try", json!({ "content": "try draft" })).await.ok();
    assert_eq!(owner.get("/prompts/a/draft?branch=try").await.ok().data()["content"], "try draft");
    let published = owner
        .post("/prompts/a/publish", json!({ "from": "draft", "branch": "try", "label": "staging" }))
        .await
        .ok();
    let version = &published.data()["version"];
    assert_eq!(
        (&version["branch"], &version["number"], &version["parent"]),
        (&json!("try"), &json!(2), &json!(1))
    );
    assert_eq!(published.data()["prompt"]["latest_version"], 1);
    assert_eq!(owner.get("/prompts/a/draft").await.ok().data()["content"], "main draft");
    owner.get("/prompts/a/draft?branch=try").await.error(404, "NOT_FOUND");
    // The next one of that branch begins at its newest version.
    let draft = owner.put("/prompts/a/draft?branch=try", json!({ "config": { "model": "m" } })).await.ok();
    assert_eq!((&draft.data()["content"], &draft.data()["base_version"]), (&json!("try draft"), &json!(2)));
});

both!(of_a_chat, |app| async move {
    let owner = app.owner().await;
    made(&owner, json!({ "title": "a", "messages": [{ "role": "user", "content": "hi" }] })).await;
    let saved = owner.put("/prompts/a/draft", json!({ "messages": [{ "role": "user", "content": "" }, { "type": "placeholder", "name": "history" }] })).await.ok();
    assert_eq!(saved.data()["messages"].as_array().map(Vec::len), Some(2));
    let saved: Value = owner
        .put("/prompts/a/draft", json!({ "content": "now a text", "revision": 1 }))
        .await
        .ok()
        .data()
        .clone();
    assert_eq!((&saved["type"], saved.get("messages")), (&json!("text"), None));
    let wrong = owner
        .put(
            "/prompts/a/draft",
            json!({ "messages": [{ "role": "robot", "content": "x" }, 7], "revision": 2 }),
        )
        .await;
    assert_eq!(wrong.error(422, "VALIDATION_ERROR").details()["errors"][0]["field"], "messages[1]");
    assert_eq!(events(&app).await.iter().filter(|event| event.kind == "draft.saved").count(), 2);
});
