//! What an event means to those who fetch: which labels of which prompts deliver something else.

use serde_json::Value;
use uuid::Uuid;

use crate::events::Notice;
use crate::features::stream::frame::Changed;

/// The label that is computed.
const LATEST: &str = "latest";

/// The label of what concerns no label: it is for those who listen to all of them.
pub const NONE: &str = "";

/// A label of a prompt that delivers something else, as far as the event tells.
#[derive(Debug, Clone)]
pub struct Change {
    /// What is said of it.
    pub told: Changed,
    /// Whether the prompt's tags may have changed, so that it may no longer be among those a client asked for.
    pub retagged: bool,
    /// For a change of what is not delivered (its label is [`NONE`]): the prompt's tags.
    pub edited: Option<Vec<Box<str>>>,
}

impl Change {
    /// Memory it takes.
    pub fn bytes(&self) -> usize {
        let tags = self.edited.iter().flatten().map(|tag| tag.len() + 16);
        size_of::<Change>() + self.told.slug.len() + self.told.label.len() + tags.sum::<usize>()
    }
}

/// What an event means to those who fetch.
pub fn changes_of(notice: &Notice) -> Vec<Change> {
    let Some(after) = notice.after.as_ref() else { return Vec::new() };
    let told = Told { notice, after };
    let changes = match notice.kind.as_str() {
        "prompt.published" | "prompt.rolled_back" | "label.moved" => told.label_moved(),
        "prompt.created" => told.of_prompt(LATEST, Some(1)).into_iter().collect(),
        "version.created" => told.version_created(),
        "prompt.deleted" | "prompt.purged" => told.all_labels(|_| None),
        "prompt.restored" | "prompt.updated" => told.all_labels(Some),
        "prompt.edited" => return told.edited().into_iter().collect(),
        _ => return Vec::new(),
    };
    let retagged = notice.kind == "prompt.updated";
    changes.into_iter().map(|told| Change { told, retagged, edited: None }).collect()
}

struct Told<'a> {
    notice: &'a Notice,
    after: &'a Value,
}

impl Told<'_> {
    fn label_moved(&self) -> Vec<Changed> {
        let Some(label) = self.after["label"].as_str() else { return Vec::new() };
        let own = self.of_prompt(label, self.after["version"].as_i64());
        own.into_iter().chain(self.of_dependents()).collect()
    }

    fn version_created(&self) -> Vec<Changed> {
        let on_main = self.after["branch"].as_str().is_none_or(|branch| branch == "main");
        let version = self.after["version"].as_i64().filter(|_| on_main);
        let own = version.and_then(|version| self.of_prompt(LATEST, Some(version)));
        own.into_iter().chain(self.of_dependents()).collect()
    }

    fn all_labels(&self, version_of: impl Fn(i64) -> Option<i64>) -> Vec<Changed> {
        let labels = self.after["labels"].as_object();
        let own = labels
            .into_iter()
            .flatten()
            .filter_map(|(label, version)| self.of_prompt(label, version.as_i64().and_then(&version_of)));
        own.chain(self.of_dependents()).collect()
    }

    fn edited(&self) -> Option<Change> {
        let tags = self.after["tags"].as_array().into_iter().flatten();
        let tags = tags.filter_map(|tag| tag.as_str().map(Into::into)).collect();
        Some(Change { told: self.of_prompt(NONE, None)?, retagged: false, edited: Some(tags) })
    }

    fn of_prompt(&self, label: &str, version: Option<i64>) -> Option<Changed> {
        let slug = self.after["slug"].as_str().or(self.notice.resource_name.as_deref())?;
        Some(self.changed(slug, self.notice.resource_id, label, version))
    }

    /// Prompts whose text holds this one's.
    fn of_dependents(&self) -> Vec<Changed> {
        let dependents = self.after["dependents"].as_array();
        let changed = dependents.into_iter().flatten().filter_map(|dependent| {
            let id = dependent["id"].as_str().and_then(|id| Uuid::try_parse(id).ok());
            let (slug, label) = (dependent["slug"].as_str()?, dependent["label"].as_str()?);
            Some(self.changed(slug, id, label, dependent["version"].as_i64()))
        });
        changed.collect()
    }

    fn changed(&self, slug: &str, prompt_id: Option<Uuid>, label: &str, version: Option<i64>) -> Changed {
        let (revision, at) = (self.notice.revision, self.notice.at);
        Changed { slug: slug.to_owned(), prompt_id, label: label.to_owned(), version, revision, at }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::Time;

    fn told(kind: &str, after: Value) -> Vec<(String, String, Option<i64>)> {
        let notice = Notice {
            workspace: Uuid::nil(),
            revision: 7,
            event: Uuid::nil(),
            kind: kind.to_owned(),
            resource_type: "prompt".to_owned(),
            resource_id: Some(Uuid::from_u128(1)),
            resource_name: Some("welcome".to_owned()),
            before: None,
            after: Some(after),
            at: Time::default(),
        };
        let changes = changes_of(&notice);
        changes.into_iter().map(|c| (c.told.slug, c.told.label, c.told.version)).collect()
    }

    fn one(slug: &str, label: &str, version: Option<i64>) -> (String, String, Option<i64>) {
        (slug.to_owned(), label.to_owned(), version)
    }

    #[test]
    fn a_moved_label_is_told_of_the_prompt_and_of_all_that_include_it() {
        let dependent = json!({ "id": Uuid::nil(), "slug": "mail", "label": "staging", "version": 4 });
        let after =
            json!({ "slug": "welcome", "label": "production", "version": 2, "dependents": [dependent] });
        let expected = [one("welcome", "production", Some(2)), one("mail", "staging", Some(4))];
        assert_eq!(told("prompt.published", after), expected);
        let after = json!({ "slug": "welcome", "label": "production", "version": null, "dependents": [] });
        assert_eq!(told("label.moved", after), [one("welcome", "production", None)]);
    }

    #[test]
    fn what_is_gone_has_no_version() {
        let labels = json!({ "production": 2, "latest": 3 });
        let after = json!({ "slug": "welcome", "labels": labels, "dependents": [] });
        let gone = [one("welcome", "production", None), one("welcome", "latest", None)];
        assert_eq!(told("prompt.deleted", after.clone()), gone);
        let back = [one("welcome", "production", Some(2)), one("welcome", "latest", Some(3))];
        assert_eq!(told("prompt.restored", after), back);
    }

    #[test]
    fn a_saved_version_is_told_as_latest() {
        assert_eq!(told("version.created", json!({ "version": 3 })), [one("welcome", "latest", Some(3))]);
        assert!(told("version.created", json!({ "version": 3, "branch": "idea" })).is_empty());
        let dependent = json!({ "id": Uuid::nil(), "slug": "mail", "label": "staging", "version": 4 });
        let after = json!({ "version": 3, "dependents": [dependent] });
        let expected = [one("welcome", "latest", Some(3)), one("mail", "staging", Some(4))];
        assert_eq!(told("version.created", after), expected);
        assert_eq!(told("prompt.created", json!({ "slug": "welcome" })), [one("welcome", "latest", Some(1))]);
        assert!(told("api_key.created", json!({})).is_empty());
    }
}
