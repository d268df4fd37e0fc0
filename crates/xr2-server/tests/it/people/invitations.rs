//! Inviting people by e-mail address, and their answer.

use chrono::TimeDelta;
use serde_json::{Value, json};
use xr2_server::auth::{Role, Scope};
use xr2_testkit::{Client, Options, PASSWORD, TestApp, both};

use super::{registered, slugs, token_of};

async fn invite(app: &TestApp, by: &Client, email: &str, role: Role) -> (Value, String) {
    let made = by.post("/workspaces/acme/members", json!({ "email": email, "role": role })).await.created();
    app.new_events().await;
    (made.data()["invitation"].clone(), token_of(&made))
}

fn newcomer() -> Value {
    json!({ "name": "Bea", "password": PASSWORD })
}

both!(somebody_new_is_invited_and_joins, |app| async move {
    let owner = app.owner().await;
    let made =
        owner.post("/workspaces/acme/members", json!({ "email": " Bea@Example.com " })).await.created();
    let invitation = &made.data()["invitation"];
    assert_eq!((&invitation["email"], &invitation["role"]), (&json!("Bea@Example.com"), &json!("viewer")));
    assert_eq!(invitation["invited_by"], json!({ "id": owner.id.unwrap(), "name": "Test Person" }));
    assert_eq!(invitation["expired"], false);
    let link = made.text_of("link");
    assert!(link.contains("/accept-invitation#token=xr2i_"), "{link}");
    assert_eq!(app.new_events().await, ["invitation.created"]);
    assert_eq!(owner.get("/organizations/acme/invitations").await.ok().data(), &json!([invitation]));

    let path = format!("/invitations/{}", token_of(&made));
    let seen = app.nobody().get(&path).await.ok();
    assert_eq!(seen.data()["workspace"], json!({ "name": "Acme", "slug": "acme" }));
    assert_eq!(seen.data()["invited_by"], "Test Person");
    assert_eq!(seen.data()["email"], "Bea@Example.com");
    assert_eq!(seen.data()["account_exists"], false);

    let accepted = app.nobody().post(&format!("{path}/accept"), newcomer()).await.created();
    assert_eq!(app.new_events().await, ["user.registered", "member.added"]);
    assert_eq!(accepted.data()["user"]["email"], "Bea@Example.com");
    assert_eq!(accepted.data()["workspace"]["role"], "viewer");
    assert!(accepted.header("set-cookie").unwrap().contains("HttpOnly"));
    let bea = app.bearer(&accepted.text_of("token"));
    assert_eq!(slugs(bea.get("/workspaces").await.ok().data()), ["acme"], "and nowhere else");
    bea.get("/prompts").await.ok();
    bea.post("/prompts", json!({ "title": "A", "content": "A" })).await.error(403, "FORBIDDEN");
    let login = json!({ "email": "bea@example.com", "password": PASSWORD });
    app.nobody().post("/auth/login", login).await.ok();
    assert_eq!(owner.get("/workspaces/acme/invitations").await.ok().data(), &json!([]));
    let members = owner.get("/workspaces/acme/members").await.ok();
    assert_eq!(members.data()[1]["user"]["name"], "Bea");
    assert!(members.data()[1]["last_seen_at"].is_string());
    let again = json!({ "email": "BEA@example.com" });
    owner
        .post("/workspaces/acme/members", again)
        .await
        .error(409, "CONFLICT")
        .says("member with this address");
});

both!(somebody_with_an_account_signs_in_and_joins, |app| async move {
    let (owner, bea) = (app.owner().await, registered(&app, "bea@example.com", "Bea").await);
    let (_, token) = invite(&app, &owner, "BEA@example.com", Role::Editor).await;
    let path = format!("/invitations/{token}/accept");
    assert_eq!(app.nobody().get(&format!("/invitations/{token}")).await.ok().data()["account_exists"], true);
    for body in [json!({}), newcomer()] {
        app.nobody().post(&path, body).await.error(401, "UNAUTHENTICATED").says("Sign in, then accept");
    }
    assert!(app.new_events().await.is_empty());
    let joined = bea.post(&path, json!({})).await.ok();
    assert_eq!(joined.data()["workspace"]["role"], "editor");
    assert!(joined.data().get("token").is_none() && joined.header("set-cookie").is_none());
    assert_eq!(app.new_events().await, ["member.added"]);
    assert_eq!(slugs(bea.get("/workspaces").await.ok().data()), ["acme", "bea"]);
});

