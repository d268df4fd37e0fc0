//! Walks every route with every kind of caller; `access_table.rs` says what is expected.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use xr2_server::auth::{Role, Scope};
use xr2_testkit::{Client, TestApp, both};

use crate::access_table::{CALLERS, Needs, OK, PAGES, Row, expected, rows};

#[test]
fn the_table_lists_every_route_and_no_other() {
    let document = serde_json::to_value(xr2_server::router::document()).unwrap();
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            if ["get", "put", "post", "delete", "patch", "head", "options", "trace"]
                .contains(&method.as_str())
            {
                routes.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    let listed: BTreeSet<String> = rows().iter().map(|row| format!("{} {}", row.method, row.path)).collect();
    let missing: Vec<_> = routes.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&routes).collect();
    assert!(missing.is_empty(), "give these routes a row in access_table.rs: {missing:#?}");
    assert!(gone.is_empty(), "these rows have no route: {gone:#?}");
    assert_eq!(listed.len(), rows().len(), "a route is listed twice");
}

both!(every_route_with_every_caller, |app| async move {
    let owner = app.owner().await;
    let mut wrong = Vec::new();
    for row in rows() {
        for (column, caller) in CALLERS.iter().enumerate() {
            let target = Target::prepare(&app, &owner, &row).await;
            let client = make(&app, caller).await;
            let path = target.path(&app, &row, &client).await;
            let status = ask(&client, &row, &path).await;
            let expected = expected(row.needs)[column];
            if !matches(expected, status) {
                let wanted =
                    if expected == OK { "to be let through".to_owned() } else { expected.to_string() };
                wrong.push(format!(
                    "{} {} as {caller}: expected {wanted}, got {status}",
                    row.method, row.path
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers are not as in the table:\n{}", wrong.len(), wrong.join("\n"));
});

both!(pages_are_open, |app| async move {
    for page in PAGES {
        app.nobody().get(&app.url(page)).await.ok();
    }
});

both!(ids_of_another_workspace_open_nothing, |app| async move {
    let owner = app.owner().await;
    for row in rows().iter().filter(|row| row.path.contains("{p}") || row.path.contains("{ws}")) {
        let target = Target::prepare(&app, &owner, row).await;
        for client in [app.stranger(), app.stranger_key()] {
            let path = target.path(&app, row, &client).await;
            let status = request(&client, row, &path).send().await.status;
            assert!(matches!(status, 400 | 404), "{} {path} by a stranger: {status}", row.method);
        }
    }
    // And the other way round: what is planted, asked for by its ids, with every right in the wrong workspace.
    let (canary, key) = (app.canary(), app.key(&[Scope::Admin]).await);
    for row in rows().iter().filter(|row| row.path.contains("{p}")) {
        let path = row.path.replace("{p}", &canary.prompt.to_string());
        let path = path.replace("{v}", &canary.version.to_string()).replace("{label}", "production");
        for client in [&owner, &key] {
            let answer = request(client, row, &app.url(&path)).send().await;
            answer.error(404, "NOT_FOUND").says("not found");
        }
    }
});

both!(refusals_are_noted_once_a_minute, |app| async move {
    let viewer = app.member(Role::Viewer).await;
    for _ in 0..3 {
        viewer.post("/api-keys", json!({ "name": "mine" })).await.error(403, "FORBIDDEN").says("role");
    }
    assert_eq!(app.new_events().await, ["access.denied"]);
    let row = app.event_rows().await.pop().unwrap();
    assert_eq!(row.resource_name.as_deref(), Some("POST /api/v1/api-keys"));
    assert_eq!(row.workspace, Some(app.workspace()));
    assert_eq!(row.actor["id"], json!(viewer.id.unwrap()));
    assert_eq!(row.revision, None, "delivery does not care");
    app.clock().advance(chrono::TimeDelta::seconds(61));
    viewer.post("/api-keys", json!({ "name": "mine" })).await.error(403, "FORBIDDEN");
    viewer.get("/api-keys").await.error(403, "FORBIDDEN");
    assert_eq!(app.new_events().await, ["access.denied", "access.denied"]);
});

fn matches(expected: u16, status: u16) -> bool {
    match expected {
        OK => !matches!(status, 401 | 403 | 404 | 405) && status < 500,
        refusal => status == refusal,
    }
}

/// A fresh caller of a kind. Those who belong elsewhere name the workspace of the route.
async fn make(app: &TestApp, caller: &str) -> Client {
    match caller {
        "nobody" => app.nobody(),
        "viewer" => app.member(Role::Viewer).await,
        "editor" => app.member(Role::Editor).await,
        "admin" => app.member(Role::Admin).await,
        "owner" => app.member(Role::Owner).await,
        "key: deliver" => app.key(&[Scope::Deliver]).await,
        "key: read" => app.key(&[Scope::Read]).await,
        "key: write" => app.key(&[Scope::Write]).await,
        "key: publish" => app.key(&[Scope::Publish]).await,
        "key: admin" => app.key(&[Scope::Admin]).await,
        "publishable key" => app.publishable_key(&["https://shop.example"]).await,
        "member of another workspace" => app.fresh_stranger().await.with_header("x-workspace", "acme"),
        "key of another workspace" => app.stranger_key().with_header("x-workspace", "acme"),
        "operator who is no member" => app.operator().await.with_header("x-workspace", "acme"),
        "expired key" => app.expired_key().await,
        "revoked key" => app.revoked_key().await,
        other => panic!("no caller is called {other}"),
    }
}

/// What a route works on, made anew for every request, so that no caller meets what the one before has left.
struct Target {
    prompt: String,
    label: String,
    key: String,
    folder: String,
    token: String,
    user: String,
    view: String,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Target {
    async fn prepare(app: &TestApp, owner: &Client, row: &Row) -> Target {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut target = Target {
            prompt: String::new(),
            label: format!("label-{number}"),
            key: String::new(),
            folder: String::new(),
            token: String::new(),
            user: String::new(),
            view: String::new(),
        };
        if row.path.contains("{p}") || row.path.contains("/preview-links/{token}") {
            let body = json!({ "title": "Target", "slug": format!("target-{number}"), "content": "Hello" });
            target.prompt = owner.post("/prompts", body).await.created().text_of("id");
            target.prepare_prompt(owner, row).await;
        }
        if row.path.contains("/preview-links/{") {
            let body = json!({});
            let link = owner.post(&format!("/prompts/{}/preview-links", target.prompt), body).await.created();
            (target.key, target.token) = (link.text_of("id"), link.text_of("token"));
        }
        if row.path.contains("/labels/{name}") {
            owner.post("/labels", json!({ "name": target.label })).await.created();
        }
        if row.path.contains("/tags/{name}") || row.path.contains("/categories/{name}") {
            let label = &target.label;
            let body = json!({ "title": "Word", "content": "x", "tags": [label], "category": label });
            owner.post("/prompts", body).await.created();
        }
        if row.path.contains("/views/{id}") {
            let body = json!({ "name": "Shared", "query": {}, "shared": true });
            target.view = owner.post("/views", body).await.created().text_of("id");
        }
        if row.path.contains("/folders/{id}") {
            let body = json!({ "name": format!("Folder {number}") });
            target.folder = owner.post("/folders", body).await.created().text_of("id");
        }
        if row.path.contains("/api-keys/{id}") {
            target.key = app.key(&[Scope::Deliver]).await.id.unwrap().to_string();
        }
        if row.path.contains("{user}") {
            target.user = app.member(Role::Viewer).await.id.unwrap().to_string();
        }
        if row.path.contains("/invitations/{") {
            let body = json!({ "email": format!("invited-{number}@example.com") });
            let invited = owner.post("/workspaces/acme/members", body).await.created();
            target.key = invited.data()["invitation"]["id"].as_str().unwrap().to_owned();
            target.token = invited.text_of("link").split_once("#token=").unwrap().1.to_owned();
        }
        if row.path.contains("/imports/{id}") {
            let dry = json!([{ "name": format!("import-{number}"), "prompt": "Hello" }]);
            target.key = owner.post("/import?dry_run=true", dry).await.ok().text_of("id");
        }
        if row.path == "/api/v1/labels" && row.method == "POST" {
            owner.delete("/labels/fresh").await;
        }
        target
    }

    async fn prepare_prompt(&self, owner: &Client, row: &Row) {
        let prompt = format!("/prompts/{}", self.prompt);
        if row.path.ends_with("/draft") {
            owner.put(&format!("{prompt}/draft"), json!({ "content": "Draft" })).await.ok();
        }
        if row.path.ends_with("/undelete") {
            owner.delete(&prompt).await.ok();
        }
        if row.path.ends_with("/unarchive") {
            owner.post(&format!("{prompt}/archive"), json!({})).await.ok();
        }
        if row.path.contains("{label}") {
            owner.put(&format!("{prompt}/labels/staging"), json!({ "version": 1 })).await.ok();
        }
    }

    async fn path(&self, app: &TestApp, row: &Row, client: &Client) -> String {
        let mut path = row
            .path
            .replace("{ws}", "acme")
            .replace("{p}", &self.prompt)
            .replace("{v}", "1")
            .replace("{label}", "staging")
            .replace("{token}", &self.token)
            .replace("{user}", &self.user)
            .replace("{name}", &self.label);
        if path.contains("/sessions/{id}") {
            path = path.replace("{id}", &own_session(client).await);
        }
        if path.contains("/views/{id}") {
            path = path.replace("{id}", &self.view);
        }
        if path.contains("/folders/{id}") {
            path = path.replace("{id}", &self.folder);
        }
        path = path.replace("{id}", &self.key);
        if path.ends_with("/draft") && row.method == "DELETE" {
            path.push_str("?revision=1");
        }
        app.url(&path)
    }
}

/// A session of the caller; for those who have none, any id.
async fn own_session(client: &Client) -> String {
    let listed = client.get("/auth/sessions").await;
    let sessions = listed.json["data"].as_array().cloned().unwrap_or_default();
    let current = sessions.iter().find(|session| session["current"] == true);
    current
        .and_then(|session| session["id"].as_str())
        .map_or_else(|| uuid::Uuid::nil().to_string(), str::to_owned)
}

fn request<'a>(client: &'a Client, row: &Row, path: &str) -> xr2_testkit::Request<'a> {
    let request = client.request(row.method, path);
    if row.body.is_null() { request } else { request.json(row.body.clone()) }
}

async fn ask(client: &Client, row: &Row, path: &str) -> u16 {
    let request = request(client, row, path);
    if row.path.ends_with("/stream") && row.needs == Needs::Deliver {
        // It never ends; its status is there at once.
        return request.open().await.status().as_u16();
    }
    request.send().await.status
}
