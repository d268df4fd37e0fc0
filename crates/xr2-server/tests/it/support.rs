//! What the tests of prompts share.

use serde_json::{Value, json};
use xr2_testkit::{Answer, Client, EventRow, TestApp};

use crate::queries;

/// Makes a prompt and returns `data`.
pub async fn made(client: &Client, body: Value) -> Value {
    client.post("/prompts", body).await.created().data().clone()
}

/// Makes a text prompt whose title is its slug.
pub async fn text(client: &Client, slug: &str, content: &str) -> Value {
    made(client, json!({ "title": slug, "slug": slug, "content": content })).await
}

/// Gives a prompt a new version, published, and returns `data`.
pub async fn put(client: &Client, slug: &str, body: Value) -> Value {
    client.put(&format!("/prompts/{slug}"), body).await.ok().data().clone()
}

/// The text that delivery gives for a prompt.
pub async fn delivered(client: &Client, path: &str) -> String {
    client.get(&format!("/prompts/{path}")).await.ok().text_of("content")
}

/// `details` of a prompt.
pub async fn details(client: &Client, slug: &str) -> Value {
    client.get(&format!("/prompts/{slug}/details")).await.ok().data().clone()
}

/// Everything stored about prompts in the workspace under test.
pub async fn stored(app: &TestApp) -> Vec<String> {
    queries::everything(app.db(), app.workspace()).await.expect("reading what is stored")
}

/// Sends requests that must fail, and fails itself if any of them changed anything.
pub struct Unchanged<'a> {
    app: &'a TestApp,
    before: Vec<String>,
}

impl<'a> Unchanged<'a> {
    /// Notes what is stored now.
    pub async fn since(app: &'a TestApp) -> Unchanged<'a> {
        Unchanged { app, before: stored(app).await }
    }

    /// Fails unless the same is stored still.
    #[track_caller]
    pub fn check(self) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let now = stored(self.app).await;
            assert_eq!(now, self.before, "something changed although it was refused; checked at {place}");
        }
    }
}

/// Fields that the answer complains of, with their codes.
pub fn complaints(answer: &Answer) -> Vec<(String, String)> {
    let errors = answer.details()["errors"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    errors.iter().map(|error| (text(&error["field"]), text(&error["code"]))).collect()
}

/// Events of the workspace under test, oldest first.
pub async fn events(app: &TestApp) -> Vec<EventRow> {
    let mut rows = app.event_rows().await;
    rows.retain(|row| row.workspace == Some(app.workspace()));
    rows
}

/// The last event of the workspace under test.
pub async fn last_event(app: &TestApp) -> EventRow {
    events(app).await.pop().expect("something has happened")
}

/// Fails unless the workspace's revisions are 1, 2, 3 … without gaps, rising with the sequence, and the last one is
/// the workspace's own.
pub async fn check_revisions(app: &TestApp) {
    let mut seen: Vec<i64> = events(app).await.iter().filter_map(|event| event.revision).collect();
    assert!(seen.is_sorted(), "revisions do not rise with the sequence: {seen:?}");
    seen.dedup();
    let expected: Vec<i64> = (1..=app.revision().await).collect();
    assert_eq!(seen, expected, "revisions have gaps");
}
