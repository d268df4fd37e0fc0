//! What was put together for those who came back, kept for the next ones.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::features::stream::batch::Batch;
use crate::features::stream::room::difference;

/// Replays kept ready: after a break everybody comes back from about the same place.
const REPLAYS: usize = 16;

/// What somebody who comes back has missed.
pub struct Replay {
    /// In order.
    pub parts: Vec<Arc<Batch>>,
    /// Up to where.
    pub revision: i64,
}

impl Replay {
    fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.bytes()).sum()
    }
}

/// Where a replay begins, and which label it is of.
type Start = (i64, Option<String>);

/// Replays by their start.
#[derive(Default)]
pub struct Replays {
    all: VecDeque<(Start, Arc<Replay>)>,
    bytes: usize,
}

impl Replays {
    /// The one that leads up to `said`.
    pub fn get(&self, from: i64, label: Option<&str>, said: i64) -> Option<Arc<Replay>> {
        let is_it = |key: &Start| key.0 == from && key.1.as_deref() == label;
        self.all
            .iter()
            .find(|(key, replay)| is_it(key) && replay.revision == said)
            .map(|(_, replay)| replay.clone())
    }

    /// Keeps one. Gives by how many bytes they have grown.
    pub fn put(&mut self, from: i64, label: Option<&str>, replay: Arc<Replay>) -> isize {
        self.all.retain(|(_, kept)| kept.revision >= replay.revision);
        self.all.truncate(REPLAYS - 1);
        self.all.push_front(((from, label.map(str::to_owned)), replay));
        let bytes = self.all.iter().map(|(_, replay)| replay.bytes()).sum();
        difference(std::mem::replace(&mut self.bytes, bytes), bytes)
    }

    /// Memory they take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Forgets them. Gives how much memory they took.
    pub fn clear(&mut self) -> usize {
        self.all.clear();
        std::mem::take(&mut self.bytes)
    }
}
