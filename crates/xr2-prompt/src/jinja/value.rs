//! Values while a template is evaluated: the given ones by reference, and what filters make.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

use serde_json::{Map, Number, Value};

use super::budget::{Budget, Failure, MAX_ITEMS, check_text};
use crate::text::{compare_numbers, push_json, push_json_string, push_number, push_value};

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Val<'a> {
    Undefined,
    Json(&'a Value),
    Bool(bool),
    Number(Number),
    Slice(&'a str),
    Text(Rc<str>),
    List(Rc<[Val<'a>]>),
}

/// A value by kind; kinds are ordered as here.
pub(super) enum View<'v, 'a> {
    Undefined,
    Null,
    Bool(bool),
    Number(&'v Number),
    Text(&'v str),
    Seq(Seq<'v, 'a>),
    Map(&'a Map<String, Value>),
}

/// A list: a given one, or one a filter made.
#[derive(Clone, Copy)]
pub(super) enum Seq<'v, 'a> {
    Json(&'a [Value]),
    Made(&'v [Val<'a>]),
}

impl<'a> Seq<'_, 'a> {
    pub(super) fn len(self) -> usize {
        match self {
            Self::Json(items) => items.len(),
            Self::Made(items) => items.len(),
        }
    }

    pub(super) fn get(self, index: usize) -> Option<Val<'a>> {
        match self {
            Self::Json(items) => items.get(index).map(Val::Json),
            Self::Made(items) => items.get(index).cloned(),
        }
    }
}

impl<'a> Val<'a> {
    pub(super) fn text(text: impl Into<Rc<str>>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn count(count: usize) -> Self {
        Self::Number(Number::from(count))
    }

    pub(super) fn view(&self) -> View<'_, 'a> {
        match self {
            Self::Undefined => View::Undefined,
            Self::Json(Value::Null) => View::Null,
            Self::Json(Value::Bool(flag)) => View::Bool(*flag),
            Self::Json(Value::Number(number)) => View::Number(number),
            Self::Json(Value::String(text)) => View::Text(text),
            Self::Json(Value::Array(items)) => View::Seq(Seq::Json(items)),
            Self::Json(Value::Object(fields)) => View::Map(fields),
            Self::Bool(flag) => View::Bool(*flag),
            Self::Number(number) => View::Number(number),
            Self::Slice(text) => View::Text(text),
            Self::Text(text) => View::Text(text),
            Self::List(items) => View::Seq(Seq::Made(items)),
        }
    }

    /// Nothing, false, zero and what is empty are not true.
    pub(super) fn is_true(&self) -> bool {
        match self.view() {
            View::Undefined | View::Null => false,
            View::Bool(flag) => flag,
            View::Number(number) => number.as_f64() != Some(0.0),
            View::Text(text) => !text.is_empty(),
            View::Seq(items) => items.len() > 0,
            View::Map(fields) => !fields.is_empty(),
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        matches!(self.view(), View::Undefined | View::Null)
    }

    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self.view() {
            View::Undefined => "undefined",
            View::Null => "null",
            View::Bool(_) => "a boolean",
            View::Number(_) => "a number",
            View::Text(_) => "a string",
            View::Seq(_) => "an array",
            View::Map(_) => "an object",
        }
    }

    /// The text of a value, as it would be printed.
    pub(super) fn to_text(&self, budget: &Budget) -> Result<Cow<'_, str>, Failure> {
        if let View::Text(text) = self.view() {
            budget.bytes(text.len())?;
            return Ok(Cow::Borrowed(text));
        }
        let mut out = String::new();
        self.push_text(&mut out)?;
        budget.bytes(out.len())?;
        Ok(Cow::Owned(out))
    }

    /// Appends the text of a value; the text may not grow too large.
    pub(super) fn push_text(&self, out: &mut String) -> Result<(), Failure> {
        match self {
            Self::Undefined => {}
            // Strings are checked before they are copied: they may be as large as a request.
            Self::Json(Value::String(text)) => push_checked(out, text)?,
            Self::Slice(text) => push_checked(out, text)?,
            Self::Text(text) => push_checked(out, text)?,
            Self::Json(value) => push_value(out, value),
            Self::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Number(number) => push_number(out, number),
            Self::List(_) => self.push_json(out)?,
        }
        check_text(out.len())
    }

    /// Appends compact JSON; undefined is null.
    pub(super) fn push_json(&self, out: &mut String) -> Result<(), Failure> {
        match self {
            Self::Undefined => out.push_str("null"),
            Self::Json(value) => push_json(out, value),
            Self::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Number(number) => push_number(out, number),
            Self::Slice(text) => push_json_string(out, text),
            Self::Text(text) => push_json_string(out, text),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.push_json(out)?;
                }
                out.push(']');
            }
        }
        check_text(out.len())
    }

    /// The value as JSON of its own, for what writes JSON in another layout.
    pub(super) fn to_json(&self, budget: &Budget) -> Result<Value, Failure> {
        let mut out = String::new();
        self.push_json(&mut out)?;
        budget.bytes(out.len().saturating_mul(8))?;
        serde_json::from_str(&out).map_err(|_| Failure::new("The value cannot be written as JSON."))
    }

    /// A field of an object; undefined where there is none.
    pub(super) fn field(&self, name: &str) -> Val<'a> {
        match self.view() {
            View::Map(fields) => fields.get(name).map_or(Val::Undefined, Val::Json),
            _ => Val::Undefined,
        }
    }

    /// A field below, by a path of names and indexes joined by dots.
    pub(super) fn path(&self, path: &str) -> Val<'a> {
        path.split('.').fold(self.clone(), |value, name| match (value.view(), name.parse()) {
            (View::Seq(items), Ok(index)) => items.get(index).unwrap_or(Val::Undefined),
            _ => value.field(name),
        })
    }

    /// `object[key]`
    pub(super) fn item(&self, key: &Val<'a>) -> Val<'a> {
        match (self.view(), key.view()) {
            (View::Map(_), View::Text(name)) => self.field(name),
            (View::Seq(items), View::Number(number)) => {
                let length = items.len() as i64;
                let wanted = number.as_i64().map(|index| if index < 0 { index + length } else { index });
                wanted
                    .and_then(|index| usize::try_from(index).ok())
                    .and_then(|index| items.get(index))
                    .unwrap_or(Val::Undefined)
            }
            _ => Val::Undefined,
        }
    }

    /// What a loop goes over: items, keys of an object, characters of a string; nothing over nothing.
    pub(super) fn to_items(&self, budget: &Budget) -> Result<Vec<Val<'a>>, Failure> {
        let count = match self.view() {
            View::Undefined | View::Null => 0,
            View::Text(text) => text.chars().count(),
            View::Seq(items) => items.len(),
            View::Map(fields) => fields.len(),
            View::Bool(_) | View::Number(_) => {
                return Err(Failure::new(format!("It is {}, which has no items.", self.kind())));
            }
        };
        if count > MAX_ITEMS {
            return Err(Failure::new(format!("It has more than {MAX_ITEMS} items.")));
        }
        budget.items(count)?;
        Ok(match self {
            Self::Json(Value::String(text)) => chars(text),
            Self::Slice(text) => chars(text),
            Self::Text(text) => text.chars().map(|letter| Val::text(letter.to_string())).collect(),
            _ => match self.view() {
                View::Seq(Seq::Json(items)) => items.iter().map(Val::Json).collect(),
                View::Seq(Seq::Made(items)) => items.to_vec(),
                View::Map(fields) => fields.keys().map(|name| Val::Slice(name)).collect(),
                _ => Vec::new(),
            },
        })
    }
}

