//! Who listens in which workspace. An event is turned into bytes once and handed to all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::broadcast;
use uuid::Uuid;

use crate::config::Limits;
use crate::events::{Listener, Notice};
use crate::features::stream::frame::{Frame, frames_of};

/// Changes a slow listener may be behind before it has to look at everything again.
const BACKLOG: usize = 256;

/// What listeners get.
#[derive(Debug, Clone)]
pub enum Signal {
    /// A change.
    Frame(Arc<Frame>),
    /// Who may listen may have changed.
    Recheck,
}

/// See the module.
pub struct Hub {
    max_streams: usize,
    max_per_caller: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    streams: usize,
    callers: HashMap<Uuid, usize>,
    channels: HashMap<Uuid, broadcast::Sender<Signal>>,
}

/// Why nobody else may listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The server has as many streams as it takes.
    Server(usize),
    /// The caller has.
    Caller(usize),
}

/// A place among the listeners; given back when dropped.
pub struct Seat {
    hub: Arc<Hub>,
    workspace: Uuid,
    caller: Uuid,
    /// Where changes come in.
    pub signals: broadcast::Receiver<Signal>,
}

impl Hub {
    /// A hub with room for what the limits allow.
    pub fn new(limits: &Limits) -> Hub {
        Hub { max_streams: limits.streams, max_per_caller: limits.streams_per_caller, open: Mutex::default() }
    }

    /// Takes a place; `caller` is a key or a session.
    pub fn sit(self: &Arc<Self>, workspace: Uuid, caller: Uuid) -> Result<Seat, Full> {
        let mut open = self.open();
        if open.streams >= self.max_streams {
            return Err(Full::Server(self.max_streams));
        }
        if open.callers.get(&caller).copied().unwrap_or(0) >= self.max_per_caller {
            return Err(Full::Caller(self.max_per_caller));
        }
        open.streams += 1;
        *open.callers.entry(caller).or_default() += 1;
        let channel = open.channels.entry(workspace).or_insert_with(|| broadcast::channel(BACKLOG).0);
        let signals = channel.subscribe();
        metrics::gauge!("xr2_streams").set(open.streams as f64);
        Ok(Seat { hub: self.clone(), workspace, caller, signals })
    }

    fn leave(&self, workspace: Uuid, caller: Uuid) {
        let mut open = self.open();
        open.streams -= 1;
        if let Some(count) = open.callers.get_mut(&caller) {
            *count -= 1;
            if *count == 0 {
                open.callers.remove(&caller);
            }
        }
        // The receiver of the one who leaves is dropped after this, so it still counts.
        if open.channels.get(&workspace).is_some_and(|channel| channel.receiver_count() <= 1) {
            open.channels.remove(&workspace);
        }
        metrics::gauge!("xr2_streams").set(open.streams as f64);
    }

    fn channel(&self, workspace: Uuid) -> Option<broadcast::Sender<Signal>> {
        self.open().channels.get(&workspace).cloned()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hub.leave(self.workspace, self.caller);
    }
}

impl Listener for Hub {
    fn invalidate(&self, notice: &Notice) {
        let concerns_callers =
            ["api_key.", "member.", "workspace."].iter().any(|prefix| notice.kind.starts_with(prefix));
        if let Some(channel) = self.channel(notice.workspace).filter(|_| concerns_callers) {
            let _ = channel.send(Signal::Recheck);
        }
    }

    fn in_order(&self, notice: &Notice) {
        let Some(channel) = self.channel(notice.workspace) else { return };
        for frame in frames_of(notice) {
            // Nobody listening any more is no failure.
            let _ = channel.send(Signal::Frame(Arc::new(frame)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(streams: usize, per_caller: usize) -> Arc<Hub> {
        Arc::new(Hub { max_streams: streams, max_per_caller: per_caller, open: Mutex::default() })
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let hub = hub(3, 2);
        let (ana, ben, workspace) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(9));
        let first = hub.sit(workspace, ana).ok();
        let _second = hub.sit(workspace, ana).ok();
        assert_eq!(hub.sit(workspace, ana).err(), Some(Full::Caller(2)));
        let third = hub.sit(workspace, ben).ok();
        assert_eq!(hub.sit(workspace, ben).err(), Some(Full::Server(3)));
        drop(first);
        assert!(hub.sit(workspace, ana).is_ok());
        drop(third);
        assert!(hub.channel(workspace).is_some());
        drop(_second);
        assert!(hub.channel(workspace).is_none(), "a workspace nobody listens in takes no room");
    }
}
