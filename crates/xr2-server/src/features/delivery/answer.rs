//! From an entry and values to an HTTP answer.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body as HttpBody;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use xr2_prompt::{Provider, RenderError, RenderOptions, Values, coerce_query, provider_request, render};

use crate::error::{ApiError, Code, Result};
use crate::features::delivery::body::etag_of;
use crate::features::delivery::entry::Entry;
use crate::features::delivery::form::Form;
use crate::features::delivery::standing::Standing;
use crate::heavy::heavy;
use crate::http::Handled;

static X_XR2_VERSION: HeaderName = HeaderName::from_static("x-xr2-version");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Kept, but asked about every time.
pub const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");
const VARY: HeaderValue =
    HeaderValue::from_static("Authorization, X-API-Key, Cookie, X-Workspace, Accept-Encoding");
const VARY_PUBLISHABLE: HeaderValue =
    HeaderValue::from_static("Authorization, X-API-Key, Cookie, X-Workspace, Accept-Encoding, Origin");

/// What answers depend on beside the address.
pub fn vary(is_publishable: bool) -> HeaderValue {
    if is_publishable { VARY_PUBLISHABLE } else { VARY }
}

/// Values that are long together are rendered beside the threads that serve requests.
const LONG_VALUES: usize = 64 * 1024;

/// What is wanted of an entry.
#[derive(Debug, Default)]
pub struct Wish<'a> {
    /// Values.
    pub values: Given<'a>,
    /// Rendered even without values.
    pub render: bool,
    /// As a provider's request.
    pub format: Option<Provider>,
    /// For this model.
    pub model: Option<&'a str>,
    /// For this user.
    pub user: Option<&'a str>,
}

/// Values as they came.
#[derive(Debug)]
pub enum Given<'a> {
    /// In the query, as text.
    Query(&'a [(Cow<'a, str>, Cow<'a, str>)]),
    /// In a body, as JSON.
    Body(Values),
}

impl Default for Given<'_> {
    fn default() -> Self {
        Given::Query(&[])
    }
}

impl Given<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Given::Query(pairs) => pairs.is_empty(),
            Given::Body(_) => false,
        }
    }

    fn into_values(self, entry: &Entry) -> Values {
        match self {
            Given::Query(pairs) => {
                coerce_query(entry.compiled.contract(), pairs.iter().map(|(name, value)| (&**name, &**value)))
            }
            Given::Body(values) => values,
        }
    }
}

/// A body and its tag.
pub type Answer = (Bytes, HeaderValue);

impl Wish<'_> {
    /// Whether everybody who asks so gets the same.
    pub fn is_same_for_all(&self) -> bool {
        self.values.is_empty() && self.user.is_none()
    }

    /// Whether the entry as it stands is the answer.
    pub fn is_plain(&self) -> bool {
        self.values.is_empty() && !self.render && self.format.is_none()
    }
}

/// The answer; what may take long is done beside the threads that serve requests.
pub async fn answer(entry: &Arc<Entry>, wish: Wish<'_>) -> Result<Answer> {
    if let Some(answer) = entry.unasked.as_ref().filter(|_| wish.is_plain()) {
        return Ok(answer.clone());
    }
    let (format, model) = (wish.format, wish.model.map(str::to_owned));
    let values = wish.values.into_values(entry);
    if !entry.is_heavy && !is_long(&values) {
        return answer_with(entry, &values, format, model.as_deref());
    }
    let entry = entry.clone();
    heavy(move || answer_with(&entry, &values, format, model.as_deref())).await?
}

/// The answer of a light entry to values from a query; at once.
pub fn answer_light(entry: &Entry, wish: Wish<'_>) -> Result<Answer> {
    if let Some(answer) = entry.unasked.as_ref().filter(|_| wish.is_plain()) {
        return Ok(answer.clone());
    }
    let (format, model) = (wish.format, wish.model);
    let values = wish.values.into_values(entry);
    answer_with(entry, &values, format, model)
}

