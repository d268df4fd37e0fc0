//! Many clients that listen to event streams, on one thread.

use anyhow::{Context, Result, bail, ensure};
use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

/// How long everybody may take to hear of a publish.
const PATIENCE: Duration = Duration::from_secs(30);

/// Connections opened at the same time.
const OPENING: usize = 128;

/// Ports of one loopback address are not enough for more.
const PER_ADDRESS: usize = 20_000;

/// What the listeners share.
#[derive(Default)]
struct Ears {
    /// Number of the publish that is listened for.
    publish: Cell<u64>,
    began: Cell<Option<Instant>>,
    heard: RefCell<Vec<Duration>>,
    failed: Cell<usize>,
    all: Notify,
    expected: Cell<usize>,
}

/// Listeners at work; they hang up when dropped. Lives in a `LocalSet`.
pub struct Listeners {
    ears: Rc<Ears>,
    tasks: JoinSet<()>,
}

/// The last frame of a publish begins so.
const END: &[u8] = b"event: mark";

impl Listeners {
    /// Opens `count` streams, evenly to all `ports`, and waits for the greeting of each.
    pub async fn open(ports: &[u16], request: &[u8], count: usize) -> Result<Self> {
        let (ears, mut tasks) = (Rc::new(Ears::default()), JoinSet::new());
        ears.expected.set(count);
        let opening = Rc::new(Semaphore::new(OPENING));
        let greeted = Rc::new(Cell::new(0));
        let request: Rc<[u8]> = request.into();
        for number in 0..count {
            let (ears, opening, request) = (Rc::clone(&ears), Rc::clone(&opening), Rc::clone(&request));
            let (greeted, port) = (Rc::clone(&greeted), ports[number % ports.len()]);
            tasks.spawn_local(async move {
                let greeting = async {
                    let _turn = opening.acquire().await?;
                    connect(port, number, &request).await
                };
                let outcome = match greeting.await {
                    Ok(stream) => {
                        greeted.set(greeted.get() + 1);
                        listen(&stream, &ears).await
                    }
                    Err(error) => Err(error),
                };
                if let Err(error) = outcome
                    && ears.failed.replace(ears.failed.get() + 1) == 0
                {
                    eprintln!("a stream broke: {error:#}");
                }
            });
        }
        let end = Instant::now() + PATIENCE + Duration::from_millis(count as u64 * 5);
        while greeted.get() + ears.failed.get() < count {
            ensure!(Instant::now() < end, "only {} of {count} streams opened in time", greeted.get());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        ensure!(ears.failed.get() == 0, "{} of {count} streams did not open", ears.failed.get());
        Ok(Self { ears, tasks })
    }

    /// Publishes and waits until everybody has heard of it; how long each took, sorted.
    pub async fn hear(&self, publish: impl Future<Output = Result<()>>) -> Result<Vec<Duration>> {
        self.ears.heard.borrow_mut().clear();
        self.ears.publish.set(self.ears.publish.get() + 1);
        self.ears.began.set(Some(Instant::now()));
        let everybody = self.ears.all.notified();
        publish.await?;
        if tokio::time::timeout(PATIENCE, everybody).await.is_err() {
            bail!("only {} of {} heard of it", self.ears.heard.borrow().len(), self.ears.expected.get());
        }
        let mut heard = self.ears.heard.take();
        heard.sort_unstable();
        Ok(heard)
    }

    /// Hangs up and waits until all have.
    pub async fn close(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn connect(port: u16, number: usize, request: &[u8]) -> Result<TcpStream> {
    let source = u8::try_from(number / PER_ADDRESS + 1).context("too many streams")?;
    let socket = TcpSocket::new_v4()?;
    if source > 1 {
        socket.bind(SocketAddr::from(([127, 0, 0, source], 0)))?;
    }
    let mut stream = socket.connect((Ipv4Addr::LOCALHOST, port).into()).await.context("cannot connect")?;
    stream.write_all(request).await?;
    let mut head = Vec::new();
    while !contains(&head, b"event: hello") {
        stream.readable().await?;
        let mut buffer = [0; 2048];
        match stream.try_read(&mut buffer) {
            Ok(0) => bail!("closed instead of a greeting: {}", String::from_utf8_lossy(&head)),
            Ok(length) => head.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        if head.len() > 12 && !head.starts_with(b"HTTP/1.1 200") {
            bail!("refused: {}", String::from_utf8_lossy(&head));
        }
    }
    Ok(stream)
}

async fn listen(stream: &TcpStream, ears: &Ears) -> Result<()> {
    // What was left of the last piece, in case the frame's name is cut in two.
    let mut left = Vec::with_capacity(END.len());
    let mut heard = 0;
    loop {
        stream.readable().await?;
        let mut buffer = [0; 8192];
        let length = match stream.try_read(&mut buffer) {
            Ok(0) => bail!("the server ended it"),
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        };
        let piece = &buffer[..length];
        left.extend_from_slice(&piece[..length.min(END.len())]);
        let is_end = contains(piece, END) || contains(&left, END);
        left.clear();
        left.extend_from_slice(&piece[length.saturating_sub(END.len() - 1)..]);
        if is_end && heard < ears.publish.get() {
            heard = ears.publish.get();
            left.clear();
            let taken = ears.began.get().map(|began| began.elapsed()).unwrap_or_default();
            let mut all = ears.heard.borrow_mut();
            all.push(taken);
            if all.len() == ears.expected.get() {
                ears.all.notify_one();
            }
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    // Backwards: what is looked for stands near the end.
    text.len() >= part.len() && text.windows(part.len()).rev().any(|window| window == part)
}

/// Lets this process and those it starts have as many files open as the system allows it; how many that is.
pub fn allow_many_files() -> Result<usize> {
    let limit = |flag: &str| -> Result<usize> {
        let output = Command::new("sh").args(["-c", &format!("ulimit {flag}")]).output()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(if text == "unlimited" { 1_000_000 } else { text.parse().context("ulimit says no number")? })
    };
    let (soft, hard) = (limit("-Sn")?, limit("-Hn")?);
    if soft < hard {
        let (pid, limits) = (std::process::id().to_string(), format!("--nofile={hard}:{hard}"));
        let done = Command::new("prlimit").args(["--pid", &pid, &limits]).status();
        if !done.is_ok_and(|status| status.success()) {
            return Ok(soft);
        }
    }
    Ok(hard)
}
