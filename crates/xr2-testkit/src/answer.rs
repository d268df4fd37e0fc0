//! What the server answered, with assertions that show it when they fail.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was asked, for messages.
    pub request: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON, or null when it is none.
    pub json: Value,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// Fails unless the status is `status`.
    #[track_caller]
    pub fn status(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}\n  answered {}: {}", self.request, self.status, self.text);
        self
    }

    /// Fails unless the answer is 200.
    #[track_caller]
    pub fn ok(self) -> Answer {
        self.status(200)
    }

    /// Fails unless the answer is 201.
    #[track_caller]
    pub fn created(self) -> Answer {
        self.status(201)
    }

    /// Fails unless the answer is an error with this status and code, in the form every error has.
    #[track_caller]
    pub fn error(self, status: u16, code: &str) -> Answer {
        let answer = self.status(status);
        assert_eq!(answer.error_code(), code, "{}\n  answered {}", answer.request, answer.text);
        assert_eq!(answer.json["success"], false, "{}", answer.text);
        let id = answer.json["error"]["request_id"].as_str().unwrap_or_default();
        assert_eq!(Some(id), answer.header("x-request-id"), "{}", answer.text);
        assert!(!answer.message().is_empty(), "{}", answer.text);
        answer
    }

    /// Fails unless the answer is 422 and complains of exactly these fields.
    #[track_caller]
    pub fn wrong_fields(self, fields: &[&str]) -> Answer {
        let answer = self.error(422, "VALIDATION_ERROR");
        let errors = answer.json["error"]["details"]["errors"].as_array().cloned().unwrap_or_default();
        let mut found: Vec<&str> = errors.iter().filter_map(|e| e["field"].as_str()).collect();
        found.dedup();
        assert_eq!(found, fields, "{}\n  answered {}", answer.request, answer.text);
        answer
    }

    /// Fails unless the error's message contains `text`.
    #[track_caller]
    pub fn says(self, text: &str) -> Answer {
        assert!(self.message().contains(text), "{}\n  does not say {text:?}: {}", self.request, self.text);
        self
    }

    /// `data`.
    #[track_caller]
    pub fn data(&self) -> &Value {
        assert_eq!(self.json["success"], true, "{}\n  answered {}: {}", self.request, self.status, self.text);
        &self.json["data"]
    }

    /// `error.code`, or an empty text.
    pub fn error_code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    /// `error.message`, or an empty text.
    pub fn message(&self) -> &str {
        self.json["error"]["message"].as_str().unwrap_or_default()
    }

    /// `error.details`.
    pub fn details(&self) -> &Value {
        &self.json["error"]["details"]
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A field of `data` as text; fails when it is none.
    #[track_caller]
    pub fn text_of(&self, field: &str) -> String {
        let value = &self.data()[field];
        value
            .as_str()
            .unwrap_or_else(|| panic!("data.{field} is {value}, not a text: {}", self.text))
            .to_owned()
    }
}
