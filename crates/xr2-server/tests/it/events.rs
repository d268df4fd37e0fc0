//! What is written down of a change: who, from where, what it was and is; in one transaction with the change.

use serde_json::{Value, json};
use xr2_server::auth::{Role, Scope};
use xr2_testkit::{Options, both};

use crate::support::{check_revisions, events, put, text};

both!(every_change_of_prompts_is_told, |app| async move {
    let owner =
        app.owner().await.with_header("user-agent", "tester/2").with_header("x-request-id", "story-1");
    let prompt = text(&owner, "a", "1").await;
    put(&owner, "a", json!({ "content": "2" })).await;
    put(&owner, "a", json!({ "title": "New" })).await;
    owner.put("/prompts/a/draft", json!({ "content": "3" })).await.ok();
    owner.delete("/prompts/a/draft").await.ok();
    owner.post("/prompts/a/versions", json!({ "content": "4" })).await.created();
    owner.post("/prompts/a/publish", json!({ "from": 3 })).await.ok();
    owner.put("/prompts/a/labels/staging", json!({ "version": 1 })).await.ok();
    owner.put("/prompts/a/labels/production", json!({ "version": 1 })).await.ok();
    owner.post("/prompts/a/versions/2/restore", json!({})).await.created();
    owner.delete("/prompts/a/labels/staging").await.ok();
    owner.post("/prompts/a/archive", json!({})).await.ok();
    owner.post("/prompts/a/unarchive", json!({})).await.ok();
    owner.delete("/prompts/a").await.ok();
    owner.post("/prompts/a/undelete", json!({})).await.ok();
    owner.delete("/prompts/a").await.ok();
    owner.delete("/prompts/a?permanent=true").await.ok();
    let rows = events(&app).await;
    let told: Vec<(&str, Option<i64>)> = rows.iter().map(|row| (row.kind.as_str(), row.revision)).collect();
    assert_eq!(
        told,
        [
            ("prompt.created", Some(1)),
            ("prompt.published", Some(1)),
            ("version.created", Some(2)),
            ("prompt.published", Some(2)),
            ("prompt.updated", Some(3)),
            ("draft.saved", None),
            ("draft.discarded", None),
            ("version.created", Some(4)),
            ("prompt.published", Some(5)),
            ("label.moved", Some(6)),
            ("prompt.rolled_back", Some(7)),
            ("version.created", Some(8)),
            ("prompt.published", Some(8)),
            ("label.moved", Some(9)),
            ("prompt.archived", Some(10)),
            ("prompt.unarchived", Some(11)),
            ("prompt.deleted", Some(12)),
            ("prompt.restored", Some(13)),
            ("prompt.deleted", Some(14)),
            ("prompt.purged", Some(15)),
        ]
    );
    for row in &rows {
        assert_eq!(row.actor, json!({ "type": "user", "id": owner.id, "name": "Test Person" }));
        assert_eq!(
            (row.address.as_deref(), row.user_agent.as_deref(), row.request_id.as_deref()),
            (Some("127.0.0.1"), Some("tester/2"), Some("story-1"))
        );
        assert_eq!(
            (row.resource_type.as_str(), row.resource_id.map(|id| json!(id))),
            ("prompt", Some(prompt["id"].clone()))
        );
        assert_eq!(row.resource_name.as_deref(), Some("a"));
    }
    assert!(rows.windows(2).all(|pair| pair[0].sequence < pair[1].sequence));
    check_revisions(&app).await;
});

both!(keys_are_named_as_such, |app| async move {
    let key = app.key(&[Scope::Write, Scope::Publish]).await;
    text(&key, "a", "1").await;
    for row in events(&app).await {
        assert_eq!(row.actor, json!({ "type": "key", "id": key.id, "name": "Test key" }));
    }
});

both!(
    addresses_come_through_trusted_proxies_only,
    Options::new().set("trusted_proxies", "127.0.0.0/8"),
    |app| async move {
        let owner = app.owner().await.with_header("x-forwarded-for", "198.51.100.9, 203.0.113.7");
        text(&owner, "a", "1").await;
        assert_eq!(events(&app).await[0].address.as_deref(), Some("203.0.113.7"));
    }
);

both!(nobody_else_names_addresses, |app| async move {
    let owner = app
        .owner()
        .await
        .with_header("x-forwarded-for", "203.0.113.7")
        .with_header("x-request-id", "no good; id");
    text(&owner, "a", "1").await;
    let row = events(&app).await.remove(0);
    assert_eq!(row.address.as_deref(), Some("127.0.0.1"));
    assert!(row.request_id.unwrap().starts_with("req_"));
    assert_eq!(row.user_agent, None);
});

both!(nothing_is_told_of_what_was_refused, |app| async move {
    let owner = app.owner().await;
    let viewer = app.member(Role::Viewer).await;
    text(&owner, "a", "1").await;
    app.new_events().await;
    owner.post("/prompts", json!({ "title": "t" })).await.error(422, "VALIDATION_ERROR");
    owner
        .put("/prompts/a", json!({ "content": "x", "base_version": 9 }))
        .await
        .error(409, "VERSION_CONFLICT");
    owner
        .put("/prompts/a", json!({ "content": "{% if %}", "syntax": "jinja" }))
        .await
        .error(422, "TEMPLATE_ERROR");
    owner.get("/prompts/nowhere").await.error(404, "NOT_FOUND");
    viewer.put("/prompts/a", json!({ "content": "x" })).await.error(403, "FORBIDDEN");
    let told: Vec<String> =
        app.new_events().await.into_iter().filter(|kind| kind != "access.denied").collect();
    assert!(told.is_empty(), "{told:?}");
});

both!(changes_of_many_at_once_keep_their_order, |app| async move {
    let owner = app.owner().await;
    for n in 0..4 {
        text(&owner, &format!("p{n}"), "0").await;
    }
    let writes = (0..40).map(|n| {
        let owner = owner.clone();
        async move {
            let slug = format!("p{}", n % 4);
            match n % 3 {
                0 => drop(put(&owner, &slug, json!({ "content": n.to_string() })).await),
                1 => drop(put(&owner, &slug, json!({ "title": format!("Title {n}") })).await),
                _ => drop(
                    owner.put(&format!("/prompts/{slug}/labels/staging"), json!({ "version": 1 })).await.ok(),
                ),
            }
        }
    });
    futures::future::join_all(writes).await;
    check_revisions(&app).await;
    // What events say of each prompt ends where the prompt stands.
    let rows = events(&app).await;
    for n in 0..4 {
        let slug = format!("p{n}");
        let shown = crate::support::details(&owner, &slug).await;
        let last: &Value = rows
            .iter()
            .rev()
            .filter(|row| row.kind == "prompt.published" && row.resource_name.as_deref() == Some(&*slug))
            .find_map(|row| row.after.as_ref())
            .unwrap();
        assert_eq!(last["version"], shown["labels"]["production"]);
    }
});
