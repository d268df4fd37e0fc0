use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use xr2_bus::Bus;

use super::*;
use crate::clock::Clock;
use crate::limits::Terms;

fn alone(most: usize) -> (RateLimits, Clock) {
    let clock = Clock::default();
    let (patience, terms) = (Duration::from_millis(50), Terms { lapse: 30 });
    let lender = Lender::new(Bus::local(), clock.clone(), Uuid::nil(), patience, terms);
    (RateLimits::new(lender, most), clock)
}

fn key(id: u128) -> Who {
    Who::Key(Uuid::from_u128(id))
}

#[test]
fn no_minute_sees_more_than_the_limit() {
    let (limits, clock) = alone(100);
    let mut accepted = Vec::new();
    for second in 0..300 {
        for _ in 0..3 {
            if limits.try_pass(key(1), 10).is_some_and(|verdict| verdict.is_ok()) {
                accepted.push(second);
            }
        }
        clock.advance(TimeDelta::seconds(1));
    }
    for start in 0..240 {
        let inside = accepted.iter().filter(|second| (start..start + 60).contains(*second)).count();
        assert!(inside <= 10, "{inside} requests in the minute from {start}");
    }
    assert!(accepted.len() >= 45, "the limit is used: {}", accepted.len());
}

#[test]
fn after_the_wait_the_next_one_passes() {
    let (limits, clock) = alone(100);
    let pass = || limits.try_pass(key(1), 2).expect("nobody to ask");
    assert_eq!(pass().map(|standing| standing.remaining), Ok(1));
    clock.advance(TimeDelta::seconds(20));
    assert_eq!(pass().map(|standing| standing.remaining), Ok(0));
    clock.advance(TimeDelta::seconds(10));
    let refused = pass().expect_err("two have passed");
    assert!((30..=31).contains(&refused.wait_seconds), "{refused:?}");
    clock.advance(TimeDelta::seconds(28));
    assert!(pass().is_err());
    clock.advance(TimeDelta::seconds(3));
    limits.take_back(key(1), pass().expect("one is free again"));
    assert!(pass().is_ok());
    assert!(pass().is_err());
}

#[test]
fn a_clock_that_is_set_back_changes_nothing() {
    let (limits, clock) = alone(100);
    assert!(limits.try_pass(key(1), 1).is_some_and(|verdict| verdict.is_ok()));
    clock.advance(TimeDelta::hours(-1));
    assert!(limits.try_pass(key(1), 1).is_some_and(|verdict| verdict.is_err()));
    clock.advance(TimeDelta::hours(1) + TimeDelta::seconds(61));
    assert!(limits.try_pass(key(1), 1).is_some_and(|verdict| verdict.is_ok()));
}

#[test]
fn exactly_the_limit_passes_under_concurrency() {
    let (limits, _) = alone(100);
    let passed = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..100 {
                    if limits.try_pass(key(1), 250).is_some_and(|verdict| verdict.is_ok()) {
                        passed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(passed.into_inner(), 250);
}

#[test]
fn filling_the_memory_frees_nobody_who_is_refused() {
    let (limits, _) = alone(160);
    for _ in 0..3 {
        let _ = limits.try_pass(key(1_000_000), 2);
    }
    for id in 0..5000 {
        let _ = limits.try_pass(key(id), 2);
    }
    let remembered: usize = limits.0.shards.iter().map(|shard| lock(shard).len()).sum();
    assert!(remembered <= 160, "{remembered}");
    assert!(limits.try_pass(key(1_000_000), 2).is_some_and(|verdict| verdict.is_err()));
}

#[test]
fn names_are_read_as_they_are_written() {
    for who in
        [key(7), Who::Network("10.0.0.1".parse().unwrap()), Who::Network("2001:db8::".parse().unwrap())]
    {
        assert_eq!(Who::of_name(&who.name()), Some(who));
    }
    assert_eq!(Who::of_name("else"), None);
}
