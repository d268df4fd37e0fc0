//! JSON over several lines, as `JSON.stringify` lays it out.

use serde_json::Value;

use super::budget::{Failure, check_text};
use crate::text::{push_json, push_json_string};

/// Appends a value as JSON, each level indented by `indent` spaces.
pub(super) fn push_pretty(
    out: &mut String,
    value: &Value,
    indent: usize,
    level: usize,
) -> Result<(), Failure> {
    check_text(out.len())?;
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(out, index, indent * (level + 1));
                push_pretty(out, item, indent, level + 1)?;
            }
            break_line(out, indent * level);
            out.push(']');
        }
        Value::Object(fields) if !fields.is_empty() => {
            out.push('{');
            for (index, (name, field)) in fields.iter().enumerate() {
                separate(out, index, indent * (level + 1));
                push_json_string(out, name);
                out.push_str(": ");
                push_pretty(out, field, indent, level + 1)?;
            }
            break_line(out, indent * level);
            out.push('}');
        }
        other => push_json(out, other),
    }
    check_text(out.len())
}

fn separate(out: &mut String, index: usize, spaces: usize) {
    if index > 0 {
        out.push(',');
    }
    break_line(out, spaces);
}

fn break_line(out: &mut String, spaces: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', spaces));
}
