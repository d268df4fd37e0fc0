//! One thing done to many prompts.

use serde_json::{Value, json};
use xr2_server::auth::{Role, Scope};
use xr2_testkit::{Answer, Client, KeyFixture, both};

use crate::queries;
use crate::support::{Unchanged, check_revisions, delivered, details, last_event, put, text};

/// Does an action and returns `data`.
async fn bulk(client: &Client, body: Value) -> Value {
    client.post("/prompts/bulk", body).await.ok().data().clone()
}

/// What came of each, in order.
fn statuses(data: &Value) -> Vec<String> {
    let results = data["results"].as_array().expect("results");
    results.iter().map(|result| result["status"].as_str().unwrap_or_default().to_owned()).collect()
}

fn counts(data: &Value) -> (i64, i64, i64) {
    let count = |name: &str| data[name].as_i64().expect("a number");
    (count("done"), count("unchanged"), count("failed"))
}

fn error_of(data: &Value, index: usize) -> (&str, &str) {
    let error = &data["results"][index]["error"];
    (error["code"].as_str().unwrap_or_default(), error["message"].as_str().unwrap_or_default())
}

both!(tags_come_and_go, |app| async move {
    let owner = app.owner().await;
    let made = text(&owner, "a", "x").await;
    text(&owner, "b", "x").await;
    put(&owner, "b", json!({ "tags": ["old", "new"] })).await;
    text(&owner, "c", "x").await;
    owner.post("/prompts/c/archive", json!({})).await.ok();
    app.new_events().await;
    let body = json!({ "action": "tag", "tags": ["new", " new ", "more"],
        "prompts": [made["id"], "b", "nowhere", "c", "a"] });
    let data = bulk(&owner, body.clone()).await;
    assert_eq!(statuses(&data), ["done", "done", "failed", "failed", "unchanged"], "{data}");
    assert_eq!((counts(&data), &data["rolled_back"]), ((2, 1, 2), &json!(false)));
    assert_eq!((&data["results"][0]["slug"], &data["results"][0]["prompt"]), (&json!("a"), &made["id"]));
    assert_eq!(error_of(&data, 2), ("NOT_FOUND", "prompt \"nowhere\" not found"));
    assert_eq!(error_of(&data, 3).0, "CONFLICT");
    assert!(error_of(&data, 3).1.contains("archive"));
    assert_eq!(details(&owner, "a").await["tags"], json!(["new", "more"]));
    assert_eq!(details(&owner, "b").await["tags"], json!(["old", "new", "more"]));
    assert_eq!(details(&owner, "c").await["tags"], json!([]));
    assert_eq!(app.new_events().await, ["prompt.updated", "prompt.updated"]);
    let event = last_event(&app).await;
    let after = event.after.unwrap();
    assert_eq!(
        (&after["tags"], &after["labels"]),
        (&json!(["old", "new", "more"]), &json!({ "production": 1, "latest": 1 }))
    );
    assert_eq!(event.before.unwrap()["tags"], json!(["old", "new"]));
    assert_eq!(owner.get("/prompts?tag=more").await.ok().json["meta"]["total"], 2);

    // Sent again it changes nothing.
    let unchanged = Unchanged::since(&app).await;
    assert_eq!(
        statuses(&bulk(&owner, body).await),
        ["unchanged", "unchanged", "failed", "failed", "unchanged"]
    );
    unchanged.check().await;
    let data =
        bulk(&owner, json!({ "action": "untag", "prompts": ["a", "b"], "tags": ["new", "old"] })).await;
    assert_eq!(counts(&data), (2, 0, 0));
    assert_eq!(details(&owner, "b").await["tags"], json!(["more"]));
    assert_eq!(owner.get("/prompts?tag=old").await.ok().json["meta"]["total"], 0);
    // Too many for one prompt, for another not.
    let many: Vec<String> = (0..50).map(|n| format!("t{n}")).collect();
    text(&owner, "bare", "x").await;
    let data = bulk(&owner, json!({ "action": "tag", "prompts": ["a", "bare"], "tags": many })).await;
    assert_eq!(statuses(&data), ["failed", "done"]);
    assert_eq!(error_of(&data, 0).0, "VALIDATION_ERROR");
    check_revisions(&app).await;
});