/// The data alone, for an answer that holds several: the template, or rendered when there are values.
pub async fn data(entry: &Arc<Entry>, values: Option<Values>) -> Result<Vec<u8>> {
    let is_light = !entry.is_heavy && values.as_ref().is_none_or(|values| !is_long(values));
    if is_light || (values.is_none() && !entry.compiled.has_no_variables()) {
        return data_with(entry, values);
    }
    let entry = entry.clone();
    heavy(move || data_with(&entry, values)).await?
}

fn data_with(entry: &Entry, values: Option<Values>) -> Result<Vec<u8>> {
    if values.is_none() && !entry.compiled.has_no_variables() {
        let template = entry.begin(0).content(entry.compiled.template_form()).template();
        return Ok(Entry::data_of(template.finish_data()));
    }
    let values = values.unwrap_or_default();
    let rendered =
        render(&entry.compiled, &values, RenderOptions::default()).map_err(|e| render_error(&e))?;
    let body = entry.begin(0).content(&rendered.content).rendered(&rendered.missing);
    Ok(Entry::data_of(body.finish_data()))
}

fn answer_with(
    entry: &Entry,
    values: &Values,
    format: Option<Provider>,
    model: Option<&str>,
) -> Result<Answer> {
    let rendered = render(&entry.compiled, values, RenderOptions::default()).map_err(|e| render_error(&e))?;
    let room = rendered.content.texts().map(|(_, text)| text.len() + text.len() / 8 + 64).sum();
    let mut body = entry.begin(room).content(&rendered.content).rendered(&rendered.missing);
    if let Some(format) = format {
        let made = provider_request(format, &rendered.content, &entry.config, model);
        body = body.request(&made.request, &made.warnings);
    }
    let body = body.finish(&rendered.warnings);
    let etag = etag_of(&body);
    Ok((Bytes::from(body), etag))
}

fn is_long(values: &Values) -> bool {
    fn size(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::String(text) => text.len(),
            serde_json::Value::Array(items) => items.iter().map(size).sum::<usize>() + items.len() * 8,
            serde_json::Value::Object(fields) => {
                fields.iter().map(|(name, value)| name.len() + size(value) + 8).sum()
            }
            _ => 8,
        }
    }
    values.iter().map(|(name, value)| name.len() + size(value)).sum::<usize>() > LONG_VALUES
}

/// 422 with what was wrong with the values or the template.
pub fn render_error(error: &RenderError) -> ApiError {
    match error {
        RenderError::Variables(problems) => {
            let code = match error.code() {
                "MISSING_VARIABLES" => Code::MissingVariables,
                _ => Code::InvalidVariables,
            };
            ApiError::new(code, error.to_string()).with_details(serde_json::json!({ "variables": problems }))
        }
        RenderError::Template(problem) => {
            ApiError::new(Code::Template, error.to_string()).with_details(serde_json::json!({
                "problems": [problem],
                "line": problem.line,
                "column": problem.column,
            }))
        }
    }
}

/// Puts the headers of delivery around an answer; 304 when the client has it already.
pub fn respond(entry: &Entry, form: Form, is_publishable: bool, standing: Standing) -> Response {
    let known = form.is_known;
    let mut headers = HeaderMap::with_capacity(14);
    let body = if known {
        HttpBody::empty()
    } else {
        headers.insert(header::CONTENT_TYPE, JSON);
        if let Some(encoding) = form.encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
        }
        HttpBody::from(form.body)
    };
    headers.insert(header::CACHE_CONTROL, REVALIDATE);
    headers.insert(header::ETAG, form.etag);
    headers.insert(header::VARY, vary(is_publishable));
    headers.insert(X_XR2_VERSION.clone(), entry.version_header.clone());
    standing.put(&mut headers);
    let mut response = Response::new(body);
    *response.status_mut() = if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    *response.headers_mut() = headers;
    response.extensions_mut().insert(Handled);
    response
}
