//! The bin.

use chrono::TimeDelta;
use serde_json::{Value, json};
use xr2_server::auth::{Role, Scope};
use xr2_testkit::{Options, both};

use crate::support::{Unchanged, check_revisions, delivered, details, events, last_event, put, stored, text};

both!(there_and_back, |app| async move {
    let owner = app.owner().await.with_header("user-agent", "tidy/1");
    let made = text(&owner, "a", "x").await;
    put(&owner, "a", json!({ "content": "y" })).await;
    app.new_events().await;
    let gone = owner.delete("/prompts/a").await.ok();
    assert!(gone.data()["deleted_at"].is_string());
    assert_eq!(gone.data()["deleted_by"]["id"], json!(owner.id));
    let days = |text: &Value| chrono::DateTime::parse_from_rfc3339(text.as_str().unwrap()).unwrap();
    let stays = days(&gone.data()["purge_at"]) - days(&gone.data()["deleted_at"]);
    assert_eq!(stays, TimeDelta::days(30));
    let listed = owner.get("/prompts?deleted=true").await.ok();
    assert_eq!(listed.data()[0]["purge_at"], gone.data()["purge_at"]);
    assert_eq!(app.new_events().await, ["prompt.deleted"]);
    let event = last_event(&app).await;
    assert_eq!(
        (event.revision, event.resource_name.as_deref(), event.user_agent.as_deref()),
        (Some(3), Some("a"), Some("tidy/1"))
    );
    assert_eq!(event.after.unwrap()["labels"], json!({ "production": 2, "latest": 2 }));

    for path in ["", "/versions", "/versions/1", "/labels", "/draft", "/history", "/versions/2/diff"] {
        owner.get(&format!("/prompts/a{path}")).await.error(404, "NOT_FOUND").says("not found");
    }
    owner.get(&format!("/prompts/{}", made["id"].as_str().unwrap())).await.error(404, "NOT_FOUND");
    let unchanged = Unchanged::since(&app).await;
    owner.put("/prompts/a", json!({ "content": "z" })).await.error(404, "NOT_FOUND").says("bin");
    owner.delete("/prompts/a").await.error(404, "NOT_FOUND").says("Test Person put it into the bin");
    owner.post("/prompts/a/publish", json!({ "from": 1 })).await.error(404, "NOT_FOUND");
    owner.post("/prompts/a/archive", json!({})).await.error(404, "NOT_FOUND");
    owner.post("/prompts/a/duplicate", json!({})).await.error(404, "NOT_FOUND");
    owner
        .post("/prompts", json!({ "title": "t", "slug": "a", "content": "x" }))
        .await
        .error(409, "CONFLICT")
        .says("bin");
    unchanged.check().await;
    assert!(details(&owner, "a").await["deleted_at"].is_string(), "it can be looked at");
    assert_eq!(owner.get("/prompts").await.ok().json["meta"]["total"], 0);

    let back = owner.post("/prompts/a/undelete", json!({})).await.ok();
    assert_eq!(back.data()["purge_at"], Value::Null);
    assert_eq!(
        (&back.data()["deleted_at"], &back.data()["labels"]),
        (&json!(null), &json!({ "production": 2 }))
    );
    assert_eq!(app.new_events().await, ["prompt.restored"]);
    assert_eq!(delivered(&owner, "a").await, "y");
    let unchanged = Unchanged::since(&app).await;
    owner.post("/prompts/a/undelete", json!({})).await.ok();
    owner.post("/prompts/nowhere/undelete", json!({})).await.error(404, "NOT_FOUND");
    unchanged.check().await;
    check_revisions(&app).await;
});