both!(categories_and_the_archive, |app| async move {
    let owner = app.owner().await;
    for slug in ["a", "b"] {
        text(&owner, slug, "x").await;
    }
    app.new_events().await;
    let names = json!(["a", "b"]);
    let set = |category: Value| json!({ "action": "set_category", "prompts": names, "category": category });
    assert_eq!(counts(&bulk(&owner, set(json!("support"))).await), (2, 0, 0));
    assert_eq!(app.new_events().await, ["prompt.edited", "prompt.edited"]);
    assert_eq!(counts(&bulk(&owner, set(json!(" support "))).await), (0, 2, 0));
    assert_eq!(details(&owner, "b").await["category"], "support");
    assert_eq!(counts(&bulk(&owner, set(Value::Null)).await), (2, 0, 0));
    assert_eq!(details(&owner, "b").await["category"], Value::Null);
    app.new_events().await;
    let archive = json!({ "action": "archive", "prompts": names });
    assert_eq!(counts(&bulk(&owner, archive.clone()).await), (2, 0, 0));
    assert_eq!(counts(&bulk(&owner, archive).await), (0, 2, 0));
    assert_eq!(delivered(&owner, "a").await, "x");
    assert_eq!(owner.get("/prompts").await.ok().json["meta"]["total"], 0);
    assert_eq!(counts(&bulk(&owner, json!({ "action": "unarchive", "prompts": ["a"] })).await), (1, 0, 0));
    assert_eq!(app.new_events().await, ["prompt.archived", "prompt.archived", "prompt.unarchived"]);
    check_revisions(&app).await;
});

both!(folders_are_changed_for_many, |app| async move {
    let owner = app.owner().await;
    let folder =
        async |name: &str| owner.post("/folders", json!({ "name": name })).await.created().text_of("id");
    let (one, two) = (folder("One").await, folder("Two").await);
    for slug in ["a", "b", "archived"] {
        text(&owner, slug, "x").await;
    }
    owner.post("/prompts/archived/archive", json!({})).await.ok();
    let of = async |slug: &str| details(&owner, slug).await["folder_ids"].clone();
    let ask = |action: &str, folder: Value| json!({ "action": action, "folder": folder, "prompts": ["a", "b", "archived"] });
    app.new_events().await;
    let data = bulk(&owner, ask("add_to_folder", json!(one))).await;
    assert_eq!(statuses(&data), ["done", "done", "failed"], "{data}");
    assert_eq!(app.new_events().await, ["prompt.edited", "prompt.edited"]);
    let event = last_event(&app).await;
    assert_eq!(
        (event.before.unwrap()["folder_ids"].clone(), event.after.unwrap()["folder_ids"].clone()),
        (json!([]), json!([one]))
    );
    assert_eq!(counts(&bulk(&owner, ask("add_to_folder", json!(one))).await), (0, 2, 1));
    bulk(&owner, ask("add_to_folder", json!(two))).await;
    let mut both = [one.clone(), two.clone()];
    both.sort();
    assert_eq!(of("a").await, json!(both));
    assert_eq!(counts(&bulk(&owner, ask("remove_from_folder", json!(one))).await), (2, 0, 1));
    assert_eq!(counts(&bulk(&owner, ask("remove_from_folder", json!(one))).await), (0, 2, 1));
    assert_eq!(counts(&bulk(&owner, ask("move_to_folder", json!(one))).await), (2, 0, 1));
    assert_eq!((of("a").await, of("b").await), (json!([one]), json!([one])));
    let copy = bulk(&owner, json!({ "action": "duplicate", "prompts": ["a"] })).await;
    assert_eq!(of(copy["results"][0]["copy"]["slug"].as_str().unwrap()).await, json!([one]));
    assert_eq!(counts(&bulk(&owner, ask("move_to_folder", Value::Null)).await), (2, 0, 1));
    assert_eq!(of("a").await, json!([]));
    let unchanged = Unchanged::since(&app).await;
    for action in ["add_to_folder", "move_to_folder", "remove_from_folder"] {
        let unknown = ask(action, json!(uuid::Uuid::nil().to_string().replace('0', "1")));
        owner.post("/prompts/bulk", unknown).await.wrong_fields(&["folder"]);
        owner
            .post("/prompts/bulk", json!({ "action": action, "prompts": ["a"] }))
            .await
            .wrong_fields(&["folder"]);
    }
    owner.post("/prompts/bulk", ask("add_to_folder", Value::Null)).await.wrong_fields(&["folder"]);
    owner.post("/prompts/bulk", ask("archive", json!(one))).await.wrong_fields(&["folder"]);
    unchanged.check().await;
    check_revisions(&app).await;
});

