//! Versions: saved, listed, branched, restored.

use serde_json::{Value, json};
use xr2_server::auth::Scope;
use xr2_testkit::both;

use crate::support::{Unchanged, check_revisions, delivered, details, events, put, text};

both!(saved_without_going_live, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "one").await;
    app.new_events().await;
    let saved = owner
        .post("/prompts/a/versions", json!({ "content": "two", "config": { "model": "m" } }))
        .await
        .created();
    let data = saved.data();
    assert_eq!((&data["number"], &data["parent"], &data["branch"]), (&json!(2), &json!(1), &json!("main")));
    assert_eq!(
        (&data["published"], &data["labels"], &data["content"]),
        (&json!(false), &json!([]), &json!("two"))
    );
    assert_eq!(data["change_summary"], "Changed 1 line, changed model settings");
    assert_eq!(data["prompt"]["latest_version"], 2);
    assert_eq!(app.new_events().await, ["version.created"]);
    assert_eq!(
        (delivered(&owner, "a").await, delivered(&owner, "a?label=latest").await),
        ("one".into(), "two".into())
    );

    let saved = owner
        .post("/prompts/a/versions", json!({ "content": "three", "publish": true, "change_summary": "why" }))
        .await
        .created();
    assert_eq!((&saved.data()["published"], &saved.data()["labels"]), (&json!(true), &json!(["production"])));
    assert_eq!(app.new_events().await, ["version.created", "prompt.published"]);
    assert_eq!(delivered(&owner, "a").await, "three");
    // What is not given is taken over.
    assert_eq!(saved.data()["config"], json!({ "model": "m" }));
    check_revisions(&app).await;
});

both!(listed_newest_first, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "1").await;
    for n in 2..=7 {
        put(&owner, "a", json!({ "content": n.to_string() })).await;
    }
    owner.put("/prompts/a/labels/staging", json!({ "version": 3 })).await.ok();
    let numbers = |answer: &Value| {
        answer.as_array().unwrap().iter().map(|v| v["number"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let all = owner.get("/prompts/a/versions").await.ok();
    assert_eq!(numbers(all.data()), [7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(all.data()[0]["labels"], json!(["production"]));
    assert_eq!(all.data()[4]["labels"], json!(["staging"]));
    assert_eq!(all.data()[6]["change_summary"], "Created");
    assert_eq!(all.data()[0]["created_by"]["name"], "Test Person");
    assert_eq!(all.json["meta"], json!({ "page": 1, "limit": 20, "total": 7 }));
    let page = owner.get("/prompts/a/versions?limit=3&page=2").await.ok();
    assert_eq!(numbers(page.data()), [4, 3, 2]);
    owner.get("/prompts/a/versions?limit=0").await.wrong_fields(&["limit"]);
    owner.get("/prompts/nowhere/versions").await.error(404, "NOT_FOUND");
    // One version, by number and by id; another prompt's is none of this one.
    let id = all.data()[4]["id"].as_str().unwrap();
    assert_eq!(delivered(&owner, &format!("a/versions/{id}")).await, "3");
    assert_eq!(delivered(&owner, "a/versions/3").await, "3");
    text(&owner, "b", "x").await;
    owner.get(&format!("/prompts/b/versions/{id}")).await.error(404, "NOT_FOUND");
    for unknown in ["8", "0", "99999999999999999999", "-1", "x", "0190b5a4-7b1c-7e52-b7a5-2f6f2e1c9d10"] {
        owner.get(&format!("/prompts/a/versions/{unknown}")).await.error(404, "NOT_FOUND");
        owner.get(&format!("/prompts/a/versions/{unknown}/diff")).await.error(404, "NOT_FOUND");
    }
});

both!(branches, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "main 1").await;
    let saved = owner
        .post("/prompts/a/versions", json!({ "content": "try 2", "branch": "try/tone" }))
        .await
        .created();
    assert_eq!(
        (&saved.data()["number"], &saved.data()["parent"], &saved.data()["branch"]),
        (&json!(2), &json!(1), &json!("try/tone"))
    );
    assert_eq!(saved.data()["prompt"]["latest_version"], 1, "latest is of main");
    assert_eq!(delivered(&owner, "a?label=latest").await, "main 1");
    put(&owner, "a", json!({ "content": "main 3", "base_version": 1 })).await;
    let saved = owner
        .post("/prompts/a/versions", json!({ "content": "try 4", "branch": "try/tone", "base_version": 2 }))
        .await
        .created();
    assert_eq!((&saved.data()["number"], &saved.data()["parent"]), (&json!(4), &json!(2)));
    let unchanged = Unchanged::since(&app).await;
    let stale = owner
        .post("/prompts/a/versions", json!({ "content": "x", "branch": "try/tone", "base_version": 3 }))
        .await;
    assert_eq!(stale.error(409, "VERSION_CONFLICT").details()["current_version"], 4);
    owner
        .post("/prompts/a/versions", json!({ "content": "x", "base_version": 1 }))
        .await
        .error(409, "VERSION_CONFLICT");
    for branch in ["", "a b", "ä", &"x".repeat(101)] {
        owner
            .post("/prompts/a/versions", json!({ "content": "x", "branch": branch }))
            .await
            .wrong_fields(&["branch"]);
    }
    unchanged.check().await;
    let branch = owner.get("/prompts/a/versions?branch=try/tone").await.ok();
    assert_eq!((branch.data().as_array().unwrap().len(), &branch.data()[0]["content"]), (2, &json!("try 4")));
    assert_eq!(branch.json["meta"]["total"], 2);
    // A label may point at a version of any branch.
    owner.put("/prompts/a/labels/staging", json!({ "version": 4 })).await.ok();
    assert_eq!(delivered(&owner, "a?label=staging").await, "try 4");
    assert_eq!(details(&owner, "a").await["version"]["content"], "main 3");
    check_revisions(&app).await;
});

both!(restored_as_a_new_one, |app| async move {
    let owner = app.owner().await;
    let made = text(&owner, "a", "one").await;
    put(
        &owner,
        "a",
        json!({ "content": "two {{ x }}", "variables": { "x": {} }, "config": { "model": "m" } }),
    )
    .await;
    app.new_events().await;
    let restored =
        owner.post("/prompts/a/versions/1/restore", json!({ "comment": "two was wrong" })).await.created();
    let version = &restored.data()["version"];
    assert_eq!(
        (&version["number"], &version["parent"], &version["content"]),
        (&json!(3), &json!(1), &json!("one"))
    );
    assert_eq!((&version["variables"], &version["config"]), (&json!([]), &json!({})));
    assert_eq!(version["change_summary"], "Restored from version 1");
    assert_eq!(
        (&restored.data()["label"], &restored.data()["previous_version"]),
        (&json!("production"), &json!(2))
    );
    assert_eq!(restored.data()["prompt"]["labels"], json!({ "production": 3 }));
    assert_eq!(delivered(&owner, "a").await, "one");
    assert_eq!(app.new_events().await, ["version.created", "prompt.published"]);
    assert_eq!(events(&app).await.last().unwrap().after.as_ref().unwrap()["comment"], "two was wrong");
    let history = owner.get("/prompts/a/labels/production/history").await.ok();
    assert_eq!(
        (&history.data()[0]["action"], &history.data()[0]["comment"]),
        (&json!("restored"), &json!("two was wrong"))
    );
    // By id, with an empty body.
    let id = made["version"]["id"].as_str().unwrap();
    let restored = owner.request("POST", &format!("/prompts/a/versions/{id}/restore")).send().await.created();
    assert_eq!(restored.data()["version"]["number"], 4);

    let unchanged = Unchanged::since(&app).await;
    owner.post("/prompts/a/versions/9/restore", json!({})).await.error(404, "NOT_FOUND").says("version 9");
    owner.post("/prompts/a/versions/1/restore", json!({ "coment": "x" })).await.wrong_fields(&["coment"]);
    app.key(&[Scope::Publish])
        .await
        .post("/prompts/a/versions/1/restore", json!({}))
        .await
        .error(403, "FORBIDDEN");
    app.key(&[Scope::Write])
        .await
        .post("/prompts/a/versions/1/restore", json!({}))
        .await
        .error(403, "FORBIDDEN");
    unchanged.check().await;
    check_revisions(&app).await;
});

both!(versions_that_cannot_be, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "one").await;
    let unchanged = Unchanged::since(&app).await;
    owner.post("/prompts/a/versions", json!({ "content": " " })).await.wrong_fields(&["content"]);
    owner.post("/prompts/a/versions", json!({ "messages": [] })).await.wrong_fields(&["messages"]);
    owner.post("/prompts/a/versions", json!({ "content": 7 })).await.wrong_fields(&["content"]);
    owner
        .post("/prompts/a/versions", json!({ "content": "{% if %}", "syntax": "jinja" }))
        .await
        .error(422, "TEMPLATE_ERROR");
    owner
        .post("/prompts/a/versions", json!({ "type": "poem", "syntax": "php" }))
        .await
        .wrong_fields(&["type", "syntax"]);
    owner.post("/prompts/nowhere/versions", json!({ "content": "x" })).await.error(404, "NOT_FOUND");
    let writer = app.key(&[Scope::Write]).await;
    writer
        .post("/prompts/a/versions", json!({ "content": "x", "publish": true }))
        .await
        .error(403, "PUBLISH_BLOCKED");
    unchanged.check().await;
    writer.post("/prompts/a/versions", json!({ "content": "x" })).await.created();
});

