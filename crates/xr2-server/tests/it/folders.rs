//! Folders: the tree, and prompts in it.

use serde_json::{Value, json};
use xr2_server::auth::{Role, Scope};
use xr2_testkit::{Answer, Client, both};

use crate::support::{
    Unchanged, check_revisions, complaints, details, events, last_event, made, put, stored, text,
};

async fn folder(client: &Client, name: &str, parent: Option<&str>) -> String {
    let body = json!({ "name": name, "parent_folder_id": parent });
    client.post("/folders", body).await.created().text_of("id")
}

/// `path/of/folder: prompts` of all folders.
async fn tree(client: &Client) -> Vec<String> {
    let list = client.get("/folders").await.ok().data().clone();
    list.as_array().unwrap().iter().map(line).collect()
}

fn line(folder: &Value) -> String {
    let path: Vec<&str> =
        folder["path"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    format!("{}: {}", path.join("/"), folder["prompts"])
}

fn complains(answer: &Answer, field: &str, code: &str) {
    assert_eq!(complaints(answer), [(field.to_owned(), code.to_owned())], "{}", answer.text);
}

both!(a_tree_is_made_and_changed, |app| async move {
    let owner = app.owner().await;
    app.new_events().await;
    let support = owner.post("/folders", json!({ "name": " Support " })).await.created().data().clone();
    assert_eq!(
        (&support["name"], &support["parent_folder_id"], &support["path"], &support["prompts"]),
        (&json!("Support"), &json!(null), &json!(["Support"]), &json!(0))
    );
    assert!(support["created_at"].as_str().unwrap().ends_with('Z'));
    let id = support["id"].as_str().unwrap();
    let refunds = folder(&owner, "Refunds", Some(id)).await;
    let deep = folder(&owner, "Old", Some(&refunds)).await;
    folder(&owner, "aside", None).await;
    assert_eq!(app.new_events().await, ["folder.created"; 4]);
    assert_eq!(
        tree(&owner).await,
        ["aside: 0", "Support: 0", "Support/Refunds: 0", "Support/Refunds/Old: 0"]
    );
    assert_eq!(
        owner.get(&format!("/folders/{deep}")).await.ok().data()["path"],
        json!(["Support", "Refunds", "Old"])
    );

    let moved = owner
        .put(&format!("/folders/{refunds}"), json!({ "name": "Returns", "parent_folder_id": null }))
        .await
        .ok();
    assert_eq!(
        (&moved.data()["path"], &moved.data()["parent_folder_id"]),
        (&json!(["Returns"]), &json!(null))
    );
    let event = last_event(&app).await;
    assert_eq!((event.kind.as_str(), event.revision), ("folder.updated", None));
    assert_eq!(event.before.unwrap()["path"], json!(["Support", "Refunds"]));
    assert_eq!(event.after.unwrap()["path"], json!(["Returns"]));
    assert_eq!(tree(&owner).await, ["aside: 0", "Returns: 0", "Returns/Old: 0", "Support: 0"]);
    // Nothing asked for is nothing done; an absent parent stays.
    app.new_events().await;
    owner.put(&format!("/folders/{deep}"), json!({})).await.ok();
    owner.put(&format!("/folders/{deep}"), json!({ "name": "Old" })).await.ok();
    assert!(app.new_events().await.is_empty());
    let renamed = owner.put(&format!("/folders/{deep}"), json!({ "name": "OLD" })).await.ok();
    assert_eq!(renamed.data()["path"], json!(["Returns", "OLD"]), "one may change one's own case");
});

both!(names_are_unique_beside_each_other, |app| async move {
    let owner = app.owner().await;
    let a = folder(&owner, "Größe", None).await;
    let b = folder(&owner, "B", None).await;
    let inner = folder(&owner, "Größe", Some(&a)).await;
    folder(&owner, "GRÖSSE", None).await;
    let unchanged = Unchanged::since(&app).await;
    let answer =
        owner.post("/folders", json!({ "name": "GRÖßE" })).await.error(409, "CONFLICT").says("already");
    complains(&answer, "name", "taken");
    owner.put(&format!("/folders/{b}"), json!({ "name": "größe" })).await.error(409, "CONFLICT");
    owner.put(&format!("/folders/{inner}"), json!({ "parent_folder_id": null })).await.error(409, "CONFLICT");
    let wrong: [(Value, &[&str]); 6] = [
        (json!({}), &["name"]),
        (json!({ "name": "" }), &["name"]),
        (json!({ "name": "  " }), &["name"]),
        (json!({ "name": "a\nb" }), &["name"]),
        (json!({ "name": "x".repeat(101), "color": "red" }), &["name", "color"]),
        (json!({ "name": "x", "parent_folder_id": "nowhere" }), &["parent_folder_id"]),
    ];
    for (body, fields) in wrong {
        owner.post("/folders", body).await.wrong_fields(fields);
    }
    let nowhere = json!({ "name": "x", "parent_folder_id": xr2_testkit::CANARY_ID });
    complains(&owner.post("/folders", nowhere.clone()).await, "parent_folder_id", "not_found");
    complains(&owner.put(&format!("/folders/{b}"), nowhere).await, "parent_folder_id", "not_found");
    for id in ["x", "0190b5a4-7b1c-7e52-b7a5-2f6f2e1c9d10"] {
        owner.get(&format!("/folders/{id}")).await.error(404, "NOT_FOUND").says("folder not found");
        owner.put(&format!("/folders/{id}"), json!({ "name": "x" })).await.error(404, "NOT_FOUND");
        owner.delete(&format!("/folders/{id}")).await.error(404, "NOT_FOUND");
    }
    owner.delete(&format!("/folders/{b}?recursive=maybe")).await.wrong_fields(&["recursive"]);
    unchanged.check().await;
});

both!(no_folder_stands_in_itself, |app| async move {
    let owner = app.owner().await;
    let a = folder(&owner, "a", None).await;
    let b = folder(&owner, "b", Some(&a)).await;
    let c = folder(&owner, "c", Some(&b)).await;
    let unchanged = Unchanged::since(&app).await;
    for into in [&a, &b, &c] {
        let answer = owner.put(&format!("/folders/{a}"), json!({ "parent_folder_id": into })).await;
        complains(&answer.error(422, "VALIDATION_ERROR"), "parent_folder_id", "invalid");
    }
    unchanged.check().await;
});

both!(ten_levels_and_no_more, |app| async move {
    let owner = app.owner().await;
    let mut ids: Vec<String> = Vec::new();
    for level in 1..=10 {
        let parent = ids.last().cloned();
        ids.push(folder(&owner, &format!("level {level}"), parent.as_deref()).await);
    }
    let two = folder(&owner, "two", None).await;
    folder(&owner, "below two", Some(&two)).await;
    let unchanged = Unchanged::since(&app).await;
    let answer = owner.post("/folders", json!({ "name": "too deep", "parent_folder_id": ids[9] })).await;
    complains(&answer, "parent_folder_id", "too_deep");
    let answer = owner.put(&format!("/folders/{two}"), json!({ "parent_folder_id": ids[8] })).await;
    complains(&answer, "parent_folder_id", "too_deep");
    unchanged.check().await;
    owner.put(&format!("/folders/{two}"), json!({ "parent_folder_id": ids[7] })).await.ok();
});

both!(two_moves_at_once_close_no_circle, |app| async move {
    let owner = app.owner().await;
    for round in 0..5 {
        let a = folder(&owner, &format!("a{round}"), None).await;
        let b = folder(&owner, &format!("b{round}"), None).await;
        let (a_path, b_path) = (format!("/folders/{a}"), format!("/folders/{b}"));
        let (one, other) = tokio::join!(
            owner.put(&a_path, json!({ "parent_folder_id": b })),
            owner.put(&b_path, json!({ "parent_folder_id": a })),
        );
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "{} {}", one.text, other.text);
    }
    assert_eq!(tree(&owner).await.len(), 10);
});

