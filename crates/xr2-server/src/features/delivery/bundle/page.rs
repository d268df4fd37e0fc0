//! Pages of a snapshot as they are sent.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::error::{ApiError, Result};
use crate::features::delivery::bundle::snapshot::{Item, Snapshot, Wanted};

/// Prompts on a page at most.
pub const MOST: usize = 1000;

/// Bytes on a page, about.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Smaller pages are sent as they are.
const WORTH_COMPRESSING: usize = 1024;

/// Snapshots larger than this are paged beside the threads that serve requests.
const LARGE: usize = 256 * 1024;

/// Which page.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Of which prompts.
    pub wanted: Wanted,
    /// How many at most.
    pub limit: usize,
    /// How many of them come before it.
    pub offset: usize,
}

impl Asked {
    /// Names the page among those of a snapshot; empty for the first one of everything.
    pub fn name(&self) -> String {
        let mut name = self.wanted.name();
        if self.limit != MOST || self.offset != 0 {
            name.push_str(&format!("limit={};offset={}", self.limit, self.offset));
        }
        name
    }
}

/// A page, compressed or as it is.
pub struct Page {
    /// The body.
    pub body: Bytes,
    /// Whether it is compressed with gzip.
    pub is_gzip: bool,
}

/// The page as `gzip` allows it. Compressed ones are made once and kept.
pub async fn page(snapshot: &Arc<Snapshot>, asked: Asked, gzip: bool) -> Result<Page> {
    if !gzip {
        return Ok(Page { body: beside(snapshot, asked, false).await?, is_gzip: false });
    }
    let body = match snapshot.page(&asked.name()) {
        Some(kept) => kept
            .get_or_try_init(|| async {
                let body = beside(snapshot, asked, true).await?;
                snapshot.page_kept(body.len());
                Ok::<Bytes, ApiError>(body)
            })
            .await?
            .clone(),
        None => beside(snapshot, asked, true).await?,
    };
    let is_gzip = body.starts_with(&[0x1f, 0x8b]);
    Ok(Page { body, is_gzip })
}

async fn beside(snapshot: &Arc<Snapshot>, asked: Asked, gzip: bool) -> Result<Bytes> {
    let make = {
        let snapshot = snapshot.clone();
        move || {
            let page = write(&snapshot, &asked);
            if gzip && page.len() >= WORTH_COMPRESSING { compress(&page) } else { Ok(page.into()) }
        }
    };
    if snapshot.bytes() < LARGE {
        return make();
    }
    tokio::task::spawn_blocking(make).await.map_err(ApiError::internal)?
}

fn write(snapshot: &Snapshot, asked: &Asked) -> Vec<u8> {
    let selected: Vec<&Arc<Item>> = snapshot.select(&asked.wanted).collect();
    let (mut bytes, mut end) = (0, asked.offset.min(selected.len()));
    let start = end;
    while let Some(item) = selected.get(end).filter(|_| end - start < asked.limit) {
        bytes += item.json.len() + 1;
        if bytes > MOST_BYTES && end > start {
            break;
        }
        end += 1;
    }
    let (revision, label) = (snapshot.revision, &snapshot.label);
    let mut body = Vec::with_capacity(bytes + 256);
    body.extend_from_slice(br#"{"success":true,"data":{"revision":"#);
    // A label is letters, digits and a few signs: it needs no escaping.
    body.extend_from_slice(format!(r#"{revision},"label":"{label}","prompts":["#).as_bytes());
    for (at, item) in selected[start..end].iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&item.json);
    }
    let next = if end < selected.len() { format!(r#""{}""#, cursor(revision, end)) } else { "null".into() };
    body.extend_from_slice(
        format!(r#"]}},"meta":{{"next_cursor":{next},"total":{}}}}}"#, selected.len()).as_bytes(),
    );
    body
}

fn compress(page: &[u8]) -> Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(page.len() / 4), Compression::new(6));
    encoder.write_all(page).map_err(ApiError::internal)?;
    Ok(encoder.finish().map_err(ApiError::internal)?.into())
}

/// Where the next page begins: a place in the snapshot of that revision.
pub fn cursor(revision: i64, offset: usize) -> String {
    format!("{revision}.{offset}")
}

/// Reads [`cursor`].
pub fn parse_cursor(text: &str) -> Option<(i64, usize)> {
    let (revision, offset) = text.split_once('.')?;
    Some((revision.parse().ok()?, offset.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use serde_json::Value;
    use uuid::Uuid;

    use super::*;

    fn snapshot(count: u128, size: usize) -> Arc<Snapshot> {
        let item = |n: u128| {
            let json = format!(r#"{{"slug":"p{n:04}","content":"{}"}}"#, "x".repeat(size));
            Arc::new(Item {
                id: Uuid::from_u128(n),
                names: vec![format!("p{n:04}").into()],
                tags: vec![if n.is_multiple_of(2) { "even".into() } else { "odd".into() }],
                number: 1,
                json: json.into(),
                mark: None,
            })
        };
        Arc::new(Snapshot::new(7, "production", (0..count).map(item).collect()))
    }

    async fn all(snapshot: &Arc<Snapshot>, wanted: Wanted, limit: usize) -> Vec<Vec<String>> {
        let (mut pages, mut offset) = (Vec::new(), 0);
        loop {
            let asked = Asked { wanted: wanted.clone(), limit, offset };
            let plain = page(snapshot, asked.clone(), false).await.unwrap().body;
            let packed = page(snapshot, asked, true).await.unwrap();
            if packed.is_gzip {
                let mut unpacked = Vec::new();
                flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut unpacked).unwrap();
                assert_eq!(unpacked, plain);
            }
            let value: Value = serde_json::from_slice(&plain).unwrap();
            assert_eq!(
                (&value["data"]["revision"], &value["data"]["label"]),
                (&7.into(), &"production".into())
            );
            let prompts = value["data"]["prompts"].as_array().unwrap();
            pages.push(prompts.iter().map(|p| p["slug"].as_str().unwrap().to_owned()).collect());
            match value["meta"]["next_cursor"].as_str() {
                Some(next) => (_, offset) = parse_cursor(next).unwrap(),
                None => return pages,
            }
        }
    }

    #[tokio::test]
    async fn pages_hold_everything_once() {
        let snapshot = snapshot(25, 10);
        let pages = all(&snapshot, Wanted::default(), 10).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
        assert_eq!(pages.concat().len(), 25);
        assert!(pages.concat().is_sorted());
        let odd = Wanted { tags: Some(["odd".to_owned()].into()), slugs: None };
        assert_eq!(all(&snapshot, odd, 10).await.iter().map(Vec::len).collect::<Vec<_>>(), [10, 2]);
        let slugs = Some(["p0003".to_owned(), Uuid::from_u128(4).to_string()].into());
        assert_eq!(all(&snapshot, Wanted { slugs, tags: None }, 10).await, [["p0003", "p0004"]]);
    }

    #[tokio::test]
    async fn a_page_ends_before_it_is_too_large() {
        let pages = all(&snapshot(5, 1_500_000), Wanted::default(), MOST).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
        assert_eq!(all(&snapshot(2, 5_000_000), Wanted::default(), MOST).await.len(), 2);
        assert_eq!(all(&snapshot(0, 0), Wanted::default(), MOST).await, [[""; 0]]);
    }

    #[test]
    fn cursors_are_read_back() {
        assert_eq!(parse_cursor(&cursor(42, 1000)), Some((42, 1000)));
        for bad in ["", "x", "1", "1.x", ".", "1.-1"] {
            assert_eq!(parse_cursor(bad), None, "{bad}");
        }
    }
}
