//! What a stream says, as bytes: made once, shared by everybody who listens.

use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clock::Time;

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

/// Something about a prompt changed that is not delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edited<'a> {
    /// The prompt's slug.
    pub slug: &'a str,
    /// Its id.
    pub prompt_id: Option<Uuid>,
    /// The workspace's revision.
    pub revision: i64,
    /// When it happened.
    #[serde(with = "crate::clock::micros")]
    pub at: Time,
}

/// The greeting. What follows it begins after `from`, which is its id; `revision` is what the server is at, unless it is
/// cut off from its database and cannot tell (`is_stale`).
pub fn hello(from: i64, revision: i64, heartbeat: f64, is_stale: bool) -> Bytes {
    let stale = if is_stale { ",\"stale\":true" } else { "" };
    format!(
        "event: hello\nid: {from}\ndata: {{\"revision\":{revision},\"heartbeat\":{heartbeat}{stale}}}\n\n"
    )
    .into()
}

/// Something was missed: everything has to be looked at again.
pub fn resync(revision: i64) -> Bytes {
    format!("event: resync\nid: {revision}\ndata: {{\"revision\":{revision}}}\n\n").into()
}

/// Everything up to this revision has been said.
pub fn mark(revision: i64) -> Bytes {
    format!("event: mark\nid: {revision}\ndata: {{\"revision\":{revision}}}\n\n").into()
}

/// Appends that a label delivers something else.
pub fn push_changed(out: &mut Vec<u8>, change: &Changed) {
    let data = serde_json::to_string(change).unwrap_or_default();
    out.extend_from_slice(format!("event: changed\nid: {}\ndata: {data}\n\n", change.revision).as_bytes());
}

/// Appends that a prompt was edited.
pub fn push_edited(out: &mut Vec<u8>, edit: &Edited<'_>) {
    let data = serde_json::to_string(edit).unwrap_or_default();
    out.extend_from_slice(format!("event: edited\nid: {}\ndata: {data}\n\n", edit.revision).as_bytes());
}

/// Appends what a label delivers now.
pub fn push_put(out: &mut Vec<u8>, revision: i64, item: &[u8]) {
    let head = format!("event: put\nid: {revision}\ndata: {{\"revision\":{revision},\"prompt\":");
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(item);
    out.extend_from_slice(b"}\n\n");
}

/// Appends that a label of a prompt delivers nothing any more.
pub fn push_delete(out: &mut Vec<u8>, gone: &Gone<'_>) {
    let data = serde_json::to_string(gone).unwrap_or_default();
    out.extend_from_slice(format!("event: delete\nid: {}\ndata: {data}\n\n", gone.revision).as_bytes());
}

/// The data of `delete`.
#[derive(Debug, Serialize)]
pub struct Gone<'a> {
    /// The workspace's revision.
    pub revision: i64,
    /// The prompt.
    pub id: Uuid,
    /// Its slug.
    pub slug: &'a str,
    /// The label that delivers nothing.
    pub label: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_framed() {
        assert_eq!(
            &hello(3, 5, 15.0, false)[..],
            b"event: hello\nid: 3\ndata: {\"revision\":5,\"heartbeat\":15}\n\n"
        );
        assert_eq!(
            &hello(3, 5, 15.0, true)[..],
            b"event: hello\nid: 3\ndata: {\"revision\":5,\"heartbeat\":15,\"stale\":true}\n\n"
        );
        assert_eq!(&mark(7)[..], b"event: mark\nid: 7\ndata: {\"revision\":7}\n\n");
        let mut out = Vec::new();
        push_put(&mut out, 4, br#"{"slug":"a"}"#);
        let gone = Gone { revision: 5, id: Uuid::nil(), slug: "a", label: "production" };
        push_delete(&mut out, &gone);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "event: put\nid: 4\ndata: {\"revision\":4,\"prompt\":{\"slug\":\"a\"}}\n\n\
             event: delete\nid: 5\ndata: {\"revision\":5,\"id\":\"00000000-0000-0000-0000-000000000000\",\
             \"slug\":\"a\",\"label\":\"production\"}\n\n"
        );
    }
}