both!(labels_move_and_are_taken_off, |app| async move {
    let owner = app.owner().await;
    for slug in ["a", "b", "c"] {
        text(&owner, slug, "one").await;
        put(&owner, slug, json!({ "content": "two", "publish": false })).await;
    }
    text(&owner, "short", "one").await;
    app.new_events().await;
    let names = json!(["c", "a", "b", "short"]);
    let label = |version: Value| json!({ "action": "label", "prompts": names, "label": "production", "version": version, "comment": "go" });
    let data = bulk(&owner, label(json!(2))).await;
    assert_eq!(statuses(&data), ["done", "done", "done", "failed"], "{data}");
    assert_eq!(error_of(&data, 3), ("NOT_FOUND", "version 2 not found"));
    assert_eq!(data["results"][0]["previous_version"], 1);
    assert_eq!(app.new_events().await, ["prompt.published"; 3]);
    assert_eq!(delivered(&app.key(&[Scope::Deliver]).await, "a").await, "two");
    assert_eq!(counts(&bulk(&owner, label(json!("latest"))).await), (0, 4, 0));
    assert_eq!(counts(&bulk(&owner, label(json!("1"))).await), (3, 1, 0));
    assert_eq!(app.new_events().await, ["prompt.rolled_back"; 3]);
    let history = owner.get("/prompts/a/history").await.ok();
    assert_eq!(
        (&history.data()[0]["action"], &history.data()[0]["comment"]),
        (&json!("rolled_back"), &json!("go"))
    );
    let off = json!({ "action": "unlabel", "prompts": names, "label": "production" });
    let data = bulk(&owner, off.clone()).await;
    assert_eq!((counts(&data), &data["results"][1]["previous_version"]), ((4, 0, 0), &json!(1)));
    assert_eq!(counts(&bulk(&owner, off).await), (0, 4, 0));
    owner.get("/prompts/a").await.error(404, "NOT_FOUND");
    check_revisions(&app).await;
});

both!(a_move_that_would_break_others_is_taken_back_by_itself, |app| async move {
    let owner = app.owner().await;
    for slug in ["snippet", "free"] {
        text(&owner, slug, "S").await;
        let chat =
            json!({ "messages": [{ "role": "user", "content": "S" }], "type": "chat", "publish": false });
        put(&owner, slug, chat).await;
    }
    text(&owner, "page", "{% include \"snippet\" %}").await;
    app.new_events().await;
    let body =
        json!({ "action": "label", "prompts": ["snippet", "free"], "label": "production", "version": 2 });
    let data = bulk(&owner, body).await;
    assert_eq!(statuses(&data), ["failed", "done"], "{data}");
    assert_eq!(error_of(&data, 0).0, "IN_USE");
    assert_eq!(data["results"][0]["error"]["details"]["reasons"][0]["slug"], "page");
    assert_eq!(app.new_events().await, ["prompt.published"]);
    assert_eq!(details(&owner, "snippet").await["labels"], json!({ "production": 1 }));
    assert_eq!(details(&owner, "free").await["labels"], json!({ "production": 2 }));
    assert_eq!(delivered(&owner, "page").await, "S");
    check_revisions(&app).await;
});

