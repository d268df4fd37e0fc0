//! Who listens in which workspace. What happens is put into bytes once and handed to all of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::Config;
use crate::error::{ApiError, Result};
use crate::events::{self, Listener, Notice};
use crate::features::stream::changes::changes_of;
use crate::features::stream::room::{END, Place, RECHECK, Room, Waiter};
use crate::features::stream::speak::speak;
use crate::state::App;

/// See the module.
pub struct Hub {
    max_streams: usize,
    max_per_caller: usize,
    replay_bytes: usize,
    open: Mutex<Open>,
    rooms: RwLock<HashMap<Uuid, Arc<Room>>>,
    /// Bytes kept of what was said and may be replayed, in all rooms.
    kept: AtomicIsize,
    /// Rooms in which there is something to say.
    news: Mutex<Vec<Arc<Room>>>,
    woken: Notify,
    closed: AtomicBool,
}

#[derive(Default)]
struct Open {
    streams: usize,
    callers: HashMap<Uuid, usize>,
}

/// Why nobody else may listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The server has as many streams as it takes.
    Server(usize),
    /// The caller has.
    Caller(usize),
}

/// Room for one more; given back when dropped.
pub struct Ticket {
    hub: Arc<Hub>,
    caller: Uuid,
}

/// A place among the listeners; given back when dropped.
pub struct Seat {
    /// Where it is.
    pub room: Arc<Room>,
    /// How the listener is woken.
    pub waiter: Arc<Waiter>,
    /// The number of the next batch that is news.
    pub cursor: u64,
    /// Everything up to this revision was said before.
    pub said: i64,
    number: u64,
    ticket: Ticket,
}

impl Hub {
    /// A hub with room for what the settings allow.
    pub fn new(config: &Config) -> Hub {
        let (limits, stream) = (&config.limits, &config.stream);
        Hub::with(limits.streams, limits.streams_per_caller, stream.replay_bytes)
    }

    fn with(max_streams: usize, max_per_caller: usize, replay_bytes: usize) -> Hub {
        Hub {
            max_streams,
            max_per_caller,
            replay_bytes,
            open: Mutex::default(),
            rooms: RwLock::default(),
            kept: AtomicIsize::new(0),
            news: Mutex::default(),
            woken: Notify::new(),
            closed: AtomicBool::new(false),
        }
    }

    /// Says what there is to say, until `stop`; then everybody's stream ends.
    pub async fn run(&self, app: &App, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.woken.notified() => {}
            }
            for room in std::mem::take(&mut *lock(&self.news)) {
                if !room.at_work.swap(true, Ordering::AcqRel) {
                    let app = app.clone();
                    app.clone().spawn(async move { speak(&app, &room).await });
                }
            }
        }
        self.closed.store(true, Ordering::Release);
        for room in self.all_rooms() {
            room.call(END);
        }
    }

    /// Leave to listen; `caller` is a key or a session.
    pub fn admit(self: &Arc<Self>, caller: Uuid) -> Result<Ticket, Full> {
        let mut open = lock(&self.open);
        if open.streams >= self.max_streams {
            return Err(Full::Server(self.max_streams));
        }
        if open.callers.get(&caller).copied().unwrap_or(0) >= self.max_per_caller {
            return Err(Full::Caller(self.max_per_caller));
        }
        open.streams += 1;
        *open.callers.entry(caller).or_default() += 1;
        metrics::gauge!("xr2_streams").set(open.streams as f64);
        Ok(Ticket { hub: self.clone(), caller })
    }

    /// The workspace's room. When it is new, whatever is in the database by now is old news.
    pub async fn room(&self, app: &App, workspace: Uuid) -> Result<Arc<Room>> {
        let room = match self.find(workspace) {
            Some(room) => room,
            None => {
                let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
                rooms.entry(workspace).or_insert_with(|| Arc::new(Room::new(workspace))).clone()
            }
        };
        if !room.begun.initialized() {
            let begin = async || {
                let revision = present(app, workspace).await?;
                room.begin(revision);
                room.hear(revision);
                Ok::<(), ApiError>(())
            };
            room.begun.get_or_try_init(begin).await?;
            self.tell_news(&room);
        }
        Ok(room)
    }

    /// Takes a place.
    pub fn sit(&self, room: &Arc<Room>, ticket: Ticket) -> Seat {
        let Place { number, waiter, cursor, said } = room.sit();
        let seat = Seat { room: room.clone(), waiter, cursor, said, number, ticket };
        if self.closed.load(Ordering::Acquire) || room.is_closed() {
            room.call(END);
        }
        seat
    }

    /// Notes that what is kept has grown, and forgets some of it when it is too much.
    pub fn grown(&self, by: isize) {
        let limit = isize::try_from(self.replay_bytes).unwrap_or(isize::MAX);
        if self.kept.fetch_add(by, Ordering::AcqRel) + by <= limit || by <= 0 {
            return;
        }
        let rooms = self.all_rooms();
        let mut sizes: Vec<(usize, &Arc<Room>)> = rooms.iter().map(|room| (room.bytes(), room)).collect();
        let mut kept: usize = sizes.iter().map(|(bytes, _)| bytes).sum();
        // A good part at once, so that it is not done again for the next change.
        while kept > self.replay_bytes - self.replay_bytes / 8 {
            let Some(largest) = sizes.iter_mut().max_by_key(|(bytes, _)| *bytes) else { break };
            let freed = largest.1.shrink();
            // What cannot be made smaller is passed over.
            largest.0 = if freed == 0 { 0 } else { largest.0.saturating_sub(freed) };
            kept = kept.saturating_sub(freed);
            if sizes.iter().all(|(bytes, _)| *bytes == 0) {
                break;
            }
        }
        self.kept.store(isize::try_from(kept).unwrap_or(isize::MAX), Ordering::Release);
    }

    fn freed(&self, bytes: usize) {
        self.grown(-isize::try_from(bytes).unwrap_or(isize::MAX));
    }

    /// There is something to say in this room.
    pub fn tell_news(&self, room: &Arc<Room>) {
        lock(&self.news).push(room.clone());
        self.woken.notify_one();
    }

    fn find(&self, workspace: Uuid) -> Option<Arc<Room>> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner).get(&workspace).cloned()
    }

    fn all_rooms(&self) -> Vec<Arc<Room>> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

