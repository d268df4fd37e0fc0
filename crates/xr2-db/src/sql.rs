//! A statement that is put together at run time: text pieces that stand in our code, and bound values.

use crate::Value;

/// Collects the text of a statement and its values; `$n` are numbered as they come.
///
/// ```
/// let mut sql = xr2_db::Sql::new("SELECT id FROM prompts WHERE workspace_id = ");
/// sql.bind(uuid::Uuid::nil()).push(" AND category = ").bind("support");
/// assert_eq!(sql.text(), "SELECT id FROM prompts WHERE workspace_id = $1 AND category = $2");
/// ```
pub struct Sql {
    text: String,
    args: Vec<Value>,
}

impl Sql {
    /// Begins with `text`.
    pub fn new(text: &'static str) -> Self {
        Sql { text: text.to_owned(), args: Vec::new() }
    }

    /// Appends a piece of SQL that stands in our code; input never comes in here, which `&'static` sees to.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends the next placeholder and binds `value` to it.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.args.push(value.into());
        self.text.push('$');
        self.text.push_str(&self.args.len().to_string());
        self
    }

    /// Appends `($1, $2, …)` for an `IN`. An empty list matches nothing.
    pub fn bind_list<T: Into<Value>>(&mut self, values: impl IntoIterator<Item = T>) -> &mut Self {
        self.text.push('(');
        let mut first = true;
        for value in values {
            if !first {
                self.text.push_str(", ");
            }
            first = false;
            self.bind(value);
        }
        if first {
            self.text.push_str("NULL");
        }
        self.text.push(')');
        self
    }

    /// The text so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn into_parts(self) -> (String, Vec<Value>) {
        (self.text, self.args)
    }
}
