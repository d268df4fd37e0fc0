//! A call that was counted, and what its caller is told.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::NaiveDate;

use super::counter::{Counter, Taken, first_day};
use crate::error::{ApiError, Code, Result};
use crate::http::Warning;

static X_XR2_WARNING: HeaderName = HeaderName::from_static("x-xr2-warning");

/// A call that counts, unless it is dropped before [`Call::stands`].
#[derive(Default)]
pub struct Call {
    counter: Option<Arc<Counter>>,
    /// Whether it took a permit in hand.
    is_lent: bool,
    /// What the client should be told.
    pub level: Option<Level>,
}

/// A quota that is nearly or wholly used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    percent: i64,
    month: i64,
}

impl Level {
    pub(super) fn of(used: i64, quota: i64, month: i64) -> Option<Level> {
        let reached = |percent: i64| used.saturating_mul(100) >= quota.saturating_mul(percent);
        let percent = [100, 80].into_iter().find(|percent| reached(*percent))?;
        Some(Level { percent, month })
    }

    fn renews(&self) -> NaiveDate {
        first_day(self.month + 1)
    }

    /// Puts `X-XR2-Warning` on an answer.
    pub fn put_on(&self, headers: &mut HeaderMap) {
        let text = format!("quota; used={}%; renews={}", self.percent, self.renews());
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(X_XR2_WARNING.clone(), value);
        }
    }

    /// For `meta.warnings`.
    pub fn warning(&self) -> Warning {
        let (percent, renews) = (self.percent, self.renews());
        let message = match percent {
            100 => format!(
                "This workspace has used all calls of the month; beyond 110 % they are refused until {renews}."
            ),
            _ => format!(
                "This workspace has used {percent} % of its calls of the month. It begins anew on {renews}."
            ),
        };
        Warning { code: format!("QUOTA_{percent}"), message, variable: None, nearest: None }
    }
}

impl Call {
    /// What became of it.
    pub(super) fn of(counter: Arc<Counter>, taken: Taken, quota: i64) -> Result<Call> {
        match taken {
            Taken::Passed { used, is_lent, .. } => {
                let level = Level::of(used, quota, counter.month);
                Ok(Call { counter: Some(counter), is_lent, level })
            }
            Taken::Refused { used } => Err(refusal(used, quota, counter.month)),
        }
    }

    /// It was answered.
    pub fn stands(mut self) {
        self.counter = None;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(counter) = &self.counter {
            counter.take_back(self.is_lent);
        }
    }
}

fn refusal(used: i64, quota: i64, month: i64) -> ApiError {
    let renews = first_day(month + 1);
    let message = format!(
        "This workspace has used up its {quota} calls of the month (and a tenth more). It begins anew on {renews}."
    );
    let details = serde_json::json!({ "quota": quota, "used": used, "renews": renews.to_string() });
    ApiError::new(Code::QuotaExceeded, message).with_details(details)
}