both!(one_name_for_eight_at_once, |app| async move {
    let owner = app.owner().await;
    let tries = (0..8).map(|_| {
        let owner = owner.clone();
        async move { owner.post("/folders", json!({ "name": "Same" })).await.status }
    });
    let mut statuses = futures::future::join_all(tries).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
});

both!(prompts_stand_in_several, |app| async move {
    let owner = app.owner().await;
    let a = folder(&owner, "a", None).await;
    let b = folder(&owner, "b", Some(&a)).await;
    let mut both = vec![a.clone(), b.clone()];
    both.sort();
    let body = json!({ "title": "P", "slug": "p", "content": "x", "folder_ids": [b, a, b] });
    assert_eq!(made(&owner, body).await["folder_ids"], json!(both));
    text(&owner, "q", "x").await;
    assert_eq!(details(&owner, "p").await["folder_ids"], json!(both));
    assert_eq!(tree(&owner).await, ["a: 1", "a/b: 1"]);

    app.new_events().await;
    let revision = app.revision().await;
    let saved = put(&owner, "p", json!({ "folder_ids": [a] })).await;
    assert_eq!((&saved["folder_ids"], &saved["version"]), (&json!([a]), &json!(null)));
    assert_eq!(app.new_events().await, ["prompt.edited"]);
    let event = last_event(&app).await;
    assert_eq!(event.before.unwrap()["folder_ids"], json!(both));
    assert_eq!((&event.after.unwrap()["folder_ids"], event.revision), (&json!([a]), Some(revision + 1)));
    // The same again is no change; other changes leave folders alone.
    put(&owner, "p", json!({ "folder_ids": [a, a] })).await;
    assert!(app.new_events().await.is_empty());
    assert_eq!(put(&owner, "p", json!({ "title": "Other" })).await["folder_ids"], json!([a]));
    assert!(last_event(&app).await.after.unwrap().get("folder_ids").is_none());
    assert_eq!(owner.get("/prompts?search=other").await.ok().data()[0]["folder_ids"], json!([a]));

    // A copy stands where the original does; in the bin nothing counts.
    assert_eq!(
        owner.post("/prompts/p/duplicate", json!({})).await.created().data()["folder_ids"],
        json!([a])
    );
    assert_eq!(tree(&owner).await, ["a: 2", "a/b: 0"]);
    owner.delete("/prompts/p").await.ok();
    assert_eq!(tree(&owner).await, ["a: 1", "a/b: 0"]);
    assert_eq!(owner.post("/prompts/p/undelete", json!({})).await.ok().data()["folder_ids"], json!([a]));
    assert_eq!(put(&owner, "p", json!({ "folder_ids": [] })).await["folder_ids"], json!([]));
    check_revisions(&app).await;
});

