//! Talking through Redis: one connection for commands and for what is told, one that listens, a breaker before both.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use futures::StreamExt;
use redis::aio::PubSub;
use redis::{Cmd, FromRedisValue};
use tokio::sync::{Notify, mpsc};
use tokio::time::{MissedTickBehavior, timeout};
use xr2_breaker::{Breaker, State};

use crate::address::Place;
use crate::connect::{Commands, Connector, is_answer};
use crate::{Away, BadAddress, Heard, Hint, Options};

/// Channels on which revisions are told, and on which what was lent is called back.
const REVISIONS: &str = "xr2:revisions";
const RECALLS: &str = "xr2:recalls";

/// What waits to be told; beyond it is dropped, the database tells anyway.
const WAITING: usize = 10_000;

/// How long to wait before subscribing again, doubling up to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// How often a node sends itself a sign of life, and for how long none may arrive.
const BEAT_EVERY: Duration = Duration::from_secs(2);
const DEAF_AFTER: Duration = Duration::from_secs(6);

pub(crate) struct RedisBus {
    connector: Connector,
    options: Options,
    breaker: Breaker,
    hints: mpsc::Sender<Hint>,
    /// Apart from hints, of which there may be many: requests wait for what is called back.
    recalls: mpsc::Sender<String>,
    queues: Mutex<Option<Queues>>,
    is_listening: AtomicBool,
    line: Mutex<Option<Line>>,
    /// Held by whoever connects on behalf of all who wait.
    connecting: tokio::sync::Mutex<()>,
    /// Another server is used from now on.
    moved: Notify,
}

/// What is to be told.
struct Queues {
    hints: mpsc::Receiver<Hint>,
    recalls: mpsc::Receiver<String>,
}

/// The connection for commands.
#[derive(Clone)]
struct Line {
    commands: Commands,
    /// Which of several servers.
    server: usize,
    /// Tells it from the ones before it.
    number: u64,
}

impl RedisBus {
    pub(crate) fn new(address: &str, options: Options) -> Result<RedisBus, BadAddress> {
        let connector = Connector::new(Place::parse(address)?, options.timeout);
        let (hints, waiting_hints) = mpsc::channel(WAITING);
        let (recalls, waiting_recalls) = mpsc::channel(WAITING);
        let breaker = Breaker::with_time(options.breaker, options.time.clone());
        Ok(RedisBus {
            connector,
            options,
            breaker,
            hints,
            recalls,
            queues: Mutex::new(Some(Queues { hints: waiting_hints, recalls: waiting_recalls })),
            is_listening: AtomicBool::new(false),
            line: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
            moved: Notify::new(),
        })
    }

    pub(crate) fn tell(&self, what: Heard) {
        match what {
            Heard::Revision(hint) => drop(self.hints.try_send(hint)),
            Heard::Recall(what) => drop(self.recalls.try_send(what)),
        }
    }

    pub(crate) fn breaker(&self) -> State {
        self.breaker.state()
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.is_listening.load(Ordering::Relaxed) && self.breaker.state() == State::Closed
    }

    /// Sends and listens; does not return unless it was called before.
    pub(crate) async fn run(&self, heard: impl Fn(Heard) + Send + Sync) {
        let queues = lock(&self.queues).take();
        let Some(Queues { hints, recalls }) = queues else { return };
        tokio::join!(
            self.tell_hints(hints),
            self.call_back(recalls),
            self.listen(heard),
            self.look_for_better()
        );
    }

