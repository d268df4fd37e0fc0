//! Values that go into a statement.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::encode::IsNull;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Sqlite, Type};
use uuid::Uuid;

/// A value bound to `$n`. Nulls keep their type, which PostgreSQL wants to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An id.
    Uuid(Option<Uuid>),
    /// Text.
    Text(Option<String>),
    /// A 64-bit integer (`BIGINT` everywhere).
    I64(Option<i64>),
    /// A double.
    F64(Option<f64>),
    /// True or false.
    Bool(Option<bool>),
    /// A point in time, UTC, whole microseconds.
    Time(Option<DateTime<Utc>>),
    /// JSON text, stored as written (key order and all).
    Json(Option<JsonText>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
}

impl Value {
    /// Serialises `value` as JSON.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Value {
        Value::Json(Some(JsonText(serde_json::to_string(value).expect("our own types serialise"))))
    }

    /// Serialises `Some`, passes `None` on as null.
    pub fn json_opt<T: Serialize>(value: Option<&T>) -> Value {
        match value {
            Some(value) => Value::json(value),
            None => Value::Json(None),
        }
    }
}

macro_rules! value_from {
    ($($ty:ty => $variant:ident),* $(,)?) => {$(
        impl From<$ty> for Value {
            fn from(value: $ty) -> Self { Value::$variant(Some(value.into())) }
        }
        impl From<Option<$ty>> for Value {
            fn from(value: Option<$ty>) -> Self { Value::$variant(value.map(Into::into)) }
        }
    )*};
}
value_from!(Uuid => Uuid, String => Text, i64 => I64, f64 => F64, bool => Bool, DateTime<Utc> => Time, Vec<u8> => Bytes, JsonText => Json);

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(Some(value.to_owned()))
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        Value::Text(value.map(str::to_owned))
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Value::Text(Some(value.clone()))
    }
}

/// JSON as text. PostgreSQL's `JSON` (not `JSONB`) keeps it letter for letter, as SQLite does, so that the order of
/// keys is the same on both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonText(pub String);

impl Type<Postgres> for JsonText {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(114))
    }
}

impl Encode<'_, Postgres> for JsonText {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, sqlx::error::BoxDynError> {
        buf.extend(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

impl<'r> Decode<'r, Postgres> for JsonText {
    fn decode(value: PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        Ok(JsonText(value.as_str()?.to_owned()))
    }
}

impl Type<Sqlite> for JsonText {
    fn type_info() -> sqlx::sqlite::SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl<'r> Decode<'r, Sqlite> for JsonText {
    fn decode(value: sqlx::sqlite::SqliteValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        Ok(JsonText(<String as Decode<'r, Sqlite>>::decode(value)?))
    }
}

/// `args![a, b]`: the values of `$1`, `$2`, …
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { ::std::vec![$($crate::Value::from($value)),*] };
}
