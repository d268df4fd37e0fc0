//! People in a workspace: inviting them, what each may do, and the workspace's end.

mod invitations;
mod members;
mod workspaces;

use serde_json::{Value, json};
use xr2_testkit::{Answer, Client, PASSWORD, TestApp};

/// Makes an account and signs in.
pub async fn registered(app: &TestApp, email: &str, name: &str) -> Client {
    let body = json!({ "email": email, "password": PASSWORD, "name": name });
    let made = app.nobody().post("/auth/register", body).await.created();
    let id = made.data()["user"]["id"].as_str().unwrap().parse().unwrap();
    app.new_events().await;
    let mut client = app.bearer(&made.text_of("token"));
    client.id = Some(id);
    client
}

/// The token of a link in an answer.
pub fn token_of(answer: &Answer) -> String {
    answer.text_of("link").split_once("#token=").expect("a link with a token").1.to_owned()
}

/// Slugs of a list of workspaces.
pub fn slugs(data: &Value) -> Vec<&str> {
    data.as_array().unwrap().iter().filter_map(|one| one["slug"].as_str()).collect()
}
