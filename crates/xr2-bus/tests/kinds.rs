//! One server, several, Sentinel and a cluster: real ones, of which one dies.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xr2_bus::{BreakerSettings, Bus, Heard, Hint, Options, State};
use xr2_testkit::{RedisServer, has_redis};

/// A node with what it hears.
struct Node {
    bus: Bus,
    heard: mpsc::UnboundedReceiver<Heard>,
    stop: CancellationToken,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn node(address: &str) -> Node {
    let began = Instant::now();
    let options = Options {
        node: Uuid::from_u128(rand_id()),
        timeout: Duration::from_secs(5),
        breaker: BreakerSettings { failures: 5, pause: Duration::from_secs(1) },
        time: Arc::new(move || began.elapsed()),
    };
    let bus = Bus::redis(address, options).expect("a usable address");
    let (sender, heard) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let (running, until) = (bus.clone(), stop.clone());
    tokio::spawn(async move { running.run(move |what| drop(sender.send(what)), until).await });
    Node { bus, heard, stop }
}

fn rand_id() -> u128 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed).into()
}

async fn until<Running: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> Running) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds().await {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Both nodes are connected, hear each other, and share what is kept.
async fn talk(here: &Node, there: &mut Node, round: i64) {
    for bus in [&here.bus, &there.bus] {
        until("both are connected", || async { bus.state() == State::Connected }).await;
    }
    let hint = Heard::Revision(Hint { workspace: Uuid::nil(), revision: round });
    let recall = Heard::Recall(format!("round {round}"));
    // A subscription may be to the server that has just died; then what is told is lost, as everywhere.
    let deadline = Instant::now() + Duration::from_secs(60);
    for expected in [hint, recall] {
        loop {
            assert!(Instant::now() < deadline, "round {round}: {expected:?} was not heard");
            here.bus.tell(expected.clone());
            let heard = tokio::time::timeout(Duration::from_millis(500), async {
                while there.heard.recv().await.expect("the bus goes on") != expected {}
            });
            if heard.await.is_ok() {
                break;
            }
        }
    }
    for n in 0..8 {
        let key = format!("xr2:test:{round}:{n}");
        until("it is kept", || async { here.bus.set(&key, b"value", Duration::from_secs(60)).await.is_ok() })
            .await;
        until("the other node finds it", || async {
            there.bus.get(&key).await == Ok(Some(b"value".to_vec()))
        })
        .await;
        let script = "return {redis.call('INCRBY', KEYS[1] .. '', ARGV[1]), tonumber(ARGV[2])}";
        let counter = format!("xr2:counter:{round}:{n}");
        assert_eq!(here.bus.eval(script, &counter, &[5, 7]).await, Ok(vec![5, 7]));
        assert_eq!(there.bus.eval(script, &counter, &[5, 8]).await, Ok(vec![10, 8]));
    }
    assert_eq!(there.bus.get("xr2:test:nothing").await, Ok(None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_that_dies_and_comes_back() {
    if !has_redis() {
        return;
    }
    let mut server = RedisServer::start().await;
    let (here, mut there) = (node(&server.url()), node(&server.url()));
    talk(&here, &mut there, 1).await;
    server.kill();
    assert!(here.bus.get("xr2:test:nothing").await.is_err());
    until("it is missed", || async { here.bus.state() == State::Disconnected }).await;
    server.begin().await;
    talk(&here, &mut there, 2).await;
    // An answer that Redis refuses to give is no outage.
    assert!(here.bus.eval("return redis.call('NO SUCH')", "key", &[]).await.is_err());
    assert_eq!(here.bus.state(), State::Connected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_servers_of_which_the_first_one_that_is_there_is_used() {
    if !has_redis() {
        return;
    }
    let (mut first, second) = (RedisServer::start().await, RedisServer::start().await);
    let address = format!("redis://{},{}", first.address(), second.address());
    let (here, mut there) = (node(&address), node(&address));
    talk(&here, &mut there, 1).await;
    first.until("GET xr2:test:1:0", "value").await;
    first.kill();
    talk(&here, &mut there, 2).await;
    second.until("GET xr2:test:2:0", "value").await;
    first.begin().await;
    for node in [&here, &there] {
        until("they are back at the first", || async {
            let kept = node.bus.set("xr2:test:back", b"value", Duration::from_secs(60)).await;
            let is_back = kept.is_ok() && first.command("GET xr2:test:back").await.contains("value");
            first.command("DEL xr2:test:back").await;
            is_back
        })
        .await;
    }
    talk(&here, &mut there, 3).await;
    first.until("GET xr2:test:3:0", "value").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_is_passed_over() {
    if !has_redis() {
        return;
    }
    let primary = RedisServer::start().await;
    let replica = RedisServer::replica_of(&primary).await;
    let address = format!("{},{}", replica.url(), primary.url());
    let (here, mut there) = (node(&address), node(&address));
    talk(&here, &mut there, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinel_names_the_primary_and_the_next_one() {
    if !has_redis() {
        return;
    }
    let mut primary = RedisServer::start().await;
    let replica = RedisServer::replica_of(&primary).await;
    let sentinel = RedisServer::sentinel_of(&primary).await;
    // The first sentinel is not there; the next one is asked.
    let address = format!("redis+sentinel://127.0.0.1:9,{}/primary", sentinel.address());
    let (here, mut there) = (node(&address), node(&address));
    talk(&here, &mut there, 1).await;
    primary.kill();
    replica.until("ROLE", "master").await;
    talk(&here, &mut there, 2).await;
    replica.until("GET xr2:test:2:0", "value").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_one_redis() {
    if !has_redis() {
        return;
    }
    let mut nodes = RedisServer::cluster().await;
    let address = format!("redis+cluster://{},{}", nodes[0].address(), nodes[1].address());
    let (here, mut there) = (node(&address), node(&address));
    talk(&here, &mut there, 1).await;
    let mut holding = 0;
    for node in &nodes {
        holding += usize::from(!node.command("DBSIZE").await.starts_with(":0"));
    }
    assert!(holding > 1, "keys are spread");
    // Without its slots the cluster refuses; with them it goes on.
    nodes[0].kill();
    until("it is missed", || async {
        let mut results = Vec::new();
        for n in 0..8 {
            results.push(here.bus.get(&format!("xr2:test:1:{n}")).await.is_err());
        }
        results.contains(&true)
    })
    .await;
    nodes[0].begin().await;
    nodes[0].until("CLUSTER INFO", "cluster_state:ok").await;
    nodes[1].until("CLUSTER INFO", "cluster_state:ok").await;
    nodes[2].until("CLUSTER INFO", "cluster_state:ok").await;
    talk(&here, &mut there, 2).await;
}