both!(what_is_fetched_is_in_use, |app| async move {
    let owner = app.owner().await;
    let client = app.key(&[Scope::Deliver]).await;
    text(&owner, "a", "x").await;
    assert_eq!(delivered(&owner, "a").await, "x");
    owner.delete("/prompts/a").await.ok();
    owner.post("/prompts/a/undelete", json!({})).await.ok();
    assert_eq!(delivered(&client, "a").await, "x");
    let unchanged = Unchanged::since(&app).await;
    let refused = owner.delete("/prompts/a").await.error(409, "IN_USE").says("force=true");
    let reasons = refused.details()["reasons"].as_array().unwrap().clone();
    assert_eq!((reasons.len(), &reasons[0]["kind"]), (1, &json!("fetched")));
    let fetched = reasons[0]["last_fetched_at"].as_str().unwrap();
    assert_eq!(details(&owner, "a").await["last_fetched_at"], fetched);
    unchanged.check().await;
    // Seven days later nobody uses it.
    app.clock().advance(TimeDelta::days(8));
    let second = app.owner().await;
    second.delete("/prompts/a").await.ok();
    second.post("/prompts/a/undelete", json!({})).await.ok();
    assert_eq!(delivered(&app.key(&[Scope::Deliver]).await, "a").await, "x");
    second.delete("/prompts/a").await.error(409, "IN_USE");
    second.delete("/prompts/a?force=true").await.ok();
    client.get("/prompts/a").await.error(404, "NOT_FOUND");
});

both!(what_is_included_is_in_use, |app| async move {
    let owner = app.owner().await;
    text(&owner, "snippet", "S").await;
    text(&owner, "one", "1 {% include \"snippet\" %}").await;
    text(&owner, "two", "2 {% include \"one\" %}").await;
    assert_eq!(delivered(&owner, "two").await, "2 1 S");
    let unchanged = Unchanged::since(&app).await;
    let refused = owner.delete("/prompts/snippet").await.error(409, "IN_USE").says("included by one, two");
    assert_eq!(
        refused.details()["reasons"],
        json!([{ "kind": "included_by", "slug": "one" }, { "kind": "included_by", "slug": "two" }])
    );
    unchanged.check().await;
    owner.delete("/prompts/two").await.ok();
    owner.delete("/prompts/snippet").await.error(409, "IN_USE");
    // Forced: who includes it is told, and says what is missing.
    owner.delete("/prompts/snippet?force=true").await.ok();
    let dependents = last_event(&app).await.after.unwrap()["dependents"].clone();
    assert_eq!(dependents.as_array().unwrap().len(), 1);
    assert_eq!(dependents[0]["slug"], "one");
    assert!(owner.get("/prompts/one").await.status >= 400);
    owner.post("/prompts/snippet/undelete", json!({})).await.ok();
    assert_eq!(delivered(&owner, "one").await, "1 S");
    // Who no longer includes it does not keep it.
    put(&owner, "one", json!({ "content": "1" })).await;
    owner.delete("/prompts/snippet").await.ok();
});

both!(gone_for_good, |app| async move {
    let owner = app.owner().await;
    let made = text(&owner, "a", "x").await;
    put(&owner, "a", json!({ "slug": "b", "content": "y", "tags": ["t"] })).await;
    owner.put("/prompts/b/draft", json!({ "content": "z" })).await.ok();
    owner.put("/prompts/b/labels/staging", json!({ "version": 1 })).await.ok();
    text(&owner, "other", "{% include \"b\" %}").await;
    let unchanged = Unchanged::since(&app).await;
    owner.delete("/prompts/b?permanent=true").await.error(409, "CONFLICT").says("bin");
    owner.delete("/prompts/b?force=maybe").await.wrong_fields(&["force"]);
    unchanged.check().await;
    owner.delete("/prompts/b?force=true").await.ok();
    app.new_events().await;
    assert_eq!(owner.delete("/prompts/a?permanent=true").await.ok().data(), &json!({}));
    assert_eq!(app.new_events().await, ["prompt.purged"]);
    let event = last_event(&app).await;
    assert_eq!(
        (event.resource_id.map(|id| json!(id)), event.resource_name.as_deref()),
        (Some(made["id"].clone()), Some("b"))
    );
    let left = stored(&app).await;
    for kind in ["prompt b", "slug a", "slug b", "version b", "draft b", "points b", "moved b", "tag "] {
        assert!(!left.iter().any(|line| line.starts_with(kind)), "{kind} is left: {left:#?}");
    }
    owner.get("/prompts/b/details").await.error(404, "NOT_FOUND");
    owner.delete("/prompts/b?permanent=true").await.error(404, "NOT_FOUND");
    // Both slugs are free again, and the name means the new prompt.
    text(&owner, "a", "new").await;
    text(&owner, "b", "newer").await;
    assert_eq!((delivered(&owner, "a").await, delivered(&owner, "b").await), ("new".into(), "newer".into()));
    check_revisions(&app).await;
});

