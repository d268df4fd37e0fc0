//! The table: a row a prompt, with the text that is live.

use uuid::Uuid;

use crate::clock::rfc3339;
use crate::error::{ApiError, Result};
use crate::features::exports::document::Prompt;
use crate::features::exports::pages::{self, Pages, Read};
use crate::features::exports::queries;
use crate::features::exports::sink::{Selection, Sink, Taker};
use crate::features::prompts::PRODUCTION;
use crate::state::App;

/// Its columns, in order.
pub const COLUMNS: [&str; 15] = [
    "slug",
    "title",
    "type",
    "syntax",
    "content",
    "variables",
    "config",
    "description",
    "category",
    "tags",
    "archived",
    "live_version",
    "labels",
    "created_at",
    "updated_at",
];

/// What the last row begins with; behind it stand the number of rows and the sum of everything before.
pub const END: &str = "#end";

/// Writes the whole; tells how many prompts.
pub(super) async fn write<T: Taker>(
    app: &App,
    workspace: Uuid,
    selection: &Selection,
    mut sink: Sink<T>,
) -> Result<u64> {
    let mut tx = app.db().tenant(workspace).read().await?;
    let mut pages = Pages::begin(&mut tx, selection).await?;
    tx.commit().await?;
    put(sink.text(), &COLUMNS)?;
    let mut count = 0;
    loop {
        let mut tx = app.db().tenant(workspace).read().await?;
        let Some(page) = pages.next(&mut tx).await? else {
            tx.commit().await?;
            break;
        };
        let mut all = pages::read(&mut tx, &page.ids).await?;
        let shown = queries::shown_versions(&mut tx, &page.ids, PRODUCTION).await?;
        pages::put_versions(&mut all, shown);
        tx.commit().await?;
        for Read { prompt, .. } in all {
            put(sink.text(), &row(&prompt))?;
            count += 1;
        }
        sink.pass_on().await?;
    }
    let sum = sink.checksum().await?;
    let mut last = [""; COLUMNS.len()].map(str::to_owned);
    (last[0], last[1], last[2]) = (END.to_owned(), count.to_string(), sum);
    put(sink.text(), &last)?;
    sink.end().await?;
    Ok(count)
}

fn put(text: &mut Vec<u8>, cells: &[impl AsRef<[u8]>]) -> Result<()> {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(text);
    writer.write_record(cells).map_err(ApiError::internal)?;
    writer.flush().map_err(ApiError::internal)
}

fn row(prompt: &Prompt) -> Vec<String> {
    let raw = |value: Option<&serde_json::value::RawValue>| value.map_or("", |raw| raw.get()).to_owned();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let time = |value: Option<crate::clock::Time>| value.as_ref().map(rfc3339).unwrap_or_default();
    let shown = prompt.versions.first().cloned().unwrap_or_default().source;
    let live = prompt.labels.iter().find(|pointer| pointer.label == PRODUCTION);
    let labels: Vec<String> =
        prompt.labels.iter().map(|pointer| format!("{}={}", pointer.label, pointer.version)).collect();
    let content = shown.content.unwrap_or_else(|| raw(shown.messages.as_deref()));
    [
        prompt.slug.clone(),
        text(&prompt.title),
        text(&shown.kind),
        text(&shown.syntax),
        content,
        raw(shown.variables.as_deref()),
        raw(shown.config.as_deref()),
        text(&prompt.description),
        text(&prompt.category),
        prompt.tags.join(", "),
        prompt.archived.to_string(),
        live.map(|pointer| pointer.version.to_string()).unwrap_or_default(),
        labels.join(", "),
        time(prompt.created_at),
        time(prompt.updated_at),
    ]
    .into_iter()
    .map(guarded)
    .collect()
}

/// Spreadsheets compute what begins so.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// The cell as a spreadsheet shows it and does not compute it: with an apostrophe before it.
fn guarded(text: String) -> String {
    if is_formula(&text) { format!("'{text}") } else { text }
}

/// Takes off what `guarded` puts on.
pub fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_formula(text) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_shown_and_come_back() {
        for text in
            ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'=1", "''-x", "'", "it's", "'quoted'", "", "a=b"]
        {
            let cell = guarded(text.to_owned());
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
            assert_eq!(unguarded(&cell), text);
        }
        assert_eq!(guarded("=cmd|' /C calc'!A0".to_owned()), "'=cmd|' /C calc'!A0");
        assert_eq!(guarded("it's".to_owned()), "it's");
    }
}
