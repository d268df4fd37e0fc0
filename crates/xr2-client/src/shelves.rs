//! The labels that this process follows.

use std::sync::{Arc, PoisonError, RwLock};

use crate::shelf::Shelf;

/// Most labels that are kept in memory whole; prompts of others are asked for one by one.
const MOST_LABELS: usize = 16;

/// See the module. There is always at least one.
pub(crate) struct Shelves {
    home: Arc<Shelf>,
    others: RwLock<Vec<Arc<Shelf>>>,
}

impl Shelves {
    pub fn new(label: &str) -> Self {
        Self { home: Arc::new(Shelf::new(label)), others: RwLock::default() }
    }

    /// The label that is meant unless another is named.
    pub fn home(&self) -> &Arc<Shelf> {
        &self.home
    }

    pub fn find(&self, label: &str) -> Option<Arc<Shelf>> {
        if *self.home.label == *label {
            return Some(self.home.clone());
        }
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        others.iter().find(|shelf| *shelf.label == *label).cloned()
    }

    /// Begins to follow a label; gives its shelf, and whether it is new. Nothing when there are too many.
    pub fn follow(&self, label: &str) -> Option<(Arc<Shelf>, bool)> {
        if let Some(known) = self.find(label) {
            return Some((known, false));
        }
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = others.iter().find(|shelf| *shelf.label == *label) {
            return Some((known.clone(), false));
        }
        if others.len() + 1 >= MOST_LABELS {
            return None;
        }
        let shelf = Arc::new(Shelf::new(label));
        others.push(shelf.clone());
        Some((shelf, true))
    }

    pub fn all(&self) -> Vec<Arc<Shelf>> {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        std::iter::once(self.home.clone()).chain(others.iter().cloned()).collect()
    }

    /// Every change up to this one is in memory, under every label; none as long as one was never loaded.
    pub fn revision(&self) -> Option<u64> {
        self.all().iter().map(|shelf| shelf.complete()).min().flatten()
    }
}