both!(an_invitation_is_used_once, |app| async move {
    let (owner, bea) = (app.owner().await, registered(&app, "bea@example.com", "Bea").await);
    let (_, token) = invite(&app, &owner, "bea@example.com", Role::Viewer).await;
    let path = format!("/invitations/{token}/accept");
    bea.post(&path, json!({})).await.ok();
    app.new_events().await;
    bea.post(&path, json!({})).await.error(409, "CONFLICT").says("used already");
    app.nobody().post(&path, newcomer()).await.error(409, "CONFLICT");
    app.nobody().get(&format!("/invitations/{token}")).await.error(409, "CONFLICT");
    assert!(app.new_events().await.is_empty());
    // Two at once: one account, one member.
    let (_, token) = invite(&app, &owner, "cid@example.com", Role::Viewer).await;
    let path = format!("/invitations/{token}/accept");
    let nobody = app.nobody();
    let (first, second) = tokio::join!(nobody.post(&path, newcomer()), nobody.post(&path, newcomer()));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert!(matches!(statuses, [201, 401 | 409]), "{statuses:?}");
    assert_eq!(app.new_events().await, ["user.registered", "member.added"]);
});

both!(an_invitation_that_was_passed_on_is_nobody_elses, |app| async move {
    let (owner, eve) = (app.owner().await, registered(&app, "eve@example.com", "Eve").await);
    let (_, token) = invite(&app, &owner, "bea@example.com", Role::Admin).await;
    let path = format!("/invitations/{token}/accept");
    eve.post(&path, json!({})).await.error(403, "FORBIDDEN").says("for bea@example.com");
    eve.post(&path, newcomer()).await.error(403, "FORBIDDEN").says("signed in as eve@example.com");
    let key = app.key(&[Scope::Admin]).await;
    key.post(&path, newcomer()).await.error(403, "FORBIDDEN").says("API key");
    app.stranger().post(&path, json!({})).await.error(403, "FORBIDDEN");
    assert!(app.new_events().await.is_empty());
    app.nobody().get(&format!("/invitations/{token}")).await.ok();
    let page = app.nobody().with_header("origin", "https://evil.example");
    page.post(&path, newcomer()).await.error(403, "FORBIDDEN").says("another site");
});

both!(an_invitation_ends, |app| async move {
    let owner = app.owner().await;
    let (invitation, token) = invite(&app, &owner, "bea@example.com", Role::Viewer).await;
    let id = invitation["id"].as_str().unwrap();
    let (look, accept) = (format!("/invitations/{token}"), format!("/invitations/{token}/accept"));
    app.clock().advance(TimeDelta::days(7));
    app.nobody().get(&look).await.error(404, "NOT_FOUND").says("expired");
    app.nobody().post(&accept, newcomer()).await.error(404, "NOT_FOUND").says("Ask Test Person");
    let listed = owner.get("/workspaces/acme/invitations").await.ok();
    assert_eq!(listed.data()[0]["expired"], true);

    let again = owner.post(&format!("/workspaces/acme/invitations/{id}/resend"), json!({})).await.ok();
    assert_eq!(again.data()["invitation"]["expired"], false);
    assert_eq!(app.new_events().await, ["invitation.sent"]);
    app.nobody().get(&look).await.error(404, "NOT_FOUND").says("invitation not found");
    let fresh = token_of(&again);
    app.nobody().get(&format!("/invitations/{fresh}")).await.ok();
    let soon = owner.post(&format!("/workspaces/acme/invitations/{id}/resend"), json!({})).await;
    assert!(soon.error(429, "RATE_LIMITED").header("retry-after").is_some());

    owner.delete(&format!("/workspaces/acme/invitations/{id}")).await.ok();
    assert_eq!(app.new_events().await, ["invitation.revoked"]);
    app.nobody().get(&format!("/invitations/{fresh}")).await.error(404, "NOT_FOUND");
    app.nobody().post(&format!("/invitations/{fresh}/accept"), newcomer()).await.error(404, "NOT_FOUND");
    owner.delete(&format!("/workspaces/acme/invitations/{id}")).await.error(404, "NOT_FOUND");
    owner.post(&format!("/workspaces/acme/invitations/{id}/resend"), json!({})).await.error(404, "NOT_FOUND");
    assert_eq!(owner.get("/workspaces/acme/invitations").await.ok().data(), &json!([]));
    assert!(app.new_events().await.is_empty());
    invite(&app, &owner, "bea@example.com", Role::Viewer).await;
});

