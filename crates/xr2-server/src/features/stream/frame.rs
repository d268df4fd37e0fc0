//! What a stream says, as bytes: made once, shared by everybody who listens.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clock::Time;
use crate::events::Notice;

/// A comment that keeps the connection alive.
pub const PING: Bytes = Bytes::from_static(b": ping\n\n");

/// A label of a prompt delivers something else from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Changed {
    /// The prompt's slug.
    pub slug: String,
    /// Its id.
    pub prompt_id: Option<Uuid>,
    /// The label; `latest` for a version saved without publishing it.
    pub label: String,
    /// What the label points at; null when there is nothing any more.
    pub version: Option<i64>,
    /// The workspace's revision.
    pub revision: i64,
    /// When it happened.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Time,
}

/// A change, ready to be sent.
#[derive(Debug)]
pub struct Frame {
    /// What filters look at.
    pub change: Changed,
    /// The event as sent.
    pub bytes: Bytes,
}

impl Frame {
    fn new(change: Changed) -> Frame {
        let data = serde_json::to_string(&change).unwrap_or_default();
        let bytes = format!("event: changed\nid: {}\ndata: {data}\n\n", change.revision).into();
        Frame { change, bytes }
    }
}

/// The greeting: from here on nothing is missed.
pub fn hello(revision: i64) -> Bytes {
    format!("event: hello\nid: {revision}\ndata: {{\"revision\":{revision}}}\n\n").into()
}

/// Something was missed: everything has to be looked at again.
pub fn resync(revision: i64) -> Bytes {
    format!("event: resync\nid: {revision}\ndata: {{\"revision\":{revision}}}\n\n").into()
}

/// What an event means to those who fetch.
pub fn frames_of(notice: &Notice) -> Vec<Frame> {
    let Some(after) = notice.after.as_ref() else { return Vec::new() };
    let told = Told { notice, after };
    let changes = match notice.kind.as_str() {
        "prompt.published" | "prompt.rolled_back" | "label.moved" => told.label_moved(),
        "version.created" => told.version_created(),
        "prompt.deleted" | "prompt.purged" => told.all_labels(|_| None),
        "prompt.restored" | "prompt.updated" => told.all_labels(Some),
        _ => return Vec::new(),
    };
    changes.into_iter().map(Frame::new).collect()
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
        let own = version.and_then(|version| self.of_prompt("latest", Some(version)));
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

    fn told(kind: &str, after: Value) -> Vec<(String, String, Option<i64>)> {
        let notice = Notice {
            workspace: Uuid::nil(),
            revision: 7,
            kind: kind.to_owned(),
            resource_type: "prompt".to_owned(),
            resource_id: Some(Uuid::from_u128(1)),
            resource_name: Some("welcome".to_owned()),
            before: None,
            after: Some(after),
            at: Time::default(),
        };
        let frames = frames_of(&notice);
        frames.into_iter().map(|f| (f.change.slug, f.change.label, f.change.version)).collect()
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
        let after = json!({ "slug": "welcome", "labels": { "production": 2 }, "dependents": [] });
        assert_eq!(told("prompt.deleted", after.clone()), [one("welcome", "production", None)]);
        assert_eq!(told("prompt.restored", after), [one("welcome", "production", Some(2))]);
    }

    #[test]
    fn a_saved_version_is_told_as_latest() {
        assert_eq!(told("version.created", json!({ "version": 3 })), [one("welcome", "latest", Some(3))]);
        assert!(told("version.created", json!({ "version": 3, "branch": "idea" })).is_empty());
        let dependent = json!({ "id": Uuid::nil(), "slug": "mail", "label": "staging", "version": 4 });
        let after = json!({ "version": 3, "dependents": [dependent] });
        let expected = [one("welcome", "latest", Some(3)), one("mail", "staging", Some(4))];
        assert_eq!(told("version.created", after), expected);
        assert!(told("api_key.created", json!({})).is_empty());
    }

    #[test]
    fn events_are_framed() {
        assert_eq!(&hello(3)[..], b"event: hello\nid: 3\ndata: {\"revision\":3}\n\n");
    }
}
