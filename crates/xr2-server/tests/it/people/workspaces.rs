//! Making and changing workspaces.

use serde_json::json;
use xr2_server::auth::{Role, Scope};
use xr2_testkit::both;

use super::{registered, slugs};

both!(whoever_makes_a_workspace_owns_it, |app| async move {
    let ann = registered(&app, "ann@example.com", "Ann").await;
    for root in ["workspaces", "organizations"] {
        let body = json!({ "name": format!(" Shop in {root} ") });
        let made = ann.post(&format!("/{root}"), body).await.created();
        assert_eq!(made.data()["name"], format!("Shop in {root}"));
        assert_eq!(made.data()["slug"], format!("shop-in-{root}"));
        assert_eq!((&made.data()["role"], &made.data()["personal"]), (&json!("owner"), &json!(false)));
        assert_eq!(made.data()["settings"], json!({ "require_change_comment": false }));
        let all = json!(["deliver", "read", "write", "publish", "delete", "keys", "members", "admin", "own"]);
        assert_eq!(made.data()["rights"], all);
        assert_eq!(app.new_events().await, ["workspace.created", "member.added"]);
    }
    let listed = ann.get("/workspaces").await.ok();
    assert_eq!(slugs(listed.data()), ["ann", "shop-in-workspaces", "shop-in-organizations"]);
    let there = ann.clone().with_header("x-workspace", "shop-in-workspaces");
    there.post("/prompts", json!({ "title": "Hello", "content": "Hello" })).await.created();
    let labels = there.get("/labels").await.ok();
    assert!(labels.text.contains("production") && labels.text.contains("staging"));
    let again = ann.post("/workspaces", json!({ "name": "Shop in workspaces" })).await.created();
    assert_eq!(again.data()["slug"], "shop-in-workspaces-2");
});

both!(a_slug_can_be_chosen, |app| async move {
    let ann = registered(&app, "ann@example.com", "Ann").await;
    let made = ann.post("/workspaces", json!({ "name": "店", "slug": "the-shop-2" })).await.created();
    assert_eq!(made.data()["slug"], "the-shop-2");
    app.new_events().await;
    for taken in ["the-shop-2", "acme"] {
        let answer = ann.post("/workspaces", json!({ "name": "Other", "slug": taken })).await;
        assert_eq!(answer.error(409, "CONFLICT").details()["errors"][0]["code"], "taken");
    }
    let id = "0190b9d2-1111-7000-8000-000000000000";
    for slug in ["Shop", "a--b", "-a", "a-", "", "a b", "a/b", id, &"a".repeat(51)] {
        let answer = ann.post("/workspaces", json!({ "name": "Other", "slug": slug })).await;
        answer.wrong_fields(&["slug"]);
    }
    ann.post("/workspaces", json!({ "name": "  ", "nmae": "x" })).await.wrong_fields(&["name", "nmae"]);
    ann.post("/workspaces", json!({ "name": " " })).await.wrong_fields(&["name"]);
    assert!(app.new_events().await.is_empty());
    assert_eq!(slugs(ann.get("/workspaces").await.ok().data()).len(), 2);
});

both!(a_workspace_is_renamed_and_its_rules_change, |app| async move {
    let (admin, viewer) = (app.member(Role::Admin).await, app.member(Role::Viewer).await);
    let key = app.key(&[Scope::Deliver]).await;
    admin.post("/prompts", json!({ "title": "Hello", "slug": "hello", "content": "Hello" })).await.created();
    key.get("/prompts/hello").await.ok();
    app.new_events().await;
    let body =
        json!({ "name": "Acme Ltd", "slug": "acme-ltd", "settings": { "require_change_comment": true } });
    let changed = admin.put("/workspaces/acme", body.clone()).await.ok();
    assert_eq!(changed.data()["name"], "Acme Ltd");
    assert_eq!(changed.data()["role"], "admin");
    assert_eq!(changed.data()["settings"]["require_change_comment"], true);
    assert_eq!(app.new_events().await, ["workspace.updated"]);
    let row = app.event_rows().await.pop().unwrap();
    let facts = |name, slug, required| json!({ "name": name, "slug": slug, "settings": { "require_change_comment": required } });
    assert_eq!(row.before, Some(facts("Acme", "acme", false)));
    assert_eq!(row.after, Some(facts("Acme Ltd", "acme-ltd", true)));

    viewer.get("/workspaces/acme").await.error(404, "NOT_FOUND");
    assert_eq!(viewer.get("/organizations/acme-ltd").await.ok().data()["name"], "Acme Ltd");
    // The key knows its workspace's new name at once.
    key.clone().with_header("x-workspace", "acme-ltd").get("/prompts/hello").await.ok();
    key.clone()
        .with_header("x-workspace", "acme")
        .get("/prompts/hello")
        .await
        .error(400, "WORKSPACE_CONFLICT");
    let move_label = json!({ "version": 1 });
    admin.put("/prompts/hello/labels/staging", move_label).await.error(403, "PUBLISH_BLOCKED");

    admin.put("/workspaces/acme-ltd", body).await.ok();
    admin.put("/workspaces/acme-ltd", json!({})).await.ok();
    assert!(app.new_events().await.is_empty(), "what is the same is no change");
    let less =
        admin.put("/workspaces/acme-ltd", json!({ "settings": { "require_change_comment": false } })).await;
    assert_eq!(less.ok().data()["name"], "Acme Ltd");
    admin.put("/prompts/hello/labels/staging", json!({ "version": 1 })).await.ok();
});

both!(a_workspace_keeps_its_own_when_a_change_is_wrong, |app| async move {
    let owner = app.owner().await;
    owner
        .put("/workspaces/acme", json!({ "name": "\u{7}", "slug": app.workspace() }))
        .await
        .wrong_fields(&["name", "slug"]);
    owner
        .put("/workspaces/acme", json!({ "settings": { "colour": 1 } }))
        .await
        .wrong_fields(&["settings.colour"]);
    owner.put("/workspaces/acme", json!({ "plan": "enterprise" })).await.wrong_fields(&["plan"]);
    let mine = owner.post("/workspaces", json!({ "name": "Mine" })).await.created();
    app.new_events().await;
    let there = owner.clone().with_header("x-workspace", "mine");
    there
        .put("/workspaces/mine", json!({ "slug": "acme" }))
        .await
        .error(409, "CONFLICT")
        .says("Choose another");
    assert!(app.new_events().await.is_empty());
    assert_eq!(there.get("/workspaces/mine").await.ok().data(), mine.data());
});
