//! What SQLite's planner believes of the tables' sizes.
//!
//! Without statistics SQLite takes an index that begins with the workspace for as good as one that finds a single prompt,
//! and reads the whole workspace. Statistics taken from the data would make plans depend on what was there when they were
//! taken; a database that grows from ten prompts to a hundred thousand would keep the plans for ten. So it is told the
//! same everywhere, at every start: plans are those of a large instance, and a small one does not notice.
//! (The table `sqlite_stat1` may be written by applications: <https://www.sqlite.org/lang_analyze.html>.)

use sqlx::SqlitePool;

use crate::Result;

const TEXT: &str = include_str!("statistics.txt");

/// Table, index and what `sqlite_stat1` says of it.
pub(crate) fn lines() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    TEXT.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (table, rest) = line.split_once(' ')?;
        let (index, figures) = rest.split_once(' ')?;
        Some((table, index, figures))
    })
}

/// Tells the planner, unless it knows already. Connections opened later know it from the start.
pub(crate) async fn tell(writer: &SqlitePool) -> Result<()> {
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
    // Makes the table where it is missing; looks at no data.
    sqlx::raw_sql("ANALYZE sqlite_schema").execute(&mut *tx).await?;
    let known: Vec<(String, Option<String>, Option<String>)> =
        sqlx::query_as("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY tbl, idx")
            .fetch_all(&mut *tx)
            .await?;
    let told =
        lines().map(|(table, index, figures)| (table.into(), Some(index.into()), Some(figures.into())));
    if known.into_iter().eq(told) {
        return Ok(());
    }
    sqlx::query("DELETE FROM sqlite_stat1").execute(&mut *tx).await?;
    for (table, index, figures) in lines() {
        sqlx::query("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ($1, $2, $3)")
            .bind(table)
            .bind(index)
            .bind(figures)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    // This connection planned with what it knew before.
    sqlx::raw_sql("ANALYZE sqlite_schema").execute(writer).await?;
    Ok(())
}
