//! How far a node has followed each workspace, and in which history.
//!
//! A server that takes over without the last commits, or a backup, begins another history: the same revisions are taken
//! again by other changes. Numbers alone do not tell the two apart, so a place in the history also names its event.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use crate::events::StoredEvent;

/// A place in the history of a workspace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// The workspace's revision.
    pub revision: i64,
    /// The last event of that revision; none before the first, or when it is not known.
    pub event: Option<Uuid>,
}

impl Place {
    /// Whether both stand at the same revision, in histories that cannot be the same one.
    fn contradicts(self, other: Place) -> bool {
        let differ = self.event.zip(other.event).is_some_and(|(one, other)| one != other);
        self.revision == other.revision && differ
    }
}

/// How far the events of a workspace were read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor {
    /// The last event that was read, and its revision.
    pub place: Place,
    /// Its order of writing; all of them when everything of the revision was read.
    pub sequence: i64,
}

impl Cursor {
    fn behind(place: Place) -> Cursor {
        Cursor { place, sequence: i64::MAX }
    }
}

/// Events of a workspace, and what the same snapshot says of its history.
pub(super) struct Page {
    /// Where the workspace is.
    pub present: Place,
    /// The event that stands where the cursor does.
    pub before: Option<Uuid>,
    pub events: Vec<StoredEvent>,
    pub is_last: bool,
}

/// Another history has begun.
#[derive(Debug)]
pub(super) struct AnotherHistory;

/// What this node knows of all workspaces.
#[derive(Default, Clone)]
pub(super) struct Progress {
    /// Listeners have been told everything up to here.
    told: HashMap<Uuid, Place>,
    /// They have been told up to here, in the middle of what was not told completely.
    telling: HashMap<Uuid, Cursor>,
    /// What was written or read on this node, and has still to be told.
    expected: HashMap<Uuid, BTreeMap<i64, Uuid>>,
    /// Something was met that cannot be of the history that was told.
    is_contradicted: bool,
}

impl Progress {
    pub fn told(&self, workspace: Uuid) -> Option<Place> {
        self.told.get(&workspace).copied()
    }

    pub fn all_told(&self) -> impl Iterator<Item = (Uuid, Place)> {
        self.told.iter().map(|(workspace, place)| (*workspace, *place))
    }

    pub fn telling(&self, workspace: Uuid) -> Option<i64> {
        let telling = self.telling.get(&workspace).map(|cursor| cursor.place.revision);
        self.told(workspace).map(|place| place.revision).max(telling)
    }

    pub fn is_contradicted(&self) -> bool {
        self.is_contradicted
    }

    /// Takes it as told.
    pub fn prime(&mut self, workspace: Uuid, place: Place) {
        self.told.insert(workspace, place);
    }

    /// Takes it as told unless something is.
    pub fn prime_unknown(&mut self, workspace: Uuid, place: Place) {
        self.told.entry(workspace).or_insert(place);
    }

    /// This node has met the workspace at `place`: it will be told of it, or the history is another one.
    pub fn expect(&mut self, workspace: Uuid, place: Place) {
        let Some(event) = place.event else { return };
        let told = self.told(workspace).unwrap_or_default();
        if told.revision >= place.revision {
            self.is_contradicted |= told.contradicts(place);
            return;
        }
        let known = self.expected.entry(workspace).or_default().insert(place.revision, event);
        self.is_contradicted |= known.is_some_and(|known| known != event);
    }

    /// Whether the present, which was read after all of this was known, is of another history.
    pub fn is_refuted_by(&self, present: &[(Uuid, Place)]) -> bool {
        self.is_contradicted
            || present.iter().any(|(workspace, present)| {
                let is_of_another =
                    |known: Place| known.revision > present.revision || known.contradicts(*present);
                self.told(*workspace).is_some_and(is_of_another)
                    || self.expected.get(workspace).into_iter().flatten().any(|(revision, event)| {
                        is_of_another(Place { revision: *revision, event: Some(*event) })
                    })
            })
    }

    /// From where on the workspace is to be read.
    pub fn cursor(&self, workspace: Uuid) -> Cursor {
        let told = self.told(workspace).unwrap_or_default();
        let telling = self.telling.get(&workspace).filter(|cursor| cursor.place.revision > told.revision);
        telling.copied().unwrap_or(Cursor::behind(told))
    }

    /// Checks that a page goes on with the history read so far.
    pub fn check(&self, workspace: Uuid, from: Cursor, page: &Page) -> Result<(), AnotherHistory> {
        let met = Place { revision: from.place.revision, event: page.before };
        if page.present.revision < from.place.revision
            || met.contradicts(from.place)
            || (from.place.event.is_some() && met.event.is_none())
        {
            return Err(AnotherHistory);
        }
        let Some(expected) = self.expected.get(&workspace) else { return Ok(()) };
        let mut events = page.events.iter().peekable();
        while let Some(event) = events.next() {
            let is_whole = match events.peek() {
                Some(next) => next.revision != event.revision,
                None => page.is_last,
            };
            let wanted = event.revision.and_then(|revision| expected.get(&revision));
            if is_whole && wanted.is_some_and(|wanted| *wanted != event.id) {
                return Err(AnotherHistory);
            }
        }
        Ok(())
    }

