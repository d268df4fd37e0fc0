//! The database does not tell what was called before.

use xr2_testkit::{Engine, Network, Options, both};

use super::{people, warning};

both!(
    what_could_not_be_read_is_added_later,
    Options::new().set("limits.calls_per_month", 10).with_faults(),
    |app| async move {
        if app.db().engine() == Engine::Sqlite {
            // Nothing keeps a process from its own file.
            return;
        }
        let (owner, key) = people(&app).await;
        for _ in 0..8 {
            key.get("/prompts/p?name=Ana").await.ok();
        }
        app.app().usage().flush(app.app()).await.unwrap();
        let node = app.second_node().await;
        // In memory, without a call.
        node.bearer(owner.token()).get("/prompts/p?name=Ana").await.ok();
        let there = node.bearer(key.token());
        there.get("/bundle").await.ok();
        app.database_network(Network::Cut).await;
        app.until("the database is missed", || async {
            node.nobody().get(&node.url("/ready")).await.json["checks"]["database"] == "unavailable"
        })
        .await;
        assert_eq!(warning(&there.get("/prompts/p?name=Ana").await.ok()), None, "nobody knows of the others");
        assert!(app.log().contains("the database does not tell how many calls were made this month"));
        app.database_network(Network::Works).await;
        app.until("what was before is added", || async {
            node.app().quotas().level(node.app(), node.workspace()).await.is_some()
        })
        .await;
        assert!(warning(&there.get("/prompts/p?name=Ana").await.ok()).is_some());
        there.get("/prompts/p?name=Ana").await.ok();
        there.get("/prompts/p?name=Ana").await.error(429, "QUOTA_EXCEEDED");
    }
);
