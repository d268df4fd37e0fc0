//! PUT /prompts/{p}: facts, new versions, slugs, the archive, edits at the same time.

use serde_json::{Value, json};
use xr2_testkit::both;

use crate::support::{
    Unchanged, check_revisions, complaints, delivered, details, events, last_event, made, put, stored, text,
};

both!(facts_make_no_version, |app| async move {
    let owner = app.owner().await;
    made(
        &owner,
        json!({ "title": "A", "content": "x", "description": "old", "category": "c", "tags": ["t"], "metadata": { "k": 1 } }),
    )
    .await;
    app.new_events().await;
    let saved = put(
        &owner,
        "a",
        json!({ "title": " New ", "description": null, "tags": ["u", "v"], "metadata": { "k": 2 } }),
    )
    .await;
    assert_eq!(saved["version"], json!(null));
    assert_eq!((&saved["published"], &saved["latest_version"]), (&json!(false), &json!(1)));
    assert_eq!(
        (&saved["title"], &saved["description"], &saved["category"]),
        (&json!("New"), &json!(null), &json!("c"))
    );
    assert_eq!(
        (&saved["tags"], &saved["metadata"], &saved["slug"]),
        (&json!(["u", "v"]), &json!({ "k": 2 }), &json!("a"))
    );
    let event = last_event(&app).await;
    assert_eq!((event.kind.as_str(), event.revision), ("prompt.updated", Some(2)));
    let (before, after) = (event.before.unwrap(), event.after.unwrap());
    assert_eq!(
        (&before["title"], &before["description"], &before["tags"]),
        (&json!("A"), &json!("old"), &json!(["t"]))
    );
    assert_eq!(
        (&after["title"], &after["description"], &after["tags"]),
        (&json!("New"), &json!(null), &json!(["u", "v"]))
    );
    assert_eq!(app.new_events().await, ["prompt.updated"]);

    // Saying what is there already changes nothing and tells nobody.
    let unchanged = Unchanged::since(&app).await;
    for same in [
        json!({}),
        json!({ "title": "New", "tags": ["u", "v"] }),
        json!({ "content": "x" }),
        json!({ "slug": "a" }),
    ] {
        let saved = put(&owner, "a", same).await;
        assert_eq!(saved["version"], json!(null));
    }
    unchanged.check().await;
    assert_eq!(put(&owner, "a", json!({ "name": "Named", "category": null })).await["title"], "Named");
});

both!(content_makes_a_version, |app| async move {
    let owner = app.owner().await.with_header("x-request-id", "edit-1");
    text(&owner, "a", "one\ntwo\nthree").await;
    app.new_events().await;
    let saved = put(&owner, "a", json!({ "content": "one\n2\nthree\n{{ tone }}", "variables": [{ "name": "tone", "default": "warm" }] })).await;
    let version = &saved["version"];
    assert_eq!((&version["number"], &version["parent"]), (&json!(2), &json!(1)));
    assert_eq!(version["change_summary"], "Changed 1 line, added 1 line, added variable `tone`");
    assert_eq!((&saved["published"], &saved["labels"]), (&json!(true), &json!({ "production": 2 })));
    assert_eq!(saved["live"]["version"], 2);
    assert_eq!(app.new_events().await, ["version.created", "prompt.published"]);
    let events = events(&app).await;
    let [.., version, published] = events.as_slice() else { panic!("two events") };
    assert_eq!((version.revision, published.revision), (Some(2), Some(2)));
    assert_eq!(version.request_id.as_deref(), Some("edit-1"));
    assert_eq!(version.after.as_ref().unwrap()["version"], 2);
    assert_eq!(published.before.as_ref().unwrap()["version"], 1);
    assert_eq!(published.after.as_ref().unwrap()["previous_version"], 1);
    assert_eq!(delivered(&owner, "a?render=true").await, "one\n2\nthree\nwarm");

    // Only the contract, only the settings, only the syntax: versions as well.
    let saved = put(&owner, "a", json!({ "variables": { "tone": { "default": "cold" } } })).await;
    assert_eq!(saved["version"]["number"], 3);
    assert_eq!(saved["version"]["content"], "one\n2\nthree\n{{ tone }}");
    let saved = put(&owner, "a", json!({ "config": { "model": "m" } })).await;
    assert_eq!(saved["version"]["change_summary"], "Changed model settings");
    assert_eq!(saved["version"]["variables"][0]["default"], "cold");
    let saved = put(&owner, "a", json!({ "syntax": "none", "change_summary": "as it is" })).await;
    assert_eq!(saved["version"]["change_summary"], "as it is");
    assert_eq!((&saved["syntax"], &saved["version"]["config"]), (&json!("none"), &json!({ "model": "m" })));
    // A text becomes a chat.
    owner.put("/prompts/a", json!({ "type": "chat" })).await.wrong_fields(&["messages"]);
    let saved = put(&owner, "a", json!({ "messages": [{ "role": "user", "content": "hi" }] })).await;
    assert_eq!(saved["type"], "chat");
    owner.put("/prompts/a", json!({ "type": "text" })).await.wrong_fields(&["content"]);
    owner.put("/prompts/a", json!({ "content": "x", "messages": [] })).await.error(422, "VALIDATION_ERROR");
    check_revisions(&app).await;
});

