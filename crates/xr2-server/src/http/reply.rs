//! Successful answers: the envelope.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::http::Page;
use crate::idempotency::ToldOnce;

/// `{"success":true,"data":…,"meta":{…}}`
#[derive(Debug)]
pub struct Reply<T> {
    status: StatusCode,
    data: T,
    meta: Meta,
    headers: Vec<(HeaderName, HeaderValue)>,
    told_once: &'static [&'static str],
}

/// What stands beside the data.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Meta {
    /// Page number of a list, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<i64>,
    /// Items per page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Items in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// True where there may be more than `total`: long lists are not counted to their end.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub total_is_at_least: bool,
    /// What to send as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// What did not stop the request, but deserves a look.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// Set when a prompt was asked for by a former slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_slug: Option<String>,
}

/// One entry of `meta.warnings`.
#[derive(Debug, Clone, Serialize, ToSchema, PartialEq, Eq)]
pub struct Warning {
    /// Stable code, such as `UNKNOWN_VARIABLE`.
    pub code: String,
    /// In plain words.
    pub message: String,
    /// The variable it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// The declared name that comes nearest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

impl<T> Reply<T> {
    /// 200.
    pub fn ok(data: T) -> Self {
        Reply { status: StatusCode::OK, data, meta: Meta::default(), headers: Vec::new(), told_once: &[] }
    }

    /// 201.
    pub fn created(data: T) -> Self {
        Reply { status: StatusCode::CREATED, ..Reply::ok(data) }
    }

    /// 202.
    pub fn accepted(data: T) -> Self {
        Reply { status: StatusCode::ACCEPTED, ..Reply::ok(data) }
    }

    /// Adds page, limit and total.
    pub fn paged(mut self, page: Page, total: i64) -> Self {
        self.meta.page = Some(page.page);
        self.meta.limit = Some(page.limit);
        self.meta.total = Some(total);
        self
    }

    /// Says that there may be more items than `total`.
    pub fn at_least(mut self, at_least: bool) -> Self {
        self.meta.total_is_at_least = at_least;
        self
    }

    /// Adds where the next page begins, if there is one.
    pub fn next(mut self, cursor: Option<String>) -> Self {
        self.meta.next_cursor = cursor;
        self
    }

    /// Adds warnings.
    pub fn warnings(mut self, warnings: Vec<Warning>) -> Self {
        self.meta.warnings.extend(warnings);
        self
    }

    /// Names what is told in this answer and never again: pointers into the data, such as `/key`.
    pub fn told_once(mut self, pointers: &'static [&'static str]) -> Self {
        self.told_once = pointers;
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

#[derive(Serialize)]
struct Written<'a, T> {
    success: bool,
    data: &'a T,
    meta: &'a Meta,
}

/// How a successful answer is documented.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the JSON; Reply writes it")]
pub struct Envelope<T: ToSchema> {
    /// Always true.
    success: bool,
    /// What was asked for.
    data: T,
    /// Pages and warnings.
    meta: Meta,
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&Written { success: true, data: &self.data, meta: &self.meta }) {
            Ok(bytes) => {
                let mut response = (self.status, bytes).into_response();
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                for (name, value) in self.headers {
                    headers.append(name, value);
                }
                if !self.told_once.is_empty() {
                    response.extensions_mut().insert(ToldOnce(self.told_once));
                }
                response
            }
            Err(error) => ApiError::internal(error).into_response(),
        }
    }
}
