//! Workspaces and their members, and how a request names the one it means.

use serde_json::json;
use xr2_server::auth::{Role, Scope};
use xr2_testkit::{CANARY_ID, CANARY_SLUG, both};

both!(a_member_sees_the_workspace, |app| async move {
    let (owner, viewer) = (app.owner().await, app.member(Role::Viewer).await);
    for root in ["workspaces", "organizations"] {
        let listed = viewer.get(&format!("/{root}")).await.ok();
        assert_eq!(listed.data()[0]["slug"], "acme");
        assert_eq!(listed.data()[0]["role"], "viewer");
        assert_eq!(listed.data().as_array().unwrap().len(), 1);
        let id = app.workspace();
        assert_eq!(viewer.get(&format!("/{root}/acme")).await.ok().data(), &listed.data()[0]);
        assert_eq!(viewer.get(&format!("/{root}/{id}")).await.ok().data(), &listed.data()[0]);

        let members = viewer.get(&format!("/{root}/acme/members")).await.ok();
        assert_eq!(members.data().as_array().unwrap().len(), 2);
        assert_eq!(members.data()[0]["user"]["id"], json!(owner.id.unwrap()));
        assert_eq!(members.data()[0]["role"], "owner");
        assert!(members.data()[0]["joined_at"].as_str().unwrap().ends_with('Z'));
        assert!(members.data()[0]["user"].get("password_hash").is_none());
    }
});

both!(others_are_not_there, |app| async move {
    let (owner, key) = (app.owner().await, app.key(&[Scope::Admin]).await);
    for name in [CANARY_SLUG.to_owned(), CANARY_ID.to_string(), "nowhere".to_owned()] {
        for path in [format!("/workspaces/{name}"), format!("/workspaces/{name}/members")] {
            owner.get(&path).await.error(404, "NOT_FOUND").says("workspace not found");
            key.get(&path).await.error(400, "WORKSPACE_CONFLICT");
        }
        owner.clone().with_header("x-workspace", &name).get("/api-keys").await.error(404, "NOT_FOUND");
        owner.get(&format!("/api-keys?workspace={name}")).await.error(404, "NOT_FOUND");
        key.get(&format!("/api-keys?organizationId={name}")).await.error(400, "WORKSPACE_CONFLICT");
    }
    app.stranger().get("/workspaces/acme").await.error(404, "NOT_FOUND");
    let listed = app.stranger().get("/workspaces").await.ok();
    assert_eq!(listed.data()[0]["id"], json!(CANARY_ID));
    app.stranger_key().get("/workspaces").await.ok();
});

both!(a_request_names_one_workspace, |app| async move {
    let person = json!({ "email": "ann@example.com", "password": xr2_testkit::PASSWORD, "name": "Ann" });
    let made = app.nobody().post("/auth/register", person).await.created();
    let ann = app.bearer(&made.text_of("token"));
    let own = made.data()["workspace"]["id"].as_str().unwrap().to_owned();
    ann.get("/api-keys").await.ok();
    app.join(made.data()["user"]["id"].as_str().unwrap().parse().unwrap(), Role::Admin).await;

    let unclear = ann.get("/api-keys").await.error(400, "WORKSPACE_REQUIRED");
    assert_eq!(unclear.details()["workspaces"], json!(["acme", "ann"]));
    for name in ["ann", own.as_str(), "acme"] {
        ann.get(&format!("/api-keys?workspace={name}")).await.ok();
        ann.clone().with_header("x-workspace", name).get("/api-keys").await.ok();
    }
    let both = ann.clone().with_header("x-workspace", &own);
    both.get("/api-keys?workspace=ann").await.ok();
    both.get("/api-keys?workspace=acme").await.error(400, "WORKSPACE_CONFLICT");
    both.get("/workspaces/acme/members").await.error(400, "WORKSPACE_CONFLICT");
    app.loner().await.get("/api-keys").await.error(400, "WORKSPACE_REQUIRED");
});

both!(a_key_has_one_workspace, |app| async move {
    let key = app.key(&[Scope::Read]).await;
    let me = key.get("/auth/me").await.ok();
    assert_eq!(me.data()["kind"], "api_key");
    assert_eq!(me.data()["user"], json!(null));
    assert_eq!(me.data()["workspaces"][0]["slug"], "acme");
    assert_eq!(me.data()["api_key"]["scopes"], json!(["read"]));
    let acme = key.get("/workspaces/acme").await.ok();
    assert_eq!((&acme.data()["role"], &acme.data()["rights"]), (&json!(null), &json!(["deliver", "read"])));
    key.get("/workspaces/acme/members").await.ok();
});
