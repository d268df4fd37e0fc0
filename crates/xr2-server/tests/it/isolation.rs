//! Another workspace's prompts do not exist: 404 by slug and by id, whatever is asked.

use serde_json::{Value, json};
use xr2_testkit::{Client, TestApp, both};

use crate::support::{Unchanged, text};

/// Every way to name a prompt in a path.
const PATHS: &[(&str, &str)] = &[
    ("GET", ""),
    ("PUT", ""),
    ("DELETE", ""),
    ("DELETE", "?force=true"),
    ("DELETE", "?permanent=true"),
    ("GET", "/details"),
    ("POST", "/undelete"),
    ("POST", "/duplicate"),
    ("POST", "/archive"),
    ("POST", "/unarchive"),
    ("POST", "/publish"),
    ("GET", "/versions"),
    ("POST", "/versions"),
    ("GET", "/versions/1"),
    ("POST", "/versions/1/restore"),
    ("GET", "/versions/1/diff"),
    ("GET", "/draft"),
    ("PUT", "/draft"),
    ("DELETE", "/draft"),
    ("GET", "/labels"),
    ("PUT", "/labels/production"),
    ("DELETE", "/labels/production"),
    ("GET", "/labels/production/history"),
    ("GET", "/history"),
    ("POST", "/render"),
];

fn body_for(method: &str, path: &str) -> Value {
    match (method, path) {
        ("POST", "/publish") => json!({ "from": 1 }),
        ("POST", "/versions") | ("PUT", "/draft" | "") => json!({ "content": "mine" }),
        ("PUT", _) => json!({ "version": 1 }),
        _ => json!({}),
    }
}

async fn finds_nothing(client: &Client, name: &str) {
    for (method, path) in PATHS {
        let request = client.request(method, &format!("/prompts/{name}{path}")).json(body_for(method, path));
        request.send().await.error(404, "NOT_FOUND").says("not found");
    }
}

both!(by_slug_and_by_id, |app| async move {
    let owner = app.owner().await;
    text(&owner, "mine", "x").await;
    let canary = app.canary();
    let unchanged = Unchanged::since(&app).await;
    let planted = crate::queries::everything(app.db(), xr2_testkit::CANARY_ID).await.unwrap();
    for name in [
        canary.prompt.to_string(),
        "canary-prompt".to_owned(),
        canary.version.to_string(),
        canary.key.to_string(),
    ] {
        finds_nothing(&owner, &name).await;
    }
    // Ids of theirs within a prompt of ours.
    let version = canary.version;
    for path in [
        format!("versions/{version}"),
        format!("versions/{version}/diff"),
        format!("versions/1/diff?against={version}"),
    ] {
        owner.get(&format!("/prompts/mine/{path}")).await.error(404, "NOT_FOUND");
    }
    owner.post(&format!("/prompts/mine/versions/{version}/restore"), json!({})).await.error(404, "NOT_FOUND");
    owner.get(&format!("/prompts/mine?version={version}")).await.error(404, "NOT_FOUND");
    owner.get("/prompts/mine?label=canary-label").await.error(404, "NOT_FOUND");
    owner.put("/prompts/mine/labels/canary-label", json!({ "version": 1 })).await.error(404, "NOT_FOUND");
    owner.put("/labels/canary-label", json!({ "color": "red" })).await.error(404, "NOT_FOUND");
    owner.delete("/labels/canary-label").await.error(404, "NOT_FOUND");
    unchanged.check().await;
    assert_eq!(crate::queries::everything(app.db(), xr2_testkit::CANARY_ID).await.unwrap(), planted);
});

both!(the_other_way_round, |app| async move {
    let owner = app.owner().await;
    let mine = text(&owner, "mine", "x").await;
    let unchanged = Unchanged::since(&app).await;
    for client in [app.stranger(), app.stranger_key()] {
        finds_nothing(&client, mine["id"].as_str().unwrap()).await;
        finds_nothing(&client, "mine").await;
    }
    // Naming the workspace helps nobody who is not a member of it.
    for workspace in [app.workspace().to_string(), "acme".to_owned()] {
        let stranger = app.stranger().with_header("x-workspace", &workspace);
        for (method, path) in PATHS {
            let request =
                stranger.request(method, &format!("/prompts/mine{path}")).json(body_for(method, path));
            let answer = request.send().await;
            assert!(matches!(answer.status, 403 | 404), "{}: {}", answer.request, answer.text);
        }
    }
    unchanged.check().await;
});

async fn lists(app: &TestApp, client: &Client) {
    let _ = app;
    for path in [
        "/prompts",
        "/prompts?archived=all",
        "/prompts?deleted=true",
        "/prompts?search=CANARY",
        "/prompts?tag=CANARY-tag",
    ] {
        let answer = client.get(path).await.ok();
        assert_eq!(answer.json["meta"]["total"], 0, "{path}");
    }
    assert_eq!(client.get("/facets").await.ok().data(), &json!({ "tags": [], "categories": [] }));
    assert_eq!(client.get("/labels").await.ok().data().as_array().unwrap().len(), 2);
}

both!(lists_show_nothing_of_it, |app| async move {
    let owner = app.owner().await;
    lists(&app, &owner).await;
    lists(&app, &app.key(&[xr2_server::auth::Scope::Admin]).await).await;
});

both!(the_body_may_not_name_another_workspace, |app| async move {
    let owner = app.owner().await;
    let unchanged = Unchanged::since(&app).await;
    for other in
        [xr2_testkit::CANARY_ID.to_string(), xr2_testkit::CANARY_SLUG.to_owned(), "nowhere".to_owned()]
    {
        let body = json!({ "title": "t", "content": "x", "workspace": other });
        owner.post("/prompts", body).await.error(400, "WORKSPACE_CONFLICT");
    }
    unchanged.check().await;
});
