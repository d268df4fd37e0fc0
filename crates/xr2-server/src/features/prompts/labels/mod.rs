//! Labels: named pointers to versions. The workspace defines them, each prompt sets them, every move is kept.

mod breakage;
mod dto;
mod model;
mod moves;
pub(super) mod queries;
pub mod routes;

pub use model::{Label, MoveAction};
pub use moves::{LabelMove, Moved, arrived_event, check_move, move_label, remove_label};
pub use queries::{find, insert, update};

/// The label that is delivered when none is named.
pub const PRODUCTION: &str = "production";
/// The computed label: newest version on `main` not made by a test.
pub const LATEST: &str = "latest";

/// Labels that every new workspace has: name, colour, description.
pub const DEFAULTS: &[(&str, &str, &str)] = &[
    (PRODUCTION, "green", "What clients get when they name no label"),
    ("staging", "amber", "For a last look before it goes live"),
];

/// Whether `name` can be a label: letters, digits, `-`, `_` and `.`, at most 50, not all digits, not `latest`.
pub fn is_label_name(name: &str) -> bool {
    (1..=50).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'))
        && name.as_bytes()[0].is_ascii_alphanumeric()
        && !name.bytes().all(|b| b.is_ascii_digit())
        && name != LATEST
}
