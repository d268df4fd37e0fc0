//! An empty server and its set-up link.

use serde_json::{Value, json};
use xr2_server::features::accounts;
use xr2_testkit::{Options, PASSWORD, TestApp, both};

fn empty() -> Options {
    Options::new().empty().set("auth.registration", "open")
}

fn person(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "name": "Ann Example" })
}

async fn token(app: &TestApp) -> String {
    let link = accounts::setup_link(app.app()).await.unwrap().expect("an empty server has a set-up link");
    let (page, token) = link.split_once("#token=").expect("the token stands in the fragment");
    assert!(page.ends_with("/setup"), "{page}");
    token.to_owned()
}

fn with_token(mut person: Value, token: &str) -> Value {
    person["setup_token"] = token.into();
    person
}

both!(the_link_makes_the_operator_once, empty(), |app| async move {
    let nobody = app.nobody();
    assert_eq!(nobody.get("/auth/status").await.ok().data()["setup_required"], true);
    let token = token(&app).await;
    app.keep_secret(&token);

    let made = nobody.post("/auth/register", with_token(person("ann@example.com"), &token)).await.created();
    assert_eq!(made.data()["user"]["is_operator"], true);
    assert_eq!(made.data()["workspace"]["role"], "owner");
    assert_eq!(app.new_events().await, ["workspace.created", "member.added", "user.registered"]);
    assert_eq!(nobody.get("/auth/status").await.ok().data()["setup_required"], false);
    assert_eq!(accounts::setup_link(app.app()).await.unwrap(), None);

    let again = nobody.post("/auth/register", with_token(person("bob@example.com"), &token)).await;
    again.error(403, "FORBIDDEN").says("used already");
    let bob = nobody.post("/auth/register", person("bob@example.com")).await.created();
    assert_eq!(bob.data()["user"]["is_operator"], false);
});

both!(an_empty_server_is_not_owned_by_whoever_comes_first, empty(), |app| async move {
    let nobody = app.nobody();
    let token = token(&app).await;
    nobody
        .post("/auth/register", person("eve@example.com"))
        .await
        .error(403, "FORBIDDEN")
        .says("set-up link");
    let wrong = with_token(person("eve@example.com"), "0123456789abcdef");
    nobody.post("/auth/register", wrong).await.error(403, "FORBIDDEN").says("not the set-up link");
    assert_eq!(nobody.get("/auth/status").await.ok().data()["setup_required"], true);
    assert!(app.new_events().await.is_empty());
    nobody.post("/auth/register", with_token(person("ann@example.com"), &token)).await.created();
});

both!(of_two_who_use_the_link_at_once_one_succeeds, empty(), |app| async move {
    let token = token(&app).await;
    let attempt = |number: u32| {
        let (client, token) = (app.nobody(), token.clone());
        async move {
            client.post("/auth/register", with_token(person(&format!("p{number}@example.com")), &token)).await
        }
    };
    let (a, b, c) = tokio::join!(attempt(1), attempt(2), attempt(3));
    let mut statuses = [a.status, b.status, c.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 403, 403]);
});

both!(the_link_is_the_same_for_all_nodes_and_starts, empty(), |app| async move {
    let node = app.second_node().await;
    let (first, second) = (token(&app).await, token(&node).await);
    assert_eq!(first, second);
    node.nobody().post("/auth/register", with_token(person("ann@example.com"), &first)).await.created();
});

both!(closed_and_invited, Options::new().set("auth.registration", "closed"), |app| async move {
    let refused = app.nobody().post("/auth/register", person("ann@example.com")).await;
    refused.error(403, "FORBIDDEN").says("closed");
    assert_eq!(app.nobody().get("/auth/status").await.ok().data()["registration"], "closed");
    assert!(app.new_events().await.is_empty());
});

both!(by_invitation, Options::new().set("auth.registration", "invite"), |app| async move {
    let refused = app.nobody().post("/auth/register", person("ann@example.com")).await;
    refused.error(403, "FORBIDDEN").says("invitation");
});

both!(the_command_line_helps_those_locked_out, empty(), |app| async move {
    let admin = app.app();
    let made = accounts::admin::create_user(admin, "Ann@Example.com", "Ann", None, false).await.unwrap();
    app.keep_secret(&made.password);
    assert_eq!(made.workspace_slug, "ann");
    let login = json!({ "email": "ann@example.com", "password": made.password });
    let signed_in = app.nobody().post("/auth/login", login.clone()).await.ok();
    assert_eq!(signed_in.data()["user"]["is_operator"], false);
    let ann = app.bearer(&signed_in.text_of("token"));

    accounts::admin::make_operator(admin, "ann@example.com").await.unwrap();
    assert_eq!(ann.get("/auth/me").await.ok().data()["user"]["is_operator"], true);

    let new = accounts::admin::reset_password(admin, "ann@example.com", None).await.unwrap();
    app.keep_secret(&new);
    ann.get("/auth/me").await.error(401, "UNAUTHENTICATED");
    app.nobody().post("/auth/login", login).await.error(401, "INVALID_CREDENTIALS");
    app.nobody().post("/auth/login", json!({ "email": "ann@example.com", "password": new })).await.ok();

    let unknown = accounts::admin::reset_password(admin, "eve@example.com", None).await.unwrap_err();
    assert!(unknown.to_string().contains("eve@example.com not found"), "{unknown}");
    let weak = accounts::admin::reset_password(admin, "ann@example.com", Some("short".into())).await;
    assert!(weak.unwrap_err().to_string().contains("at least 10 characters"));
    let taken = accounts::admin::create_user(admin, "ANN@example.com", "Ann", None, false).await;
    assert!(taken.unwrap_err().to_string().contains("already"));
});
