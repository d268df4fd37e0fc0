//! Deliveries between the request and the database: noted in a few dozen nanoseconds, never waited for.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;

use super::event::Delivery;

/// Deliveries not yet written. Each thread has a shard of its own, as long as there are no more threads than shards, so
/// that nobody waits for its lock but for the moment in which it is emptied.
pub struct Buffer {
    shards: Box<[Shard]>,
    /// Deliveries a shard holds at most.
    room: usize,
    dropped: AtomicU64,
    /// Told when a shard is half full.
    pub filling: Notify,
}

/// On a cache line of its own.
#[repr(align(128))]
#[derive(Default)]
struct Shard(Mutex<Vec<Delivery>>);

impl Buffer {
    /// Room for about `most` deliveries.
    pub fn new(most: usize) -> Buffer {
        let count = std::thread::available_parallelism().map_or(4, usize::from).clamp(2, 64);
        let shards = (0..count).map(|_| Shard::default()).collect();
        Buffer { shards, room: most.div_ceil(count), dropped: AtomicU64::new(0), filling: Notify::new() }
    }

    /// Notes a delivery; when there is no room, counts that it was dropped.
    pub fn push(&self, delivery: Delivery) {
        let mut shard = self.shard();
        if shard.len() >= self.room {
            drop(shard);
            self.drop_some(1);
            return;
        }
        shard.push(delivery);
        let is_half_full = shard.len() == self.room.div_ceil(2);
        drop(shard);
        if is_half_full {
            self.filling.notify_one();
        }
    }

    /// Counts deliveries that could not be kept.
    pub fn drop_some(&self, count: u64) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
        metrics::counter!("xr2_usage_events_dropped_total").increment(count);
    }

    /// Deliveries that could not be kept so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Deliveries that wait.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(&shard.0).len()).sum()
    }

    /// Takes all that wait.
    pub fn drain(&self) -> Vec<Delivery> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let mut waiting = lock(&shard.0);
            if waiting.is_empty() {
                continue;
            }
            // As much again will come, and growing is for when nobody waits.
            let next = Vec::with_capacity(waiting.len());
            let taken = std::mem::replace(&mut *waiting, next);
            drop(waiting);
            if all.is_empty() { all = taken } else { all.extend(taken) }
        }
        all
    }

    fn shard(&self) -> MutexGuard<'_, Vec<Delivery>> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static MINE: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        lock(&self.shards[MINE.get() % self.shards.len()].0)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::features::usage::event::delivery_of;

    fn delivery() -> Delivery {
        delivery_of(Uuid::nil(), Uuid::nil())
    }

    #[test]
    fn nothing_is_lost_between_threads_and_what_has_no_room_is_counted() {
        let buffer = Buffer::new(100_000);
        std::thread::scope(|scope| {
            let drained = scope.spawn(|| {
                let mut drained = 0;
                while drained < 20_000 {
                    drained += buffer.drain().len();
                }
                drained
            });
            for _ in 0..8 {
                scope.spawn(|| (0..2500).for_each(|_| buffer.push(delivery())));
            }
            assert_eq!(drained.join().unwrap(), 20_000);
        });
        assert_eq!((buffer.len(), buffer.dropped()), (0, 0));

        let small = Buffer::new(10);
        (0..1000).for_each(|_| small.push(delivery()));
        assert!(small.len() <= 10);
        assert_eq!(small.len() as u64 + small.dropped(), 1000);
    }
}
