//! What people keep for themselves: favourites, and what they edited last.

use serde_json::{Value, json};
use xr2_server::auth::{Role, Scope};
use xr2_testkit::{Client, both};

use crate::support::{Unchanged, details, put, text};

async fn set(client: &Client, method: &str, slug: &str) -> Value {
    let path = format!("/prompts/{slug}/favourite");
    client.request(method, &path).send().await.ok().data()["favourite"].clone()
}

both!(favourites_are_ones_own, |app| async move {
    let owner = app.owner().await;
    let viewer = app.member(Role::Viewer).await;
    let made = text(&owner, "a", "x").await;
    text(&owner, "b", "x").await;
    assert_eq!(made["favourite"], json!(false));
    let unchanged = Unchanged::since(&app).await;
    for _ in 0..2 {
        assert_eq!(set(&viewer, "PUT", "a").await, json!(true));
    }
    assert_eq!(details(&viewer, "a").await["favourite"], json!(true));
    assert_eq!(details(&owner, "a").await["favourite"], json!(false));
    let listed = viewer.get("/prompts?sort=slug").await.ok();
    assert_eq!(
        (&listed.data()[0]["favourite"], &listed.data()[1]["favourite"]),
        (&json!(true), &json!(false))
    );
    let key = app.key(&[Scope::Admin]).await;
    assert_eq!(details(&key, "a").await["favourite"], json!(false));
    key.put("/prompts/a/favourite", json!({})).await.error(403, "FORBIDDEN").says("signed-in person");
    viewer.put("/prompts/nothing/favourite", json!({})).await.error(404, "NOT_FOUND");
    viewer.put("/prompts/canary-prompt/favourite", json!({})).await.error(404, "NOT_FOUND");
    unchanged.check().await;
    for _ in 0..2 {
        assert_eq!(set(&viewer, "DELETE", "a").await, json!(false));
    }
    // It stays one through renaming, the archive and the bin.
    set(&owner, "PUT", "a").await;
    assert_eq!(put(&owner, "a", json!({ "slug": "c", "is_active": false })).await["favourite"], json!(true));
    owner.delete("/prompts/c").await.ok();
    owner.put("/prompts/c/favourite", json!({})).await.error(404, "NOT_FOUND");
    assert_eq!(owner.post("/prompts/c/undelete", json!({})).await.ok().data()["favourite"], json!(true));
    owner.delete("/prompts/c").await.ok();
    owner.delete("/prompts/c?permanent=true").await.ok();
});

async fn slugs(client: &Client, query: &str) -> Vec<String> {
    let list = client.get(&format!("/prompts?{query}")).await.ok().data().clone();
    list.as_array().unwrap().iter().map(|prompt| prompt["slug"].as_str().unwrap().to_owned()).collect()
}

both!(lists_of_what_is_ones_own, |app| async move {
    let owner = app.owner().await;
    let editor = app.member(Role::Editor).await;
    for slug in ["a", "b", "c"] {
        text(&owner, slug, "x").await;
        app.clock().advance(chrono::TimeDelta::seconds(1));
    }
    set(&editor, "PUT", "a").await;
    set(&editor, "PUT", "c").await;
    assert_eq!(slugs(&editor, "favourite=true&sort=slug").await, ["a", "c"]);
    assert_eq!(slugs(&editor, "favourite=false&sort=slug").await, ["a", "b", "c"]);
    assert_eq!(slugs(&owner, "favourite=true").await, Vec::<String>::new());
    assert_eq!(slugs(&editor, "recent=true").await, Vec::<String>::new());
    assert_eq!(slugs(&owner, "recent=true").await, ["c", "b", "a"]);
    put(&owner, "a", json!({ "title": "other" })).await;
    app.clock().advance(chrono::TimeDelta::seconds(1));
    put(&editor, "c", json!({ "content": "y" })).await;
    app.clock().advance(chrono::TimeDelta::seconds(1));
    editor.put("/prompts/b/draft", json!({ "content": "z" })).await.ok();
    assert_eq!(slugs(&owner, "recent=true").await, ["a", "c", "b"]);
    assert_eq!(slugs(&editor, "recent=true").await, ["b", "c"]);
    assert_eq!(slugs(&editor, "recent=true&sort=slug&favourite=true").await, ["c"]);
    // Page by page, and not what is done to many at once.
    let first = owner.get("/prompts?recent=true&limit=2").await.ok();
    let cursor = first.json["meta"]["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(slugs(&owner, &format!("limit=2&cursor={cursor}")).await, ["b"]);
    put(&owner, "b", json!({ "tags": ["t"] })).await;
    editor.put("/tags/t", json!({ "name": "u" })).await.ok();
    assert_eq!(slugs(&editor, "recent=true").await, ["b", "c"]);
    owner.delete("/prompts/b").await.ok();
    owner.delete("/prompts/b?permanent=true").await.ok();
    assert_eq!(slugs(&editor, "recent=true").await, ["c"]);
    let key = app.key(&[Scope::Read]).await;
    key.get("/prompts?favourite=true&recent=true").await.wrong_fields(&["favourite", "recent"]);
    owner.get("/prompts?favourite=maybe&folder=x").await.wrong_fields(&["folder", "favourite"]);
});

both!(lists_of_a_folder, |app| async move {
    let owner = app.owner().await;
    let folder = async |name: &str, parent: Option<&str>| {
        let body = json!({ "name": name, "parent_folder_id": parent });
        owner.post("/folders", body).await.created().text_of("id")
    };
    let top = folder("top", None).await;
    let low = folder("low", Some(&top)).await;
    for (slug, folders) in [("a", vec![&top]), ("b", vec![&low]), ("c", vec![&top, &low]), ("d", vec![])] {
        let body = json!({ "title": slug, "content": "needle", "folder_ids": folders, "tags": ["t"] });
        crate::support::made(&owner, body).await;
    }
    for (query, expected) in [
        (format!("folder={top}"), vec!["a", "b", "c"]),
        (format!("folder={top}&subfolders=false"), vec!["a", "c"]),
        (format!("folderId={low}"), vec!["b", "c"]),
        ("folder=none".to_owned(), vec!["d"]),
        (format!("folder={low}&search=needle"), vec!["b", "c"]),
        (format!("folder={top}&subfolders=false&tag=t&archived=all"), vec!["a", "c"]),
    ] {
        let answer = owner.get(&format!("/prompts?sort=slug&{query}")).await.ok();
        assert_eq!(answer.json["meta"]["total"], expected.len(), "{query}");
        assert_eq!(slugs(&owner, &format!("sort=slug&{query}")).await, expected, "{query}");
    }
    for folder in [app.canary().folder.to_string(), "0190b5a4-7b1c-7e52-b7a5-2f6f2e1c9d10".to_owned()] {
        owner.get(&format!("/prompts?folder={folder}")).await.wrong_fields(&["folder"]);
    }
});