both!(who_may_do_what_in_the_bin, |app| async move {
    let owner = app.owner().await;
    let editor = app.member(Role::Editor).await;
    let admin = app.member(Role::Admin).await;
    text(&owner, "a", "x").await;
    text(&owner, "b", "x").await;
    let unchanged = Unchanged::since(&app).await;
    editor.delete("/prompts/a").await.error(403, "FORBIDDEN");
    editor.delete("/bin").await.error(403, "FORBIDDEN");
    app.key(&[Scope::Write, Scope::Publish]).await.delete("/prompts/a").await.error(403, "FORBIDDEN");
    unchanged.check().await;
    admin.delete("/prompts/a").await.ok();
    editor.post("/prompts/a/undelete", json!({})).await.error(403, "FORBIDDEN");
    editor.delete("/prompts/a?permanent=true").await.error(403, "FORBIDDEN");
    admin.delete("/prompts/a?permanent=true").await.ok();
});

both!(emptied, |app| async move {
    let owner = app.owner().await;
    for n in 0..5 {
        text(&owner, &format!("p{n}"), "x").await;
    }
    for n in 0..4 {
        owner.delete(&format!("/prompts/p{n}")).await.ok();
    }
    app.new_events().await;
    assert_eq!(owner.delete("/bin").await.ok().data(), &json!({ "purged": 4 }));
    assert_eq!(app.new_events().await, ["prompt.purged"; 4]);
    assert_eq!(owner.get("/prompts?deleted=true").await.ok().json["meta"]["total"], 0);
    assert_eq!(owner.get("/prompts").await.ok().json["meta"]["total"], 1);
    let unchanged = Unchanged::since(&app).await;
    assert_eq!(owner.delete("/bin").await.ok().data(), &json!({ "purged": 0 }));
    unchanged.check().await;
    app.stranger().get("/prompts/canary-prompt").await.ok();
    check_revisions(&app).await;
});

both!(purged_when_its_time_is_over, Options::new().set("bin.retention_days", 3), |app| async move {
    let owner = app.owner().await;
    text(&owner, "early", "x").await;
    text(&owner, "late", "x").await;
    text(&owner, "kept", "x").await;
    owner.delete("/prompts/early").await.ok();
    app.clock().advance(TimeDelta::days(2));
    owner.delete("/prompts/late").await.ok();
    let purge = || xr2_server::features::prompts::purge_expired(app.app());
    assert_eq!(purge().await.unwrap(), 0);
    app.clock().advance(TimeDelta::hours(25));
    app.new_events().await;
    assert_eq!(purge().await.unwrap(), 1);
    assert_eq!(app.new_events().await, ["prompt.purged"]);
    let event = last_event(&app).await;
    assert_eq!(
        (event.actor["type"].as_str(), event.address, event.resource_name.as_deref()),
        (Some("system"), None, Some("early"))
    );
    assert_eq!(purge().await.unwrap(), 0);
    owner.get("/prompts/early/details").await.error(404, "NOT_FOUND");
    owner.get("/prompts/late/details").await.ok();
    owner.post("/prompts/late/undelete", json!({})).await.ok();
    app.clock().advance(TimeDelta::days(10));
    assert_eq!(purge().await.unwrap(), 0);
    assert!(events(&app).await.iter().filter(|event| event.kind == "prompt.purged").count() == 1);
    check_revisions(&app).await;
});

both!(kept_for_good_when_so_set, Options::new().set("bin.retention_days", 0), |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "x").await;
    owner.delete("/prompts/a").await.ok();
    app.clock().advance(TimeDelta::days(10_000));
    assert_eq!(xr2_server::features::prompts::purge_expired(app.app()).await.unwrap(), 0);
});