impl Seat {
    /// Begins anew where the room is now.
    pub fn move_up(&mut self) {
        (self.cursor, self.said) = self.room.here();
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut open = lock(&self.hub.open);
        open.streams -= 1;
        if let Some(count) = open.callers.get_mut(&self.caller) {
            *count -= 1;
            if *count == 0 {
                open.callers.remove(&self.caller);
            }
        }
        metrics::gauge!("xr2_streams").set(open.streams as f64);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.ticket.hub.freed(self.room.leave(self.number));
    }
}

impl Listener for Hub {
    fn invalidate(&self, notice: &Notice) {
        let Some(room) = self.find(notice.workspace) else { return };
        room.hear(notice.revision);
        if ["api_key.", "member.", "workspace."].iter().any(|prefix| notice.kind.starts_with(prefix)) {
            room.call(RECHECK);
        }
    }

    fn in_order(&self, notice: &Notice) {
        if let Some(room) = self.find(notice.workspace) {
            self.grown(room.note(changes_of(notice)));
        }
    }

    fn caught_up(&self, workspace: Uuid, revision: i64) {
        if let Some(room) = self.find(workspace)
            && room.complete(revision)
            && room.begun.initialized()
        {
            self.tell_news(&room);
        }
    }

    /// What was said is not so any more: everybody's stream ends, so that they come back and look anew.
    fn forget(&self) {
        let rooms = std::mem::take(&mut *self.rooms.write().unwrap_or_else(PoisonError::into_inner));
        for room in rooms.into_values() {
            room.close();
            self.freed(room.clear());
        }
    }
}

/// The workspace's revision; without the database, as far as this node has been told or is being told just now.
async fn present(app: &App, workspace: Uuid) -> Result<i64> {
    let asked = async {
        let mut tx = app.db().tenant(workspace).read().await?;
        let revision = events::revision(&mut tx).await?;
        tx.commit().await?;
        Ok::<i64, xr2_db::DbError>(revision)
    };
    match asked.await {
        Ok(revision) => Ok(revision),
        Err(error) if error.is_unavailable() => {
            app.follower().telling(workspace).ok_or_else(|| ApiError::from(error))
        }
        Err(error) => Err(error.into()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;

    #[test]
    fn places_are_counted_and_given_back() {
        let hub = Arc::new(Hub::with(3, 2, 1000));
        let (ana, ben) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let first = hub.admit(ana).ok();
        let _second = hub.admit(ana).ok();
        assert_eq!(hub.admit(ana).err(), Some(Full::Caller(2)));
        let _third = hub.admit(ben).ok();
        assert_eq!(hub.admit(ben).err(), Some(Full::Server(3)));
        drop(first);
        assert!(hub.admit(ana).is_ok());
    }

    #[test]
    fn what_is_kept_for_replaying_is_bounded_over_all_workspaces() {
        let hub = Hub::with(10, 10, 10_000);
        let rooms: Vec<Arc<Room>> = (0..3).map(|n| Arc::new(Room::new(Uuid::from_u128(n)))).collect();
        for room in &rooms {
            room.begin(0);
            hub.rooms.write().unwrap().insert(room.workspace, room.clone());
        }
        for revision in 1..=500 {
            let notice = Notice {
                workspace: rooms[0].workspace,
                revision,
                event: Uuid::nil(),
                kind: "version.created".into(),
                resource_type: "prompt".into(),
                resource_id: Some(Uuid::nil()),
                resource_name: Some("welcome".into()),
                before: None,
                after: Some(serde_json::json!({ "version": revision })),
                at: Time::default(),
            };
            for room in &rooms {
                hub.in_order(&Notice { workspace: room.workspace, ..notice.clone() });
            }
        }
        let kept: usize = rooms.iter().map(|room| room.with_ring(|ring| ring.bytes())).sum();
        assert!(kept > 0 && kept <= 10_000, "{kept}");
        assert!(rooms.iter().all(|room| room.with_ring(|ring| ring.between(499, 500).is_some())));
    }
}
