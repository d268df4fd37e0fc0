//! How a value becomes text: the same in every syntax and every SDK.

use serde_json::{Number, Value};

/// Appends the text of a value: strings as they are, `true`/`false`, nothing for null, numbers as
/// ECMAScript prints them (integers exactly), arrays and objects as compact JSON in given key order.
pub fn push_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::String(text) => out.push_str(text),
        other => push_json(out, other),
    }
}

/// The text of a value: strings as they are, nothing for null, numbers as ECMAScript prints them, else compact JSON.
pub fn value_text(value: &Value) -> String {
    let mut out = String::new();
    push_value(&mut out, value);
    out
}

/// Appends a value as compact JSON.
pub fn push_json(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => push_number(out, number),
        Value::String(text) => push_json_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push_json(out, item);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (index, (name, field)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push_json_string(out, name);
                out.push(':');
                push_json(out, field);
            }
            out.push('}');
        }
    }
}

/// Appends a number: integers exactly, others as ECMAScript prints them.
pub fn push_number(out: &mut String, number: &Number) {
    if let Some(integer) = number.as_i64() {
        push_display(out, integer);
    } else if let Some(integer) = number.as_u64() {
        push_display(out, integer);
    } else if let Some(float) = number.as_f64() {
        out.push_str(ryu_js::Buffer::new().format(float));
    }
}

fn push_display(out: &mut String, value: impl std::fmt::Display) {
    use std::fmt::Write;
    // Writing to a String cannot fail.
    let _ = write!(out, "{value}");
}

/// Appends a JSON string literal: only what JSON demands is escaped, as `JSON.stringify` does.
pub fn push_json_string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain_from = 0;
    for (index, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0x00..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[plain_from..index]);
        plain_from = index + 1;
        if escape.is_empty() {
            out.push_str("\\u00");
            out.push(char::from(b'0' + (byte >> 4)));
            out.push(char::from_digit(u32::from(byte & 0x0f), 16).unwrap_or('0'));
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[plain_from..]);
    out.push('"');
}

/// Whether two values are equal as JSON means it: numbers by value, objects whatever their key order.
pub fn same_value(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same_value(x, y))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, x)| b.get(name).is_some_and(|y| same_value(x, y)))
        }
        _ => left == right,
    }
}

/// Whether two numbers are the same quantity, however they are written.
pub fn same_number(left: &Number, right: &Number) -> bool {
    compare_numbers(left, right) == std::cmp::Ordering::Equal
}

/// Orders two numbers by quantity; integers are compared exactly.
pub fn compare_numbers(left: &Number, right: &Number) -> std::cmp::Ordering {
    match (integer(left), integer(right)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => left
            .as_f64()
            .unwrap_or_default()
            .partial_cmp(&right.as_f64().unwrap_or_default())
            .unwrap_or(std::cmp::Ordering::Equal),
    }
}

/// The number as an integer, when it is written as one.
pub fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}
