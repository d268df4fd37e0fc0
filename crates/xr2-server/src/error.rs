//! Every error that a client can see. One table of codes; what is not in it is `INTERNAL` and says nothing but the
//! request id.

use std::panic::Location;

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use xr2_db::{DbError, ErrorKind};

/// Result of a handler or a service.
pub type Result<T, E = ApiError> = std::result::Result<T, E>;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:ident;)*) => {
        /// The stable codes of `error.code`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name),* }

        impl Code {
            /// All of them, for the documentation.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// As it stands in the answer.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text),* }
            }

            /// The HTTP status it comes with.
            pub fn status(self) -> StatusCode {
                match self { $(Code::$name => StatusCode::$status),* }
            }
        }
    };
}

codes! {
    /// The request cannot be understood.
    BadRequest = "BAD_REQUEST", BAD_REQUEST;
    /// Several workspaces are possible and none was named.
    WorkspaceRequired = "WORKSPACE_REQUIRED", BAD_REQUEST;
    /// Two different workspaces were named.
    WorkspaceConflict = "WORKSPACE_CONFLICT", BAD_REQUEST;
    /// No credential, or one that is not valid (any more).
    Unauthenticated = "UNAUTHENTICATED", UNAUTHORIZED;
    /// E-mail address and password do not belong together.
    InvalidCredentials = "INVALID_CREDENTIALS", UNAUTHORIZED;
    /// The caller may not do this.
    Forbidden = "FORBIDDEN", FORBIDDEN;
    /// A rule of the workspace forbids publishing.
    PublishBlocked = "PUBLISH_BLOCKED", FORBIDDEN;
    /// It does not exist, or not in this workspace.
    NotFound = "NOT_FOUND", NOT_FOUND;
    /// The path exists, the method does not.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED;
    /// It collides with what is there.
    Conflict = "CONFLICT", CONFLICT;
    /// Somebody else saved a newer version meanwhile.
    VersionConflict = "VERSION_CONFLICT", CONFLICT;
    /// Something still uses it.
    InUse = "IN_USE", CONFLICT;
    /// `If-Match` and the like did not hold.
    PreconditionFailed = "PRECONDITION_FAILED", PRECONDITION_FAILED;
    /// Larger than this server takes.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", PAYLOAD_TOO_LARGE;
    /// The request did not come in time.
    RequestTimeout = "REQUEST_TIMEOUT", REQUEST_TIMEOUT;
    /// Path and query are longer than this server takes.
    UriTooLong = "URI_TOO_LONG", URI_TOO_LONG;
    /// The headers are larger than this server takes.
    HeadersTooLarge = "HEADERS_TOO_LARGE", REQUEST_HEADER_FIELDS_TOO_LARGE;
    /// Not `application/json`.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE;
    /// The Host header names another server.
    Misdirected = "MISDIRECTED", MISDIRECTED_REQUEST;
    /// Fields of the request are missing or wrong; all of them are listed.
    Validation = "VALIDATION_ERROR", UNPROCESSABLE_ENTITY;
    /// Required variables are missing.
    MissingVariables = "MISSING_VARIABLES", UNPROCESSABLE_ENTITY;
    /// Variables do not fit their contract.
    InvalidVariables = "INVALID_VARIABLES", UNPROCESSABLE_ENTITY;
    /// The template does not parse or may not be rendered.
    Template = "TEMPLATE_ERROR", UNPROCESSABLE_ENTITY;
    /// The `Idempotency-Key` was used for another request.
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED", UNPROCESSABLE_ENTITY;
    /// Too many requests.
    RateLimited = "RATE_LIMITED", TOO_MANY_REQUESTS;
    /// The workspace has used up what it has of the month.
    QuotaExceeded = "QUOTA_EXCEEDED", TOO_MANY_REQUESTS;
    /// A defect of ours.
    Internal = "INTERNAL", INTERNAL_SERVER_ERROR;
    /// The database cannot be reached just now.
    Unavailable = "UNAVAILABLE", SERVICE_UNAVAILABLE;
}

/// An error on its way to the client.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// The stable code.
    pub code: Code,
    /// What happened and what to do, in plain words.
    pub message: String,
    /// Machine-readable particulars.
    pub details: Option<Value>,
    /// Headers such as `Retry-After`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// For the log only.
    cause: Option<String>,
}

/// One wrong field of a request.
#[derive(Debug, Clone, Serialize, ToSchema, PartialEq, Eq)]
pub struct FieldProblem {
    /// Path of the field, such as `variables[2].name`.
    pub field: String,
    /// What sort of problem: `required`, `invalid`, `too_long`, `unknown_field`, `taken`, `reserved`, …
    pub code: String,
    /// The same in plain words.
    pub message: String,
}

