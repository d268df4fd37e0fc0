//! Analytics read from copies, as long as those are there and near enough.

use serde_json::json;
use xr2_db::testing;
use xr2_testkit::{Client, Engine, Network, Options, PostgresPair, Proxy, both, postgres_url};

use super::{key, people, text};

async fn requests(owner: &Client) -> i64 {
    owner.get("/analytics/usage").await.ok().data()["summary"]["total_requests"].as_i64().expect("a number")
}

both!(analytics_read_from_a_replica, Options::new().with_faults(), |app| async move {
    if app.db().engine() != Engine::Postgres {
        return;
    }
    // A database in which nothing has happened, so that it shows which one was asked.
    let empty = testing::Fresh::create(&Engine::Postgres, app.directory(), postgres_url()).await.unwrap();
    let (db, _) = xr2_db::Db::open(&xr2_db::Options::new(empty.url())).await.unwrap();
    db.close().await;
    let (proxy, url) = Proxy::before_url(empty.url()).await;
    let node = app.node_with(app.options().set("database_replicas", url)).await;
    let (owner, shop) = people(&app).await;
    let (owner, shop) = (node.bearer(owner.token()), node.bearer(shop.token()));
    text(&owner, "p", "x").await;
    shop.get("/prompts/p").await.ok();
    for _ in 0..2 {
        node.until("the replica is read from", || async { requests(&owner).await == 0 }).await;
        assert_eq!(shop.get("/prompts/p").await.ok().text_of("content"), "x", "nothing else reads from it");
        proxy.set(Network::Cut);
        let before = requests(&owner).await;
        assert!(before > 0, "the primary answers at once");
        proxy.set(Network::Works);
    }
    proxy.set(Network::Hangs);
    node.until("the primary answers", || async { requests(&owner).await > 0 }).await;
    proxy.set(Network::Cut);
    node.stop().await;
    empty.drop().await.unwrap();
});

both!(a_replica_that_lags_is_passed_over, Options::new().with_faults(), |app| async move {
    if app.db().engine() != Engine::Postgres {
        return;
    }
    let Some(pair) = PostgresPair::start().await else { return };
    let options = app.options().set("database", pair.primary_url());
    let options = options.set("database_replicas", pair.replica_url()).set("postgres.replica_max_lag", "2s");
    let node = app.node_with(options).await;
    let registered = json!({ "email": "ana@example.com", "password": xr2_testkit::PASSWORD, "name": "Ana" });
    let owner =
        node.bearer(&node.nobody().post("/auth/register", registered).await.created().text_of("token"));
    let shop = key(&owner, json!({ "name": "shop" })).await;
    text(&owner, "p", "x").await;
    let is_read_from = |times: usize| node.log().matches("this replica is read from").count() == times;
    for round in 1..=2 {
        node.until("the replica is read from", || async { is_read_from(round) }).await;
        pair.replays(false).await;
        let before = requests(&owner).await;
        shop.get("/prompts/p").await.ok();
        let is_late = || node.log().matches("is too far behind").count() == round;
        node.until("it is too far behind", || async { is_late() }).await;
        assert!(requests(&owner).await > before, "the primary knows the latest");
        pair.replays(true).await;
    }
    node.until("the replica is read from", || async { is_read_from(3) }).await;
    node.stop().await;
});

#[test]
fn replicas_are_of_postgresql() {
    use xr2_server::config::{Config, Override};
    let load = |settings: &[(&str, &str)]| {
        let flags: Vec<Override> = settings
            .iter()
            .map(|(key, value)| Override { key: (*key).to_owned(), value: (*value).to_owned() })
            .collect();
        Config::load(None, &|_| None, &flags)
    };
    let replica = "postgres://u:secret@b/xr2";
    let error = load(&[("database_replicas", replica)]).unwrap_err().to_string();
    assert!(error.contains("database_replicas") && !error.contains("secret"), "{error}");
    let whole = load(&[("database", "postgres://u:p@a/xr2"), ("database.replicas", replica)]).unwrap();
    assert!(!format!("{whole:?}").contains("secret"));
}
