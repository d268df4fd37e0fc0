//! Many rows in few statements.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::{Engine, FromRow, Result, Tx, Value};

/// Rows of one statement, largest first. Few different sizes, so that each statement is prepared once and kept.
const SIZES: [usize; 4] = [256, 32, 8, 1];

/// Texts by what they are for. There are as many as callers in our code, times a few sizes.
static TEXTS: Mutex<Option<HashMap<Shape, &'static str>>> = Mutex::new(None);

/// What a statement is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Shape {
    into: &'static str,
    behind: &'static str,
    engine: Engine,
    columns: usize,
    rows: usize,
}

impl Tx {
    /// Inserts rows of `columns` values each, given one behind the other. `into` is everything before the values
    /// (`INSERT INTO t (a, b)`), `behind` what follows them (`ON CONFLICT DO NOTHING`) or nothing.
    pub async fn insert_rows(
        &mut self,
        into: &'static str,
        columns: usize,
        values: Vec<Value>,
        behind: &'static str,
    ) -> Result<u64> {
        let engine = self.engine();
        let mut affected = 0;
        for (rows, args) in statements(columns, values) {
            affected += self.execute(text(Shape { into, behind, engine, columns, rows }), args).await?;
        }
        Ok(affected)
    }

    /// The same for statements that return something.
    pub async fn insert_rows_returning<T: FromRow>(
        &mut self,
        into: &'static str,
        columns: usize,
        values: Vec<Value>,
        behind: &'static str,
    ) -> Result<Vec<T>> {
        // What was put off has numbered values, which do not go together with those without a number.
        self.flush().await?;
        let engine = self.engine();
        let mut returned = Vec::new();
        for (rows, args) in statements(columns, values) {
            returned.extend(self.all(text(Shape { into, behind, engine, columns, rows }), args).await?);
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
fn text(shape: Shape) -> &'static str {
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    texts.get_or_insert_default().entry(shape).or_insert_with(|| Box::leak(write(shape).into_boxed_str()))
}

fn write(Shape { into, behind, engine, columns, rows }: Shape) -> String {
    let value = |number: usize| match engine {
        // A number is a name to SQLite: with thousands of them, looking each up from the first on is what takes time.
        Engine::Sqlite => "?".to_owned(),
        Engine::Postgres => format!("${number}"),
    };
    let row = |row: usize| {
        let values: Vec<String> = (1..=columns).map(|column| value(row * columns + column)).collect();
        format!("({})", values.join(", "))
    };
    let values: Vec<String> = (0..rows).map(row).collect();
    format!("{into} VALUES {} {behind}", values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_written_once() {
        let (into, behind) = ("INSERT INTO t (a, b)", "ON CONFLICT DO NOTHING");
        let shape = Shape { into, behind, engine: Engine::Postgres, columns: 2, rows: 2 };
        let made = text(shape);
        assert_eq!(made, "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING");
        assert!(std::ptr::eq(made, text(shape)));
        let sqlite = text(Shape { engine: Engine::Sqlite, ..shape });
        assert_eq!(sqlite, "INSERT INTO t (a, b) VALUES (?, ?), (?, ?) ON CONFLICT DO NOTHING");
    }

    #[test]
    fn all_rows_go_in_with_few_sizes() {
        let values = vec![Value::I64(Some(1)); 3 * 600];
        let sizes: Vec<usize> = statements(3, values)
            .map(|(rows, args)| {
                assert_eq!(args.len(), rows * 3);
                rows
            })
            .collect();
        assert_eq!(sizes.iter().sum::<usize>(), 600);
        assert!(sizes.is_sorted_by(|a, b| a >= b) && sizes.starts_with(&[256, 256, 32, 32, 8]));
    }
}
