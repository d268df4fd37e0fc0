//! The log of one test: kept apart from that of tests beside it, searched at the end, shown when the test fails.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex};

use tracing::Dispatch;
use tracing::dispatcher::DefaultGuard;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Lines shown when a test fails.
const TAIL: usize = 40;

thread_local! {
    static GUARD: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
}

#[derive(Clone)]
pub(crate) struct Logs {
    text: Arc<Mutex<Vec<u8>>>,
    secrets: Arc<Mutex<Vec<String>>>,
    dispatch: Dispatch,
}

impl Default for Logs {
    fn default() -> Self {
        let text = Arc::<Mutex<Vec<u8>>>::default();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new("debug,hyper=info,h2=info,reqwest=info,sqlx=info"))
            .with_writer(Sink(text.clone()))
            .with_ansi(false)
            .finish();
        Logs { text, secrets: Arc::default(), dispatch: Dispatch::new(subscriber) }
    }
}

impl Logs {
    /// Takes the log of this thread until the guard is dropped.
    pub(crate) fn install(&self) -> DefaultGuard {
        tracing::dispatcher::set_default(&self.dispatch)
    }

    /// Takes the log of this thread until it ends.
    pub(crate) fn install_for_this_thread(&self) {
        let guard = self.install();
        GUARD.with(|slot| *slot.borrow_mut() = Some(guard));
    }

    /// Remembers a secret that must not turn up in logs and events.
    pub(crate) fn keep_secret(&self, secret: &str) {
        lock(&self.secrets).push(secret.to_owned());
    }

    /// Fails when `text` holds one of the secrets.
    pub(crate) fn assert_no_secret(&self, place: &str, text: &str) {
        for secret in lock(&self.secrets).iter() {
            assert!(!text.contains(secret.as_str()), "{place} holds a secret that was shown once: {text}");
        }
    }

    /// Fails when a line holds what was planted, a secret, or an error nobody expects.
    pub(crate) fn search(&self, needles: &[&str], errors_expected: bool) {
        for line in self.text().lines() {
            for needle in needles {
                assert!(!line.contains(needle), "the log holds {needle}: {line}");
            }
            self.assert_no_secret("the log", line);
            assert!(errors_expected || !line.contains(" ERROR "), "the log holds an error: {line}");
        }
    }

    /// Everything logged so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&lock(&self.text)).into_owned()
    }

    pub(crate) fn print_tail(&self) {
        let text = self.text();
        let lines: Vec<&str> = text.lines().collect();
        eprintln!("--- the server's last words ---");
        for line in &lines[lines.len().saturating_sub(TAIL)..] {
            eprintln!("{line}");
        }
    }
}

#[derive(Clone)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Sink;

    fn make_writer(&'a self) -> Sink {
        self.clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
