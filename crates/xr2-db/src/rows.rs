//! Many rows in few statements.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::{FromRow, Result, Tx, Value};

/// Rows of one statement, largest first. Few different sizes, so that each statement is prepared once and kept.
const SIZES: [usize; 4] = [256, 32, 8, 1];

/// What comes before the values and what behind them, how many columns, and how many rows.
type Shape = (&'static str, &'static str, usize, usize);

/// Texts by their shape. There are as many as callers in our code.
static TEXTS: Mutex<Option<HashMap<Shape, &'static str>>> = Mutex::new(None);

impl Tx {
    /// Inserts rows of `columns` values each, given one behind the other. `into` is everything before the values
    /// (`INSERT INTO t (a, b)`), `behind` what follows them (`ON CONFLICT DO NOTHING`) or nothing.
    pub async fn insert_rows(
        &mut self,
        into: &'static str,
        columns: usize,
        values: Vec<Value>,
        behind: &'static str,
    ) -> Result<()> {
        for (rows, args) in statements(columns, values) {
            self.execute(text(into, behind, columns, rows), args).await?;
        }
        Ok(())
    }

    /// The same for statements that return something.
    pub async fn insert_rows_returning<T: FromRow>(
        &mut self,
        into: &'static str,
        columns: usize,
        values: Vec<Value>,
        behind: &'static str,
    ) -> Result<Vec<T>> {
        let mut returned = Vec::new();
        for (rows, args) in statements(columns, values) {
            returned.extend(self.all(text(into, behind, columns, rows), args).await?);
        }
        Ok(returned)
    }
}

/// How many rows go into each statement, and their values.
fn statements(columns: usize, values: Vec<Value>) -> impl Iterator<Item = (usize, Vec<Value>)> {
    debug_assert!(values.len().is_multiple_of(columns), "every row has a value for every column");
    let mut values = values.into_iter();
    std::iter::from_fn(move || {
        let left = values.len() / columns;
        let rows = SIZES.into_iter().find(|size| *size <= left)?;
        Some((rows, values.by_ref().take(rows * columns).collect()))
    })
}

/// The statement for so many rows. Made once and kept for good.
fn text(into: &'static str, behind: &'static str, columns: usize, rows: usize) -> &'static str {
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    texts.get_or_insert_default().entry((into, behind, columns, rows)).or_insert_with(|| {
        let mut text = format!("{into} VALUES ");
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..columns {
                text.push_str(if column == 0 { "$" } else { ", $" });
                text.push_str(&(row * columns + column + 1).to_string());
            }
            text.push(')');
        }
        text.push(' ');
        text.push_str(behind);
        Box::leak(text.into_boxed_str())
    })
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn a_statement_is_written_once() {
        let made = text("INSERT INTO t (a, b)", "ON CONFLICT DO NOTHING", 2, 2);
        assert_eq!(made, "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING");
        assert!(std::ptr::eq(made, text("INSERT INTO t (a, b)", "ON CONFLICT DO NOTHING", 2, 2)));
    }
}