both!(folders_that_are_not_there, |app| async move {
    let owner = app.owner().await;
    let a = folder(&owner, "a", None).await;
    text(&owner, "p", "x").await;
    let unchanged = Unchanged::since(&app).await;
    for wrong in [app.canary().folder.to_string(), "0190b5a4-7b1c-7e52-b7a5-2f6f2e1c9d10".to_owned()] {
        let body = json!({ "title": "", "content": "x", "folder_ids": [a, wrong] });
        owner.post("/prompts", body).await.wrong_fields(&["title"]);
        let body = json!({ "title": "T", "slug": "-", "content": "x", "folder_ids": [a, wrong] });
        owner.post("/prompts", body).await.wrong_fields(&["folder_ids[1]", "slug"]);
        let body = json!({ "slug": "-", "folder_ids": [wrong, a] });
        owner.put("/prompts/p", body).await.wrong_fields(&["folder_ids[0]", "slug"]);
    }
    let many: Vec<String> = (0..51).map(|_| a.clone()).collect();
    complains(&owner.put("/prompts/p", json!({ "folder_ids": many })).await, "folder_ids", "too_long");
    unchanged.check().await;
});

both!(a_deleted_folder_takes_no_prompt_along, |app| async move {
    let owner = app.owner().await;
    let top = folder(&owner, "top", None).await;
    let middle = folder(&owner, "middle", Some(&top)).await;
    let low = folder(&owner, "low", Some(&middle)).await;
    for (slug, stands_in) in [("p", vec![&middle, &low]), ("q", vec![&middle])] {
        made(&owner, json!({ "title": slug, "content": "x", "folder_ids": stands_in })).await;
    }
    app.new_events().await;
    let revision = app.revision().await;
    let gone = owner.delete(&format!("/folders/{middle}")).await.ok();
    assert_eq!(gone.data(), &json!({ "folders": 1, "prompts": 2 }));
    assert_eq!(app.new_events().await, ["folder.deleted"]);
    assert_eq!(last_event(&app).await.before.unwrap()["path"], json!(["top", "middle"]));
    assert_eq!(app.revision().await, revision);
    assert_eq!(tree(&owner).await, ["top: 0", "top/low: 1"]);
    assert_eq!(details(&owner, "p").await["folder_ids"], json!([low]));
    assert_eq!(details(&owner, "q").await["folder_ids"], json!([]));

    let gone = owner.delete(&format!("/folders/{top}?recursive=true")).await.ok();
    assert_eq!(gone.data(), &json!({ "folders": 2, "prompts": 1 }));
    assert!(tree(&owner).await.is_empty());
    assert_eq!(details(&owner, "p").await["folder_ids"], json!([]));
    owner.delete(&format!("/folders/{top}")).await.error(404, "NOT_FOUND");
});

