//! Query strings.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::error::{ApiError, FieldProblem, Result};

/// The decoded query string in the order sent.
#[derive(Debug, Clone, Default)]
pub struct Params(pub Vec<(String, String)>);

impl Params {
    /// Decodes `query`. Invalid UTF-8 is refused rather than replaced.
    pub fn parse(query: &str) -> Result<Params> {
        let mut pairs = Vec::new();
        for piece in query.split('&').filter(|piece| !piece.is_empty()) {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            pairs.push((decode(name)?.into_owned(), decode(value)?.into_owned()));
        }
        Ok(Params(pairs))
    }

    /// The last value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The last non-empty value under any of `names` (the guide's camelCase names are accepted beside ours).
    pub fn first_of(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name).filter(|value| !value.is_empty()))
    }

    /// `true`, `1` or bare presence; `false`, `0`; anything else is 422.
    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        match self.get(name) {
            None => Ok(None),
            Some("" | "true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(ApiError::invalid_field(name, "invalid", "must be true or false")),
        }
    }

    /// `page` and `limit`.
    pub fn page(&self) -> Result<Page> {
        let mut problems = Vec::new();
        let mut number = |name: &str, default: i64, max: i64| match self.get(name) {
            None | Some("") => default,
            Some(text) => match text.parse::<i64>() {
                Ok(n) if (1..=max).contains(&n) => n,
                _ => {
                    problems.push(FieldProblem::new(
                        name,
                        "invalid",
                        format!("must be a whole number from 1 to {max}"),
                    ));
                    default
                }
            },
        };
        let page = number("page", 1, 1_000_000);
        let limit = number("limit", 20, 100);
        if problems.is_empty() { Ok(Page { page, limit }) } else { Err(ApiError::validation(problems)) }
    }
}

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub page: i64,
    /// Items on it, 1 to 100.
    pub limit: i64,
}

impl Page {
    /// How many items come before it.
    pub fn offset(self) -> i64 {
        (self.page - 1) * self.limit
    }
}

/// Decodes one name or value; borrowed when there is nothing to decode.
pub(crate) fn decode(text: &str) -> Result<Cow<'_, str>> {
    // The URI itself is ASCII, so only what is percent-encoded can be wrong.
    if !text.bytes().any(|byte| matches!(byte, b'+' | b'%')) {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let raw = text.as_bytes();
    let mut i = 0;
    while i < raw.len() {
        match raw[i] {
            b'+' => bytes.push(b' '),
            b'%' => match raw.get(i + 1..i + 3).and_then(hex_byte) {
                Some(byte) => {
                    bytes.push(byte);
                    i += 2;
                }
                // A stray percent sign is taken as it is, as browsers do.
                None => bytes.push(b'%'),
            },
            byte => bytes.push(byte),
        }
        i += 1;
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| ApiError::bad_request("The query string is not valid UTF-8 after percent-decoding."))?;
    if text.contains('\0') {
        return Err(ApiError::bad_request("The query string contains a NUL character."));
    }
    Ok(Cow::Owned(text))
}

fn hex_byte(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (high, low) = (digit(*pair.first()?)?, digit(*pair.get(1)?)?);
    u8::try_from(high * 16 + low).ok()
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Params::parse(parts.uri.query().unwrap_or(""))
    }
}