both!(saved_without_publishing, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "one").await;
    let saved = put(&owner, "a", json!({ "content": "two", "publish": false })).await;
    assert_eq!(
        (&saved["published"], &saved["labels"], &saved["latest_version"]),
        (&json!(false), &json!({ "production": 1 }), &json!(2))
    );
    assert_eq!(delivered(&owner, "a").await, "one");
    assert_eq!(delivered(&owner, "a?label=latest").await, "two");
    let shown = details(&owner, "a").await;
    assert_eq!((&shown["version"]["number"], &shown["live_version"]["number"]), (&json!(2), &json!(1)));
    // Publishing what is saved already.
    app.new_events().await;
    let saved = put(&owner, "a", json!({ "publish": true })).await;
    assert_eq!(
        (&saved["version"], &saved["published"], &saved["labels"]),
        (&json!(null), &json!(true), &json!({ "production": 2 }))
    );
    assert_eq!(app.new_events().await, ["prompt.published"]);
    assert_eq!(delivered(&owner, "a").await, "two");
});

both!(an_edit_of_an_old_version_is_refused, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "one").await;
    put(&owner, "a", json!({ "content": "two", "base_version": 1, "change_summary": "Second text" })).await;
    let unchanged = Unchanged::since(&app).await;
    for body in [
        json!({ "content": "mine", "base_version": 1 }),
        json!({ "title": "mine", "base_version": 1 }),
        json!({ "content": "x", "base_version": 7 }),
    ] {
        let base = body["base_version"].clone();
        let answer = owner
            .put("/prompts/a", body)
            .await
            .error(409, "VERSION_CONFLICT")
            .says("Test Person saved version 2");
        let details = answer.details();
        assert_eq!((&details["base_version"], &details["current_version"]), (&base, &json!(2)));
        assert_eq!(details["changed_by"]["id"], json!(owner.id));
        assert_eq!(details["change_summary"], "Second text");
        assert!(details["changed_at"].as_str().unwrap().ends_with('Z'));
    }
    unchanged.check().await;
    assert_eq!(put(&owner, "a", json!({ "content": "three", "base_version": 2 })).await["latest_version"], 3);
});

both!(eight_edits_of_one_version, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "start").await;
    for round in 1..=3 {
        let edits = (0..8).map(|n| {
            let owner = owner.clone();
            async move {
                owner
                    .put(
                        "/prompts/a",
                        json!({ "content": format!("by {n} of {round}"), "base_version": round }),
                    )
                    .await
            }
        });
        let answers = futures::future::join_all(edits).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 7));
        for answer in lost {
            answer.error(409, "VERSION_CONFLICT");
        }
        let text = won[0].data()["version"]["content"].as_str().unwrap().to_owned();
        assert_eq!(delivered(&owner, "a").await, text);
        assert_eq!(details(&owner, "a").await["latest_version"], round + 1);
    }
    assert_eq!(stored(&app).await.iter().filter(|line| line.starts_with("version a")).count(), 4);
    check_revisions(&app).await;
});