    /// Listeners are about to be told of a page. Up to where they will have been told everything then.
    pub fn tells(&mut self, workspace: Uuid, page: &Page) -> Place {
        let place_of = |event: &StoredEvent| Place {
            revision: event.revision.unwrap_or_default(),
            event: Some(event.id),
        };
        if page.is_last {
            return page.present;
        }
        let Some(last) = page.events.last() else { return page.present };
        self.telling.insert(workspace, Cursor { place: place_of(last), sequence: last.sequence });
        // More events of the last revision may follow.
        let whole = page.events.iter().rev().find(|event| event.revision != last.revision);
        whole.map_or_else(|| self.told(workspace).unwrap_or_default(), place_of)
    }

    /// They were.
    pub fn complete(&mut self, workspace: Uuid, told: Place) {
        self.told.insert(workspace, told);
        if let Some(expected) = self.expected.get_mut(&workspace) {
            expected.retain(|revision, _| *revision > told.revision);
            if expected.is_empty() {
                self.expected.remove(&workspace);
            }
        }
    }

    /// Notes which events stand at the revisions that a start without the database took over by number.
    pub fn recognise(&mut self, present: &[(Uuid, Place)]) {
        for (workspace, place) in present {
            if let Some(told) = self.told.get_mut(workspace)
                && told.event.is_none()
                && told.revision == place.revision
            {
                *told = *place;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;

    const HERE: Uuid = Uuid::nil();

    fn place(revision: i64, event: u128) -> Place {
        Place { revision, event: Some(Uuid::from_u128(event)) }
    }

    fn event(revision: i64, id: u128) -> StoredEvent {
        StoredEvent {
            id: Uuid::from_u128(id),
            sequence: revision * 10,
            revision: Some(revision),
            kind: "version.created".into(),
            resource_type: "prompt".into(),
            resource_id: None,
            resource_name: None,
            before: None,
            after: None,
            created_at: Time::default(),
        }
    }

    fn page(present: Place, before: u128, events: Vec<StoredEvent>, is_last: bool) -> Page {
        Page { present, before: Some(Uuid::from_u128(before)), events, is_last }
    }

    fn at(place: Place) -> Progress {
        let mut progress = Progress::default();
        progress.prime(HERE, place);
        progress
    }

    fn tell(progress: &mut Progress, page: &Page) -> Place {
        let told = progress.tells(HERE, page);
        progress.complete(HERE, told);
        told
    }

    #[test]
    fn the_same_number_of_another_history_is_noticed() {
        let progress = at(place(60, 1));
        assert!(!progress.is_refuted_by(&[(HERE, place(60, 1))]));
        assert!(!progress.is_refuted_by(&[(HERE, place(61, 2))]), "the page will tell");
        assert!(progress.is_refuted_by(&[(HERE, place(60, 2))]));
        assert!(progress.is_refuted_by(&[(HERE, place(59, 3))]));
        let from = progress.cursor(HERE);
        let same = page(place(61, 9), 1, vec![event(61, 9)], true);
        let other = page(place(61, 9), 2, vec![event(61, 9)], true);
        assert!(progress.check(HERE, from, &same).is_ok() && progress.check(HERE, from, &other).is_err());
    }

    #[test]
    fn what_was_written_here_and_lost_is_missed() {
        let mut progress = at(place(59, 1));
        progress.expect(HERE, place(60, 2));
        assert!(progress.is_refuted_by(&[(HERE, place(59, 1))]));
        assert!(progress.is_refuted_by(&[(HERE, place(60, 3))]));
        assert!(!progress.is_refuted_by(&[(HERE, place(60, 2))]));
        let from = progress.cursor(HERE);
        let others = page(place(61, 4), 1, vec![event(60, 3), event(61, 4)], true);
        assert!(progress.check(HERE, from, &others).is_err());
        let ours = page(place(61, 4), 1, vec![event(60, 2), event(61, 4)], true);
        assert!(progress.check(HERE, from, &ours).is_ok());
        assert_eq!(tell(&mut progress, &ours), place(61, 4));
        assert!(!progress.is_refuted_by(&[(HERE, place(61, 4))]), "nothing is expected any more");
        progress.expect(HERE, place(61, 5));
        assert!(progress.is_contradicted());
    }

    #[test]
    fn a_revision_that_is_told_in_parts_is_told_when_all_of_it_is() {
        let mut progress = at(place(59, 1));
        let first = page(place(61, 5), 1, vec![event(60, 2), event(61, 3)], false);
        assert_eq!(tell(&mut progress, &first), place(60, 2));
        assert_eq!((progress.cursor(HERE).place, progress.telling(HERE)), (place(61, 3), Some(61)));
        let last = page(place(61, 5), 3, vec![event(61, 5)], true);
        assert!(progress.check(HERE, progress.cursor(HERE), &last).is_ok());
        assert_eq!(tell(&mut progress, &last), place(61, 5));
        assert_eq!(progress.cursor(HERE).sequence, i64::MAX);
    }
}
