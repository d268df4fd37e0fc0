#![doc = include_str!("../README.md")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use redis::aio::ConnectionManager;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Channel on which revisions are told.
const CHANNEL: &str = "xr2:revisions";

/// Hints waiting to be sent; beyond it they are dropped, the database tells anyway.
const WAITING: usize = 10_000;

/// How long to wait before asking a lost Redis again, doubling up to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

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

/// How the nodes talk; cheap to clone.
#[derive(Clone)]
pub struct Bus(Arc<Kind>);

enum Kind {
    Local,
    Redis(Shared),
}

struct Shared {
    client: redis::Client,
    outgoing: mpsc::Sender<Hint>,
    queue: Mutex<Option<mpsc::Receiver<Hint>>>,
    connected: AtomicBool,
}

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
        Bus(Arc::new(Kind::Local))
    }

    /// For several nodes on one Redis. Does not connect yet; [`Bus::run`] does.
    pub fn redis(address: &str) -> Result<Bus, BadAddress> {
        let client = redis::Client::open(address).map_err(|_| BadAddress)?;
        let (outgoing, queue) = mpsc::channel(WAITING);
        let connected = AtomicBool::new(false);
        Ok(Bus(Arc::new(Kind::Redis(Shared { client, outgoing, queue: Mutex::new(Some(queue)), connected }))))
    }

    /// Tells the other nodes. Never waits.
    pub fn tell(&self, hint: Hint) {
        if let Kind::Redis(shared) = &*self.0 {
            let _ = shared.outgoing.try_send(hint);
        }
    }

    /// Whether the nodes can talk.
    pub fn state(&self) -> State {
        match &*self.0 {
            Kind::Local => State::Local,
            Kind::Redis(shared) if shared.connected.load(Ordering::Relaxed) => State::Connected,
            Kind::Redis(_) => State::Disconnected,
        }
    }

    /// Sends what is told and hands on what others tell, until `stop`. Call once.
    pub async fn run(&self, heard: impl Fn(Hint) + Send + Sync, stop: CancellationToken) {
        let Kind::Redis(shared) = &*self.0 else { return };
        let queue = shared.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        let Some(queue) = queue else { return };
        tokio::select! {
            () = stop.cancelled() => {}
            () = send(shared, queue) => {}
            () = listen(shared, heard) => {}
        }
    }
}

async fn send(shared: &Shared, mut queue: mpsc::Receiver<Hint>) {
    let mut connection: Option<ConnectionManager> = None;
    while let Some(hint) = queue.recv().await {
        if connection.is_none() {
            connection = ConnectionManager::new(shared.client.clone()).await.ok();
        }
        let Some(manager) = &mut connection else { continue };
        let sent: redis::RedisResult<()> =
            redis::cmd("PUBLISH").arg(CHANNEL).arg(hint.to_text()).query_async(manager).await;
        if sent.is_err() {
            // The hint is lost; the others see the revision in the database.
            connection = None;
        }
    }
}

async fn listen(shared: &Shared, heard: impl Fn(Hint)) {
    let mut pause = RETRY.0;
    loop {
        if let Ok(mut subscription) = subscribe(&shared.client).await {
            shared.connected.store(true, Ordering::Relaxed);
            pause = RETRY.0;
            let mut messages = subscription.on_message();
            while let Some(message) = messages.next().await {
                let text: redis::RedisResult<String> = message.get_payload();
                if let Some(hint) = text.ok().as_deref().and_then(Hint::parse) {
                    heard(hint);
                }
            }
            shared.connected.store(false, Ordering::Relaxed);
            tracing::warn!(
                "the connection to Redis broke off; changes of other nodes are noticed within a second"
            );
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RETRY.1);
    }
}

async fn subscribe(client: &redis::Client) -> redis::RedisResult<redis::aio::PubSub> {
    let mut subscription = client.get_async_pubsub().await?;
    subscription.subscribe(CHANNEL).await?;
    Ok(subscription)
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
        let error = Bus::redis("http://user:secret@host").err().map(|error| error.to_string());
        assert!(error.is_some_and(|text| !text.contains("secret")));
    }
}
