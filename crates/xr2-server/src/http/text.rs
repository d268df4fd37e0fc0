//! Text that people type.

use crate::error::FieldProblem;

/// A name for people to see: one line, without surrounding space.
pub fn one_line(field: &str, text: &str) -> Result<String, FieldProblem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(FieldProblem::new(field, "required", "must not be empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(FieldProblem::new(field, "invalid", "must be one line without control characters"));
    }
    Ok(text.to_owned())
}
