//! What members may do: roles, finer permissions, removal, handing over; and what that does to keys and open streams.

use std::time::Duration;

use serde_json::{Value, json};
use xr2_server::auth::{Role, Scope};
use xr2_testkit::{Client, KeyFixture, TestApp, both};

use super::{registered, slugs, token_of};

fn path(member: &Client) -> String {
    format!("/workspaces/acme/members/{}", member.id.unwrap())
}

async fn prompt(by: &Client) {
    by.post("/prompts", json!({ "title": "Hello", "slug": "hello", "content": "Hello" })).await.created();
}

/// A key of this maker.
async fn key_of(app: &TestApp, maker: &Client, scopes: &[Scope]) -> Client {
    app.key_with(KeyFixture { scopes: scopes.to_vec(), maker: maker.id, ..KeyFixture::default() }).await
}

/// Reads a stream to its end; fails when it goes on.
async fn ends(stream: reqwest::Response) -> bool {
    tokio::time::timeout(Duration::from_secs(30), stream.bytes()).await.is_ok()
}

both!(a_role_changes_at_once, |app| async move {
    let (admin, bea) = (app.member(Role::Admin).await, app.member(Role::Editor).await);
    prompt(&bea).await;
    let key = key_of(&app, &bea, &[Scope::Write, Scope::Publish]).await;
    let plain = key_of(&app, &bea, &[Scope::Deliver]).await;
    key.get("/prompts/hello").await.ok();
    plain.get("/prompts/hello").await.ok();
    app.new_events().await;
    let changed = admin.put(&path(&bea), json!({ "role": "viewer" })).await.ok();
    assert_eq!(changed.data()["member"]["role"], "viewer");
    assert_eq!(changed.data()["member"]["rights"], json!(["deliver", "read"]));
    let affected = changed.data()["affected_keys"].as_array().unwrap();
    assert_eq!(affected.len(), 1, "the key that only fetches goes on as it was: {affected:?}");
    assert_eq!(affected[0]["id"], json!(key.id.unwrap()));
    assert_eq!(
        (&affected[0]["effect"], &affected[0]["lost"]),
        (&json!("reduced"), &json!(["write", "publish"]))
    );
    assert_eq!(app.new_events().await, ["member.updated"]);
    let row = app.event_rows().await.pop().unwrap();
    assert_eq!(row.before, Some(json!({ "role": "editor", "permissions": {} })));
    assert_eq!(row.after, Some(json!({ "role": "viewer", "permissions": {} })));

    bea.put("/prompts/hello", json!({ "title": "A" })).await.error(403, "FORBIDDEN");
    key.put("/prompts/hello", json!({ "title": "A" })).await.error(403, "FORBIDDEN");
    key.post("/prompts/hello/publish", json!({ "from": 1 })).await.error(403, "FORBIDDEN");
    key.get("/prompts/hello").await.ok();
    plain.get("/prompts/hello").await.ok();

    admin.put(&path(&bea), json!({ "role": "viewer" })).await.ok();
    admin.put(&path(&bea), json!({})).await.ok();
    assert!(!app.new_events().await.contains(&"member.updated".to_owned()), "the same again is no change");
});

both!(permissions_are_finer_than_roles, |app| async move {
    let (admin, bea) = (app.member(Role::Admin).await, app.member(Role::Editor).await);
    prompt(&admin).await;
    let put = async |body: Value| admin.put(&path(&bea), body).await.ok();
    let key = key_of(&app, &bea, &[Scope::Write, Scope::Publish]).await;
    let changed = put(json!({ "permissions": { "publish": false, "delete": true } })).await;
    assert_eq!(changed.data()["member"]["permissions"], json!({ "publish": false, "delete": true }));
    assert_eq!(changed.data()["member"]["rights"], json!(["deliver", "read", "write", "delete"]));
    assert_eq!(changed.data()["affected_keys"][0]["lost"], json!(["publish"]));
    bea.post("/prompts/hello/publish", json!({ "from": 1 })).await.error(403, "FORBIDDEN");
    key.post("/prompts/hello/publish", json!({ "from": 1 })).await.error(403, "FORBIDDEN");
    bea.put("/prompts/hello", json!({ "title": "A", "publish": false })).await.ok();
    bea.delete("/prompts/hello?force=true").await.ok();
    assert_eq!(
        bea.get("/workspaces/acme").await.ok().data()["rights"],
        json!(["deliver", "read", "write", "delete"])
    );

    // Keys and members, without being an admin.
    bea.get("/api-keys").await.error(403, "FORBIDDEN");
    put(json!({ "permissions": { "keys": true, "members": true } })).await;
    bea.post("/api-keys", json!({ "name": "mine", "scopes": ["write"] })).await.created();
    bea.post("/api-keys", json!({ "name": "more", "scopes": ["admin"] })).await.error(403, "FORBIDDEN");
    bea.post("/labels", json!({ "name": "new" })).await.error(403, "FORBIDDEN");
    let invite = |role: &str| json!({ "email": format!("{role}@example.com"), "role": role });
    bea.post("/workspaces/acme/members", invite("editor")).await.created();
    bea.post("/workspaces/acme/members", invite("admin")).await.error(403, "FORBIDDEN");
    bea.put(&path(&bea), json!({ "role": "admin" })).await.error(403, "FORBIDDEN").says("more than you");
    bea.put(&path(&admin), json!({ "role": "viewer" }))
        .await
        .error(403, "FORBIDDEN")
        .says("may do more than you");
    bea.delete(&path(&admin)).await.error(403, "FORBIDDEN");

    // A new role begins afresh.
    assert_eq!(put(json!({ "role": "viewer" })).await.data()["member"]["permissions"], json!({}));
    let both = put(json!({ "role": "editor", "permissions": { "write": false } })).await;
    assert_eq!(both.data()["member"]["rights"], json!(["deliver", "read", "publish"]));
    assert_eq!(
        put(json!({ "permissions": { "write": null } })).await.data()["member"]["permissions"],
        json!({})
    );
    let wrong = admin.put(&path(&bea), json!({ "permissions": { "fly": true, "write": "yes" } })).await;
    wrong.error(422, "VALIDATION_ERROR");
});

