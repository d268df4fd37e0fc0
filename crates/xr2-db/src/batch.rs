//! Statements that are put off and run together.

use crate::Value;

/// Statements in their order, each with its own `$1`, `$2`, ….
#[derive(Default)]
pub(crate) struct Batch(Vec<(&'static str, Vec<Value>)>);

impl Batch {
    pub(crate) fn push(&mut self, sql: &'static str, args: Vec<Value>) {
        self.0.push((sql, args));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_statements(self) -> impl Iterator<Item = (&'static str, Vec<Value>)> {
        self.0.into_iter()
    }

    /// One text with all statements and `last`, its placeholders numbered through, and all values.
    pub(crate) fn into_script(self, last: Option<(&str, Vec<Value>)>) -> (String, Vec<Value>) {
        let mut script = String::with_capacity(self.0.iter().map(|(sql, _)| sql.len() + 16).sum());
        let mut values = Vec::with_capacity(self.0.iter().map(|(_, args)| args.len()).sum());
        for (sql, args) in self.0.into_iter().chain(last) {
            renumber(&mut script, sql, values.len());
            script.push_str(";\n");
            values.extend(args);
        }
        (script, values)
    }
}

/// Appends `sql` with `offset` added to the number of every placeholder outside of quotes.
fn renumber(script: &mut String, sql: &str, offset: usize) {
    let mut rest = sql;
    let mut quoted = false;
    while let Some(at) = rest.find(['$', '\'']) {
        let (before, found) = rest.split_at(at);
        script.push_str(before);
        let after = &found[1..];
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if found.starts_with('\'') {
            quoted = !quoted;
            script.push('\'');
        } else {
            script.push('$');
        }
        rest = after;
        if found.starts_with('$') && digits > 0 && !quoted {
            let (number, behind) = after.split_at(digits);
            let number: usize = number.parse().expect("only digits, few of them");
            script.push_str(&(number + offset).to_string());
            rest = behind;
        }
    }
    script.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;

    #[test]
    fn placeholders_are_numbered_through() {
        let mut batch = Batch::default();
        batch.push("INSERT INTO a VALUES ($1, $2)", args!["one", 2_i64]);
        batch.push("UPDATE b SET x = $2, y = '$1 it''s $2' WHERE id = $1", args![3_i64, "four"]);
        let (script, values) = batch.into_script(Some(("SELECT $1", args![5_i64])));
        assert_eq!(
            script,
            "INSERT INTO a VALUES ($1, $2);\n\
             UPDATE b SET x = $4, y = '$1 it''s $2' WHERE id = $3;\n\
             SELECT $5;\n"
        );
        assert_eq!(values, args!["one", 2_i64, 3_i64, "four", 5_i64]);
    }
}
