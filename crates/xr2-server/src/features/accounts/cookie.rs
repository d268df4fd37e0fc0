//! The dashboard's session cookie. Scripts cannot read it, other sites cannot send it with a write.

use axum::http::HeaderValue;
use chrono::TimeDelta;

use crate::auth::SESSION_COOKIE;
use crate::error::{ApiError, Result};

/// Sets the cookie. `secure`: the browser came by TLS.
pub(super) fn set(token: &str, lifetime: TimeDelta, secure: bool) -> Result<HeaderValue> {
    write(token, lifetime.num_seconds(), secure)
}

/// Takes the cookie away.
pub(super) fn clear(secure: bool) -> Result<HeaderValue> {
    write("", 0, secure)
}

fn write(value: &str, max_age: i64, secure: bool) -> Result<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{SESSION_COOKIE}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::from_str(&text).map_err(ApiError::internal)?;
    value.set_sensitive(true);
    Ok(value)
}
