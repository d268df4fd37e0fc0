//! A snapshot that is cut, changed, or somebody else's.

use std::path::PathBuf;

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
    owner.delete(&format!("/api-keys/{}", revoked.id.expect("an id"))).await.ok();
    app.database_network(Network::Cut).await;
    until_ready(&app, "degraded").await;
    let journal = app.directory().join("frozen/revoked");
    let mut lines = std::fs::read(&journal).expect("the journal is there");
    lines[70] ^= 1;
    std::fs::write(&journal, lines).expect("the journal is changed");
    let outcome = app.try_node(app.options()).await;
    assert!(outcome.is_err(), "nothing can be delivered, so it does not start");
    assert!(app.log().contains("the journal of revoked keys is not used"));
    app.database_network(Network::Works).await;
    until_ready(&app, "ready").await;
    shop.get("/prompts/p").await.ok();
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
