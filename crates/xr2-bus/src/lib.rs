#![doc = include_str!("../README.md")]

mod address;
mod connect;
mod redis_bus;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use address::BadAddress;
pub use xr2_breaker::{Settings as BreakerSettings, State as BreakerState, Time};

use redis_bus::RedisBus;

/// A workspace and the revision it has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// The workspace.
    pub workspace: Uuid,
    /// Its revision.
    pub revision: i64,
}

impl Hint {
    fn to_text(self) -> String {
        format!("{} {}", self.workspace, self.revision)
    }

    fn parse(text: &str) -> Option<Hint> {
        let (workspace, revision) = text.split_once(' ')?;
        Some(Hint { workspace: workspace.parse().ok()?, revision: revision.parse().ok()? })
    }
}

/// What one node tells all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A workspace has changed.
    Revision(Hint),
    /// Whoever holds some of this without using it should give it back.
    Recall(String),
}

/// Redis does not answer just now, or there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Redis does not answer")]
pub struct Away;

/// Whether [`Bus::redis`] could use this address.
pub fn check_address(address: &str) -> Result<(), BadAddress> {
    address::Place::parse(address).map(drop)
}

/// How Redis is used.
#[derive(Clone)]
pub struct Options {
    /// This node.
    pub node: Uuid,
    /// How long an answer may take.
    pub timeout: Duration,
    /// When Redis is left alone because it does not answer.
    pub breaker: BreakerSettings,
    /// Where the breaker takes the time from.
    pub time: Time,
}

/// How the nodes talk; cheap to clone. There is nobody to talk to without a Redis.
#[derive(Clone)]
pub struct Bus(Option<Arc<RedisBus>>);

/// Whether the nodes can talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is one node.
    Local,
    /// Redis is there.
    Connected,
    /// Redis is gone; changes of other nodes are noticed by their revisions, within a second.
    Disconnected,
}

impl Bus {
    /// For one node.
    pub fn local() -> Bus {
        Bus(None)
    }

    /// For several nodes on one Redis: `redis://host[,host…]`, `redis+sentinel://host[,host…]/primary` or
    /// `redis+cluster://host[,host…]`; `rediss…` with TLS. Does not connect yet; [`Bus::run`] does.
    pub fn redis(address: &str, options: Options) -> Result<Bus, BadAddress> {
        Ok(Bus(Some(Arc::new(RedisBus::new(address, options)?))))
    }

    /// Tells all nodes. Never waits.
    pub fn tell(&self, what: Heard) {
        if let Some(redis) = &self.0 {
            redis.tell(what);
        }
    }

    /// Whether there is a Redis, reachable or not.
    pub fn is_shared(&self) -> bool {
        self.0.is_some()
    }

    /// Runs a Lua script on one key, in one round trip; its answer is a list of whole numbers.
    pub async fn eval(&self, script: &str, key: &str, args: &[i64]) -> Result<Vec<i64>, Away> {
        let redis = self.0.as_ref().ok_or(Away)?;
        let mut command = redis::cmd("EVAL");
        command.arg(script).arg(1).arg(key).arg(args);
        redis.query(&command).await
    }

    /// What is kept under a key.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Away> {
        let redis = self.0.as_ref().ok_or(Away)?;
        redis.query(redis::cmd("GET").arg(key)).await
    }

    /// Keeps something under a key for a while.
    pub async fn set(&self, key: &str, value: &[u8], expiry: Duration) -> Result<(), Away> {
        let redis = self.0.as_ref().ok_or(Away)?;
        let millis = u64::try_from(expiry.as_millis()).unwrap_or(u64::MAX).max(1);
        redis.query(redis::cmd("SET").arg(key).arg(value).arg("PX").arg(millis)).await
    }

    /// Whether the nodes can talk.
    pub fn state(&self) -> State {
        match &self.0 {
            None => State::Local,
            Some(redis) if redis.is_connected() => State::Connected,
            Some(_) => State::Disconnected,
        }
    }

    /// Where the breaker around Redis stands; none where there is no Redis.
    pub fn breaker(&self) -> Option<BreakerState> {
        self.0.as_ref().map(|redis| redis.breaker())
    }

    /// Sends what is told and hands on what others tell, until `stop`. Call once.
    pub async fn run(&self, heard: impl Fn(Heard) + Send + Sync, stop: CancellationToken) {
        let Some(redis) = &self.0 else { return };
        tokio::select! {
            () = stop.cancelled() => {}
            () = redis.run(heard) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_survive_the_wire() {
        let hint = Hint { workspace: Uuid::from_u128(7), revision: 42 };
        assert_eq!(Hint::parse(&hint.to_text()), Some(hint));
        assert_eq!(Hint::parse("nonsense"), None);
        assert_eq!(Hint::parse("nonsense 1"), None);
    }
}
