//! The query string of a delivery: a few parameters of ours, everything else is a variable.

use std::borrow::Cow;

use uuid::Uuid;
use xr2_prompt::Provider;

use crate::error::{ApiError, FieldProblem, Result};
use crate::features::delivery::key::SelectorRef;
use crate::http::decode;

/// The label that is delivered unless another is named.
pub const DEFAULT_LABEL: &str = "production";

/// Parameters of one request at most.
const MAX_PARAMETERS: usize = 1000;

/// The provider whose request is wanted; `text` is none.
pub fn format_of(text: &str) -> std::result::Result<Option<Provider>, FieldProblem> {
    match text {
        "" | "text" => Ok(None),
        word => word.parse().map(Some).map_err(|_| {
            FieldProblem::new("format", "invalid", "must be one of: text, openai, anthropic, google")
        }),
    }
}

/// What a client may say about a delivery beside the prompt's name.
#[derive(Debug, Default)]
pub struct Query<'a> {
    /// `label=`
    pub label: Option<Cow<'a, str>>,
    /// `version=`
    pub version: Option<Cow<'a, str>>,
    /// `user_id=`
    pub user_id: Option<Cow<'a, str>>,
    /// `render=true`
    pub render: bool,
    /// `format=`
    pub format: Option<Provider>,
    /// `optimized_for=`: the model the caller is going to use.
    pub optimized_for: Option<Cow<'a, str>>,
    /// Values of variables, in the order sent.
    pub variables: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Whether it names a workspace, which is the way in's to read.
    pub names_workspace: bool,
}

impl<'a> Query<'a> {
    /// Reads a query string; all problems at once.
    pub fn parse(query: &'a str) -> Result<Query<'a>> {
        let mut parsed = Query::default();
        let mut problems = Vec::new();
        for (count, piece) in query.split('&').filter(|piece| !piece.is_empty()).enumerate() {
            if count == MAX_PARAMETERS {
                let message = format!("The query string has more than {MAX_PARAMETERS} parameters.");
                return Err(ApiError::bad_request(message));
            }
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            parsed.take(decode(name)?, decode(value)?, &mut problems);
        }
        if problems.is_empty() { Ok(parsed) } else { Err(ApiError::validation(problems)) }
    }

    fn take(&mut self, name: Cow<'a, str>, value: Cow<'a, str>, problems: &mut Vec<FieldProblem>) {
        let given = |value: Cow<'a, str>| (!value.is_empty()).then_some(value);
        match &*name {
            "label" => self.label = given(value),
            "version" => self.version = given(value),
            "user_id" => self.user_id = given(value),
            "optimized_for" => self.optimized_for = given(value),
            "format" => match format_of(&value) {
                Ok(format) => self.format = format,
                Err(problem) => problems.push(problem),
            },
            "render" => match &*value {
                "" | "true" | "1" => self.render = true,
                "false" | "0" => self.render = false,
                _ => problems.push(FieldProblem::new("render", "invalid", "must be true or false")),
            },
            "workspace" | "organizationId" => self.names_workspace = true,
            // Reserved: attributes of the user for tests, and whatever a later version brings.
            other if other.starts_with("attr.") || other.starts_with("xr2_") => {}
            other if other.starts_with("var.") => self.variables.push((cut_prefix(name), value)),
            _ => self.variables.push((name, value)),
        }
    }

    /// Which version is meant.
    pub fn selector(&self) -> Result<SelectorRef<'_>> {
        match (&self.label, &self.version) {
            (Some(_), Some(_)) => Err(both_named()),
            (None, Some(version)) => version_of(version).ok_or_else(|| {
                ApiError::invalid_field("version", "invalid", "must be a version's number or id")
            }),
            (Some(label), None) => Ok(SelectorRef::Label(label)),
            (None, None) => Ok(SelectorRef::Label(DEFAULT_LABEL)),
        }
    }
}

/// A number from 1, or an id.
pub fn version_of(text: &str) -> Option<SelectorRef<'static>> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|number| *number > 0).map(SelectorRef::Number);
    }
    Uuid::try_parse(text).ok().map(SelectorRef::Id)
}

/// 400: a label and a version.
pub fn both_named() -> ApiError {
    ApiError::bad_request("Name either a label or a version, not both.")
}

fn cut_prefix(name: Cow<'_, str>) -> Cow<'_, str> {
    const PREFIX: usize = "var.".len();
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(&name[PREFIX..]),
        Cow::Owned(name) => Cow::Owned(name[PREFIX..].to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_is_a_variable() {
        let query = Query::parse(
            "label=staging&name=Ana+B&var.label=x&attr.plan=pro&xr2_new=1&render=&tone=&user_id=u1&format=openai",
        )
        .unwrap();
        assert_eq!(query.selector().unwrap(), SelectorRef::Label("staging"));
        let variables: Vec<(&str, &str)> = query.variables.iter().map(|(n, v)| (&**n, &**v)).collect();
        assert_eq!(variables, [("name", "Ana B"), ("label", "x"), ("tone", "")]);
        assert!(query.render && query.format == Some(Provider::OpenAi));
        assert_eq!(query.user_id.as_deref(), Some("u1"));
    }

    #[test]
    fn a_version_is_a_number_or_an_id() {
        let selector = |query: &str| Query::parse(query).unwrap().selector().map(|s| format!("{s:?}"));
        assert_eq!(selector("").unwrap(), r#"Label("production")"#);
        assert_eq!(selector("label=").unwrap(), r#"Label("production")"#);
        assert_eq!(selector("version=7").unwrap(), "Number(7)");
        assert!(selector("version=0190b5a4-7b1c-7e52-b7a5-2f6f2e1c9d10").unwrap().starts_with("Id("));
        for bad in ["version=0", "version=-1", "version=x", "version=99999999999999999999"] {
            assert_eq!(selector(bad).unwrap_err().code.as_str(), "VALIDATION_ERROR", "{bad}");
        }
        assert_eq!(selector("version=1&label=a").unwrap_err().code.as_str(), "BAD_REQUEST");
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let error = Query::parse("format=xml&render=maybe").unwrap_err();
        assert_eq!(error.details.unwrap()["errors"].as_array().unwrap().len(), 2);
        assert!(Query::parse("a=%ff").is_err() && Query::parse("a=%00").is_err());
        assert!(Query::parse(&"a&".repeat(1001)).is_err());
    }
}
