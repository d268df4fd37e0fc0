//! Saved views.

use serde_json::{Value, json};
use xr2_server::auth::{Role, Scope};
use xr2_testkit::{Client, both};

use crate::support::{Unchanged, last_event};

async fn save(client: &Client, name: &str, shared: bool) -> String {
    let body = json!({ "name": name, "query": { "tag": ["a", "b"], "sort": "title" }, "shared": shared });
    client.post("/views", body).await.created().text_of("id")
}

async fn names(client: &Client) -> Vec<String> {
    let list = client.get("/views").await.ok().data().clone();
    list.as_array().unwrap().iter().map(|view| view["name"].as_str().unwrap().to_owned()).collect()
}

both!(views_are_saved_changed_and_deleted, |app| async move {
    let owner = app.owner().await;
    app.new_events().await;
    let body = json!({ "name": " Mine ", "query": { "search": "refund", "tag": "support", "archived": true, "unused_days": 30 } });
    let made = owner.post("/views", body).await.created().data().clone();
    assert_eq!(
        (&made["name"], &made["shared"], &made["can_edit"], &made["created_by"]["id"]),
        (&json!("Mine"), &json!(false), &json!(true), &json!(owner.id))
    );
    assert_eq!(
        made["query"],
        json!({ "search": "refund", "tag": "support", "archived": true, "unused_days": 30 })
    );
    assert!(app.new_events().await.is_empty(), "a private view is nobody's business");
    let id = made["id"].as_str().unwrap();
    let path = format!("/views/{id}");
    save(&owner, "about", true).await;
    assert_eq!(names(&owner).await, ["about", "Mine"]);
    assert_eq!(app.new_events().await, ["view.created"]);

    let changed = owner.put(&path, json!({ "name": "Ours", "shared": true })).await.ok().data().clone();
    assert_eq!(
        (&changed["name"], &changed["shared"], &changed["query"]),
        (&json!("Ours"), &json!(true), &made["query"])
    );
    assert_eq!(app.new_events().await, ["view.updated"]);
    let event = last_event(&app).await;
    assert_eq!(
        (&event.before.unwrap()["name"], &event.after.unwrap()["name"]),
        (&json!("Mine"), &json!("Ours"))
    );
    owner.put(&path, json!({})).await.ok();
    assert!(app.new_events().await.is_empty());
    owner.delete(&path).await.ok();
    assert_eq!(app.new_events().await, ["view.deleted"]);
    owner.delete(&path).await.error(404, "NOT_FOUND");
    assert_eq!(names(&owner).await, ["about"]);
});

both!(whose_views_they_are, |app| async move {
    let owner = app.owner().await;
    let editor = app.member(Role::Editor).await;
    let admin = app.member(Role::Admin).await;
    let viewer = app.member(Role::Viewer).await;
    let private = save(&editor, "private", false).await;
    let shared = save(&editor, "shared", true).await;
    save(&viewer, "viewer's", false).await;
    assert_eq!(names(&editor).await, ["private", "shared"]);
    assert_eq!(names(&owner).await, ["shared"]);
    assert_eq!(names(&viewer).await, ["shared", "viewer's"]);
    let key = app.key(&[Scope::Read]).await;
    assert_eq!(names(&key).await, ["shared"]);
    key.post("/views", json!({ "name": "x", "query": {} }))
        .await
        .error(403, "FORBIDDEN")
        .says("signed-in person");
    viewer.post("/views", json!({ "name": "x", "query": {}, "shared": true })).await.error(403, "FORBIDDEN");

    for client in [&owner, &viewer] {
        client.put(&format!("/views/{private}"), json!({ "name": "x" })).await.error(404, "NOT_FOUND");
        client.delete(&format!("/views/{private}")).await.error(404, "NOT_FOUND");
    }
    let path = format!("/views/{shared}");
    viewer.put(&path, json!({ "name": "x" })).await.error(403, "FORBIDDEN").says("admin");
    viewer.delete(&path).await.error(403, "FORBIDDEN");
    let seen = viewer.get("/views").await.ok().data().clone();
    assert_eq!((&seen[0]["can_edit"], &seen[1]["can_edit"]), (&json!(false), &json!(true)));
    let changed = admin.put(&path, json!({ "name": "better" })).await.ok().data().clone();
    assert_eq!((&changed["name"], &changed["created_by"]["id"]), (&json!("better"), &json!(editor.id)));
    // An admin who ends the sharing gives it back to its maker.
    assert_eq!(admin.put(&path, json!({ "shared": false })).await.ok().data()["can_edit"], json!(false));
    assert_eq!(names(&admin).await, Vec::<String>::new());
    assert_eq!(names(&editor).await, ["better", "private"]);
    // Another workspace's are not there.
    let canary = app.canary().folder;
    owner.put(&format!("/views/{canary}"), json!({ "name": "x" })).await.error(404, "NOT_FOUND");
    owner.delete(&format!("/views/{canary}")).await.error(404, "NOT_FOUND");
    owner.delete("/views/x").await.error(404, "NOT_FOUND");
});

both!(only_what_a_list_takes_is_saved, |app| async move {
    let owner = app.owner().await;
    let id = save(&owner, "mine", false).await;
    let unchanged = Unchanged::since(&app).await;
    let wrong: [(Value, &[&str]); 9] = [
        (json!({}), &["name", "query"]),
        (json!({ "name": "x", "query": { "color": "red", "page": 3 } }), &["query.color", "query.page"]),
        (json!({ "name": "x", "query": [] }), &["query"]),
        (json!({ "name": "x", "query": "search=a" }), &["query"]),
        (
            json!({ "name": "x", "query": { "sort": "size", "archived": "maybe" } }),
            &["query.archived", "query.sort"],
        ),
        (json!({ "name": "x", "query": { "unused_days": 0 } }), &["query.unused_days"]),
        (
            json!({ "name": "x", "query": { "tag": { "a": 1 }, "search": ["a", ["b"]], "category": null } }),
            &["query.category", "query.search", "query.tag"],
        ),
        (json!({ "name": "x", "query": { "search": "x".repeat(5000) } }), &["query"]),
        (json!({ "name": "x".repeat(101), "query": {}, "owner": "me" }), &["name", "owner"]),
    ];
    for (body, fields) in wrong {
        let answer = owner.post("/views", body.clone()).await.error(422, "VALIDATION_ERROR");
        let mut found: Vec<String> =
            crate::support::complaints(&answer).into_iter().map(|(field, _)| field).collect();
        found.sort();
        found.dedup();
        assert_eq!(found, fields, "{body}");
    }
    owner.put(&format!("/views/{id}"), json!({ "query": { "x": 1 } })).await.wrong_fields(&["query.x"]);
    unchanged.check().await;
    assert_eq!(names(&owner).await, ["mine"]);
});

both!(a_hundred_views_and_no_more, |app| async move {
    let owner = app.owner().await;
    for n in 0..100 {
        save(&owner, &format!("private {n}"), false).await;
    }
    let body = |shared: bool| json!({ "name": "one more", "query": {}, "shared": shared });
    owner.post("/views", body(false)).await.error(409, "CONFLICT").says("You have 100");
    let shared = owner.post("/views", body(true)).await.created().text_of("id");
    owner.put(&format!("/views/{shared}"), json!({ "shared": false })).await.error(409, "CONFLICT");
    app.member(Role::Viewer).await.post("/views", body(false)).await.created();
});
