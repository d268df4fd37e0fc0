//! What changed in the last revisions of a workspace, for those who come back.

use std::collections::VecDeque;

use crate::features::stream::changes::Change;

/// The changes of the revisions after a floor, in order.
#[derive(Debug, Default)]
pub struct Ring {
    changes: VecDeque<Change>,
    floor: i64,
    bytes: usize,
}

impl Ring {
    /// Begins after `floor`.
    pub fn begin(&mut self, floor: i64) {
        *self = Ring { floor, ..Ring::default() };
    }

    /// The revision after which everything is there.
    pub fn floor(&self) -> i64 {
        self.floor
    }

    /// Memory it takes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a change that is at least as new as all others; changes up to the floor are not taken.
    pub fn push(&mut self, change: Change) {
        if change.told.revision > self.floor {
            self.bytes += change.bytes();
            self.changes.push_back(change);
        }
    }

    /// Puts older changes, all of those after `floor`, before what is there.
    pub fn prepend(&mut self, floor: i64, older: Vec<Change>) {
        if floor >= self.floor {
            return;
        }
        let old_floor = std::mem::replace(&mut self.floor, floor);
        for change in older.into_iter().rev().filter(|change| change.told.revision <= old_floor) {
            self.bytes += change.bytes();
            self.changes.push_front(change);
        }
    }

    /// The changes after `from` up to `to`; none when they are not all there.
    pub fn between(&self, from: i64, to: i64) -> Option<Vec<Change>> {
        if from < self.floor {
            return None;
        }
        let start = self.changes.partition_point(|change| change.told.revision <= from);
        let end = self.changes.partition_point(|change| change.told.revision <= to);
        Some(self.changes.range(start..end.max(start)).cloned().collect())
    }

    /// Forgets the revisions up to `floor`.
    pub fn forget(&mut self, floor: i64) {
        while let Some(oldest) = self.changes.front().filter(|change| change.told.revision <= floor) {
            self.bytes -= oldest.bytes();
            self.changes.pop_front();
        }
        self.floor = floor.max(self.floor);
    }

    /// Forgets everything. Gives how much memory it took.
    pub fn clear(&mut self) -> usize {
        self.changes.clear();
        std::mem::take(&mut self.bytes)
    }

    /// Forgets the older half.
    pub fn forget_half(&mut self) {
        match self.changes.get(self.changes.len() / 2) {
            Some(middle) => self.forget(middle.told.revision),
            None => self.bytes = 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::clock::Time;
    use crate::features::stream::frame::Changed;

    fn change(revision: i64) -> Change {
        let told = Changed {
            slug: "a".into(),
            prompt_id: Some(Uuid::nil()),
            label: "production".into(),
            version: Some(1),
            revision,
            at: Time::default(),
        };
        Change { told, retagged: false, edited: None }
    }

    fn revisions(ring: &Ring, from: i64, to: i64) -> Option<Vec<i64>> {
        ring.between(from, to).map(|changes| changes.iter().map(|change| change.told.revision).collect())
    }

    #[test]
    fn what_was_missed_is_there_or_known_to_be_missing() {
        let mut ring = Ring::default();
        ring.begin(10);
        for revision in [10, 11, 11, 13, 15] {
            ring.push(change(revision));
        }
        assert_eq!(revisions(&ring, 10, 13), Some(vec![11, 11, 13]));
        assert_eq!(revisions(&ring, 13, 13), Some(vec![]));
        assert_eq!(revisions(&ring, 9, 13), None);
        ring.prepend(7, vec![change(8), change(10), change(11)]);
        assert_eq!(revisions(&ring, 7, 11), Some(vec![8, 10, 11, 11]));
        ring.forget(11);
        assert_eq!(revisions(&ring, 10, 15), None);
        assert_eq!(revisions(&ring, 11, 15), Some(vec![13, 15]));
        ring.forget_half();
        assert_eq!(ring.floor(), 15);
        assert_eq!(ring.bytes(), 0);
    }
}
