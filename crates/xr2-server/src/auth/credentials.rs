//! What a request carries to say who it is. Query strings are never looked at.

use axum::http::{HeaderMap, Method, header};
use rand::RngCore;
use sha2::{Digest, Sha256};

use crate::error::{ApiError, Result};

/// Name of the dashboard's cookie.
pub const SESSION_COOKIE: &str = "xr2_session";

/// A credential as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential<'a> {
    /// An API key.
    Key(&'a str),
    /// A session token, and whether the cookie carried it (then writes need the same origin).
    Session {
        /// `xr2s_…`
        token: &'a str,
        /// By cookie.
        cookie: bool,
    },
}

/// Finds the credential. `Authorization` beats `X-API-Key` beats the cookie.
pub fn credential(headers: &HeaderMap) -> Result<Option<Credential<'_>>> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or("");
        let token = match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Err(ApiError::unauthenticated("Send the key as: Authorization: Bearer xr2_…")),
        };
        return Ok(Some(if token.starts_with("xr2s_") {
            Credential::Session { token, cookie: false }
        } else {
            Credential::Key(token)
        }));
    }
    if let Some(value) = headers.get("x-api-key") {
        return Ok(Some(Credential::Key(value.to_str().unwrap_or("").trim())));
    }
    Ok(cookie(headers, SESSION_COOKIE).map(|token| Credential::Session { token, cookie: true }))
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value)
}

/// Whether a write that the cookie vouches for comes from our own pages: the browser says `same-origin`, or the
/// Origin is our host.
pub fn is_same_origin(method: &Method, headers: &HeaderMap, public_url: &str) -> bool {
    if method.is_safe() {
        return true;
    }
    match headers.get("sec-fetch-site").and_then(|value| value.to_str().ok()) {
        Some("same-origin") => true,
        Some(_) => false,
        None => {
            let Some(origin) = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok()) else {
                return false;
            };
            let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or("");
            let same_host =
                origin.split_once("://").is_some_and(|(_, rest)| !host.is_empty() && rest == host);
            origin == public_url || (public_url.is_empty() && same_host)
        }
    }
}

/// Refuses what a page of another site has made the browser send to a route that needs no credential but gives one
/// (signing somebody in as somebody else). Programs send neither header and pass.
pub fn refuse_other_sites(headers: &HeaderMap, public_url: &str) -> Result<()> {
    let by_browser = headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN);
    if by_browser && !is_same_origin(&Method::POST, headers, public_url) {
        return Err(other_site());
    }
    Ok(())
}

/// 403 for a write that our own pages did not send.
pub(super) fn other_site() -> ApiError {
    ApiError::forbidden("This request came from another site. Reload the page and try again.")
}

/// `bytes` random bytes in base 62 without padding; 32 bytes come to 43 characters.
pub fn random_token(bytes: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // log62(256^n) digits carry the same entropy; drawn one by one without bias.
    let digits = (bytes * 8 * 10_000).div_ceil(59_542);
    let mut text = String::with_capacity(digits);
    let mut rng = rand::rng();
    while text.len() < digits {
        let byte = (rng.next_u32() & 63) as usize;
        if byte < 62 {
            text.push(char::from(DIGITS[byte]));
        }
    }
    text
}

/// What is stored of a token: SHA-256. The tokens are random and long, so no salt and no slow hash is needed.
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorization_beats_the_cookie() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, "a=b; xr2_session=xr2s_cookie".parse().unwrap());
        assert_eq!(
            credential(&headers).unwrap(),
            Some(Credential::Session { token: "xr2s_cookie", cookie: true })
        );
        headers.insert("x-api-key", "xr2_key".parse().unwrap());
        assert_eq!(credential(&headers).unwrap(), Some(Credential::Key("xr2_key")));
        headers.insert(header::AUTHORIZATION, "bearer xr2s_token".parse().unwrap());
        assert_eq!(
            credential(&headers).unwrap(),
            Some(Credential::Session { token: "xr2s_token", cookie: false })
        );
        headers.insert(header::AUTHORIZATION, "Basic abc".parse().unwrap());
        assert!(credential(&headers).is_err());
    }

    #[test]
    fn cookie_writes_need_our_origin() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "localhost:8000".parse().unwrap());
        assert!(is_same_origin(&Method::GET, &headers, ""));
        assert!(!is_same_origin(&Method::POST, &headers, ""));
        headers.insert(header::ORIGIN, "http://evil.example".parse().unwrap());
        assert!(!is_same_origin(&Method::POST, &headers, ""));
        headers.insert(header::ORIGIN, "http://localhost:8000".parse().unwrap());
        assert!(is_same_origin(&Method::POST, &headers, ""));
        headers.insert("sec-fetch-site", "cross-site".parse().unwrap());
        assert!(!is_same_origin(&Method::POST, &headers, ""), "what the browser says beats the Origin");
    }

    #[test]
    fn tokens_are_long_and_differ() {
        let token = random_token(32);
        assert_eq!(token.len(), 43);
        assert_ne!(token, random_token(32));
    }
}
