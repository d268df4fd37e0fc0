//! What can go wrong in the database, in words that do not depend on the engine.

/// A failed database call.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct DbError {
    kind: ErrorKind,
    message: String,
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
        DbError { kind: ErrorKind::Setup, message: message.into(), source: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        DbError { kind: ErrorKind::Internal, message: message.into(), source: None }
    }

    pub(crate) fn decode(message: impl Into<String>) -> Self {
        DbError { kind: ErrorKind::Internal, message: message.into(), source: None }
    }

    /// The sort of failure.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Whether a unique constraint refused the row and its name or columns mention `what`.
    pub fn is_unique(&self, what: &str) -> bool {
        matches!(&self.kind, ErrorKind::Unique(name) if name.contains(what))
    }

    /// Whether trying again later may help.
    pub fn is_unavailable(&self) -> bool {
        self.kind == ErrorKind::Unavailable
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        let kind = classify(&error);
        DbError { message: describe(&error), kind, source: Some(error) }
    }
}

/// PostgreSQL's error text can quote row values ("Key (email)=(…) already exists" stands in its detail); its plain
/// message does not, and only that goes into logs.
fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(db) => format!("database error: {}", db.message()),
        sqlx::Error::PoolTimedOut => "no database connection became free in time".into(),
        other => format!("database error: {other}"),
    }
}

fn classify(error: &sqlx::Error) -> ErrorKind {
    match error {
        sqlx::Error::RowNotFound => ErrorKind::NoRow,
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::Tls(_) => {
            ErrorKind::Unavailable
        }
        sqlx::Error::Database(db) if db.is_unique_violation() => {
            // SQLite names no constraint, but its message lists "table.column".
            ErrorKind::Unique(db.constraint().unwrap_or(db.message()).to_owned())
        }
        sqlx::Error::Database(db) if db.is_foreign_key_violation() => ErrorKind::ForeignKey,
        sqlx::Error::Database(db) => match db.code().as_deref() {
            // SQLite: 5 busy, 6 locked, 8 read-only, 10 I/O error, 13 full, 14 cannot open (and extended codes).
            Some(code) if is_sqlite_outage(code) => ErrorKind::Unavailable,
            // PostgreSQL: class 08 connection, 53 resources, 57P shutdown, 25006 read-only, 40 rollback to retry.
            Some(code)
                if code.len() == 5
                    && (code.starts_with("08")
                        || code.starts_with("53")
                        || code.starts_with("57P")
                        || code.starts_with("40")
                        || code == "25006") =>
            {
                ErrorKind::Unavailable
            }
            _ => ErrorKind::Internal,
        },
        _ => ErrorKind::Internal,
    }
}

fn is_sqlite_outage(code: &str) -> bool {
    code.len() < 5 && code.parse::<u32>().is_ok_and(|c| matches!(c & 0xff, 5 | 6 | 8 | 10 | 13 | 14))
}
