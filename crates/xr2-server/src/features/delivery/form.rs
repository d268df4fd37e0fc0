//! The form in which a client takes an answer: plain or packed, or not at all because it has it already.

use std::sync::OnceLock;

use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;

use crate::error::{ApiError, Result};
use crate::features::delivery::answer::Answer;
use crate::features::delivery::entry::Entry;
use crate::heavy::heavy;
use crate::http::{Encoding, LARGE, WORTH_PACKING, matches_etag};

/// What is rendered for one request is packed for one request, which takes longer than rendering it. So it has to be
/// larger than what is packed once and kept.
const WORTH_PACKING_EACH_TIME: usize = 8 * 1024;

/// The packed forms of the answer that an entry keeps.
#[derive(Default)]
pub struct Packed([OnceLock<Bytes>; 2]);

impl Packed {
    fn of(&self, encoding: Encoding) -> &OnceLock<Bytes> {
        match encoding {
            Encoding::Brotli => &self.0[0],
            Encoding::Gzip => &self.0[1],
        }
    }
}

/// An answer as one client takes it.
pub struct Form {
    /// The bytes to send.
    pub body: Bytes,
    /// Their tag.
    pub etag: HeaderValue,
    /// How they are packed.
    pub encoding: Option<Encoding>,
    /// The client has them already.
    pub is_known: bool,
}

impl Form {
    /// Without waiting; none when packing it takes long.
    pub fn at_once(entry: &Entry, answer: Answer, request: &HeaderMap) -> Option<Form> {
        let (plain, kept) = Form::chosen(entry, answer, request);
        let Some(encoding) = plain.still_to_pack() else { return Some(plain) };
        if let Some(packed) = kept.and_then(OnceLock::get) {
            return Some(Form { body: packed.clone(), ..plain });
        }
        if plain.body.len() >= LARGE {
            return None;
        }
        let packed = encoding.pack(&plain.body).ok()?;
        Some(Form { body: keep(kept, packed), ..plain })
    }

    /// However long it takes.
    pub async fn of(entry: &Entry, answer: Answer, request: &HeaderMap) -> Result<Form> {
        let (plain, kept) = Form::chosen(entry, answer, request);
        let Some(encoding) = plain.still_to_pack() else { return Ok(plain) };
        if let Some(packed) = kept.and_then(OnceLock::get) {
            return Ok(Form { body: packed.clone(), ..plain });
        }
        let body = plain.body.clone();
        let packed = match body.len() < LARGE {
            true => encoding.pack(&body),
            false => heavy(move || encoding.pack(&body)).await?,
        };
        let packed = packed.map_err(ApiError::internal)?;
        Ok(Form { body: keep(kept, packed), ..plain })
    }

    /// The form, its body still plain, and where a packed one is kept.
    fn chosen<'e>(
        entry: &'e Entry,
        (body, etag): Answer,
        request: &HeaderMap,
    ) -> (Form, Option<&'e OnceLock<Bytes>>) {
        let is_known =
            request.get(header::IF_NONE_MATCH).is_some_and(|tags| matches_etag(tags.as_bytes(), &etag));
        let unasked = entry.unasked.as_ref();
        let is_kept = unasked.is_some_and(|(kept, _)| std::ptr::eq(kept.as_ptr(), body.as_ptr()));
        let least = if is_kept { WORTH_PACKING } else { WORTH_PACKING_EACH_TIME };
        let encoding = match body.len() >= least {
            true => Encoding::accepted(request, &Encoding::ALL),
            false => None,
        };
        let etag = encoding.map_or_else(|| etag.clone(), |encoding| encoding.tag(&etag));
        let kept = encoding.filter(|_| is_kept).map(|encoding| entry.packed.of(encoding));
        (Form { body, etag, encoding, is_known }, kept)
    }

    fn still_to_pack(&self) -> Option<Encoding> {
        self.encoding.filter(|_| !self.is_known)
    }
}

fn keep(place: Option<&OnceLock<Bytes>>, packed: Bytes) -> Bytes {
    match place {
        Some(place) => place.get_or_init(|| packed).clone(),
        None => packed,
    }
}
