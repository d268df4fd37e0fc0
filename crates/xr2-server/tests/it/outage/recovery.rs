//! Coming back.

use futures::future::join_all;
use xr2_testkit::{Engine, Network, Options, both};

use super::{people, ready, text, until_kept, until_ready};

both!(a_crowd_that_waited_is_served_without_a_stampede, Options::new().with_faults(), |app| async move {
    let (owner, shop) = people(&app).await;
    for n in 0..40 {
        text(&owner, &format!("p{n}"), &format!("text {n}")).await;
    }
    until_kept(&app).await;
    app.database_network(Network::Cut).await;
    until_ready(&app, "degraded").await;
    let node = app.second_node().await;
    let there = node.bearer(shop.token());
    let crowd = |round: usize| {
        let there = &there;
        join_all((0..200).map(move |n| async move {
            let answer = there.get(&format!("/prompts/p{}", n % 40)).await.ok();
            assert_eq!(answer.text_of("content"), format!("text {}", n % 40), "round {round}");
        }))
    };
    crowd(0).await;
    app.database_network(Network::Works).await;
    crowd(1).await;
    until_ready(&node, "ready").await;
    crowd(2).await;
    assert!(node.db().connections() <= 9, "{}", node.db().connections());
});

both!(a_restored_file_is_taken_up, Options::new().with_faults(), |app| async move {
    if app.db().engine() != Engine::Sqlite {
        return;
    }
    let (owner, shop) = people(&app).await;
    text(&owner, "p", "saved").await;
    let path = app.database_url().trim_start_matches("sqlite:").to_owned();
    let backup = app.directory().join("backup.sqlite3");
    app.db().copy_sqlite_to(&backup).await.expect("a backup");
    owner.put("/prompts/p", serde_json::json!({ "content": "after the backup" })).await.ok();
    assert_eq!(shop.get("/prompts/p").await.ok().text_of("content"), "after the backup");
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{path}{suffix}"));
    }
    until_ready(&app, "degraded").await;
    shop.get("/prompts/p").await.ok();
    owner.put("/prompts/p", serde_json::json!({ "content": "lost" })).await.error(503, "UNAVAILABLE");
    std::fs::copy(&backup, &path).expect("the backup is put in its place");
    until_ready(&app, "ready").await;
    app.until("the restored text is delivered", || async {
        shop.get("/prompts/p").await.ok().text_of("content") == "saved"
    })
    .await;
    owner.put("/prompts/p", serde_json::json!({ "content": "new" })).await.ok();
    assert_eq!(shop.get("/prompts/p").await.ok().text_of("content"), "new");
});

both!(a_lost_file_is_never_replaced_by_an_empty_one, Options::new().with_faults(), |app| async move {
    if app.db().engine() != Engine::Sqlite {
        return;
    }
    let (owner, shop) = people(&app).await;
    text(&owner, "p", "x").await;
    until_kept(&app).await;
    app.database_network(Network::Cut).await;
    let node = app.second_node().await;
    node.bearer(shop.token()).get("/prompts/p").await.ok();
    let path = app.database_url().trim_start_matches("sqlite:").to_owned();
    assert!(!std::path::Path::new(&path).exists());
    assert_eq!(ready(&node).await.ok().json["checks"]["database"], "unavailable");
    app.database_network(Network::Works).await;
    until_ready(&node, "ready").await;
});
