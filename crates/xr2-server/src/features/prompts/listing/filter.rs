//! What a list is narrowed by, and its order.

use crate::clock::Time;

/// What a list is narrowed by.
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub search: Option<String>,
    pub tag: Option<String>,
    pub category: Option<String>,
    /// `None`: archived or not.
    pub archived: Option<bool>,
    pub deleted: bool,
    /// Made before then and not fetched since, by itself or as a part of what is.
    pub unused_since: Option<Time>,
}

/// How a list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    UpdatedAt,
    CreatedAt,
    Title,
    Slug,
    LastFetchedAt,
}
