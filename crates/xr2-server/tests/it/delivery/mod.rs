//! What programs fetch.

mod bad_input;
mod fetch;
mod freshness;
mod includes;
mod labels;
mod lane;
mod preview;
mod stream;
mod values;

use serde_json::{Value, json};
use xr2_server::auth::Scope;
use xr2_testkit::{Answer, Client, TestApp};

/// An owner and a key that only delivers.
async fn people(app: &TestApp) -> (Client, Client) {
    (app.owner().await, app.key(&[Scope::Deliver]).await)
}

/// Makes and publishes a text prompt.
async fn text(owner: &Client, slug: &str, content: &str) -> Answer {
    prompt(owner, json!({ "title": slug, "slug": slug, "content": content })).await
}

/// Makes and publishes a prompt.
async fn prompt(owner: &Client, body: Value) -> Answer {
    owner.post("/prompts", body).await.created()
}

/// Publishes a new text.
async fn publish(owner: &Client, slug: &str, content: &str) -> Answer {
    owner.put(&format!("/prompts/{slug}"), json!({ "content": content })).await.ok()
}

fn content(answer: &Answer) -> String {
    answer.text_of("content")
}

fn revision(answer: &Answer) -> i64 {
    answer.header("x-xr2-revision").and_then(|text| text.parse().ok()).expect("a revision")
}
