//! What a list is narrowed by, and its order.

use uuid::Uuid;

use crate::clock::Time;

/// What a list is narrowed by.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Words that all have to be found.
    pub search: Option<String>,
    /// Tags that a prompt has all of.
    pub tags: Vec<String>,
    /// Its category.
    pub category: Option<String>,
    /// `text` or `chat`.
    pub kind: Option<String>,
    /// `simple`, `jinja` or `none`.
    pub syntax: Option<String>,
    /// A label that points at one of its versions.
    pub label: Option<String>,
    /// Whether `production` delivers it.
    pub live: Option<bool>,
    /// Whether a draft on `main` waits.
    pub has_draft: Option<bool>,
    /// `None`: archived or not.
    pub archived: Option<bool>,
    /// In the bin instead of outside of it.
    pub deleted: bool,
    /// Who made it, a person or a key.
    pub created_by: Option<Uuid>,
    /// Who changed it last.
    pub updated_by: Option<Uuid>,
    /// Changed then or later.
    pub updated_after: Option<Time>,
    /// Changed before then.
    pub updated_before: Option<Time>,
    /// Made then or later.
    pub created_after: Option<Time>,
    /// Made before then.
    pub created_before: Option<Time>,
    /// Made before then and not fetched since, by itself or as a part of what is.
    pub unused_since: Option<Time>,
    /// Where it stands.
    pub folder: Option<InFolder>,
    /// Whose favourite it is.
    pub favourite_of: Option<Uuid>,
    /// Who has edited it.
    pub edited_by: Option<Uuid>,
}

/// Folders that a prompt stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InFolder {
    /// In none.
    Nowhere,
    /// In this one, or below it too.
    Of {
        /// The folder.
        folder: Uuid,
        /// Whether folders below it count.
        subfolders: bool,
    },
    /// In one of these.
    OneOf(Vec<Uuid>),
}

impl Filter {
    /// Whether the index of search knows all that this asks for: words, tags, the archive and the bin.
    pub fn is_within_index(&self) -> bool {
        let rest =
            Filter { search: None, tags: Vec::new(), archived: None, deleted: false, ..Filter::clone(self) };
        rest.is_plain()
    }

    /// Whether an index alone tells what passes.
    pub fn is_plain(&self) -> bool {
        let texts = [&self.search, &self.category, &self.kind, &self.syntax, &self.label];
        let times = [
            self.updated_after,
            self.updated_before,
            self.created_after,
            self.created_before,
            self.unused_since,
        ];
        self.tags.is_empty()
            && texts.iter().all(|text| text.is_none())
            && times.iter().all(Option::is_none)
            && self.live.is_none()
            && self.has_draft.is_none()
            && self.created_by.is_none()
            && self.updated_by.is_none()
            && self.folder.is_none()
            && self.favourite_of.is_none()
            && self.edited_by.is_none()
    }
}

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// When last changed.
    UpdatedAt,
    /// When made.
    CreatedAt,
    /// The title, upper and lower case alike.
    Title,
    /// The slug.
    Slug,
    /// When last fetched; never comes before all times.
    LastFetchedAt,
    /// When the caller edited it last.
    EditedAt,
    /// Calls within the last seven days.
    Calls,
    /// How well it answers the search; the best first, whichever direction is asked for.
    Relevance,
}

/// How a list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub key: Key,
    /// The largest first.
    pub descending: bool,
}
