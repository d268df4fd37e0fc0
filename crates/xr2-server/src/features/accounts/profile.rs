//! One's own profile and password.

use serde_json::Value;
use xr2_db::Purpose;

use crate::auth::Caller;
use crate::error::{ApiError, FieldProblem, Result};
use crate::events::{EventType, NewEvent, Resource, append_instance_event_in};
use crate::features::accounts::dto::{PasswordInput, ProfileInput, User};
use crate::features::accounts::email::Email;
use crate::features::accounts::{login, password, queries};
use crate::http::one_line;
use crate::state::App;

/// Bytes of `preferences` as JSON.
const MAX_PREFERENCES: usize = 16 * 1024;

/// `PUT /auth/me`
pub(super) async fn update(app: &App, caller: &Caller, input: ProfileInput) -> Result<User> {
    let before = caller.user()?;
    let mut user = before.clone();
    let mut problems = Vec::new();
    if let Some(name) = &input.name {
        match one_line("name", name) {
            Ok(name) => user.name = name,
            Err(problem) => problems.push(problem),
        }
    }
    if let Some(url) = input.avatar_url {
        match url.map(|url| check_picture(&url)).transpose() {
            Ok(url) => user.avatar_url = url,
            Err(problem) => problems.push(problem),
        }
    }
    if let Some(preferences) = input.preferences {
        user.preferences = Value::Object(preferences);
        if user.preferences.to_string().len() > MAX_PREFERENCES {
            problems.push(FieldProblem::new("preferences", "too_long", "must be at most 16 KiB of JSON"));
        }
    }
    if !problems.is_empty() {
        return Err(ApiError::validation(problems));
    }
    user.updated_at = app.clock().now();
    let mut tx = app.db().system(Purpose::Accounts).write().await?;
    queries::update_profile(&mut tx, &user).await?;
    // Preferences change with every click in the dashboard and are nobody's history.
    if (&before.name, &before.avatar_url) != (&user.name, &user.avatar_url) {
        let shown =
            |name: &str, picture: &Option<String>| serde_json::json!({ "name": name, "avatar_url": picture });
        let event = NewEvent::new(EventType::UserUpdated, Resource::new("user", user.id, &user.name))
            .before(shown(&before.name, &before.avatar_url))
            .after(shown(&user.name, &user.avatar_url));
        append_instance_event_in(&mut tx, app.clock(), &caller.actor(), &caller.context, &event).await?;
    }
    tx.commit().await?;
    Ok(User::from(&user))
}

/// `POST /auth/password`: the new password ends all other sessions.
pub(super) async fn change_password(app: &App, caller: &Caller, input: PasswordInput) -> Result<()> {
    let user = caller.user()?;
    let mut tx = app.db().system(Purpose::Accounts).read().await?;
    let account = queries::account(&mut tx, user.id).await?;
    tx.commit().await?;
    let account = account.ok_or_else(|| ApiError::not_found("account"))?;
    if let Some(problem) = password::problem("new_password", &input.new_password, &account.email) {
        return Err(ApiError::validation(vec![problem]));
    }
    let accounts = app.accounts();
    // Whoever finds an open browser is not to guess the password with it.
    let key = Email::parse(&account.email).map_or_else(|| account.email.clone(), |email| email.key);
    let attempt = accounts.throttle.sign_in(&key, &caller.context, app.clock().now()).await?;
    let stored = account.password_hash.as_str();
    if !accounts.hasher.verify(&input.current_password, Some(stored)).await?.right {
        let mut error = login::wrong();
        error.message = "This is not your present password.".into();
        return Err(error);
    }
    attempt.forgive().await;
    let hash = accounts.hasher.hash(&input.new_password).await?;
    let now = app.clock().now();
    let mut tx = app.db().system(Purpose::Accounts).write().await?;
    if !queries::replace_password(&mut tx, user.id, stored, &hash, now).await? {
        return Err(ApiError::new(
            crate::error::Code::Conflict,
            "Your password was changed elsewhere just now. Nothing was changed here.",
        ));
    }
    queries::delete_sessions_but(&mut tx, user.id, Some(user.session)).await?;
    let event = NewEvent::new(EventType::PasswordChanged, Resource::new("user", user.id, &user.name));
    append_instance_event_in(&mut tx, app.clock(), &caller.actor(), &caller.context, &event).await?;
    Ok(tx.commit().await?)
}

fn check_picture(url: &str) -> Result<String, FieldProblem> {
    let wrong = || FieldProblem::new("avatar_url", "invalid", "must be an address that begins with https://");
    let parsed: axum::http::Uri = url.trim().parse().map_err(|_| wrong())?;
    let host = parsed.host().unwrap_or("");
    if parsed.scheme_str() != Some("https")
        || host.is_empty()
        || parsed.authority().is_some_and(|a| a.as_str().contains('@'))
    {
        return Err(wrong());
    }
    Ok(url.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_come_by_https() {
        assert_eq!(
            check_picture(" https://example.com/a.png?x=1 ").unwrap(),
            "https://example.com/a.png?x=1"
        );
        for url in [
            "",
            "http://example.com/a.png",
            "javascript:alert(1)",
            "https://",
            "https://u:p@e.com/",
            "//e.com/a",
        ] {
            assert!(check_picture(url).is_err(), "{url}");
        }
    }
}
