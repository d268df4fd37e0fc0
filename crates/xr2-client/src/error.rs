//! Everything that can go wrong.

use std::time::Duration;

use serde_json::Value;
use xr2_prompt::{RenderError, TemplateProblem, VariableProblem};

/// Why there is no prompt, or no text. Never holds the API key.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The call cannot mean anything: no key, a label and a version together, an address that is none.
    #[error("{0}")]
    Usage(String),
    /// There is no such prompt, label or version for this key.
    #[error("{0}")]
    NotFound(Box<Refusal>),
    /// The key is wrong, revoked or expired, or may not do this.
    #[error("{0}")]
    Auth(Box<Refusal>),
    /// Too many requests; [`Refusal::retry_after`] says when to come back.
    #[error("{0}")]
    RateLimited(Box<Refusal>),
    /// The server is unwell.
    #[error("{0}")]
    Server(Box<Refusal>),
    /// The server refused the request for another reason.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The server cannot be reached.
    #[error("the server cannot be reached: {0}")]
    Connection(String),
    /// There was no answer in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// What came back is no answer of xr2; a proxy's error page, perhaps.
    #[error("the answer cannot be read: {0}")]
    Protocol(String),
    /// It is not in memory, and [`Client::get_now`](crate::Client::get_now) asks nobody.
    #[error("the prompt {0:?} is not in memory")]
    NotLoaded(String),
    /// Required values are missing, perhaps others are wrong.
    #[error("cannot render {slug:?}: {}", variables_message(.variables))]
    MissingVariables {
        /// The prompt.
        slug: String,
        /// Every problem, in the contract's order.
        variables: Vec<VariableProblem>,
    },
    /// Values do not fit the contract.
    #[error("cannot render {slug:?}: {}", variables_message(.variables))]
    InvalidVariables {
        /// The prompt.
        slug: String,
        /// Every problem, in the contract's order.
        variables: Vec<VariableProblem>,
    },
    /// The template failed on these values, or is of a newer kind than this crate reads.
    #[error("cannot render {slug:?}: {}", .problem.message)]
    Template {
        /// The prompt.
        slug: String,
        /// What is wrong, and where.
        problem: Box<TemplateProblem>,
    },
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
}

/// What the server said when it refused.
#[derive(Debug, Clone, Default)]
pub struct Refusal {
    /// Status of the answer.
    pub status: u16,
    /// The API's code, as `NOT_FOUND`.
    pub code: String,
    /// One sentence for people.
    pub message: String,
    /// What belongs to the code.
    pub details: Value,
    /// By which the operator finds the request.
    pub request_id: Option<String>,
    /// How long to wait.
    pub retry_after: Option<Duration>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}", self.message, self.code)?;
        match &self.request_id {
            Some(id) => write!(f, ", request {id})"),
            None => f.write_str(")"),
        }
    }
}

impl Error {
    /// A stable word for it: the API's code, or one of this crate's own.
    pub fn code(&self) -> &str {
        match self {
            Self::Usage(_) => "USAGE",
            Self::NotFound(refusal)
            | Self::Auth(refusal)
            | Self::RateLimited(refusal)
            | Self::Server(refusal)
            | Self::Refused(refusal) => &refusal.code,
            Self::Connection(_) => "CONNECTION",
            Self::Timeout(_) => "TIMEOUT",
            Self::Protocol(_) => "PROTOCOL",
            Self::NotLoaded(_) => "NOT_LOADED",
            Self::MissingVariables { .. } => "MISSING_VARIABLES",
            Self::InvalidVariables { .. } => "INVALID_VARIABLES",
            Self::Template { .. } => "TEMPLATE_ERROR",
            Self::Closed => "CLOSED",
        }
    }

    /// What the server said, when it was the server who refused.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::NotFound(refusal)
            | Self::Auth(refusal)
            | Self::RateLimited(refusal)
            | Self::Server(refusal)
            | Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether waiting may help: the server is away, unwell or busy. Only such errors are bridged with older copies.
    pub fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::RateLimited(_)
                | Self::Server(_)
                | Self::Connection(_)
                | Self::Timeout(_)
                | Self::Protocol(_)
        )
    }

    pub(crate) fn of_status(refusal: Refusal) -> Self {
        let refusal = Box::new(refusal);
        match refusal.status {
            401 | 403 => Self::Auth(refusal),
            404 => Self::NotFound(refusal),
            429 => Self::RateLimited(refusal),
            500.. => Self::Server(refusal),
            _ => Self::Refused(refusal),
        }
    }

    /// A node that is cut off from its database gave an answer older than what is here: as good as none.
    pub(crate) fn cut_off() -> Self {
        Self::of_status(Refusal {
            status: 503,
            code: "UNAVAILABLE".to_owned(),
            message: "the server is cut off from its database, and behind what is in memory".to_owned(),
            ..Refusal::default()
        })
    }

    pub(crate) fn of_render(slug: &str, error: RenderError) -> Self {
        let (slug, is_missing) = (slug.to_owned(), error.code() == "MISSING_VARIABLES");
        match error {
            RenderError::Variables(variables) if is_missing => Self::MissingVariables { slug, variables },
            RenderError::Variables(variables) => Self::InvalidVariables { slug, variables },
            RenderError::Template(problem) => Self::Template { slug, problem: Box::new(problem) },
        }
    }

    /// How long the server asked to wait, if it did.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.refusal()?.retry_after
    }
}

fn variables_message(variables: &[VariableProblem]) -> String {
    RenderError::Variables(variables.to_vec()).to_string()
}
