//! Against a real Redis, at `XR2_TEST_REDIS`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xr2_bus::{BreakerSettings, BreakerState, Bus, Heard, Hint, Options, State};

static NODE: AtomicU64 = AtomicU64::new(1);

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment where Redis is")]
fn address() -> Option<String> {
    let address = std::env::var("XR2_TEST_REDIS").ok().filter(|address| !address.is_empty());
    let required = std::env::var("XR2_TEST_REQUIRE_ALL").is_ok_and(|value| value == "1");
    assert!(address.is_some() || !required, "XR2_TEST_REDIS has to name a Redis server");
    address
}

async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what).await.expect("it took longer than a minute")
}

fn start(address: &str, stop: &CancellationToken) -> (Bus, mpsc::UnboundedReceiver<Hint>) {
    let began = std::time::Instant::now();
    let options = Options {
        node: Uuid::from_u128(NODE.fetch_add(1, Ordering::Relaxed).into()),
        timeout: Duration::from_secs(1),
        breaker: BreakerSettings { failures: 5, pause: Duration::from_secs(1) },
        time: Arc::new(move || began.elapsed()),
    };
    let bus = Bus::redis(address, options).expect("a usable address");
    let (heard, hints) = mpsc::unbounded_channel();
    let (running, stop) = (bus.clone(), stop.clone());
    tokio::spawn(async move {
        // A test that is over hears no more.
        let hear = move |what| {
            if let Heard::Revision(hint) = what {
                let _ = heard.send(hint);
            }
        };
        running.run(hear, stop).await
    });
    (bus, hints)
}

#[tokio::test]
async fn what_one_node_tells_the_other_hears() {
    let Some(address) = address() else { return };
    let stop = CancellationToken::new();
    let (here, _) = start(&address, &stop);
    let (there, mut heard) = start(&address, &stop);
    within(async {
        while there.state() != State::Connected {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let hint = Hint { workspace: Uuid::from_u128(0x1234), revision: 9 };
    here.tell(Heard::Revision(hint));
    let got = within(async {
        loop {
            // Other tests may share this Redis.
            match heard.recv().await {
                Some(got) if got.workspace == hint.workspace => return got,
                Some(_) => {}
                None => panic!("the bus ended"),
            }
        }
    })
    .await;
    assert_eq!(got, hint);
    stop.cancel();
}

#[tokio::test]
async fn without_redis_nothing_waits() {
    let stop = CancellationToken::new();
    // Nobody listens on the discard port of loopback.
    let (bus, _) = start("redis://127.0.0.1:9/", &stop);
    for revision in 0..20_000 {
        bus.tell(Heard::Revision(Hint { workspace: Uuid::nil(), revision }));
    }
    assert_eq!(bus.state(), State::Disconnected);
    within(async {
        while bus.breaker() == Some(BreakerState::Closed) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    stop.cancel();
}
