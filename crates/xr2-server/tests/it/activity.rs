//! What has happened, and the home page.

use serde_json::{Value, json};
use xr2_server::auth::{Role, Scope};
use xr2_testkit::{Client, both};

use crate::support::{delivered, put, text};

async fn kinds(client: &Client, query: &str) -> Vec<String> {
    let page = client.get(&format!("/activity{query}")).await.ok();
    let items = page.data().as_array().cloned().unwrap_or_default();
    items.iter().filter_map(|item| item["type"].as_str().map(str::to_owned)).collect()
}

both!(who_did_what, |app| async move {
    let owner = app.owner().await;
    let editor = app.member(Role::Editor).await;
    let made = text(&owner, "a", "x").await;
    text(&owner, "b", "x").await;
    put(&editor, "a", json!({ "title": "B".repeat(250), "description": "y", "publish": false })).await;
    editor.post("/prompts/b/archive", json!({})).await.ok();
    assert_eq!(kinds(&owner, "?limit=2").await, ["prompt.archived", "prompt.updated"]);
    let page = owner.get("/activity?prompt=a&type=prompt").await.ok();
    let item = &page.data()[0];
    assert_eq!((&item["type"], &item["actor"]["id"]), (&json!("prompt.updated"), &json!(editor.id.unwrap())));
    assert_eq!((&item["resource"]["name"], &item["resource"]["id"]), (&json!("a"), &made["id"]));
    assert_eq!((&item["before"]["title"], &item["before"]["description"]), (&json!("a"), &Value::Null));
    assert_eq!(item["after"]["title"].as_str().unwrap().chars().count(), 200, "long texts are cut");
    assert!(item["after"].get("labels").is_none() && item["at"].is_string());
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        kinds(&owner, &format!("?prompt={id}&type=prompt.published,version")).await,
        ["prompt.published"]
    );
    assert_eq!(
        kinds(&owner, &format!("?actor={}", editor.id.unwrap())).await,
        ["prompt.archived", "prompt.updated"]
    );
    assert_eq!(kinds(&editor, "?actor=me&type=prompt.archived").await, ["prompt.archived"]);
    // Page by page everything comes once.
    let all = kinds(&owner, "?limit=100").await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = owner.get(&format!("/activity?limit=2{cursor}")).await.ok();
        let items = page.data().as_array().unwrap();
        seen.extend(items.iter().map(|item| item["type"].as_str().unwrap().to_owned()));
        match page.json["meta"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, all);
    for (query, field) in
        [("?type=nothing", "type"), ("?actor=ana", "actor"), ("?limit=0", "limit"), ("?limit=101", "limit")]
    {
        owner.get(&format!("/activity{query}")).await.wrong_fields(&[field]);
    }
    owner.get("/activity?cursor=x").await.error(400, "BAD_REQUEST");
    owner.get("/activity?prompt=nowhere").await.error(404, "NOT_FOUND");
    let canary = app.canary().prompt;
    assert!(kinds(&owner, &format!("?prompt={canary}")).await.is_empty());
});

both!(only_admins_see_what_is_for_admins, |app| async move {
    let owner = app.owner().await;
    let viewer = app.member(Role::Viewer).await;
    owner.post("/api-keys", json!({ "name": "k" })).await.created();
    viewer.get("/api-keys").await.error(403, "FORBIDDEN");
    text(&owner, "a", "x").await;
    let all = kinds(&owner, "").await;
    assert!(
        all.contains(&"api_key.created".to_owned()) && all.contains(&"access.denied".to_owned()),
        "{all:?}"
    );
    assert_eq!(kinds(&viewer, "").await, ["prompt.published", "prompt.created"]);
    assert!(kinds(&viewer, "?type=api_key").await.is_empty());
    assert!(kinds(&app.key(&[Scope::Read]).await, "?type=access.denied").await.is_empty());
});

both!(the_home_page, |app| async move {
    let owner = app.owner().await;
    let home = |client: Client| async move { client.get("/home").await.ok().data().clone() };
    let empty = home(app.owner().await).await;
    assert_eq!(
        empty["onboarding"],
        json!({ "has_prompt": false, "has_published": false, "has_key": false, "has_call": false })
    );
    assert_eq!(empty["calls"], json!({ "calls": 0, "errors": 0, "calls_before": 0, "errors_before": 0 }));
    assert_eq!((&empty["recent"], &empty["drafts"]), (&json!([]), &json!([])));

    text(&owner, "a", "x").await;
    owner.put("/prompts/a/draft", json!({ "content": "y" })).await.ok();
    let client = app.key(&[Scope::Deliver]).await;
    delivered(&client, "a").await;
    let now = owner.get("/home").await.ok().data().clone();
    assert_eq!(
        now["onboarding"],
        json!({ "has_prompt": true, "has_published": true, "has_key": true, "has_call": true })
    );
    assert_eq!(now["calls"]["calls"], 1);
    assert_eq!((&now["drafts"][0]["slug"], &now["drafts"][0]["title"]), (&json!("a"), &json!("a")));
    let kinds: Vec<&str> =
        now["recent"].as_array().unwrap().iter().filter_map(|item| item["type"].as_str()).collect();
    assert_eq!(kinds, ["prompt.published", "prompt.created"]);
    let theirs = home(app.member(Role::Viewer).await).await;
    assert_eq!(theirs["drafts"], json!([]));
    // A week later they are those of the week before.
    app.clock().advance(chrono::TimeDelta::days(8));
    let later = home(app.owner().await).await;
    assert_eq!((&later["calls"]["calls"], &later["calls"]["calls_before"]), (&json!(0), &json!(1)));
    let stranger = app.fresh_stranger().await.get("/home").await.ok();
    assert_eq!((&stranger.data()["drafts"], stranger.text.contains("\"name\":\"a\"")), (&json!([]), false));
});
