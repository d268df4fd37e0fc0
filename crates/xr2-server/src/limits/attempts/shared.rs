//! Attempts that all nodes count together, through Redis.

use std::hash::Hash;

use chrono::TimeDelta;

use super::Attempts;
use crate::clock::{Clock, Time};
use crate::limits::{Lender, Refused};

const COUNT: &str = include_str!("count.lua");
const FORGIVE: &str = "return { redis.call('ZREM', KEYS[1], ARGV[1]) }";

/// [`Attempts`] of all nodes. Without Redis, each goes by its own.
pub struct SharedAttempts<K> {
    own: Attempts<K>,
    lender: Lender,
    clock: Clock,
    limit: u32,
    window: TimeDelta,
    /// What Redis knows a key by.
    name: fn(&K) -> String,
}

/// An attempt that was counted.
#[derive(Debug, Clone, Copy)]
pub struct Counted(i64);

impl<K: Eq + Hash + Clone> SharedAttempts<K> {
    /// At most `limit` attempts by key within `window`; memory for `most_keys`.
    pub(crate) fn new(
        lender: Lender,
        clock: Clock,
        (limit, window): (u32, TimeDelta),
        most_keys: usize,
        name: fn(&K) -> String,
    ) -> SharedAttempts<K> {
        SharedAttempts { own: Attempts::new(limit, window, most_keys), lender, clock, limit, window, name }
    }

    /// Counts an attempt, or tells how long to wait.
    pub async fn count(&self, key: &K, now: Time) -> Result<Counted, Refused> {
        self.own.count(key, now)?;
        let (_, id) = self.clock.new_id().as_u64_pair();
        let id = (id >> 1).cast_signed();
        let args = [id, i64::from(self.limit), self.window.num_milliseconds()];
        match self.ask(COUNT, key, &args).await {
            Some(wait @ 1..) => {
                self.own.forgive(key);
                Err(Refused { limit: u64::from(self.limit), wait_seconds: wait.unsigned_abs() })
            }
            _ => Ok(Counted(id)),
        }
    }

    /// Takes a counted attempt back: it succeeded.
    pub async fn forgive(&self, key: &K, counted: Counted) {
        self.own.forgive(key);
        self.ask(FORGIVE, key, &[counted.0]).await;
    }

    /// What Redis answers, if it does so soon.
    async fn ask(&self, script: &str, key: &K, args: &[i64]) -> Option<i64> {
        let lender = &self.lender;
        if !lender.is_shared() || lender.is_alone(lender.second()) {
            return None;
        }
        let key = format!("xr2:attempts:{}", (self.name)(key));
        match tokio::time::timeout(lender.patience(), lender.eval(script, &key, args)).await {
            Ok(answer) => answer.ok().map(|[number]| number),
            Err(_) => {
                lender.go_alone();
                None
            }
        }
    }
}
