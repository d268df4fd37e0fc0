//! Watches over the statements of one transaction: how long each may take, and what that tells of the database.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::error::Elapsed;
use xr2_breaker::Pass;

use crate::shared::Shared;
use crate::{DbError, Result};

/// See the module. When it is dropped it tells the breaker how things went.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    pass: Option<Pass>,
    write: bool,
    /// A statement was sent and has not been answered.
    is_waiting: bool,
    was_answered: bool,
}

impl Watch {
    pub(crate) fn new(shared: Arc<Shared>, pass: Pass, write: bool) -> Watch {
        Watch { shared, pass: Some(pass), write, is_waiting: false, was_answered: false }
    }

    pub(crate) fn is_write(&self) -> bool {
        self.write
    }

    /// How long a statement may take.
    pub(crate) fn limit(&self) -> Duration {
        self.shared.options().statement_timeout
    }

    /// A statement is about to be sent. Refused when one has failed before: the connection is of no use.
    pub(crate) fn sends(&mut self) -> Result<()> {
        if self.is_waiting || self.pass.is_none() {
            return Err(DbError::refused("the database stopped answering in this transaction", None));
        }
        self.is_waiting = true;
        Ok(())
    }

    /// Judges what came of a statement.
    pub(crate) fn judge<T>(&mut self, outcome: Result<Result<T, sqlx::Error>, Elapsed>) -> Result<T> {
        let outcome = outcome.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut));
        match outcome {
            Ok(value) => {
                (self.is_waiting, self.was_answered) = (false, true);
                Ok(value)
            }
            Err(error) => {
                let was_thrown_away = matches!(error, sqlx::Error::PoolClosed);
                let error = DbError::from(error);
                if error.is_outage() {
                    self.fails();
                } else if error.is_read_only() {
                    Shared::suspect(&self.shared);
                    (self.is_waiting, self.was_answered) = (false, true);
                } else if !was_thrown_away {
                    (self.is_waiting, self.was_answered) = (false, true);
                }
                Err(error)
            }
        }
    }

    /// Whether the file that was written to is still the one that others see.
    pub(crate) fn check_file(&self) -> Result<()> {
        self.shared.check_file()
    }

    fn fails(&mut self) {
        if let Some(pass) = self.pass.take() {
            self.shared.failed(pass, self.write);
            Shared::suspect(&self.shared);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Given up by whoever waited: that tells nothing.
        if self.was_answered
            && !self.is_waiting
            && let Some(pass) = self.pass.take()
        {
            pass.succeeded();
        }
    }
}