both!(into_the_bin_and_out_of_it, |app| async move {
    let owner = app.owner().await;
    text(&owner, "snippet", "S").await;
    text(&owner, "page", "{% include \"snippet\" %}").await;
    text(&owner, "fetched", "x").await;
    text(&owner, "plain", "x").await;
    delivered(&app.key(&[Scope::Deliver]).await, "fetched").await;
    app.new_events().await;
    let remove = |names: Value| json!({ "action": "delete", "prompts": names });
    let data = bulk(&owner, remove(json!(["snippet", "plain"]))).await;
    assert_eq!(statuses(&data), ["failed", "done"]);
    assert!(error_of(&data, 0).1.contains("included by page"), "{data}");
    // Together with what includes it it may go.
    let data = bulk(&owner, remove(json!(["snippet", "fetched", "page", "plain"]))).await;
    assert_eq!(statuses(&data), ["done", "failed", "done", "unchanged"], "{data}");
    assert_eq!(error_of(&data, 1).0, "IN_USE");
    assert_eq!(app.new_events().await, ["prompt.deleted"; 3]);
    let data = bulk(&owner, json!({ "action": "delete", "prompts": ["fetched"], "force": true })).await;
    assert_eq!(counts(&data), (1, 0, 0));
    let data = bulk(&owner, json!({ "action": "tag", "prompts": ["plain"], "tags": ["t"] })).await;
    assert!(error_of(&data, 0).1.contains("in the bin"));

    let all = json!(["snippet", "page", "fetched", "plain", "plain"]);
    let restore = json!({ "action": "restore", "prompts": all });
    assert_eq!(counts(&bulk(&owner, restore.clone()).await), (4, 1, 0));
    assert_eq!(counts(&bulk(&owner, restore).await), (0, 5, 0));
    assert_eq!(delivered(&owner, "page").await, "S");
    let purge = json!({ "action": "purge", "prompts": ["plain", "page"] });
    let unchanged = Unchanged::since(&app).await;
    let data = bulk(&owner, purge.clone()).await;
    assert_eq!((counts(&data), error_of(&data, 0).0), ((0, 0, 2), "CONFLICT"));
    unchanged.check().await;
    bulk(&owner, remove(json!(["plain"]))).await;
    app.new_events().await;
    assert_eq!(statuses(&bulk(&owner, purge).await), ["done", "failed"]);
    assert_eq!(app.new_events().await, ["prompt.purged"]);
    owner.get("/prompts/plain/details").await.error(404, "NOT_FOUND");
    check_revisions(&app).await;
});

both!(copies, |app| async move {
    let owner = app.owner().await;
    text(&owner, "snippet", "S").await;
    put(&owner, "snippet", json!({ "tags": ["t"], "title": "Snippet" })).await;
    text(&owner, "page", "{% include \"snippet\" %}").await;
    app.new_events().await;
    let data = bulk(&owner, json!({ "action": "duplicate", "prompts": ["snippet", "page"] })).await;
    assert_eq!(counts(&data), (2, 0, 0), "{data}");
    let slugs: Vec<&str> = (0..2).filter_map(|n| data["results"][n]["copy"]["slug"].as_str()).collect();
    assert_eq!(slugs, ["copy-of-snippet", "copy-of-page"]);
    let copy = details(&owner, slugs[0]).await;
    assert_eq!(
        (&copy["tags"], &copy["live"], &copy["title"]),
        (&json!(["t"]), &Value::Null, &json!("Copy of Snippet"))
    );
    assert_eq!(app.new_events().await, ["prompt.created", "prompt.created"]);
    check_revisions(&app).await;
});

