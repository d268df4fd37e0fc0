//! A snapshot that is cut, changed, or somebody else's.

use std::path::{Path, PathBuf};

use xr2_testkit::{Network, Options, TestApp, both};

use super::{people, text, until_kept, until_ready};

fn file(app: &TestApp, extension: &str) -> PathBuf {
    app.directory().join("frozen").join(format!("{}.{extension}", app.workspace()))
}

both!(a_damaged_file_is_left_out_and_said_so, Options::new().with_faults(), |app| async move {
    let (owner, shop) = people(&app).await;
    text(&owner, "p", "some secret text").await;
    until_kept(&app).await;
    app.database_network(Network::Cut).await;
    until_ready(&app, "degraded").await;
    let (prompts, keys) = (file(&app, "prompts"), file(&app, "keys"));
    let whole = std::fs::read(&prompts).expect("the prompts are kept");
    let plain = String::from_utf8_lossy(&whole).into_owned();
    assert!(!plain.contains("some secret text"), "the snapshot is encrypted");
    let flipped = |at: usize| {
        let mut file = whole.clone();
        file[at] ^= 1;
        file
    };
    for (n, damaged) in [whole[..whole.len() / 2].to_vec(), flipped(whole.len() - 1), flipped(60), Vec::new()]
        .into_iter()
        .enumerate()
    {
        std::fs::write(&prompts, damaged).expect("the file is damaged");
        let node = app.second_node().await;
        node.bearer(shop.token()).get("/prompts/p").await.error(503, "UNAVAILABLE");
        let told = node.log().matches("a file of the snapshot is not used: it is cut or was changed").count();
        assert!(told > n, "the log tells each time");
    }
    std::fs::write(&prompts, &whole).expect("the file is whole again");
    let node = app.second_node().await;
    node.bearer(shop.token()).get("/prompts/p").await.ok();

    std::fs::write(&keys, b"nonsense").expect("the file is damaged");
    let node = app.second_node().await;
    node.bearer(shop.token()).get("/prompts/p").await.error(503, "UNAVAILABLE");
    app.database_network(Network::Works).await;
    until_ready(&node, "ready").await;
    node.bearer(shop.token()).get("/prompts/p").await.ok();
    until_kept(&app).await;
});

both!(a_damaged_journal_makes_the_snapshot_untrustworthy, Options::new().with_faults(), |app| async move {
    let (owner, shop) = people(&app).await;
    text(&owner, "p", "x").await;
    let revoked = crate::outage::key(&owner, serde_json::json!({ "name": "old" })).await;
    until_kept(&app).await;
    let frozen = app.directory().join("frozen");
    let (journal, contact) = (frozen.join("revoked"), frozen.join("contact"));
    let read = |path: &Path| std::fs::read(path).expect("the file is there");
    let older = read(&journal);
    owner.delete(&format!("/api-keys/{}", revoked.id.expect("an id"))).await.ok();
    let whole = read(&journal);
    assert_ne!(older, whole, "it is on disk");
    let before = read(&contact);
    app.database_network(Network::Cut).await;
    until_ready(&app, "degraded").await;
    app.until("the last contact is noted", || async { read(&contact) != before }).await;
    let mut changed = whole.clone();
    changed[70] ^= 1;
    let cut = whole[..whole.len() / 2].to_vec();
    let damages = [Some(changed), Some(cut), Some(Vec::new()), Some(older), None];
    for (n, damage) in damages.into_iter().enumerate() {
        match damage {
            Some(bytes) => std::fs::write(&journal, bytes).expect("the journal is changed"),
            None => std::fs::remove_file(&journal).expect("the journal is removed"),
        }
        let outcome = app.try_node(app.options()).await;
        assert!(outcome.is_err(), "damage {n}: nothing can be delivered, so it does not start");
        assert!(app.log().matches("the journal of revoked keys is not used").count() > n);
    }
    // Without the other file nobody knows that there was a journal, but neither how old all is.
    let known = read(&contact);
    std::fs::remove_file(&contact).expect("the file is removed");
    let node = app.second_node().await;
    node.bearer(revoked.token()).get("/prompts/p").await.error(503, "UNAVAILABLE");
    node.bearer(shop.token()).get("/prompts/p").await.error(503, "UNAVAILABLE").says("max_stale");
    node.stop().await;
    std::fs::write(&contact, known).expect("the file is there again");
    app.database_network(Network::Works).await;
    until_ready(&app, "ready").await;
    shop.get("/prompts/p").await.ok();

    // A node that finds it so while the database is there writes everything anew.
    let node = app.second_node().await;
    until_ready(&node, "ready").await;
    app.until("there is a journal again", || async { journal.exists() }).await;
    app.until("it is trusted again", || async { !node.app().frozen().workspaces().is_empty() }).await;
    until_kept(&node).await;
    app.database_network(Network::Cut).await;
    let restarted = app.second_node().await;
    restarted.bearer(shop.token()).get("/prompts/p").await.ok();
    restarted.bearer(revoked.token()).get("/prompts/p").await.error(503, "UNAVAILABLE");
    app.database_network(Network::Works).await;
    until_ready(&restarted, "ready").await;
});

both!(another_instance_s_snapshot_is_not_used, Options::new().with_faults(), |app| async move {
    let (owner, shop) = people(&app).await;
    text(&owner, "p", "x").await;
    until_kept(&app).await;
    app.database_network(Network::Cut).await;
    until_ready(&app, "degraded").await;
    let stranger = app.options().set("secret_key", "ab".repeat(32));
    let node = app.try_node(stranger).await.expect("it starts, with nothing to deliver");
    node.bearer(shop.token()).get("/prompts/p").await.error(503, "UNAVAILABLE");
    assert!(node.log().contains("it was written with another secret key"));
    app.database_network(Network::Works).await;
    until_ready(&app, "ready").await;
    app.until("it is told that it does not belong here", || async {
        node.log().contains("this is not the key the database was first used with")
    })
    .await;
    node.bearer(shop.token()).get("/prompts/p").await.error(503, "UNAVAILABLE");
});