both!(edits_at_the_same_time_all_count, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "start").await;
    let edits = (0..8).map(|n| {
        let owner = owner.clone();
        async move { owner.put("/prompts/a", json!({ "content": format!("text {n}") })).await.ok().data()["version"]["number"].clone() }
    });
    let mut numbers: Vec<i64> =
        futures::future::join_all(edits).await.iter().map(|n| n.as_i64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (2..=9).collect::<Vec<i64>>());
    let shown = details(&owner, "a").await;
    assert_eq!((&shown["latest_version"], &shown["labels"]["production"]), (&json!(9), &json!(9)));
    assert_eq!(delivered(&owner, "a").await, shown["version"]["content"]);
    check_revisions(&app).await;
});

both!(a_new_slug_breaks_nobody, |app| async move {
    let owner = app.owner().await;
    let made = text(&owner, "old", "x").await;
    app.new_events().await;
    let saved = put(&owner, "old", json!({ "slug": "new-name" })).await;
    assert_eq!(
        (&saved["slug"], &saved["version"], &saved["id"]),
        (&json!("new-name"), &json!(null), &made["id"])
    );
    assert_eq!(app.new_events().await, ["prompt.updated"]);
    let event = last_event(&app).await;
    assert_eq!(
        (&event.before.unwrap()["slug"], &event.after.unwrap()["slug"]),
        (&json!("old"), &json!("new-name"))
    );

    for name in ["old", "new-name", made["id"].as_str().unwrap()] {
        let answer = owner.get(&format!("/prompts/{name}")).await.ok();
        assert_eq!(answer.data()["slug"], "new-name");
        assert_eq!(answer.json["meta"]["current_slug"].is_null(), name != "old", "{}", answer.text);
        assert_eq!(details(&owner, name).await["former_slugs"], json!(["old"]));
    }
    // Everything works by the former slug, and going back is possible.
    put(&owner, "old", json!({ "content": "y" })).await;
    put(&owner, "new-name", json!({ "slug": "third" })).await;
    assert_eq!(details(&owner, "third").await["former_slugs"], json!(["new-name", "old"]));
    put(&owner, "third", json!({ "slug": "old" })).await;
    assert_eq!(details(&owner, "old").await["former_slugs"], json!(["new-name", "third"]));
    assert_eq!(delivered(&owner, "third").await, "y");
    check_revisions(&app).await;
});

both!(one_new_slug_for_eight_at_once, |app| async move {
    let owner = app.owner().await;
    for n in 0..8 {
        text(&owner, &format!("p{n}"), &format!("text {n}")).await;
    }
    let renames = (0..8).map(|n| {
        let owner = owner.clone();
        async move { owner.put(&format!("/prompts/p{n}"), json!({ "slug": "prize" })).await }
    });
    let answers = futures::future::join_all(renames).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for answer in lost {
        answer.error(409, "CONFLICT");
    }
    assert_eq!(details(&owner, "prize").await["id"], won[0].data()["id"]);
    check_revisions(&app).await;
});

