//! SQL of the index of search. On SQLite it is a full-text table of its own beside the rows; on PostgreSQL a column of them.

use uuid::Uuid;
use xr2_db::{Engine, Result, Tx, Value, args, dialect};

use crate::features::prompts::search::lexemes::Entries;

/// Makes `entries` what the prompt is found by. It becomes the latest one.
pub(super) async fn write(tx: &mut Tx, prompt: Uuid, hidden: bool, entries: &Entries) -> Result<()> {
    let workspace = tx.workspace();
    let lexemes = entries.lexemes.join(" ");
    match tx.engine() {
        Engine::Sqlite => {
            // Its entries go with the row.
            tx.later(
                "DELETE FROM prompt_search WHERE workspace_id = $1 AND prompt_id = $2",
                args![workspace, prompt],
            )
            .await?;
            tx.later(
                "INSERT INTO prompt_search (workspace_id, prompt_id, hidden) VALUES ($1, $2, $3)",
                args![workspace, prompt, hidden],
            )
            .await?;
            tx.later(
                "INSERT INTO prompt_entries (rowid, entries)
                 SELECT doc, $3 FROM prompt_search WHERE workspace_id = $1 AND prompt_id = $2",
                args![workspace, prompt, lexemes],
            )
            .await?;
        }
        Engine::Postgres => {
            tx.later(
                "INSERT INTO prompt_search (workspace_id, prompt_id, hidden, entries)
                 VALUES ($1, $2, $3, array_to_tsvector(string_to_array($4, ' ')))
                 ON CONFLICT (prompt_id) DO UPDATE SET doc = DEFAULT, hidden = excluded.hidden, entries = excluded.entries",
                args![workspace, prompt, hidden, lexemes],
            )
            .await?;
        }
    }
    let sql = dialect::new_words(tx.engine());
    tx.later(sql, args![workspace, Value::json(&entries.known)]).await
}

/// At most `most` prompts that answer what is asked, the latest first, from before `before` on.
pub(super) async fn hits(
    tx: &mut Tx,
    asked: &str,
    shown_only: bool,
    before: i64,
    most: i64,
) -> Result<Vec<(i64, Uuid)>> {
    let workspace = tx.workspace();
    let sql = dialect::search_hits(tx.engine());
    tx.all(sql, args![workspace, asked, shown_only, before, most]).await
}

/// Words of the workspace with a number above `after`, in order of their numbers.
pub(super) async fn vocabulary_after(tx: &mut Tx, after: i64, most: i64) -> Result<Vec<(i64, String)>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT id, word FROM search_words WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        args![workspace, after, most],
    )
    .await
}

/// Prompts of all workspaces that are not in the index, at most `most`. Runs in a system transaction.
pub(super) async fn not_indexed(tx: &mut Tx, most: i64) -> Result<Vec<(Uuid, Uuid)>> {
    tx.all(
        "SELECT p.workspace_id, p.id FROM prompts p
         WHERE NOT EXISTS (SELECT 1 FROM prompt_search s WHERE s.prompt_id = p.id) LIMIT $1",
        args![most],
    )
    .await
}
