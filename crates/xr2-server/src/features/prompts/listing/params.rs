//! What the query string of a list asks for.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta};
use uuid::Uuid;

use crate::auth::Access;
use crate::clock::Time;
use crate::error::{ApiError, FieldProblem, Result};
use crate::features::prompts::listing::filter::{Filter, InFolder, Key, Sort};
use crate::http::Params;

/// Days without a fetch that can be asked for.
const MOST_DAYS: i64 = 3650;
/// Tags that can be asked for at once.
const MOST_TAGS: usize = 20;

/// Collects what is wrong with a query string, so that all of it is told at once.
struct Reader<'a> {
    params: &'a Params,
    problems: Vec<FieldProblem>,
}

/// What is wrong with them, if anything.
pub(super) fn problems(params: &Params, access: &Access, now: Time) -> Vec<FieldProblem> {
    let mut reader = Reader { params, problems: Vec::new() };
    let filter = reader.filter(access, now);
    reader.sort(&filter);
    reader.problems
}

/// Reads what the list is narrowed by and its order.
pub(super) fn read(params: &Params, access: &Access, now: Time) -> Result<(Filter, Sort)> {
    let mut reader = Reader { params, problems: Vec::new() };
    let filter = reader.filter(access, now);
    let sort = reader.sort(&filter);
    if reader.problems.is_empty() { Ok((filter, sort)) } else { Err(ApiError::validation(reader.problems)) }
}

impl Reader<'_> {
    fn filter(&mut self, access: &Access, now: Time) -> Filter {
        Filter {
            search: self.text(&["search", "q"]).filter(|text| !text.trim().is_empty()),
            tags: self.tags(),
            category: self.text(&["category"]),
            kind: self.one_of("type", &["text", "chat"]),
            syntax: self.one_of("syntax", &["simple", "jinja", "none"]),
            label: self.text(&["label"]),
            live: self.flag("live"),
            has_draft: self.flag("has_draft"),
            archived: match self.params.get("archived") {
                Some("all") => None,
                _ => Some(self.flag("archived").unwrap_or(false)),
            },
            deleted: self.flag("deleted").unwrap_or(false),
            created_by: self.actor("created_by", access),
            updated_by: self.actor("updated_by", access),
            updated_after: self.time("updated_after"),
            updated_before: self.time("updated_before"),
            created_after: self.time("created_after"),
            created_before: self.time("created_before"),
            unused_since: self.unused_days().map(|days| now - TimeDelta::days(days)),
            folder: self.folder(),
            favourite_of: self.of_caller("favourite", access),
            edited_by: self.of_caller("recent", access),
        }
    }

    fn wrong(&mut self, field: &str, message: &str) {
        self.problems.push(FieldProblem::new(field, "invalid", message));
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        self.params.first_of(names).map(str::to_owned)
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        match self.params.flag(name) {
            Ok(flag) => flag,
            Err(_) => {
                self.wrong(name, "must be true or false");
                None
            }
        }
    }

    fn one_of(&mut self, name: &str, words: &[&str]) -> Option<String> {
        let word = self.params.first_of(&[name])?;
        if words.contains(&word) {
            return Some(word.to_owned());
        }
        self.wrong(name, &format!("must be one of {}", words.join(", ")));
        None
    }

    fn tags(&mut self) -> Vec<String> {
        let mut tags: Vec<String> = Vec::new();
        for (name, tag) in &self.params.0 {
            if name == "tag" && !tag.is_empty() && !tags.contains(tag) {
                tags.push(tag.clone());
            }
        }
        if tags.len() > MOST_TAGS {
            self.wrong("tag", "can be given at most 20 times");
        }
        tags
    }

    /// A folder's id, or `none`.
    fn folder(&mut self) -> Option<InFolder> {
        let subfolders = self.flag("subfolders").unwrap_or(true);
        let text = self.params.first_of(&["folder", "folderId"])?;
        if text == "none" {
            return Some(InFolder::Nowhere);
        }
        let folder = text.parse().ok();
        if folder.is_none() {
            self.wrong("folder", "must be the id of a folder, or none");
        }
        folder.map(|folder| InFolder::Of { folder, subfolders })
    }

    /// The person who asks, for what is theirs alone.
    fn of_caller(&mut self, name: &str, access: &Access) -> Option<Uuid> {
        if !self.flag(name)? {
            return None;
        }
        let person = access.caller.user().ok().map(|user| user.id);
        if person.is_none() {
            self.wrong(name, "is for signed-in people; an API key has none of its own");
        }
        person
    }

    /// `me`, or the id of a person or a key.
    fn actor(&mut self, name: &str, access: &Access) -> Option<Uuid> {
        let text = self.params.first_of(&[name])?;
        let id = if text == "me" { access.actor().id } else { text.parse().ok() };
        if id.is_none() {
            self.wrong(name, "must be me, or the id of a person or of an API key");
        }
        id
    }

    /// A time, or a day, which stands for its first moment (UTC).
    fn time(&mut self, name: &str) -> Option<Time> {
        let text = self.params.first_of(&[name])?;
        let time = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).ok().or_else(|| {
            let day: NaiveDate = text.parse().ok()?;
            Some(day.and_time(NaiveTime::MIN).and_utc())
        });
        // What both databases keep; and no year that one of them has no room for.
        let time = time.filter(|time| (0..=253_402_300_799).contains(&time.timestamp()));
        if time.is_none() {
            self.wrong(name, "must be a day such as 2026-03-31 or a time such as 2026-03-31T12:00:00Z");
        }
        time
    }

    /// For how many days nobody must have fetched what is listed.
    fn unused_days(&mut self) -> Option<i64> {
        let text = self.params.first_of(&["unused_days"])?;
        let days = text.parse().ok().filter(|days| (1..=MOST_DAYS).contains(days));
        if days.is_none() {
            self.wrong("unused_days", "must be a whole number from 1 to 3650");
        }
        days
    }

    fn sort(&mut self, filter: &Filter) -> Sort {
        let searching = filter.search.is_some();
        let usual = if searching { "relevance" } else { "-updated_at" };
        if filter.edited_by.is_some() && !searching && self.params.first_of(&["sort"]).is_none() {
            return Sort { key: Key::EditedAt, descending: true };
        }
        let text = self.params.first_of(&["sort"]).unwrap_or(usual);
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let key = match name {
            "updated_at" => Key::UpdatedAt,
            "created_at" => Key::CreatedAt,
            "title" => Key::Title,
            "slug" => Key::Slug,
            "last_fetched_at" => Key::LastFetchedAt,
            "calls_7d" => Key::Calls,
            "relevance" if searching => Key::Relevance,
            "relevance" => return Sort { key: Key::UpdatedAt, descending: true },
            _ => {
                let message = "must be updated_at, created_at, last_fetched_at, calls_7d, title, slug or relevance, with - before it for descending";
                self.wrong("sort", message);
                Key::UpdatedAt
            }
        };
        Sort { key, descending }
    }
}
