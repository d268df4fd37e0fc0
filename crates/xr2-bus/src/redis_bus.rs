//! Talking through Redis: one connection that publishes, one that listens, a breaker before both.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use redis::AsyncConnectionConfig;
use redis::aio::{MultiplexedConnection, PubSub};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, timeout};
use xr2_breaker::{Breaker, State};

use crate::{BadAddress, Hint, Options};

/// Channel on which revisions are told.
const CHANNEL: &str = "xr2:revisions";

/// Hints waiting to be sent; beyond it they are dropped, the database tells anyway.
const WAITING: usize = 10_000;

/// How long to wait before subscribing again, doubling up to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// How often a node sends itself a sign of life, and for how long none may arrive.
const BEAT_EVERY: Duration = Duration::from_secs(2);
const DEAF_AFTER: Duration = Duration::from_secs(6);

pub(crate) struct RedisBus {
    client: redis::Client,
    options: Options,
    breaker: Breaker,
    outgoing: mpsc::Sender<Hint>,
    queue: Mutex<Option<mpsc::Receiver<Hint>>>,
    is_listening: AtomicBool,
}

impl RedisBus {
    pub(crate) fn new(address: &str, options: Options) -> Result<RedisBus, BadAddress> {
        let client = redis::Client::open(address).map_err(|_| BadAddress)?;
        let (outgoing, queue) = mpsc::channel(WAITING);
        let breaker = Breaker::with_time(options.breaker, options.time.clone());
        let (queue, is_listening) = (Mutex::new(Some(queue)), AtomicBool::new(false));
        Ok(RedisBus { client, options, breaker, outgoing, queue, is_listening })
    }

    pub(crate) fn tell(&self, hint: Hint) {
        let _ = self.outgoing.try_send(hint);
    }

    pub(crate) fn breaker(&self) -> State {
        self.breaker.state()
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.is_listening.load(Ordering::Relaxed) && self.breaker.state() == State::Closed
    }

    /// Sends and listens; does not return unless it was called before.
    pub(crate) async fn run(&self, heard: impl Fn(Hint) + Send + Sync) {
        let queue = self.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        let Some(queue) = queue else { return };
        tokio::join!(self.send(queue), self.listen(heard));
    }

    /// The channel on which a node hears itself.
    fn own_channel(&self) -> String {
        format!("xr2:node:{}", self.options.node)
    }

    async fn send(&self, mut queue: mpsc::Receiver<Hint>) {
        let own = self.own_channel();
        let mut beat = tokio::time::interval(BEAT_EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut connection = None;
        loop {
            let (channel, text) = tokio::select! {
                _ = beat.tick() => (own.as_str(), String::new()),
                hint = queue.recv() => match hint {
                    Some(hint) => (CHANNEL, hint.to_text()),
                    None => return,
                },
            };
            // While Redis rests, hints are lost; the others see the revision in the database.
            let Ok(pass) = self.breaker.pass() else {
                connection = None;
                continue;
            };
            match timeout(self.options.timeout * 2, self.publish(&mut connection, channel, &text)).await {
                Ok(Ok(())) => pass.succeeded(),
                _ => {
                    connection = None;
                    self.note_failure(pass.failed());
                }
            }
        }
    }

    async fn publish(
        &self,
        connection: &mut Option<MultiplexedConnection>,
        channel: &str,
        text: &str,
    ) -> redis::RedisResult<()> {
        let limit = Some(self.options.timeout);
        let connected = match connection {
            Some(connected) => connected,
            None => {
                let config =
                    AsyncConnectionConfig::new().set_connection_timeout(limit).set_response_timeout(limit);
                connection.insert(self.client.get_multiplexed_async_connection_with_config(&config).await?)
            }
        };
        redis::cmd("PUBLISH").arg(channel).arg(text).query_async(connected).await
    }

    async fn listen(&self, heard: impl Fn(Hint)) {
        let mut pause = RETRY.0;
        loop {
            if let Ok(pass) = self.breaker.pass() {
                match timeout(self.options.timeout * 2, self.subscribe()).await {
                    Ok(Ok(mut subscription)) => {
                        pass.succeeded();
                        pause = RETRY.0;
                        self.is_listening.store(true, Ordering::Relaxed);
                        hear(&mut subscription, &heard).await;
                        self.is_listening.store(false, Ordering::Relaxed);
                        tracing::warn!(
                            "Redis fell silent; changes of other nodes are noticed within a second"
                        );
                    }
                    _ => self.note_failure(pass.failed()),
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RETRY.1).min(self.options.breaker.pause.max(RETRY.0));
        }
    }

    async fn subscribe(&self) -> redis::RedisResult<PubSub> {
        let mut subscription = self.client.get_async_pubsub().await?;
        subscription.subscribe(CHANNEL).await?;
        subscription.subscribe(self.own_channel()).await?;
        Ok(subscription)
    }

    fn note_failure(&self, opened: bool) {
        if opened {
            let pause = self.options.breaker.pause.as_secs();
            tracing::warn!("Redis does not answer; it is asked again in {pause} seconds");
        }
    }
}

/// Hands on what comes until nothing does.
async fn hear(subscription: &mut PubSub, heard: &impl Fn(Hint)) {
    let mut messages = subscription.on_message();
    while let Ok(Some(message)) = timeout(DEAF_AFTER, messages.next()).await {
        let text: redis::RedisResult<String> = message.get_payload();
        if let Some(hint) = text.ok().as_deref().and_then(Hint::parse) {
            heard(hint);
        }
    }
}