impl FieldProblem {
    /// A problem of `field`.
    pub fn new(field: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        FieldProblem { field: field.into(), code: code.into(), message: message.into() }
    }
}

impl ApiError {
    /// An error with `code` and a message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        ApiError { code, message: message.into(), details: None, headers: Vec::new(), cause: None }
    }

    /// Adds `details`.
    pub fn with_details(mut self, details: impl Serialize) -> Self {
        self.details = serde_json::to_value(details).ok();
        self
    }

    /// Adds a header.
    pub fn with_header(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, message)
    }

    /// 404 "… not found".
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("{what} not found"))
    }

    /// 401 for a missing or dead credential.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(Code::Unauthenticated, message).with_header(
            axum::http::header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"xr2\""),
        )
    }

    /// 403.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(Code::Forbidden, message)
    }

    /// 429: how many were allowed, and when the next one is.
    pub fn rate_limited(refused: crate::limits::Refused, what: &str) -> Self {
        let crate::limits::Refused { limit, wait_seconds } = refused;
        let message = format!(
            "{what} have reached their rate limit of {limit}. Please try again in {wait_seconds} seconds."
        );
        Self::new(Code::RateLimited, message)
            .with_details(json!({ "limit": limit, "retry_after": wait_seconds }))
            .with_header(axum::http::header::RETRY_AFTER, HeaderValue::from(wait_seconds))
            .with_header(HeaderName::from_static("ratelimit-limit"), HeaderValue::from(limit))
            .with_header(HeaderName::from_static("ratelimit-remaining"), HeaderValue::from(0))
            .with_header(HeaderName::from_static("ratelimit-reset"), HeaderValue::from(wait_seconds))
    }

    /// 422 with every wrong field.
    pub fn validation(problems: Vec<FieldProblem>) -> Self {
        let message = match problems.as_slice() {
            [one] => format!("{}: {}", one.field, one.message),
            many => format!("{} fields are not valid: {}", many.len(), field_names(many)),
        };
        Self::new(Code::Validation, message).with_details(json!({ "errors": problems }))
    }

    /// 422 for one wrong field.
    pub fn invalid_field(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self::validation(vec![FieldProblem::new(field, code, message)])
    }

    /// 503: this node has not heard from the database for longer than a setting allows.
    pub fn too_stale(setting: &str) -> Self {
        let message = format!(
            "This server has been cut off from its database for longer than {setting} allows. Please try again later."
        );
        Self::new(Code::Unavailable, message)
            .with_header(axum::http::header::RETRY_AFTER, HeaderValue::from_static("30"))
    }

    /// 500. The cause goes to the log, with the place it was raised at; the client gets the request id.
    #[track_caller]
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let mut error = Self::new(
            Code::Internal,
            "Something went wrong on our side. Quote the request id when you report it.",
        );
        error.cause = Some(format!("{cause} (at {})", Location::caller()));
        error
    }

    /// What the log should know beyond the message.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The body of the answer.
    pub fn body(&self, request_id: &str) -> Value {
        json!({
            "success": false,
            "error": {
                "code": self.code.as_str(),
                "message": self.message,
                "details": self.details,
                "request_id": request_id,
            }
        })
    }
}

fn field_names(problems: &[FieldProblem]) -> String {
    problems.iter().map(|p| p.field.as_str()).collect::<Vec<_>>().join(", ")
}

impl From<DbError> for ApiError {
    #[track_caller]
    fn from(error: DbError) -> Self {
        if *error.kind() == ErrorKind::Unavailable {
            return unavailable(&error);
        }
        ApiError::internal(error)
    }
}

/// 503. Only what was learnt by asking goes to the log: while the database rests, every request would repeat it.
fn unavailable(error: &DbError) -> ApiError {
    let message = if error.is_uncertain() {
        "The database did not answer in time. Whether the change was made is not certain; please look before you try again."
    } else {
        "The database cannot be reached just now. Nothing was changed; please try again in a moment."
    };
    let wait = error.retry_after().map_or(2, |wait| wait.as_secs() + 1);
    let mut api = ApiError::new(Code::Unavailable, message)
        .with_header(axum::http::header::RETRY_AFTER, HeaderValue::from(wait));
    api.cause = (!error.is_refusal()).then(|| error.to_string());
    api
}

/// The error travels in the response's extensions; the outermost layer, which knows the request id, writes the body.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        for (name, value) in &self.headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for ApiError {}
