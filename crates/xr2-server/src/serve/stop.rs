//! Telling every connection to finish. Asking whether it is time costs a connection one read of memory.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Whether connections are to finish.
#[derive(Debug, Default)]
pub struct Stop {
    is_set: AtomicBool,
    told: Notify,
}

impl Stop {
    /// Tells them.
    pub fn set(&self) {
        self.is_set.store(true, Ordering::SeqCst);
        self.told.notify_waiters();
    }

    /// Whether they have been told.
    pub fn is_set(&self) -> bool {
        self.is_set.load(Ordering::SeqCst)
    }

    /// Wakes whoever has polled it once, when they are told.
    pub fn told(&self) -> Notified<'_> {
        self.told.notified()
    }
}
