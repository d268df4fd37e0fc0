//! What was taken away stays away, on every node and whatever happens to the files.

use std::path::Path;

use serde_json::json;
use uuid::Uuid;
use xr2_server::features::{api_keys, delivery};
use xr2_testkit::{Client, Network, Options, TestApp, both};

use super::{key, people, text, until_kept, until_ready};

async fn revoke(owner: &Client, key: &Client) {
    owner.delete(&format!("/api-keys/{}", key.id.expect("an id"))).await.ok();
}

fn journal(directory: &Path) -> Vec<u8> {
    std::fs::read(directory.join("frozen/revoked")).unwrap_or_default()
}

both!(every_node_keeps_what_was_revoked_on_another, Options::new().with_faults(), |app| async move {
    let (owner, shop) = people(&app).await;
    text(&owner, "p", "x").await;
    let elsewhere = app.directory().join("elsewhere");
    let options = || app.options().set("data_dir", elsewhere.display());
    let node = app.node_with(options()).await;
    let revoked = key(&owner, json!({ "name": "old" })).await;
    node.bearer(revoked.token()).get("/prompts/p").await.ok();
    app.until("the other node has a journal", || async { !journal(&elsewhere).is_empty() }).await;
    let before = journal(&elsewhere);
    revoke(&owner, &revoked).await;
    app.until("the other node has it on disk", || async { journal(&elsewhere) != before }).await;
    app.until("the other node has kept everything", || async {
        delivery::kept_revision(node.app().frozen(), app.workspace()) == Some(app.revision().await)
    })
    .await;
    app.database_network(Network::Cut).await;
    let restarted = app.node_with(options()).await;
    restarted.bearer(shop.token()).get("/prompts/p").await.ok();
    restarted.bearer(revoked.token()).get("/prompts/p").await.error(503, "UNAVAILABLE");
    app.database_network(Network::Works).await;
    until_ready(&restarted, "ready").await;
});

/// Whoever registers gets a workspace.
async fn somebody_else(app: &TestApp) -> (Client, Uuid) {
    let person = json!({ "email": "ann@example.com", "password": xr2_testkit::PASSWORD, "name": "Ann" });
    let made = app.nobody().post("/auth/register", person).await.created();
    let workspace = made.data()["workspace"]["id"].as_str().and_then(|id| id.parse().ok());
    (app.bearer(&made.text_of("token")), workspace.expect("an id"))
}

both!(
    a_journal_that_cannot_be_written_costs_every_workspace_its_keys_for_a_while,
    Options::new().with_faults(),
    |app| async move {
        let (owner, shop) = people(&app).await;
        text(&owner, "p", "x").await;
        let (_, other) = somebody_else(&app).await;
        let revoked = key(&owner, json!({ "name": "old" })).await;
        until_kept(&app).await;
        let frozen = app.app().frozen();
        app.until("the other workspace is kept", || async { frozen.workspaces().contains(&other) }).await;
        let journal = app.directory().join("frozen/revoked");
        let _ = std::fs::remove_file(&journal);
        std::fs::create_dir(&journal).expect("something is in the way");
        revoke(&owner, &revoked).await;
        assert!(app.log().contains("a revoked key could not be noted in the journal"));
        assert!(frozen.workspaces().is_empty(), "nothing is trusted");
        std::fs::remove_dir(&journal).expect("nothing is in the way any more");
        // Nothing has changed there, and yet its keys are written anew.
        app.until("both are kept again", || async {
            let kept = frozen.workspaces();
            kept.contains(&other) && kept.contains(&app.workspace())
        })
        .await;
        until_kept(&app).await;
        app.database_network(Network::Cut).await;
        let node = app.second_node().await;
        node.bearer(shop.token()).get("/prompts/p").await.ok();
        node.bearer(revoked.token()).get("/prompts/p").await.error(503, "UNAVAILABLE");
        app.database_network(Network::Works).await;
        until_ready(&node, "ready").await;
    }
);

both!(prompts_that_cannot_be_written_hold_nothing_else_up, Options::new().with_faults(), |app| async move {
    let (owner, _) = people(&app).await;
    text(&owner, "p", "x").await;
    until_kept(&app).await;
    let prompts = app.directory().join("frozen").join(format!("{}.prompts", app.workspace()));
    std::fs::remove_file(&prompts).expect("the prompts were kept");
    std::fs::create_dir_all(prompts.join("in the way")).expect("something is in the way");
    text(&owner, "q", "y").await;
    app.until("the log tells", || async { app.log().contains("the snapshot could not be written") }).await;
    let revoked = key(&owner, json!({ "name": "old" })).await;
    revoke(&owner, &revoked).await;
    let frozen = app.app().frozen();
    let wanted = Some(app.revision().await);
    app.until("the keys are kept", || async { api_keys::kept_revision(frozen, app.workspace()) == wanted })
        .await;
    let (ann, other) = somebody_else(&app).await;
    text(&ann, "hers", "z").await;
    app.until("another workspace is kept", || async {
        delivery::kept_revision(frozen, other)
            .is_some_and(|kept| Some(kept) == app.app().follower().told(other))
    })
    .await;
    let age = || app.app().clock().now() - frozen.current_at().expect("something is kept");
    app.clock().advance(chrono::TimeDelta::minutes(5));
    app.until("it is known how old that is", || async { age() > chrono::TimeDelta::minutes(4) }).await;
    let of_other = || app.app().clock().now() - frozen.current_of(other).expect("something is kept");
    app.until("and that the other is not", || async { of_other() < chrono::TimeDelta::minutes(4) }).await;
    std::fs::remove_dir_all(&prompts).expect("nothing is in the way any more");
    until_kept(&app).await;
    app.until("it is current again", || async { age() < chrono::TimeDelta::minutes(4) }).await;
});
