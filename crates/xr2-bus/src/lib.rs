#![doc = include_str!("../README.md")]

mod redis_bus;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

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

/// The Redis address could not be used.
#[derive(Debug, thiserror::Error)]
#[error("the Redis address could not be read; expected redis://[user:password@]host:port[/database]")]
pub struct BadAddress;

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

    /// For several nodes on one Redis. Does not connect yet; [`Bus::run`] does.
    pub fn redis(address: &str, options: Options) -> Result<Bus, BadAddress> {
        Ok(Bus(Some(Arc::new(RedisBus::new(address, options)?))))
    }

    /// Tells the other nodes. Never waits.
    pub fn tell(&self, hint: Hint) {
        if let Some(redis) = &self.0 {
            redis.tell(hint);
        }
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
    pub async fn run(&self, heard: impl Fn(Hint) + Send + Sync, stop: CancellationToken) {
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

    #[test]
    fn a_bad_address_is_refused_without_quoting_it() {
        let options = Options {
            node: Uuid::nil(),
            timeout: Duration::from_secs(1),
            breaker: BreakerSettings { failures: 5, pause: Duration::from_secs(10) },
            time: Arc::new(|| Duration::ZERO),
        };
        let error = Bus::redis("http://user:secret@host", options).err().map(|error| error.to_string());
        assert!(error.is_some_and(|text| !text.contains("secret")));
    }
}