fn push_checked(out: &mut String, text: &str) -> Result<(), Failure> {
    check_text(out.len() + text.len())?;
    out.push_str(text);
    Ok(())
}

fn chars(text: &str) -> Vec<Val<'_>> {
    text.char_indices().map(|(at, letter)| Val::Slice(&text[at..at + letter.len_utf8()])).collect()
}

fn rank(view: &View<'_, '_>) -> u8 {
    match view {
        View::Undefined => 0,
        View::Null => 1,
        View::Bool(_) => 2,
        View::Number(_) => 3,
        View::Text(_) => 4,
        View::Seq(_) => 5,
        View::Map(_) => 6,
    }
}

/// Orders two values: unlike kinds by kind, lists item by item, objects field by field in given order.
pub(super) fn compare(left: &Val<'_>, right: &Val<'_>, budget: &Budget) -> Result<Ordering, Failure> {
    budget.items(1)?;
    match (left.view(), right.view()) {
        (View::Bool(a), View::Bool(b)) => Ok(a.cmp(&b)),
        (View::Number(a), View::Number(b)) => Ok(compare_numbers(a, b)),
        (View::Text(a), View::Text(b)) => {
            budget.bytes(a.len().min(b.len()))?;
            Ok(a.cmp(b))
        }
        (View::Seq(a), View::Seq(b)) => {
            for index in 0..a.len().min(b.len()) {
                let (Some(x), Some(y)) = (a.get(index), b.get(index)) else { break };
                let ordering = compare(&x, &y, budget)?;
                if ordering.is_ne() {
                    return Ok(ordering);
                }
            }
            Ok(a.len().cmp(&b.len()))
        }
        (View::Map(a), View::Map(b)) => {
            for ((name, x), (other, y)) in a.iter().zip(b) {
                budget.bytes(name.len().min(other.len()))?;
                let ordering = name.cmp(other).then(compare(&Val::Json(x), &Val::Json(y), budget)?);
                if ordering.is_ne() {
                    return Ok(ordering);
                }
            }
            Ok(a.len().cmp(&b.len()))
        }
        (a, b) => Ok(rank(&a).cmp(&rank(&b))),
    }
}

