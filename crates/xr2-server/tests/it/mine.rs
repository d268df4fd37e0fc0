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
