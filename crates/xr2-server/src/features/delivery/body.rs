//! Answers written by hand: prepared pieces around what was rendered, in one buffer.

use axum::http::HeaderValue;
use serde::Serialize;
use xr2_prompt::{Content, Warning};

/// JSON being put together.
#[derive(Default)]
pub struct Json(Vec<u8>);

impl Json {
    /// Begins with nothing.
    pub fn new() -> Json {
        Json::default()
    }

    /// Appends text that is JSON already.
    pub fn raw(&mut self, text: &str) -> &mut Json {
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    /// Appends bytes that are JSON already.
    pub fn bytes(&mut self, json: &[u8]) -> &mut Json {
        self.0.extend_from_slice(json);
        self
    }

    /// Appends a value.
    pub fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> &mut Json {
        let before = self.0.len();
        if let Err(error) = serde_json::to_writer(&mut self.0, value) {
            // Only maps with keys that are no strings fail, and none of ours has any.
            tracing::error!(%error, "a part of an answer could not be written as JSON");
            self.0.truncate(before);
            self.0.extend_from_slice(b"null");
        }
        self
    }

    /// What was written.
    pub fn into_bytes(self) -> Box<[u8]> {
        self.0.into_boxed_slice()
    }
}

/// A body on its way: head, content, what rendering came to, tail, warnings.
pub struct Body<'e> {
    json: Json,
    tail: &'e [u8],
    current_slug: Option<&'e str>,
}

impl<'e> Body<'e> {
    pub(super) fn begin(head: &[u8], tail: &'e [u8], current_slug: Option<&'e str>, room: usize) -> Body<'e> {
        let mut bytes = Vec::with_capacity(head.len() + tail.len() + room + 96);
        bytes.extend_from_slice(head);
        Body { json: Json(bytes), tail, current_slug }
    }

    /// The text or the messages.
    pub fn content(mut self, content: &Content) -> Self {
        match content {
            Content::Text(text) => self.json.value(text.as_str()),
            Content::Chat(entries) => self.json.value(entries),
        };
        self
    }

    /// It is rendered; these variables had no value.
    pub fn rendered(mut self, missing: &[String]) -> Self {
        self.json.raw(r#","rendered":true"#);
        if !missing.is_empty() {
            self.json.raw(r#","missing":"#).value(missing);
        }
        self.end_of_version()
    }

    /// It is the template.
    pub fn template(mut self) -> Self {
        self.json.raw(r#","rendered":false"#);
        self.end_of_version()
    }

    fn end_of_version(mut self) -> Self {
        self.json.0.extend_from_slice(self.tail);
        self
    }

    /// The provider's request, and what it could not carry over.
    pub fn request(mut self, request: &impl Serialize, warnings: &impl Serialize) -> Self {
        self.json.raw(r#","request":"#).value(request).raw(r#","warnings":"#).value(warnings);
        self
    }

    /// Closes the data, which stands in a larger answer.
    pub fn finish_data(mut self) -> Vec<u8> {
        self.json.raw("}");
        self.json.0
    }

    /// Closes an item of a bundle.
    pub fn finish_item(mut self, former_slugs: &[Box<str>]) -> Vec<u8> {
        if !former_slugs.is_empty() {
            self.json.raw(r#","former_slugs":"#).value(former_slugs);
        }
        self.finish_data()
    }

    /// Closes data and envelope.
    pub fn finish(mut self, warnings: &[Warning]) -> Vec<u8> {
        self.json.raw(r#"},"meta":{"#);
        if !warnings.is_empty() {
            self.json.raw(r#""warnings":"#).value(warnings);
        }
        if let Some(slug) = self.current_slug {
            let comma = if warnings.is_empty() { "" } else { "," };
            self.json.raw(comma).raw(r#""current_slug":"#).value(slug);
        }
        self.json.raw("}}");
        self.json.0
    }
}

/// A strong entity tag of a body; the same on every node.
pub fn etag_of(body: &[u8]) -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let hash = xxhash_rust::xxh3::xxh3_128(body).to_be_bytes();
    let mut tag = [b'"'; 34];
    for (slot, byte) in tag[1..33].chunks_exact_mut(2).zip(hash) {
        slot[0] = DIGITS[usize::from(byte >> 4)];
        slot[1] = DIGITS[usize::from(byte & 15)];
    }
    HeaderValue::from_bytes(&tag).unwrap_or(HeaderValue::from_static("\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_of_the_body() {
        let tag = etag_of(b"hello");
        assert_eq!(tag, etag_of(b"hello"));
        assert_ne!(tag, etag_of(b"hello "));
        assert_eq!(tag.as_bytes().len(), 34);
    }

    #[test]
    fn a_body_is_json_whatever_it_carries() {
        let content = Content::Text("a \"quote\"\n\u{1}é".to_owned());
        let warning = Warning {
            code: "UNKNOWN_VARIABLE",
            message: "m".to_owned(),
            variable: Some("x".to_owned()),
            nearest: None,
        };
        let begin = || Body::begin(br#"{"data":{"content":"#, br#","version":1"#, Some("new"), 0);
        let body = begin().content(&content).rendered(&["b".to_owned()]).finish(&[warning]);
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["data"]["content"], "a \"quote\"\n\u{1}é");
        assert_eq!(value["data"]["missing"][0], "b");
        assert_eq!(value["meta"]["current_slug"], "new");
        assert_eq!(value["meta"]["warnings"][0]["variable"], "x");
    }
}
