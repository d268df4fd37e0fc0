//! Values for a template, in whatever form a program has them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::Value;
use xr2_prompt::Values;

use crate::error::Error;

/// What can be given to [`Prompt::render`](crate::Prompt::render): pairs, maps, a JSON object, or `()` for nothing.
///
/// ```
/// use serde_json::json;
/// use xr2_client::IntoValues;
///
/// assert_eq!([("name", "Ada")].into_values().len(), 1);
/// assert_eq!([("age", json!(36)), ("vip", json!(true))].into_values().len(), 2);
/// assert_eq!(json!({"name": "Ada", "items": ["tea"]}).into_values().len(), 2);
/// assert!(().into_values().is_empty());
/// ```
///
/// For a struct that can be serialised see [`values_of`].
pub trait IntoValues<'v> {
    /// The values by name.
    fn into_values(self) -> Cow<'v, Values>;
}

impl<'v> IntoValues<'v> for () {
    fn into_values(self) -> Cow<'v, Values> {
        Cow::Owned(Values::new())
    }
}

impl<'v> IntoValues<'v> for Values {
    fn into_values(self) -> Cow<'v, Values> {
        Cow::Owned(self)
    }
}

impl<'v> IntoValues<'v> for &'v Values {
    fn into_values(self) -> Cow<'v, Values> {
        Cow::Borrowed(self)
    }
}

/// An object; anything else holds no named values.
impl<'v> IntoValues<'v> for Value {
    fn into_values(self) -> Cow<'v, Values> {
        Cow::Owned(match self {
            Value::Object(values) => values,
            _ => Values::new(),
        })
    }
}

impl<'v, K: Into<String>, V: Into<Value>, const N: usize> IntoValues<'v> for [(K, V); N] {
    fn into_values(self) -> Cow<'v, Values> {
        Cow::Owned(collect(self))
    }
}

impl<'v, K: Into<String>, V: Into<Value>> IntoValues<'v> for Vec<(K, V)> {
    fn into_values(self) -> Cow<'v, Values> {
        Cow::Owned(collect(self))
    }
}

impl<'v, K: Into<String>, V: Into<Value>> IntoValues<'v> for HashMap<K, V> {
    fn into_values(self) -> Cow<'v, Values> {
        Cow::Owned(collect(self))
    }
}

impl<'v, K: Into<String>, V: Into<Value>> IntoValues<'v> for BTreeMap<K, V> {
    fn into_values(self) -> Cow<'v, Values> {
        Cow::Owned(collect(self))
    }
}

fn collect<K: Into<String>, V: Into<Value>>(pairs: impl IntoIterator<Item = (K, V)>) -> Values {
    pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

/// The values of a struct, each field under its name.
///
/// ```
/// #[derive(serde::Serialize)]
/// struct Guest<'a> {
///     name: &'a str,
///     nights: u32,
/// }
///
/// let values = xr2_client::values_of(&Guest { name: "Ada", nights: 3 })?;
/// assert_eq!(values["nights"], 3);
/// # Ok::<(), xr2_client::Error>(())
/// ```
pub fn values_of<T: Serialize + ?Sized>(of: &T) -> Result<Values, Error> {
    match serde_json::to_value(of) {
        Ok(Value::Object(values)) => Ok(values),
        Ok(_) => Err(Error::Usage("values must be a struct or a map by name".to_owned())),
        Err(error) => Err(Error::Usage(format!("the values cannot be written as JSON: {error}"))),
    }
}
