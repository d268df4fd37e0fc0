//! The few places where the engines truly differ. Everything else is one SQL text.

use crate::Engine;

/// What locks a row on PostgreSQL, such as `FOR NO KEY UPDATE`. SQLite has one writer, which is lock enough.
pub fn for_update(engine: Engine, with: &'static str, without: &'static str) -> &'static str {
    match engine {
        Engine::Postgres => with,
        Engine::Sqlite => without,
    }
}

/// What lets whoever takes rows pass over those that somebody else is taking. SQLite has one writer.
pub fn skip_locked(engine: Engine) -> &'static str {
    for_update(engine, " FOR UPDATE SKIP LOCKED", "")
}

/// Escapes `%`, `_` and `\` for `LIKE … ESCAPE '\'` and wraps the text in `%`.
pub fn like_contains(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('%');
    out
}

/// Prompts that answer a search, the latest first: $1 workspace, $2 what is asked in the engine's language, $3 whether
/// only what lists show, $4 a number they stand before, $5 how many. PostgreSQL does not use an index for a text search
/// beneath row-level security; a function does, which filters by the workspace itself.
pub fn search_hits(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => {
            "SELECT s.doc, s.prompt_id FROM prompt_entries CROSS JOIN prompt_search s ON s.doc = prompt_entries.rowid
             WHERE prompt_entries MATCH $2 AND prompt_entries.rowid < $4 AND s.workspace_id = $1
               AND ($3 = 0 OR s.hidden = 0)
             ORDER BY prompt_entries.rowid DESC LIMIT $5"
        }
        Engine::Postgres => {
            "SELECT h.doc, h.prompt_id FROM xr2_search($2, $3, $4, $5) h JOIN prompt_search s ON s.doc = h.doc
             WHERE s.workspace_id = $1 ORDER BY h.doc DESC"
        }
    }
}

/// Adds words to what a workspace knows: $1 workspace, $2 a JSON list. Nobody waits for somebody else who adds the same
/// word; twice is as good as once.
pub fn new_words(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => {
            "INSERT INTO search_words (workspace_id, word) SELECT $1, new.value FROM json_each($2) new
             WHERE NOT EXISTS (SELECT 1 FROM search_words w WHERE w.workspace_id = $1 AND w.word = new.value)"
        }
        Engine::Postgres => {
            "INSERT INTO search_words (workspace_id, word) SELECT $1, new.value
             FROM json_array_elements_text($2) AS new (value)
             WHERE NOT EXISTS (SELECT 1 FROM search_words w WHERE w.workspace_id = $1 AND w.word = new.value)"
        }
    }
}