both!(subfolders_find_a_place_or_nothing_happens, |app| async move {
    let owner = app.owner().await;
    let a = folder(&owner, "a", None).await;
    folder(&owner, "B", Some(&a)).await;
    folder(&owner, "b", None).await;
    made(&owner, json!({ "title": "p", "content": "x", "folder_ids": [a] })).await;
    let unchanged = Unchanged::since(&app).await;
    owner.delete(&format!("/folders/{a}")).await.error(409, "CONFLICT").says("\"B\"");
    unchanged.check().await;
    // The name of what goes is free.
    let same = folder(&owner, "A", Some(&a)).await;
    owner.put(&format!("/folders/{same}"), json!({})).await.ok();
    let list = owner.get("/folders").await.ok().data().clone();
    let inner = list.as_array().unwrap().iter().find(|folder| folder["name"] == "B").unwrap()["id"].clone();
    owner.delete(&format!("/folders/{}", inner.as_str().unwrap())).await.ok();
    owner.delete(&format!("/folders/{a}")).await.ok();
    assert_eq!(tree(&owner).await, ["A: 0", "b: 0"]);
});

both!(deleting_while_prompts_are_put_in, |app| async move {
    let owner = app.owner().await;
    text(&owner, "p", "x").await;
    for round in 0..6 {
        let a = folder(&owner, &format!("a{round}"), None).await;
        let b = folder(&owner, &format!("b{round}"), Some(&a)).await;
        let path = format!("/folders/{a}?recursive=true");
        let (deleted, put) =
            tokio::join!(owner.delete(&path), owner.put("/prompts/p", json!({ "folder_ids": [b, a] })));
        deleted.ok();
        assert!(matches!(put.status, 200 | 422), "{}", put.text);
        assert_eq!(details(&owner, "p").await["folder_ids"], json!([]));
    }
    check_revisions(&app).await;
});

both!(folders_of_another_workspace_do_not_exist, |app| async move {
    let owner = app.owner().await;
    let mine = folder(&owner, "mine", None).await;
    assert_eq!(tree(&owner).await, ["mine: 0"]);
    let theirs = app.canary().folder;
    let unchanged = Unchanged::since(&app).await;
    let path = format!("/folders/{theirs}");
    for client in [&owner, &app.key(&[Scope::Admin]).await] {
        client.get(&path).await.error(404, "NOT_FOUND");
        client.put(&path, json!({ "name": "mine now" })).await.error(404, "NOT_FOUND");
        client
            .put(&format!("/folders/{mine}"), json!({ "parent_folder_id": theirs }))
            .await
            .error(422, "VALIDATION_ERROR");
        client.delete(&path).await.error(404, "NOT_FOUND");
    }
    unchanged.check().await;
    assert_eq!(events(&app).await.iter().filter(|event| event.kind == "folder.created").count(), 1);
    // A reader looks and changes nothing.
    let viewer = app.member(Role::Viewer).await;
    assert_eq!(tree(&viewer).await, ["mine: 0"]);
    viewer.post("/folders", json!({ "name": "x" })).await.error(403, "FORBIDDEN");
    viewer.delete(&format!("/folders/{mine}")).await.error(403, "FORBIDDEN");
    assert!(stored(&app).await.iter().any(|line| line.starts_with("folder mine")));
});
