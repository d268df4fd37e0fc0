//! Request bodies: JSON, checked against the documented schema, all problems at once.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, header};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;

use crate::config::Config;
use crate::error::{ApiError, Code, Result};
use crate::http::schema::check_against_schema;
use crate::state::App;

/// A JSON body that fits the schema of `T`.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + ToSchema + 'static> FromRequest<App> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let JsonBytes(bytes) = JsonBytes::from_request(request, app).await?;
        let value: serde_json::Value = if bytes.iter().all(u8::is_ascii_whitespace) {
            serde_json::Value::Object(serde_json::Map::new())
        } else {
            serde_json::from_slice(&bytes).map_err(|error| syntax_error(&error))?
        };
        drop(bytes);
        let problems = check_against_schema::<T>(&value);
        if !problems.is_empty() {
            return Err(ApiError::validation(problems));
        }
        serde_path_to_error::deserialize(value).map(Body).map_err(|error| {
            let field = error.path().to_string();
            ApiError::invalid_field(&field, "invalid", error.into_inner().to_string())
        })
    }
}

/// A body that is said to be JSON, as it came: for what is read by hand.
pub struct JsonBytes(pub Bytes);

impl FromRequest<App> for JsonBytes {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        require_json(&request)?;
        let config = app.config();
        let pace = Pace { patience: config.http.body_timeout, rate: config.http.body_rate };
        read_whole(request.into_body(), config.limits.body_bytes, pace).await.map(JsonBytes)
    }
}

/// How fast a body has to come.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// In any case it may take so long.
    pub(super) patience: Duration,
    /// Beyond that, so many bytes a second have to have come.
    pub(super) rate: u32,
}

/// Reads a body as patiently as any other and throws it away.
pub async fn read_to_end(body: axum::body::Body, config: &Config) -> Result<()> {
    let pace = Pace { patience: config.http.body_timeout, rate: config.http.body_rate };
    read_whole(body, config.limits.body_bytes, pace).await.map(drop)
}

async fn read_whole(body: axum::body::Body, limit: usize, pace: Pace) -> Result<Bytes> {
    let mut body = Limited::new(body, limit);
    let began = Instant::now();
    let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
    loop {
        let received = first.len() + rest.len();
        let due = began + pace.patience + Duration::from_secs_f64(received as f64 / f64::from(pace.rate));
        let frame = match timeout_at(due, body.frame()).await {
            Err(_) => return Err(too_slow()),
            Ok(None) => break,
            Ok(Some(frame)) => frame.map_err(|error| read_error(&*error, limit))?,
        };
        match frame.into_data() {
            // Nearly all bodies come in one piece, which is taken as it is.
            Ok(data) if received == 0 => first = data,
            Ok(data) => {
                if rest.is_empty() {
                    rest.extend_from_slice(&std::mem::take(&mut first));
                }
                rest.extend_from_slice(&data);
            }
            Err(_trailers) => {}
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

pub(super) fn too_slow() -> ApiError {
    ApiError::new(Code::RequestTimeout, "The request body came too slowly.")
        .with_header(header::CONNECTION, HeaderValue::from_static("close"))
}

/// Reads JSON without a look at the documented schema: the first thing that is wrong is told.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    if holds_nul(bytes) {
        return Err(ApiError::bad_request("The body holds the character NUL, which no text here may hold."));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = error.path().to_string();
        let error = error.into_inner();
        if error.is_data() {
            ApiError::invalid_field(&field, "invalid", error.to_string())
        } else {
            syntax_error(&error)
        }
    })?;
    deserializer.end().map_err(|error| syntax_error(&error))?;
    Ok(read)
}

/// Whether some text of a JSON document has the character that PostgreSQL does not store. Only texts have backslashes.
pub fn holds_nul(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        if rest[at + 1..].starts_with(b"u0000") {
            return true;
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}

fn require_json(request: &Request) -> Result<()> {
    let Some(value) = request.headers().get(header::CONTENT_TYPE) else { return Ok(()) };
    let kind = value.to_str().unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json")) {
        return Ok(());
    }
    Err(ApiError::new(Code::UnsupportedMediaType, "Send the body as application/json."))
}

pub(super) fn read_error(error: &(dyn std::error::Error + 'static), limit: usize) -> ApiError {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = source {
        if inner.is::<http_body_util::LengthLimitError>() {
            return ApiError::new(
                Code::PayloadTooLarge,
                format!("The request body is larger than {limit} bytes."),
            );
        }
        source = inner.source();
    }
    ApiError::bad_request("The request body broke off.")
}

fn syntax_error(error: &serde_json::Error) -> ApiError {
    ApiError::bad_request(format!("The request body is not valid JSON: {error}."))
        .with_details(serde_json::json!({ "line": error.line(), "column": error.column() }))
}
