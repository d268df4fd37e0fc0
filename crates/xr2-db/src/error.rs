//! What can go wrong in the database, in words that do not depend on the engine.

use std::time::Duration;

/// A failed database call.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct DbError {
    kind: ErrorKind,
    message: String,
    retry_after: Option<Duration>,
    is_uncertain: bool,
    is_refusal: bool,
    #[source]
    source: Option<sqlx::Error>,
}

/// What sort of failure it was, as far as callers can act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// A unique constraint refused the row; holds the constraint's name or `table.column` list.
    Unique(String),
    /// A foreign key refused the row.
    ForeignKey,
    /// The database cannot be reached, is too busy, or refused to write.
    Unavailable,
    /// No row where one was asked for.
    NoRow,
    /// Configuration or migration trouble that an operator has to settle.
    Setup,
    /// Anything else: a defect of ours.
    Internal,
}

impl DbError {
    /// Trouble an operator has to settle; the message tells how.
    pub fn setup(message: impl Into<String>) -> Self {
        DbError::new(ErrorKind::Setup, message.into(), None)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        DbError::new(ErrorKind::Internal, message.into(), None)
    }

    pub(crate) fn decode(message: impl Into<String>) -> Self {
        DbError::new(ErrorKind::Internal, message.into(), None)
    }

    /// The database was not even asked.
    pub(crate) fn refused(message: impl Into<String>, retry_after: Option<Duration>) -> Self {
        let error = DbError::new(ErrorKind::Unavailable, message.into(), None);
        DbError { retry_after, is_refusal: true, ..error }
    }

    /// Nobody is there that could be asked.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        DbError::new(ErrorKind::Unavailable, message.into(), None)
    }

    /// A start failed: an outage, or trouble an operator has to settle.
    pub(crate) fn at_start(error: sqlx::Error, message: String) -> Self {
        let kind = if is_outage(&error) { ErrorKind::Unavailable } else { ErrorKind::Setup };
        DbError::new(kind, message, Some(error))
    }

    /// A commit that was not answered may have happened.
    pub(crate) fn at_commit(self) -> Self {
        let is_uncertain = self.kind == ErrorKind::Unavailable && !self.is_refusal;
        DbError { is_uncertain, ..self }
    }

    /// What was committed went where nobody will find it.
    pub(crate) fn lost(self) -> Self {
        DbError { is_uncertain: true, ..self }
    }

    fn new(kind: ErrorKind, message: String, source: Option<sqlx::Error>) -> Self {
        DbError { kind, message, retry_after: None, is_uncertain: false, is_refusal: false, source }
    }

    /// The sort of failure.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Whether a unique constraint refused the row and its name or columns mention `what`.
    pub fn is_unique(&self, what: &str) -> bool {
        matches!(&self.kind, ErrorKind::Unique(name) if name.contains(what))
    }

    /// When it is worth trying again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the change may have been made although it was not acknowledged.
    pub fn is_uncertain(&self) -> bool {
        self.is_uncertain
    }

    /// Whether the database was not even asked, because it has not answered lately.
    pub fn is_refusal(&self) -> bool {
        self.is_refusal
    }

    /// Whether it tells that the database is gone or hangs, rather than that it declined.
    pub(crate) fn is_outage(&self) -> bool {
        self.source.as_ref().is_some_and(is_outage)
    }

    /// Whether it was asked to write where only reading is possible: another server has taken over, perhaps.
    pub(crate) fn is_read_only(&self) -> bool {
        let code = self.source.as_ref().and_then(|error| error.as_database_error()?.code());
        code.is_some_and(|code| code == "25006")
    }

    /// Whether trying again later may help.
    pub fn is_unavailable(&self) -> bool {
        self.kind == ErrorKind::Unavailable
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        DbError::new(classify(&error), describe(&error), Some(error))
    }
}

/// PostgreSQL's error text can quote row values ("Key (email)=(…) already exists" stands in its detail); its plain
/// message does not, and only that goes into logs.
fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(db) => format!("database error: {}", db.message()),
        sqlx::Error::PoolTimedOut => "the database did not answer in time".into(),
        other => format!("database error: {other}"),
    }
}

fn classify(error: &sqlx::Error) -> ErrorKind {
    match error {
        sqlx::Error::RowNotFound => ErrorKind::NoRow,
        error if is_outage(error) => ErrorKind::Unavailable,
        sqlx::Error::PoolClosed => ErrorKind::Unavailable,
        sqlx::Error::Database(db) if db.is_unique_violation() => {
            // SQLite names no constraint, but its message lists "table.column".
            ErrorKind::Unique(db.constraint().unwrap_or(db.message()).to_owned())
        }
        sqlx::Error::Database(db) if db.is_foreign_key_violation() => ErrorKind::ForeignKey,
        sqlx::Error::Database(db) => match db.code().as_deref() {
            // SQLite: 6 locked, 8 read-only, 13 full (and extended codes).
            Some(code) if is_sqlite(code, &[6, 8, 13]) => ErrorKind::Unavailable,
            // PostgreSQL: class 53 resources, 25006 read-only, 40 rollback to retry, 55P03 lock not available.
            Some(code)
                if code.len() == 5
                    && (code.starts_with("53")
                        || code.starts_with("40")
                        || matches!(code, "25006" | "55P03")) =>
            {
                ErrorKind::Unavailable
            }
            _ => ErrorKind::Internal,
        },
        _ => ErrorKind::Internal,
    }
}

/// The database is gone, or does not answer in time.
fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        // A connection that is cut in the middle of a greeting reads like a protocol error.
        sqlx::Error::PoolTimedOut
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(db) => db.code().is_some_and(|code| {
            // SQLite: 5 busy for longer than one waits, 10 I/O error, 14 cannot open.
            is_sqlite(&code, &[5, 10, 14])
                // PostgreSQL: class 08 connection, 57P shutdown or starting, 57014 took too long, 53300 no connection left.
                || (code.len() == 5
                    && (code.starts_with("08") || code.starts_with("57P") || matches!(&*code, "57014" | "53300")))
        }),
        _ => false,
    }
}

/// SQLite's codes have fewer digits than the five characters of SQLSTATE; the low byte is the primary one.
fn is_sqlite(code: &str, primary: &[u32]) -> bool {
    code.len() < 5 && code.parse::<u32>().is_ok_and(|code| primary.contains(&(code & 0xff)))
}