both!(nobody_invites_anybody_who_may_do_more, |app| async move {
    let (admin, owner) = (app.member(Role::Admin).await, app.owner().await);
    let path = "/workspaces/acme/members";
    let as_role = |role: &str| json!({ "email": "bea@example.com", "role": role });
    admin.post(path, as_role("owner")).await.error(403, "FORBIDDEN").says("as owner");
    app.member(Role::Editor).await.post(path, as_role("viewer")).await.error(403, "FORBIDDEN");
    app.key(&[Scope::Admin]).await.post(path, as_role("viewer")).await.error(403, "FORBIDDEN").says("person");
    admin.post(path, as_role("god")).await.wrong_fields(&["role"]);
    for email in ["nonsense", "a@b, c@d", "Bea <bea@example.com>", ""] {
        admin.post(path, json!({ "email": email })).await.wrong_fields(&["email"]);
    }
    app.new_events().await;
    admin.post(path, as_role("admin")).await.created();
    let known = owner.post(path, json!({ "email": "Bea@example.com" })).await.error(409, "CONFLICT");
    assert_eq!(known.says("invited already").details()["errors"][0]["field"], "email");
    assert_eq!(app.new_events().await, ["invitation.created"]);
    // An owner's invitation is sent again by nobody who could not have made it.
    let (invitation, _) = invite(&app, &owner, "cid@example.com", Role::Owner).await;
    app.clock().advance(TimeDelta::minutes(2));
    let resend = format!("/workspaces/acme/invitations/{}/resend", invitation["id"].as_str().unwrap());
    admin.post(&resend, json!({})).await.error(403, "FORBIDDEN");
});

both!(tokens_cannot_be_tried_out, Options::new().set("auth.attempts_per_network", "5"), |app| async move {
    let owner = app.owner().await;
    let (_, token) = invite(&app, &owner, "bea@example.com", Role::Viewer).await;
    for _ in 0..8 {
        app.nobody().get(&format!("/invitations/{token}")).await.ok();
    }
    for number in 0..5 {
        app.nobody().get(&format!("/invitations/xr2i_{number}")).await.error(404, "NOT_FOUND");
    }
    app.nobody().get(&format!("/invitations/{token}")).await.error(429, "RATE_LIMITED");
    app.nobody().post(&format!("/invitations/{token}/accept"), newcomer()).await.error(429, "RATE_LIMITED");
});

both!(closed_servers_make_no_accounts, Options::new().set("auth.registration", "closed"), |app| async move {
    let owner = app.owner().await;
    let (_, token) = invite(&app, &owner, "bea@example.com", Role::Viewer).await;
    let seen = app.nobody().get(&format!("/invitations/{token}")).await.ok();
    assert_eq!(seen.data()["registration"], "closed");
    let refused = app.nobody().post(&format!("/invitations/{token}/accept"), newcomer()).await;
    refused.error(403, "FORBIDDEN").says("Registration is closed");
    assert!(app.new_events().await.is_empty());
});

both!(
    invitation_only_servers_take_the_invited,
    Options::new().set("auth.registration", "invite"),
    |app| async move {
        let owner = app.owner().await;
        let (_, token) = invite(&app, &owner, "bea@example.com", Role::Viewer).await;
        let path = format!("/invitations/{token}/accept");
        let register = json!({ "email": "bea@example.com", "password": PASSWORD, "name": "Bea" });
        app.nobody().post("/auth/register", register).await.error(403, "FORBIDDEN");
        app.nobody().post(&path, json!({})).await.error(401, "UNAUTHENTICATED");
        app.nobody().post(&path, json!({ "name": "Bea" })).await.wrong_fields(&["password"]);
        app.nobody()
            .post(&path, json!({ "name": "\u{7}", "password": "Password1234" }))
            .await
            .wrong_fields(&["password", "name"]);
        assert!(app.new_events().await.is_empty());
        app.nobody().post(&path, newcomer()).await.created();
    }
);

both!(a_workspace_invites_only_so_many_in_a_day, |app| async move {
    let owner = app.owner().await;
    let path = "/workspaces/acme/members";
    for number in 0..200 {
        owner.post(path, json!({ "email": format!("{number}@example.com") })).await.created();
    }
    let refused = owner.post(path, json!({ "email": "bea@example.com" })).await.error(429, "RATE_LIMITED");
    assert!(refused.header("retry-after").is_some());
    app.clock().advance(TimeDelta::days(1));
    owner.post(path, json!({ "email": "bea@example.com" })).await.created();
});