    /// Redis' answer to a command. What Redis has against it goes to the log.
    pub(crate) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Away> {
        let pass = self.breaker.pass().map_err(|_| Away)?;
        let mut used = None;
        let asked = async {
            let mut line = self.line().await?;
            used = Some(line.number);
            line.commands.query(command).await
        };
        let limit = self.connector.patience() + self.options.timeout;
        let error = match timeout(limit, asked).await {
            Ok(Ok(answer)) => {
                pass.succeeded();
                return Ok(answer);
            }
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        if let Some(error) = error.filter(is_answer) {
            pass.succeeded();
            tracing::error!(code = error.code(), detail = error.detail(), "Redis refused a command");
            return Err(Away);
        }
        self.hang_up(used);
        self.note_failure(pass.failed());
        Err(Away)
    }

    async fn line(&self) -> redis::RedisResult<Line> {
        if let Some(line) = self.present() {
            return Ok(line);
        }
        let _connecting = self.connecting.lock().await;
        if let Some(line) = self.present() {
            return Ok(line);
        }
        let (server, commands) = self.connector.commands().await?;
        Ok(self.use_from_now_on(server, commands))
    }

    fn use_from_now_on(&self, server: usize, commands: Commands) -> Line {
        static NUMBER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let line = Line { commands, server, number: NUMBER.fetch_add(1, Ordering::Relaxed) };
        *lock(&self.line) = Some(line.clone());
        line
    }

    fn present(&self) -> Option<Line> {
        lock(&self.line).clone()
    }

    /// Gives the connection up that has failed, unless there is another one already.
    fn hang_up(&self, number: Option<u64>) {
        let mut line = lock(&self.line);
        if line.as_ref().is_some_and(|line| number == Some(line.number)) {
            *line = None;
        }
    }

    /// The channel on which a node hears itself.
    fn own_channel(&self) -> String {
        format!("xr2:node:{}", self.options.node)
    }

    async fn tell_hints(&self, mut hints: mpsc::Receiver<Hint>) {
        let own = self.own_channel();
        let mut beat = tokio::time::interval(BEAT_EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = beat.tick() => self.publish(&own, "").await,
                hint = hints.recv() => match hint {
                    Some(hint) => self.publish(REVISIONS, &hint.to_text()).await,
                    None => return,
                },
            }
        }
    }

    async fn call_back(&self, mut recalls: mpsc::Receiver<String>) {
        while let Some(what) = recalls.recv().await {
            self.publish(RECALLS, &what).await;
        }
    }

    /// While Redis rests, this is lost; the others see a revision in the database, and recalls are repeated.
    async fn publish(&self, channel: &str, text: &str) {
        let _: Result<i64, Away> = self.query(redis::cmd("PUBLISH").arg(channel).arg(text)).await;
    }

    /// Goes back to a server that stands before the one in use, once it is there again: nodes that start meanwhile use
    /// that one, and all have to talk through the same.
    async fn look_for_better(&self) {
        if !self.connector.has_several() {
            return;
        }
        loop {
            tokio::time::sleep(self.options.breaker.pause).await;
            let Some(server) = self.present().map(|line| line.server).filter(|server| *server > 0) else {
                continue;
            };
            let looked = timeout(self.connector.patience(), self.connector.better_than(server)).await;
            if let Ok(Some((server, commands))) = looked {
                self.use_from_now_on(server, commands);
                self.moved.notify_waiters();
                tracing::info!("a Redis server that comes before the one in use is there again, and used");
            }
        }
    }

    async fn listen(&self, heard: impl Fn(Heard)) {
        let own = self.own_channel();
        let channels = [REVISIONS, RECALLS, own.as_str()];
        let mut pause = RETRY.0;
        loop {
            if let Ok(pass) = self.breaker.pass() {
                let limit = self.connector.patience() + self.options.timeout * 2;
                match timeout(limit, self.connector.subscription(&channels)).await {
                    Ok(Ok(mut subscription)) => {
                        pass.succeeded();
                        pause = RETRY.0;
                        self.is_listening.store(true, Ordering::Relaxed);
                        let has_moved = tokio::select! {
                            () = hear(&mut subscription, &heard) => false,
                            () = self.moved.notified() => true,
                        };
                        self.is_listening.store(false, Ordering::Relaxed);
                        if has_moved {
                            continue;
                        }
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

    fn note_failure(&self, opened: bool) {
        if opened {
            let pause = self.options.breaker.pause.as_secs();
            tracing::warn!("Redis does not answer; it is asked again in {pause} seconds");
        }
    }
}

/// Hands on what comes until nothing does.
async fn hear(subscription: &mut PubSub, heard: &impl Fn(Heard)) {
    let mut messages = subscription.on_message();
    while let Ok(Some(message)) = timeout(DEAF_AFTER, messages.next()).await {
        let text: redis::RedisResult<String> = message.get_payload();
        let Ok(text) = text else { continue };
        match message.get_channel_name() {
            REVISIONS => drop(Hint::parse(&text).map(|hint| heard(Heard::Revision(hint)))),
            RECALLS => heard(Heard::Recall(text)),
            _ => {}
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
