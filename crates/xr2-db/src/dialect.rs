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