both!(nobody_grants_more_than_they_have, |app| async move {
    let (owner, admin) = (app.owner().await, app.member(Role::Admin).await);
    let (second, bea) = (app.owner().await, app.member(Role::Viewer).await);
    app.new_events().await;
    admin.put(&path(&bea), json!({ "role": "owner" })).await.error(403, "FORBIDDEN").says("more than you");
    admin.put(&path(&owner), json!({ "role": "viewer" })).await.error(403, "FORBIDDEN");
    admin.delete(&path(&owner)).await.error(403, "FORBIDDEN");
    admin.put(&path(&admin), json!({ "role": "owner" })).await.error(403, "FORBIDDEN");
    bea.put(&path(&bea), json!({ "permissions": { "write": true } })).await.error(403, "FORBIDDEN");
    app.key(&[Scope::Admin]).await.put(&path(&bea), json!({ "role": "admin" })).await.error(403, "FORBIDDEN");
    assert!(app.new_events().await.iter().all(|kind| kind == "access.denied"));
    // An admin who may not publish lets nobody else, nor themselves.
    owner.put(&path(&admin), json!({ "permissions": { "publish": false } })).await.ok();
    admin.put(&path(&bea), json!({ "role": "editor" })).await.error(403, "FORBIDDEN");
    admin.put(&path(&admin), json!({ "permissions": {} })).await.error(403, "FORBIDDEN");
    admin.put(&path(&bea), json!({ "permissions": { "write": true } })).await.ok();
    let wrong = owner.put(&path(&second), json!({ "permissions": { "publish": false } })).await;
    wrong.wrong_fields(&["permissions"]);
    owner.put(&path(&second), json!({ "role": "admin" })).await.ok();
    let theirs = format!("/workspaces/acme/members/{}", app.canary().user);
    owner.put(&theirs, json!({ "role": "viewer" })).await.error(404, "NOT_FOUND");
    owner.delete(&theirs).await.error(404, "NOT_FOUND");
    owner.put("/workspaces/acme/members/nobody", json!({})).await.error(404, "NOT_FOUND");
});

both!(the_last_owner_stays, |app| async move {
    let (owner, admin) = (app.owner().await, app.member(Role::Admin).await);
    app.new_events().await;
    owner.delete(&path(&owner)).await.error(409, "CONFLICT").says("last owner");
    owner.put(&path(&owner), json!({ "role": "admin" })).await.error(409, "CONFLICT").says("last owner");
    assert!(app.new_events().await.is_empty());
    owner.put(&path(&admin), json!({ "role": "owner" })).await.ok();
    // Two owners leave at the same time: one of them stays.
    let (one, other) = (path(&owner), path(&admin));
    let (first, second) = tokio::join!(owner.delete(&one), admin.delete(&other));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(app.new_events().await, ["member.updated", "member.removed"]);
});

both!(two_owners_cannot_demote_each_other, |app| async move {
    let (one, other) = (app.owner().await, app.owner().await);
    let (to_other, to_one) = (path(&other), path(&one));
    let demote = || json!({ "role": "viewer" });
    let (first, second) = tokio::join!(one.put(&to_other, demote()), other.put(&to_one, demote()));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 403], "whoever comes second is no owner any more");
});