both!(immutable, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "one").await;
    let first = owner.get("/prompts/a/versions").await.ok().data()[0].clone();
    put(&owner, "a", json!({ "content": "two", "title": "New title" })).await;
    owner.put("/prompts/a/labels/staging", json!({ "version": 2 })).await.ok();
    let mut again = owner.get("/prompts/a/versions").await.ok().data()[1].clone();
    again["labels"] = first["labels"].clone();
    assert_eq!(again, first);
    for method in ["PUT", "PATCH", "DELETE"] {
        owner
            .request(method, "/prompts/a/versions/1")
            .json(json!({}))
            .send()
            .await
            .error(405, "METHOD_NOT_ALLOWED");
    }
});

both!(a_page_that_would_be_too_large_leaves_texts_out, |app| async move {
    let owner = app.owner().await;
    let long = "x".repeat(700 * 1024);
    text(&owner, "a", &format!("1 {long}")).await;
    for n in 2..=3 {
        put(&owner, "a", json!({ "content": format!("{n} {long}") })).await;
    }
    put(&owner, "a", json!({ "content": "4" })).await;
    let page = owner.get("/prompts/a/versions").await.ok();
    assert!(page.text.len() < 1024 * 1024, "{}", page.text.len());
    let has_text: Vec<bool> =
        page.data().as_array().unwrap().iter().map(|v| v["content"].is_string()).collect();
    assert_eq!(has_text, [true, true, false, false]);
    assert_eq!(page.data()[2]["omitted"], true);
    assert_eq!(page.data()[0].get("omitted"), None);
    assert_eq!(page.json["meta"]["total"], 4);
    for (page, number) in [(1, 4), (2, 3), (3, 2), (4, 1)] {
        let one = owner.get(&format!("/prompts/a/versions?limit=1&page={page}")).await.ok();
        let content = one.data()[0]["content"].as_str().expect("a page of one has its text");
        assert!(content.starts_with(&number.to_string()));
    }
});