both!(one_bad_name_among_a_thousand, |app| async move {
    let owner = app.owner().await;
    queries::plant_prompts(app.db(), app.workspace(), app.clock(), 999).await.expect("prompts");
    let mut names: Vec<String> = (0..999).map(|n| format!("planted-{n}")).collect();
    names.insert(500, "no-such-prompt".to_owned());
    app.new_events().await;
    let body = json!({ "action": "tag", "prompts": names, "tags": ["many"] });
    let data = bulk(&owner, body.clone()).await;
    assert_eq!(counts(&data), (999, 0, 1));
    assert_eq!(
        (&data["results"][500]["status"], &data["results"][500]["prompt"]),
        (&json!("failed"), &json!("no-such-prompt"))
    );
    assert_eq!(data["results"][999]["prompt"], "planted-998");
    assert_eq!(app.new_events().await.len(), 999);
    assert_eq!(counts(&bulk(&owner, body).await), (0, 999, 1));
    assert_eq!(owner.get("/prompts?tag=many&limit=1").await.ok().json["meta"]["total"], 999);
    let data = bulk(&owner, json!({ "action": "delete", "prompts": names })).await;
    assert_eq!(counts(&data), (999, 0, 1));
    let data = bulk(&owner, json!({ "action": "restore", "prompts": names, "all_or_nothing": true })).await;
    assert_eq!((counts(&data), &data["rolled_back"]), ((0, 0, 1000), &json!(true)));
    // With a key it is done once, though it is many transactions.
    let key = || {
        let body = json!({ "action": "untag", "prompts": names, "tags": ["many"] });
        let request = owner.request("POST", "/prompts/bulk").header("idempotency-key", "k");
        request.json(body).send()
    };
    bulk(&owner, json!({ "action": "restore", "prompts": names })).await;
    let first = key().await.ok();
    assert_eq!(counts(first.data()), (999, 0, 1));
    assert_eq!(key().await.ok().text, first.text);
    bulk(&owner, json!({ "action": "delete", "prompts": names })).await;
    names.retain(|name| name.starts_with("planted"));
    let data = bulk(&owner, json!({ "action": "restore", "prompts": names, "all_or_nothing": true })).await;
    assert_eq!((counts(&data), &data["rolled_back"]), ((999, 0, 0), &json!(false)));
    check_revisions(&app).await;
});

both!(all_or_nothing, |app| async move {
    let owner = app.owner().await;
    for slug in ["a", "b", "c"] {
        text(&owner, slug, "x").await;
    }
    owner.post("/prompts/c/archive", json!({})).await.ok();
    let ask =
        |names: Value| json!({ "action": "tag", "prompts": names, "tags": ["t"], "all_or_nothing": true });
    for names in [json!(["a", "b", "c"]), json!(["a", "nowhere", "b"])] {
        let unchanged = Unchanged::since(&app).await;
        let data = bulk(&owner, ask(names)).await;
        assert_eq!((counts(&data), &data["rolled_back"]), ((0, 0, 3), &json!(true)), "{data}");
        assert!(error_of(&data, 0).1.contains("all or nothing"), "{data}");
        unchanged.check().await;
    }
    let data = bulk(&owner, ask(json!(["a", "b"]))).await;
    assert_eq!((counts(&data), &data["rolled_back"]), ((2, 0, 0), &json!(false)));
    // The order they are named in does not matter to what depends on each other.
    text(&owner, "snippet", "S").await;
    text(&owner, "page", "{% include \"snippet\" %}").await;
    let data =
        bulk(&owner, json!({ "action": "delete", "prompts": ["snippet", "page"], "all_or_nothing": true }))
            .await;
    assert_eq!(counts(&data), (2, 0, 0));
    check_revisions(&app).await;
});