both!(archived_is_read_only, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "x").await;
    app.new_events().await;
    let archived = owner.post("/prompts/a/archive", json!({})).await.ok();
    assert_eq!(archived.data()["archived"], true);
    assert_eq!(app.new_events().await, ["prompt.archived"]);
    let event = last_event(&app).await;
    assert_eq!((event.before, event.revision), (Some(json!({ "archived": false })), Some(2)));
    assert_eq!(event.after.unwrap()["archived"], true);

    let unchanged = Unchanged::since(&app).await;
    let writes: [(&str, &str, Value); 9] = [
        ("PUT", "", json!({ "content": "y" })),
        ("PUT", "", json!({ "title": "y" })),
        ("POST", "/versions", json!({ "content": "y" })),
        ("PUT", "/draft", json!({ "content": "y" })),
        ("POST", "/publish", json!({ "from": 1 })),
        ("PUT", "/labels/staging", json!({ "version": 1 })),
        ("DELETE", "/labels/production", json!({})),
        ("POST", "/versions/1/restore", json!({})),
        ("PUT", "", json!({ "slug": "b" })),
    ];
    for (method, path, body) in writes {
        let answer = owner.request(method, &format!("/prompts/a{path}")).json(body).send().await;
        answer.error(409, "CONFLICT").says("archived");
    }
    owner.post("/prompts/a/archive", json!({})).await.ok();
    unchanged.check().await;
    assert_eq!(delivered(&owner, "a").await, "x", "delivered as before");
    assert_eq!(owner.get("/prompts").await.ok().json["meta"]["total"], 0);
    assert_eq!(owner.get("/prompts?archived=true").await.ok().json["meta"]["total"], 1);

    assert_eq!(owner.post("/prompts/a/unarchive", json!({})).await.ok().data()["archived"], false);
    assert_eq!(app.new_events().await, ["prompt.unarchived"]);
    // The documents' `is_active`, alone and beside other changes.
    assert_eq!(put(&owner, "a", json!({ "is_active": false })).await["archived"], true);
    let saved = put(&owner, "a", json!({ "is_active": true, "content": "y", "title": "Back" })).await;
    assert_eq!(
        (&saved["archived"], &saved["title"], &saved["latest_version"]),
        (&json!(false), &json!("Back"), &json!(2))
    );
    assert_eq!(delivered(&owner, "a").await, "y");
    let saved = put(&owner, "a", json!({ "is_active": false, "title": "Gone" })).await;
    assert_eq!((&saved["archived"], &saved["title"]), (&json!(true), &json!("Gone")));
    check_revisions(&app).await;
});

both!(a_copy, |app| async move {
    let owner = app.owner().await;
    made(
        &owner,
        json!({ "title": "A", "content": "one {{ x }}", "variables": { "x": { "required": true } },
            "config": { "model": "m" }, "description": "d", "category": "c", "tags": ["t"], "metadata": { "k": 1 } }),
    )
    .await;
    put(&owner, "a", json!({ "content": "two {{ x }}", "publish": false })).await;
    app.new_events().await;
    let copy = owner.post("/prompts/a/duplicate", json!({})).await.created().data().clone();
    assert_eq!((&copy["title"], &copy["slug"]), (&json!("Copy of A"), &json!("copy-of-a")));
    assert_eq!(
        (&copy["labels"], &copy["latest_version"], &copy["published"]),
        (&json!({}), &json!(1), &json!(false))
    );
    for field in ["description", "category", "tags", "metadata", "type", "syntax"] {
        assert_eq!(copy[field], details(&owner, "a").await[field], "{field}");
    }
    let version = &copy["version"];
    assert_eq!((&version["content"], &version["config"]), (&json!("two {{ x }}"), &json!({ "model": "m" })));
    assert_eq!(version["change_summary"], "Copied from a version 2");
    assert_eq!(app.new_events().await, ["prompt.created"]);
    let named = owner.post("/prompts/a/duplicate", json!({ "slug": "b", "title": "B" })).await.created();
    assert_eq!((&named.data()["slug"], &named.data()["title"]), (&json!("b"), &json!("B")));
    owner.post("/prompts/nowhere/duplicate", json!({})).await.error(404, "NOT_FOUND");
});

both!(fields_nobody_knows, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "x").await;
    let unchanged = Unchanged::since(&app).await;
    let answer = owner
        .put("/prompts/a", json!({ "contents": "y", "titel": "z" }))
        .await
        .error(422, "VALIDATION_ERROR");
    let mut found = complaints(&answer);
    found.sort();
    assert_eq!(
        found,
        [
            ("contents".to_owned(), "unknown_field".to_owned()),
            ("titel".to_owned(), "unknown_field".to_owned())
        ]
    );
    owner.put("/prompts/nowhere", json!({ "content": "y" })).await.error(404, "NOT_FOUND").says("nowhere");
    unchanged.check().await;
});