both!(whoever_is_removed_is_out_at_once, |app| async move {
    let owner = app.owner().await;
    let bea = registered(&app, "bea@example.com", "Bea").await;
    app.join(bea.id.unwrap(), Role::Admin).await;
    prompt(&owner).await;
    let key = key_of(&app, &bea, &[Scope::Deliver]).await;
    let in_acme = bea.clone().with_header("x-workspace", "acme");
    let invited =
        in_acme.post("/workspaces/acme/members", json!({ "email": "c@example.com" })).await.created();
    key.get("/prompts/hello").await.ok();
    let of_key = key.request("GET", "/stream").open().await;
    let of_session = in_acme.request("GET", "/stream").open().await;
    assert_eq!((of_key.status(), of_session.status()), (reqwest::StatusCode::OK, reqwest::StatusCode::OK));
    app.new_events().await;

    let removed = owner.delete(&path(&bea)).await.ok();
    assert_eq!(removed.data()["user"]["name"], "Bea");
    assert_eq!(removed.data()["affected_keys"][0]["id"], json!(key.id.unwrap()));
    assert_eq!(removed.data()["affected_keys"][0]["effect"], "stopped");
    assert_eq!(removed.data()["revoked_invitations"], 1);
    // A stream may have found out already that it is refused.
    let mut events = app.new_events().await;
    events.retain(|kind| kind != "access.denied");
    assert_eq!(events, ["invitation.revoked", "member.removed"]);

    key.get("/prompts/hello").await.error(403, "FORBIDDEN").says("no longer a member");
    in_acme.get("/prompts").await.error(404, "NOT_FOUND");
    assert_eq!(slugs(bea.get("/workspaces").await.ok().data()), ["bea"]);
    app.nobody().get(&format!("/invitations/{}", token_of(&invited))).await.error(404, "NOT_FOUND");
    assert!(ends(of_key).await, "the key's stream ends");
    assert!(ends(of_session).await, "the person's stream ends");
    owner.delete(&path(&bea)).await.error(404, "NOT_FOUND");
});

both!(a_removed_makers_key_ends_on_other_nodes, |app| async move {
    let (owner, bea) = (app.owner().await, app.member(Role::Editor).await);
    let other = app.second_node().await;
    prompt(&owner).await;
    let key = key_of(&app, &bea, &[Scope::Deliver]).await;
    let there = other.bearer(key.token());
    there.get("/prompts/hello").await.ok();
    owner.delete(&path(&bea)).await.ok();
    app.until("the other node refuses the key", async || there.get("/prompts/hello").await.status == 403)
        .await;
});

both!(people_leave_by_themselves, |app| async move {
    let (owner, viewer) = (app.owner().await, app.member(Role::Viewer).await);
    app.new_events().await;
    viewer.delete(&path(&owner)).await.error(403, "FORBIDDEN");
    viewer.delete(&path(&viewer)).await.ok();
    assert_eq!(app.new_events().await.last().unwrap(), "member.removed");
    viewer.get("/prompts").await.error(400, "WORKSPACE_REQUIRED");
    app.key(&[Scope::Admin]).await.delete(&path(&owner)).await.error(403, "FORBIDDEN");
});

both!(an_invitation_goes_when_its_maker_could_not_make_it, |app| async move {
    let (owner, admin) = (app.owner().await, app.member(Role::Admin).await);
    let invite = |email: &str, role: &str| json!({ "email": email, "role": role });
    admin.post("/workspaces/acme/members", invite("a@example.com", "admin")).await.created();
    let viewer = admin.post("/workspaces/acme/members", invite("b@example.com", "viewer")).await.created();
    let body = json!({ "role": "editor", "permissions": { "members": true } });
    assert_eq!(owner.put(&path(&admin), body).await.ok().data()["revoked_invitations"], 1);
    let open = owner.get("/workspaces/acme/invitations").await.ok();
    assert_eq!(open.data(), &json!([viewer.data()["invitation"]]));
    assert_eq!(
        owner.put(&path(&admin), json!({ "role": "viewer" })).await.ok().data()["revoked_invitations"],
        1
    );
});

both!(a_workspace_is_handed_over, |app| async move {
    let (owner, bea) = (app.owner().await, app.member(Role::Viewer).await);
    let to = |user: Value| json!({ "user": user });
    bea.post("/workspaces/acme/transfer", to(json!(bea.id))).await.error(403, "FORBIDDEN");
    app.new_events().await;
    owner.post("/workspaces/acme/transfer", to(json!(owner.id))).await.wrong_fields(&["user"]);
    owner.post("/workspaces/acme/transfer", to(json!(app.canary().user))).await.wrong_fields(&["user"]);
    owner.post("/workspaces/acme/transfer", to(json!("bea"))).await.wrong_fields(&["user"]);
    assert!(app.new_events().await.is_empty());
    let done = owner.post("/organizations/acme/transfer", to(json!(bea.id))).await.ok();
    assert_eq!(done.data()["owner"]["user"]["id"], json!(bea.id));
    assert_eq!(
        (&done.data()["owner"]["role"], &done.data()["former_owner"]["role"]),
        (&json!("owner"), &json!("admin"))
    );
    assert_eq!(app.new_events().await, ["member.updated", "member.updated"]);
    owner.post("/workspaces/acme/transfer", to(json!(owner.id))).await.error(403, "FORBIDDEN");
    bea.delete(&path(&bea)).await.error(409, "CONFLICT");
});