both!(who_may_do_what_to_many, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "x").await;
    owner.put("/labels/production", json!({ "protected": true })).await.ok();
    let unchanged = Unchanged::since(&app).await;
    let asks = [
        json!({ "action": "tag", "prompts": ["a"], "tags": ["t"] }),
        json!({ "action": "archive", "prompts": ["a"] }),
        json!({ "action": "duplicate", "prompts": ["a"] }),
        json!({ "action": "label", "prompts": ["a"], "label": "staging", "version": 1 }),
        json!({ "action": "unlabel", "prompts": ["a"], "label": "production" }),
        json!({ "action": "delete", "prompts": ["a"] }),
        json!({ "action": "restore", "prompts": ["a"] }),
        json!({ "action": "purge", "prompts": ["a"] }),
    ];
    let viewer = app.member(Role::Viewer).await;
    let editor = app.member(Role::Editor).await;
    let writer = app.key(&[Scope::Write]).await;
    for ask in &asks {
        viewer.post("/prompts/bulk", ask.clone()).await.error(403, "FORBIDDEN");
        app.publishable_key(&["https://shop.example"])
            .await
            .post("/prompts/bulk", ask.clone())
            .await
            .status(403);
    }
    for ask in &asks[5..] {
        editor.post("/prompts/bulk", ask.clone()).await.error(403, "FORBIDDEN");
    }
    for ask in &asks[3..] {
        writer.post("/prompts/bulk", ask.clone()).await.error(403, "FORBIDDEN");
    }
    editor.post("/prompts/bulk", asks[4].clone()).await.error(403, "PUBLISH_BLOCKED").says("protected");
    let confined =
        KeyFixture { scopes: vec![Scope::Publish], labels: vec!["staging"], ..KeyFixture::default() };
    let confined = app.key_with(confined).await;
    confined.post("/prompts/bulk", asks[4].clone()).await.error(403, "PUBLISH_BLOCKED");
    owner
        .post("/prompts/bulk", json!({ "action": "label", "prompts": ["a"], "label": "none", "version": 1 }))
        .await
        .error(404, "NOT_FOUND")
        .says("label");
    unchanged.check().await;
    let moved = confined.post("/prompts/bulk", asks[3].clone()).await.ok();
    assert_eq!(counts(moved.data()), (1, 0, 0));
    // What belongs to others is not there.
    let canary = app.canary().prompt;
    let data =
        bulk(&owner, json!({ "action": "delete", "prompts": [canary, "canary-prompt"], "force": true }))
            .await;
    assert_eq!(statuses(&data), ["failed", "failed"]);
    assert_eq!(error_of(&data, 0).0, "NOT_FOUND");
    app.stranger().get("/prompts/canary-prompt").await.ok();
});

both!(what_a_bulk_request_must_say, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "x").await;
    let unchanged = Unchanged::since(&app).await;
    let ask = |body: Value| owner.request("POST", "/prompts/bulk").json(body).send();
    let wrong = |answer: Answer, fields: &[&str]| drop(answer.wrong_fields(fields));
    wrong(ask(json!({})).await, &["action", "prompts"]);
    wrong(ask(json!({ "action": "explode", "prompts": ["a"] })).await, &["action"]);
    wrong(ask(json!({ "action": "tag", "prompts": [] })).await, &["prompts"]);
    wrong(ask(json!({ "action": "tag", "prompts": ["a"] })).await, &["tags"]);
    wrong(ask(json!({ "action": "tag", "prompts": ["a"], "tags": [" "] })).await, &["tags[0]"]);
    wrong(
        ask(json!({ "action": "archive", "prompts": ["a"], "tags": ["t"], "force": true })).await,
        &["tags", "force"],
    );
    wrong(ask(json!({ "action": "set_category", "prompts": ["a"] })).await, &["category"]);
    wrong(ask(json!({ "action": "label", "prompts": ["a"] })).await, &["label", "version"]);
    for version in [json!("newest"), json!(0), json!(-1)] {
        let body = json!({ "action": "label", "prompts": ["a"], "label": "staging", "version": version });
        wrong(ask(body).await, &["version"]);
    }
    let body = json!({ "action": "label", "prompts": ["a"], "label": "latest", "version": 1 });
    wrong(ask(body).await, &["label"]);
    wrong(
        ask(json!({ "action": "archive", "prompts": ["a", "", "x".repeat(201)] })).await,
        &["prompts[1]", "prompts[2]"],
    );
    wrong(ask(json!({ "action": "archive", "prompts": vec!["a"; 1001] })).await, &["prompts"]);
    wrong(ask(json!({ "action": "archive", "prompts": ["a"], "extra": 1 })).await, &["extra"]);
    ask(json!({ "action": "archive", "prompts": ["a\u{0}"] })).await.status(422);
    unchanged.check().await;
});
