//! What programs fetch.

mod bad_input;
mod bundle;
mod edited;
mod fetch;
mod freshness;
mod includes;
mod labels;
mod lane;
mod older;
mod preview;
mod push;
mod replay;
mod slow;
pub mod stream;
mod values;
mod warm;

use serde_json::{Value, json};
use xr2_server::auth::{Access, Scope};
use xr2_server::events::{Change, EventType, NewEvent, Resource};
use xr2_server::features::prompts::{NewPrompt, create_in};
use xr2_testkit::{Answer, Client, TestApp};

use crate::queries;

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

/// Makes and publishes `p0`, `p1` … in one change.
async fn make_at_once(app: &TestApp, count: usize) {
    let access = Access::internal(app.workspace(), "test");
    let mut change = Change::begin(app.app(), &access).await.expect("a change begins");
    for n in 0..count {
        let body = json!({ "title": "P", "slug": format!("p{n}"), "content": format!("{n} {{{{ name }}}}"), "publish": true });
        let new = NewPrompt::read(serde_json::from_value(body).expect("a prompt")).expect("it is right");
        create_in(&mut change, &access, new, false).await.expect("a prompt is made");
    }
    change.commit().await.expect("the change commits");
}

/// Loses the last change; another one of something else takes its revision.
async fn lose_last(app: &TestApp) {
    let access = Access::internal(app.workspace(), "test");
    let mut change = Change::begin(app.app(), &access).await.expect("a change begins");
    queries::lose_last(change.tx(), app.clock().now()).await.expect("the last change is lost");
    let other = Resource::new("prompt", app.clock().new_id(), "something-else");
    change.record(NewEvent::new(EventType::PromptUpdated, other));
    change.commit().await.expect("the change commits");
}

fn content(answer: &Answer) -> String {
    answer.text_of("content")
}

fn revision(answer: &Answer) -> i64 {
    answer.header("x-xr2-revision").and_then(|text| text.parse().ok()).expect("a revision")
}
