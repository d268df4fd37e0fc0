//! The script that keeps a month's calls, in a real Redis.

use std::time::Duration;

use uuid::Uuid;
use xr2_bus::{BreakerSettings, Bus, Options};
use xr2_testkit::{RedisServer, has_redis};

const SCRIPT: &str = include_str!("../../../src/features/quotas/lease.lua");

/// Calls there are.
const MOST: i64 = 110;

/// What a node tells and asks.
#[derive(Clone, Copy)]
struct Ask {
    epoch: i64,
    want: i64,
    ahead: i64,
    held: i64,
    before: i64,
    told: i64,
    caught: i64,
    floor: i64,
    lapse: i64,
    grace: i64,
}

impl Ask {
    fn of(epoch: i64) -> Ask {
        Ask {
            epoch,
            want: 0,
            ahead: 0,
            held: 0,
            before: 0,
            told: 0,
            caught: 0,
            floor: -1,
            lapse: 30,
            grace: 0,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Answer {
    epoch: i64,
    granted: i64,
    free: i64,
    elsewhere: i64,
    used: i64,
    silent: i64,
}

struct Redis {
    server: RedisServer,
    bus: Bus,
}

impl Redis {
    async fn start() -> Redis {
        let server = RedisServer::start().await;
        let began = std::time::Instant::now();
        let options = Options {
            node: Uuid::from_u128(1),
            timeout: Duration::from_secs(10),
            breaker: BreakerSettings { failures: 5, pause: Duration::from_secs(1) },
            time: std::sync::Arc::new(move || began.elapsed()),
        };
        let bus = Bus::redis(&server.url(), options).expect("a usable address");
        Redis { server, bus }
    }

    async fn ask(&self, node: i64, ask: Ask) -> Answer {
        let Ask { epoch, want, ahead, held, before, told, caught, floor, lapse, grace } = ask;
        let args = [node, epoch, MOST, want, ahead, held, before, told, caught, floor, lapse, grace];
        let answer = self.bus.eval(SCRIPT, "month", &args).await.expect("Redis answers");
        let [epoch, granted, free, elsewhere, used, silent] = answer.try_into().expect("six numbers");
        Answer { epoch, granted, free, elsewhere, used, silent }
    }

    /// A sum that begins with what the database knows.
    async fn begin(&self, floor: i64) -> i64 {
        let answer = self.ask(1, Ask { floor, ..Ask::of(0) }).await;
        assert!(answer.epoch > 0 && answer.used == floor, "{answer:?}");
        answer.epoch
    }
}

#[tokio::test]
async fn nothing_begins_without_what_the_database_knows() {
    if !has_redis() {
        return;
    }
    let redis = Redis::start().await;
    assert_eq!(redis.ask(1, Ask { want: 1, ..Ask::of(0) }).await.epoch, 0);
    assert_eq!(redis.ask(1, Ask { want: 1, floor: 5, ..Ask::of(77) }).await.epoch, 0, "nor is it another");
    let epoch = redis.begin(40).await;
    let late = redis.ask(2, Ask { want: 1, told: 9, ..Ask::of(epoch - 1) }).await;
    assert_eq!((late.epoch, late.granted), (epoch, 0));
    let joined = redis.ask(2, Ask { want: 1, ..Ask::of(0) }).await;
    assert_eq!((joined.epoch, joined.granted, joined.used), (epoch, 1, 40), "what came late changed nothing");
}

#[tokio::test]
async fn no_more_is_lent_than_there_is() {
    if !has_redis() {
        return;
    }
    let redis = Redis::start().await;
    let epoch = redis.begin(0).await;
    let first = redis.ask(1, Ask { want: 2, ahead: 50, ..Ask::of(epoch) }).await;
    assert_eq!((first.granted, first.free), (2 + 27, 81), "ahead a quarter of what is free");
    let second = redis.ask(2, Ask { want: 100, ahead: 50, ..Ask::of(epoch) }).await;
    assert_eq!((second.granted, second.free, second.elsewhere), (81, 0, 29));
    let used = redis.ask(1, Ask { want: 5, told: 20, held: 9, ..Ask::of(epoch) }).await;
    assert_eq!((used.granted, used.used, used.elsewhere), (0, 20, 81));
    let returned = redis.ask(2, Ask { told: 80, ..Ask::of(epoch) }).await;
    assert_eq!((returned.used, returned.free), (100, 1), "one came back");
    let last = redis.ask(1, Ask { want: 5, before: 20, told: 29, ..Ask::of(epoch) }).await;
    assert_eq!((last.granted, last.used, last.elsewhere), (1, 109, 0));
}

#[tokio::test]
async fn what_is_told_twice_or_taken_back_counts_once() {
    if !has_redis() {
        return;
    }
    let redis = Redis::start().await;
    let epoch = redis.begin(0).await;
    for told in [10, 10, 7, 12, 11] {
        let answer = redis.ask(1, Ask { before: 0, told, ..Ask::of(epoch) }).await;
        assert_eq!(answer.used, told);
    }
    // One that is not known any more goes by what it told before.
    assert_eq!(redis.ask(2, Ask { before: 500, told: 503, ..Ask::of(epoch) }).await.used, 14);
}

#[tokio::test]
async fn what_passed_by_redis_is_added_once() {
    if !has_redis() {
        return;
    }
    let redis = Redis::start().await;
    let epoch = redis.begin(0).await;
    let lent = redis.ask(2, Ask { want: 10, ..Ask::of(epoch) }).await;
    assert_eq!(lent.granted, 10);
    let known = redis.ask(1, Ask { floor: 8, ..Ask::of(epoch) }).await;
    assert_eq!(known.used, 0, "the other node may have used it of what it was lent");
    let known = redis.ask(1, Ask { floor: 35, ..Ask::of(epoch) }).await;
    assert_eq!(known.used, 25);
    // Of its forty, ten had permits, and twenty-five were written without.
    let told = Ask { told: 40, caught: 25, ..Ask::of(epoch) };
    assert_eq!(redis.ask(2, told).await.used, 40);
    assert_eq!(redis.ask(2, told).await.used, 40, "also when it has not heard the answer");
    assert_eq!(redis.ask(1, Ask { floor: 42, ..Ask::of(epoch) }).await.used, 42);
}

#[tokio::test]
async fn permits_of_a_silent_node_come_back_once_the_database_was_asked() {
    if !has_redis() {
        return;
    }
    let redis = Redis::start().await;
    let epoch = redis.begin(0).await;
    assert_eq!(redis.ask(2, Ask { want: 30, lapse: 1, ..Ask::of(epoch) }).await.granted, 30);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while redis.ask(1, Ask::of(epoch)).await.silent == 0 {
        assert!(tokio::time::Instant::now() < deadline, "the permits of a silent node never lapse");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let waiting = redis.ask(1, Ask { want: 110, ..Ask::of(epoch) }).await;
    assert_eq!((waiting.granted, waiting.elsewhere), (80, 30), "what it has used is not known yet");
    // It had used and written four.
    let known = redis.ask(1, Ask { want: 110, held: 80, floor: 4, ..Ask::of(epoch) }).await;
    assert_eq!((known.granted, known.elsewhere, known.used, known.silent), (26, 0, 4, 0));
}

#[tokio::test]
async fn a_sum_that_was_lost_lends_nothing_before_all_are_heard() {
    if !has_redis() {
        return;
    }
    let redis = Redis::start().await;
    redis.begin(3).await;
    redis.server.command("FLUSHALL").await;
    let begun = redis.ask(1, Ask { want: 1, ahead: 5, floor: 3, grace: 600_000, ..Ask::of(0) }).await;
    assert_eq!((begun.granted, begun.elsewhere, begun.used), (0, 1, 3));
    let other = redis.ask(2, Ask { want: 1, held: 2, told: 4, caught: 3, ..Ask::of(0) }).await;
    assert_eq!((other.granted, other.elsewhere, other.used), (0, 1, 4), "three of its four are known");
}