/// Whether two values are equal: numbers by quantity, true and false as 1 and 0 (so Jinja has it), objects whatever
/// the order of their fields.
pub(super) fn equal(left: &Val<'_>, right: &Val<'_>, budget: &Budget) -> Result<bool, Failure> {
    budget.items(1)?;
    match (left.view(), right.view()) {
        (View::Seq(a), View::Seq(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for index in 0..a.len() {
                let (Some(x), Some(y)) = (a.get(index), b.get(index)) else { return Ok(false) };
                if !equal(&x, &y, budget)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (View::Map(a), View::Map(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (name, x) in a {
                budget.bytes(name.len())?;
                let same = match b.get(name) {
                    Some(y) => equal(&Val::Json(x), &Val::Json(y), budget)?,
                    None => false,
                };
                if !same {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (View::Bool(flag), View::Number(number)) | (View::Number(number), View::Bool(flag)) => {
            Ok(number.as_f64() == Some(f64::from(u8::from(flag))))
        }
        _ => Ok(compare(left, right, budget)?.is_eq()),
    }
}

/// `item in container`
pub(super) fn contains(container: &Val<'_>, item: &Val<'_>, budget: &Budget) -> Result<bool, Failure> {
    match container.view() {
        View::Undefined | View::Null => Ok(false),
        View::Text(text) => {
            let part = item.to_text(budget)?;
            budget.bytes(text.len())?;
            Ok(text.contains(&*part))
        }
        View::Map(fields) => match item.view() {
            View::Text(name) => Ok(fields.contains_key(name)),
            _ => Ok(false),
        },
        View::Seq(items) => {
            for index in 0..items.len() {
                if let Some(one) = items.get(index)
                    && equal(&one, item, budget)?
                {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        View::Bool(_) | View::Number(_) => Err(Failure::new(format!(
            "`in` looks into texts, arrays and objects; this is {}.",
            container.kind()
        ))),
    }
}
