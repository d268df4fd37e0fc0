//! Three nodes on one PostgreSQL and one Redis, killed at random, while Redis loses what it is told: whatever one of them
//! has acknowledged, all that can be reached deliver within a second, and at once to those who know its revision.

mod cluster;
mod listener;
mod stalls;

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};
use xr2_testkit::Network;

use crate::durability::check_database;
use cluster::{Cluster, Node, SLUG};

/// What the product promises when messages are lost.
const PROMISE: Duration = Duration::from_secs(1);

/// What half of all changes keep to when none are.
const AT_ONCE: Duration = Duration::from_millis(250);

/// What befalls the nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Blow {
    Kill,
    Restart,
    Redis(Network),
}

const BLOWS: [Blow; 12] = [
    Blow::Kill,
    Blow::Kill,
    Blow::Kill,
    Blow::Kill,
    Blow::Restart,
    Blow::Restart,
    Blow::Redis(Network::Loses(100)),
    Blow::Redis(Network::Loses(50)),
    Blow::Redis(Network::Cut),
    Blow::Redis(Network::Hangs),
    Blow::Redis(Network::Works),
    Blow::Redis(Network::Works),
];

/// The order of what happens; the same for the same seed.
fn seed() -> u64 {
    let given = std::env::var_os("XR2_TEST_SEED").and_then(|seed| seed.into_string().ok()?.parse().ok());
    given.unwrap_or_else(|| fastrand::u64(..))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_acknowledged_is_delivered_everywhere() {
    let seed = seed();
    eprintln!("XR2_TEST_SEED={seed} does this again");
    let mut random = fastrand::Rng::with_seed(seed);
    let Some(mut cluster) = Cluster::start().await else { return };
    let mut typical = Vec::new();
    for _ in 0..12 {
        typical.extend(publish_and_check(&mut cluster, &mut random).await);
    }
    typical.sort();
    let median = typical[typical.len() / 2];
    assert!(median <= AT_ONCE, "half of all changes take {median:?} or more to reach another node");

    let mut blows = BLOWS;
    random.shuffle(&mut blows);
    for blow in blows {
        eprintln!("{blow:?}");
        match blow {
            Blow::Redis(network) => cluster.redis.set(network),
            Blow::Restart => cluster.restart_one().await,
            Blow::Kill if cluster.reachable().len() == 1 => cluster.restart_one().await,
            Blow::Kill => kill_during_a_publish(&mut cluster, &mut random).await,
        }
        for _ in 0..2 {
            publish_and_check(&mut cluster, &mut random).await;
        }
    }
    cluster.redis.set(Network::Works);
    while cluster.reachable().len() < 3 {
        cluster.restart_one().await;
    }
    publish_and_check(&mut cluster, &mut random).await;
    let database = cluster.place.database.clone();
    let place = cluster.end();
    check_database(&database).await;
    place.clean_up().await;
}

/// Publishes at one node and waits for it at all. How long it took at each of the others.
async fn publish_and_check(cluster: &mut Cluster, random: &mut fastrand::Rng) -> Vec<Duration> {
    let writer = random.usize(..cluster.reachable().len());
    let writer = cluster.reachable()[writer].index;
    let number = cluster.next_number();
    cluster.stalls.begin();
    let published = cluster.node(writer).publish(number).await;
    assert_eq!(published, Some(StatusCode::OK), "node {writer} publishes");
    let acknowledged = Instant::now();
    let (text, revision) = cluster.node(writer).fetch(None).await;
    assert!(text >= number, "its writer has {text}, not {number}");
    let reachable = cluster.reachable();
    let others = reachable.iter().filter(|node| node.index != writer);
    // Every other one is asked by somebody who knows the revision, and by somebody who does not.
    let checks = others.enumerate().map(async |(turn, node)| {
        if (turn + usize::try_from(number).unwrap_or(0)).is_multiple_of(2) {
            let (text, _) = node.fetch(Some(revision)).await;
            assert!(text >= number, "node {} has {text}, asked for {number} by its revision", node.index);
        }
        let delivered = node.until_delivered(number, acknowledged).await;
        let streamed = node.until_heard(number, acknowledged).await;
        (node.index, delivered, streamed)
    });
    let measured = futures::future::join_all(checks).await;
    let stall = cluster.stalls.worst();
    for (node, delivered, streamed) in &measured {
        let allowed = PROMISE + stall;
        assert!(*delivered <= allowed, "node {node} delivers after {delivered:?} (stalls: {stall:?})");
        assert!(*streamed <= allowed, "node {node} tells its stream after {streamed:?} (stalls: {stall:?})");
    }
    measured.into_iter().map(|(_, delivered, _)| delivered.saturating_sub(stall)).collect()
}

/// Kills a node that is being asked to publish. What it acknowledged is kept to.
async fn kill_during_a_publish(cluster: &mut Cluster, random: &mut fastrand::Rng) {
    let victim = random.usize(..cluster.reachable().len());
    let victim = cluster.reachable()[victim].index;
    let number = cluster.next_number();
    let node = cluster.node(victim).clone();
    let publishing = tokio::spawn(async move { node.publish(number).await });
    tokio::time::sleep(Duration::from_millis(random.u64(0..25))).await;
    cluster.kill(victim);
    let acknowledged = publishing.await.expect("it does not panic") == Some(StatusCode::OK);
    if acknowledged {
        let since = Instant::now();
        for node in cluster.reachable() {
            node.until_delivered(number, since).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_and_revocations_are_shared() {
    let Some(cluster) = Cluster::start().await else { return };
    let [a, b, c] = [cluster.node(0), cluster.node(1), cluster.node(2)];
    let credentials = cluster.place.credentials();
    let login = json!({ "email": credentials["email"], "password": credentials["password"] });
    let answer = a.post("/auth/login", login, None).await;
    let token = answer["data"]["token"].as_str().expect("a session").to_owned();
    for node in [b, c] {
        assert_eq!(node.status("/auth/me", &token).await, StatusCode::OK);
    }
    a.post("/auth/logout", json!({}), Some(&token)).await;
    for node in [a, b, c] {
        assert_eq!(node.status("/auth/me", &token).await, StatusCode::UNAUTHORIZED);
    }

    for network in [Network::Works, Network::Loses(100)] {
        cluster.redis.set(network);
        let mut took = Vec::new();
        for round in 0..6 {
            let made = a.post("/api-keys", json!({ "name": format!("key {round}") }), None).await;
            let id = made["data"]["id"].as_str().expect("an id");
            let key = made["data"]["key"].as_str().expect("a key");
            // It is in the memory of all.
            for node in [a, b, c] {
                assert_eq!(node.status(&format!("/prompts/{SLUG}"), key).await, StatusCode::OK);
            }
            cluster.stalls.begin();
            a.delete(&format!("/api-keys/{id}")).await;
            let revoked = Instant::now();
            assert_eq!(a.status(&format!("/prompts/{SLUG}"), key).await, StatusCode::UNAUTHORIZED);
            for node in [b, c] {
                let refused = node.until_refused(key, revoked).await;
                let stall = cluster.stalls.worst();
                assert!(refused <= PROMISE + stall, "{network:?}: refused after {refused:?} ({stall:?})");
                took.push(refused.saturating_sub(stall));
            }
        }
        took.sort();
        let median = took[took.len() / 2];
        assert!(network != Network::Works || median <= AT_ONCE, "half of all take {median:?} or more");
    }
    cluster.end().clean_up().await;
}

/// Reads the number out of `text 7`.
fn number_in(content: &Value) -> i64 {
    let text = content.as_str().unwrap_or_default();
    text.strip_prefix("text ").and_then(|number| number.parse().ok()).unwrap_or(-1)
}

/// How a node is asked.
impl Node {
    async fn until_refused(&self, key: &str, since: Instant) -> Duration {
        loop {
            let asked = Instant::now();
            if self.status(&format!("/prompts/{SLUG}"), key).await == StatusCode::UNAUTHORIZED {
                return asked.saturating_duration_since(since);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
