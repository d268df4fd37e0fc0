//! The document, one prompt a line.

use serde::Serialize;
use serde_json::json;
use uuid::Uuid;
use xr2_db::Tx;

use crate::clock::rfc3339;
use crate::error::{ApiError, Result};
use crate::features::exports::document::{FORMAT, VERSION};
use crate::features::exports::pages::{self, Page, Pages, ROOM, Read};
use crate::features::exports::queries::{self, Of};
use crate::features::exports::sink::{Selection, Sink, Taker};
use crate::state::App;

/// Versions whose sizes are looked at together.
const SIZES: i64 = 500;

/// Writes the whole; tells how many prompts.
pub(super) async fn write<T: Taker>(
    app: &App,
    workspace: Uuid,
    selection: &Selection,
    mut sink: Sink<T>,
) -> Result<u64> {
    let mut tx = app.db().tenant(workspace).read().await?;
    let mut pages = Pages::begin(&mut tx, selection).await?;
    begin(&mut tx, app, sink.text()).await?;
    tx.commit().await?;
    let mut count = 0;
    loop {
        let mut tx = app.db().tenant(workspace).read().await?;
        let Some(page) = pages.next(&mut tx).await? else {
            tx.commit().await?;
            break;
        };
        let prompts = read(&mut tx, &page).await?;
        tx.commit().await?;
        for read in prompts {
            sink.text().extend_from_slice(if count > 0 { b",\n" } else { b"\n" });
            count += 1;
            match page.is_large {
                false => put(sink.text(), &read.prompt)?,
                true => put_large(app, workspace, &read, &mut sink).await?,
            }
        }
        sink.pass_on().await?;
    }
    end(sink, count).await?;
    Ok(count)
}

fn put(text: &mut Vec<u8>, value: &impl Serialize) -> Result<()> {
    serde_json::to_writer(text, value).map_err(ApiError::internal)
}

/// Everything before the prompts.
async fn begin(tx: &mut Tx, app: &App, text: &mut Vec<u8>) -> Result<()> {
    let now = rfc3339(&app.clock().now());
    let head = json!({ "format": FORMAT, "version": VERSION, "exported_at": now });
    put(text, &head)?;
    // The object goes on.
    text.pop();
    text.extend_from_slice(b",\n\"workspace\":");
    put(text, &queries::workspace(tx).await?)?;
    text.extend_from_slice(b",\n\"labels\":");
    put(text, &queries::labels(tx).await?)?;
    text.extend_from_slice(b",\n\"prompts\":[");
    Ok(())
}

/// The last line says that nothing is missing: how many prompts there are, and the sum of all lines before it.
async fn end<T: Taker>(mut sink: Sink<T>, count: u64) -> Result<()> {
    sink.text().extend_from_slice(b"\n],\n");
    let sum = sink.checksum().await?;
    let last = format!("\"count\":{count},\"sha256\":\"{sum}\",\"complete\":true}}\n");
    sink.text().extend_from_slice(last.as_bytes());
    sink.end().await
}

async fn read(tx: &mut Tx, page: &Page) -> Result<Vec<Read>> {
    let mut all = pages::read(tx, &page.ids).await?;
    for Of(id, entry) in queries::moves(tx, &page.ids).await? {
        if let Some(read) = all.iter_mut().find(|read| read.id == id) {
            read.prompt.label_history.push(entry);
        }
    }
    for id in queries::with_drafts(tx, &page.ids).await? {
        let drafts = queries::drafts(tx, id).await?.into_iter().map(|Of(_, draft)| draft).collect();
        if let Some(read) = all.iter_mut().find(|read| read.id == id) {
            read.prompt.drafts = drafts;
        }
    }
    if !page.is_large {
        let versions = queries::versions(tx, &page.ids).await?;
        pages::put_versions(&mut all, versions);
    }
    Ok(all)
}

/// A prompt whose versions have no room together: read and handed over a few at a time. Versions never change and none
/// goes without its prompt, so these transactions see the same ones.
async fn put_large<T: Taker>(app: &App, workspace: Uuid, read: &Read, sink: &mut Sink<T>) -> Result<()> {
    put(sink.text(), &read.prompt)?;
    const EMPTY: &[u8] = b"\"versions\":[]}";
    let text = sink.text();
    debug_assert!(text.ends_with(EMPTY), "versions are written last");
    text.truncate(text.len() - 2);
    let mut from = 1;
    let mut is_first = true;
    while from <= read.last_number {
        let mut tx = app.db().tenant(workspace).read().await?;
        let sizes = queries::version_sizes(&mut tx, read.id, from, SIZES).await?;
        let Some(to) = fitting(&sizes).map(|to| to.min(read.last_number)) else { break };
        let versions = queries::versions_between(&mut tx, read.id, from, to).await?;
        tx.commit().await?;
        for Of(_, version) in versions {
            if !std::mem::take(&mut is_first) {
                sink.text().push(b',');
            }
            put(sink.text(), &version)?;
            sink.pass_on().await?;
        }
        from = to + 1;
    }
    sink.text().extend_from_slice(b"]}");
    Ok(())
}

/// The last of the versions that have room together; the first always has.
fn fitting(sizes: &[(i64, i64)]) -> Option<i64> {
    let mut room = ROOM;
    let mut last = None;
    for (number, bytes) in sizes {
        room -= bytes;
        if room < 0 && last.is_some() {
            break;
        }
        last = Some(*number);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_go_out_as_they_have_room() {
        assert_eq!(fitting(&[]), None);
        assert_eq!(fitting(&[(1, 10), (2, 10), (4, 10)]), Some(4));
        assert_eq!(fitting(&[(3, ROOM * 2), (4, 1)]), Some(3));
        assert_eq!(fitting(&[(3, ROOM / 2), (4, ROOM / 2), (5, 1)]), Some(4));
    }
}
