//! Rows that come out of a statement.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{ColumnIndex, Decode, Postgres, Row as _, Sqlite, Type};
use uuid::Uuid;

use crate::{DbError, JsonText, Result};

/// One row of either engine.
pub struct Row(pub(crate) Inner);

pub(crate) enum Inner {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A Rust type that one column can be read into on both engines.
pub trait Column:
    for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

impl<T> Column for T where
    T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

impl Row {
    /// The column `name` (or its position).
    pub fn get<T: Column>(&self, name: impl Index) -> Result<T> {
        match &self.0 {
            Inner::Sqlite(row) => Ok(row.try_get::<T, _>(name)?),
            Inner::Postgres(row) => Ok(row.try_get::<T, _>(name)?),
        }
    }

    /// The column `name`, null as `None`.
    pub fn opt<T: Column>(&self, name: impl Index) -> Result<Option<T>> {
        match &self.0 {
            Inner::Sqlite(row) => Ok(row.try_get::<Option<T>, _>(name)?),
            Inner::Postgres(row) => Ok(row.try_get::<Option<T>, _>(name)?),
        }
    }

    /// A JSON column read into `T`.
    pub fn json<T: DeserializeOwned>(&self, name: &'static str) -> Result<T> {
        parse(name, &self.get::<JsonText>(name)?.0)
    }

    /// A JSON column read into `T`, null as `None`.
    pub fn json_opt<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>> {
        self.opt::<JsonText>(name)?.map(|text| parse(name, &text.0)).transpose()
    }

    /// A `TEXT` column that holds the name of an enum's variant.
    pub fn parsed<T: std::str::FromStr>(&self, name: &'static str) -> Result<T> {
        let text: String = self.get(name)?;
        text.parse().map_err(|_| DbError::decode(format!("column {name} holds {text:?}, which is unknown")))
    }
}

fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| DbError::decode(format!("column {name} holds unreadable JSON: {error}")))
}

/// A column's name or position, understood by both engines.
pub trait Index: ColumnIndex<SqliteRow> + ColumnIndex<PgRow> + Copy {}
impl<T: ColumnIndex<SqliteRow> + ColumnIndex<PgRow> + Copy> Index for T {}

/// Reads itself out of a row.
pub trait FromRow: Sized {
    /// Reads the row; fails when a column is missing or of another type.
    fn from_row(row: &Row) -> Result<Self>;
}

macro_rules! scalar {
    ($($ty:ty),*) => {$(
        impl FromRow for $ty {
            fn from_row(row: &Row) -> Result<Self> { row.get(0) }
        }
        impl FromRow for Option<$ty> {
            fn from_row(row: &Row) -> Result<Self> { row.opt(0) }
        }
    )*};
}
scalar!(i64, f64, bool, String, Uuid, DateTime<Utc>, Vec<u8>);

macro_rules! tuple {
    ($($ty:ident $n:tt),*) => {
        impl<$($ty: Column),*> FromRow for ($($ty,)*) {
            fn from_row(row: &Row) -> Result<Self> { Ok(($(row.get::<$ty>($n)?,)*)) }
        }
    };
}
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
