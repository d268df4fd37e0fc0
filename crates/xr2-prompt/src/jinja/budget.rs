//! What a render may cost. Every evaluated node, every byte looked at and every item made is paid from one
//! budget, so that time and memory are bounded whatever the template and the values are.

use std::cell::Cell;

/// Largest text a jinja template may render, and largest text any filter may build.
pub(crate) const MAX_TEXT: usize = 1 << 20;
/// Most items of a list that a filter builds.
pub(super) const MAX_ITEMS: usize = 100_000;
/// Most numbers of a `range`.
pub(super) const MAX_RANGE: usize = 1_000;

/// Whole budget: about a byte looked at per unit, a quarter of a second at worst.
const UNITS: u64 = 50_000_000;
/// Units of one evaluated node.
const STEP: u64 = 20;
/// Units of one item of a list.
const ITEM: u64 = 20;

/// Why a render stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub message: String,
    /// Where in the template, once that is known.
    pub at: Option<u32>,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), at: None }
    }

    /// Adds the place, unless a closer one is known.
    pub(super) fn at(mut self, at: u32) -> Self {
        self.at.get_or_insert(at);
        self
    }
}

/// What is left to spend.
#[derive(Debug)]
pub(crate) struct Budget(Cell<u64>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(UNITS))
    }
}

impl Budget {
    /// Pays for one evaluated node.
    pub(super) fn step(&self) -> Result<(), Failure> {
        self.spend(STEP)
    }

    /// Pays for looking at or writing bytes.
    pub(super) fn bytes(&self, count: usize) -> Result<(), Failure> {
        self.spend(count as u64)
    }

    /// Pays for items.
    pub(super) fn items(&self, count: usize) -> Result<(), Failure> {
        self.spend((count as u64).saturating_mul(ITEM))
    }

    fn spend(&self, units: u64) -> Result<(), Failure> {
        match self.0.get().checked_sub(units) {
            Some(left) => {
                self.0.set(left);
                Ok(())
            }
            None => {
                self.0.set(0);
                Err(Failure::new("The template does too much work: fewer or smaller loops are needed."))
            }
        }
    }
}

/// Refuses a text that grew too large.
pub(super) fn check_text(length: usize) -> Result<(), Failure> {
    if length > MAX_TEXT { Err(Failure::new("The text grows larger than 1 MiB.")) } else { Ok(()) }
}
