//! Compressed answers: which encoding a client takes, and the layer that packs what is worth it.
//!
//! A strong ETag is of the bytes, so a compressed form has a tag of its own: that of the plain form with the encoding's
//! ending before the last quote. `If-None-Match` may name either.

use std::io::Write;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt;

use crate::heavy::heavy;

/// Smaller bodies are sent as they are: they fill one packet either way.
pub const WORTH_PACKING: usize = 1024;

/// Larger ones are packed beside the threads that serve requests.
pub const LARGE: usize = 64 * 1024;

const GZIP_LEVEL: u32 = 5;
const BROTLI_LEVEL: i32 = 4;

/// A way to pack a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `br`
    Brotli,
    /// `gzip`
    Gzip,
}

impl Encoding {
    /// All there are, the better first.
    pub const ALL: [Encoding; 2] = [Encoding::Brotli, Encoding::Gzip];

    /// As headers name it.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Brotli => "br",
            Encoding::Gzip => "gzip",
        }
    }

    /// How the tags of its bodies end.
    pub fn ending(self) -> &'static str {
        match self {
            Encoding::Brotli => ".br",
            Encoding::Gzip => ".gz",
        }
    }

    /// The best of `offered` that the client takes, if it takes one as gladly as the plain form.
    pub fn accepted(request: &HeaderMap, offered: &[Encoding]) -> Option<Encoding> {
        let mut best = None;
        let mut wishes = None;
        for encoding in offered {
            let wishes = match &mut wishes {
                Some(wishes) => wishes,
                None => wishes.insert(Wishes::of(request)?),
            };
            let wish = wishes.of_coding(encoding.name());
            if wish > 0 && wish >= wishes.plain && best.is_none_or(|(_, least)| wish > least) {
                best = Some((*encoding, wish));
            }
        }
        best.map(|(encoding, _)| encoding)
    }

    /// The body in this form.
    pub fn pack(self, body: &[u8]) -> std::io::Result<Bytes> {
        let room = Vec::with_capacity(body.len() / 3 + 64);
        let packed = match self {
            Encoding::Gzip => {
                let mut encoder = GzEncoder::new(room, Compression::new(GZIP_LEVEL));
                encoder.write_all(body)?;
                encoder.finish()?
            }
            Encoding::Brotli => {
                let params = brotli::enc::BrotliEncoderParams {
                    quality: BROTLI_LEVEL,
                    size_hint: body.len(),
                    lgwin: 20,
                    ..Default::default()
                };
                let mut packed = room;
                brotli::BrotliCompress(&mut &body[..], &mut packed, &params)?;
                packed
            }
        };
        Ok(packed.into())
    }

    /// The tag of the packed form of a body with this tag.
    pub fn tag(self, plain: &HeaderValue) -> HeaderValue {
        let bytes = plain.as_bytes();
        let inner = bytes.strip_suffix(b"\"").unwrap_or(bytes);
        let tag = [inner, self.ending().as_bytes(), b"\""].concat();
        HeaderValue::from_bytes(&tag).unwrap_or_else(|_| plain.clone())
    }
}

/// Whether `If-None-Match` names this tag, of the plain form or of another.
pub fn matches_etag(header: &[u8], plain: &HeaderValue) -> bool {
    let wanted = unquoted(plain.as_bytes());
    let names_it = |tag: &[u8]| {
        let Some(tag) = unquoted(tag.strip_prefix(b"W/").unwrap_or(tag)) else { return tag == b"*" };
        let packed = Encoding::ALL.iter().find_map(|one| tag.strip_suffix(one.ending().as_bytes()));
        Some(packed.unwrap_or(tag)) == wanted
    };
    header.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).any(names_it)
}

fn unquoted(tag: &[u8]) -> Option<&[u8]> {
    tag.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

/// What `Accept-Encoding` says, in thousandths.
struct Wishes {
    named: Vec<(String, u16)>,
    others: Option<u16>,
    plain: u16,
}

impl Wishes {
    /// None without the header.
    fn of(request: &HeaderMap) -> Option<Wishes> {
        let mut wishes = Wishes { named: Vec::new(), others: None, plain: 0 };
        let mut is_given = false;
        for value in request.get_all(header::ACCEPT_ENCODING) {
            is_given = true;
            for one in value.to_str().ok()?.split(',').map(str::trim).filter(|one| !one.is_empty()) {
                let (name, parameters) = one.split_once(';').unwrap_or((one, ""));
                let wish = quality(parameters)?;
                match name.trim().to_ascii_lowercase().as_str() {
                    "*" => wishes.others = Some(wish),
                    "identity" => wishes.plain = wish,
                    "x-gzip" => wishes.named.push(("gzip".to_owned(), wish)),
                    name => wishes.named.push((name.to_owned(), wish)),
                }
            }
        }
        is_given.then_some(wishes)
    }

    fn of_coding(&self, name: &str) -> u16 {
        let named = self.named.iter().find(|(known, _)| known == name).map(|(_, wish)| *wish);
        named.or(self.others).unwrap_or(0)
    }
}

/// `q=0.8` as 800; none when it is no number from 0 to 1.
fn quality(parameters: &str) -> Option<u16> {
    let Some((_, value)) = parameters
        .split(';')
        .filter_map(|one| one.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
    else {
        return Some(1000);
    };
    let value: f32 = value.trim().parse().ok()?;
    (0.0..=1.0).contains(&value).then_some((value * 1000.0) as u16)
}

/// Packs answers that are there as a whole, text, and not packed already. What has a tag packs itself: only it knows
/// which forms it has.
pub async fn compress(request: Request, next: Next) -> Response {
    let encoding = Encoding::accepted(request.headers(), &Encoding::ALL);
    let mut response = next.run(request).await;
    if !is_worth_packing(&response) {
        return response;
    }
    vary_by_encoding(response.headers_mut());
    match encoding {
        Some(encoding) => packed(response, encoding).await,
        None => response,
    }
}

fn is_worth_packing(response: &Response) -> bool {
    let headers = response.headers();
    let is_text = headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.as_bytes();
        [&b"application/json"[..], b"application/javascript", b"text/", b"image/svg+xml"]
            .iter()
            .any(|known| kind.starts_with(known))
    });
    // Streams have no length.
    let length = response.body().size_hint().exact().unwrap_or(0);
    is_text
        && length >= WORTH_PACKING as u64
        && response.status() != StatusCode::PARTIAL_CONTENT
        && !headers.contains_key(header::CONTENT_ENCODING)
        && !headers.contains_key(header::ETAG)
}

fn vary_by_encoding(headers: &mut HeaderMap) {
    let is_named = |value: &HeaderValue| value.to_str().is_ok_and(|v| v.contains("Accept-Encoding"));
    if !headers.get_all(header::VARY).iter().any(is_named) {
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}

async fn packed(response: Response, encoding: Encoding) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(plain) = body.collect().await else { return Response::from_parts(parts, Body::empty()) };
    let plain = plain.to_bytes();
    let work = plain.clone();
    let packed = match plain.len() < LARGE {
        true => encoding.pack(&work).ok(),
        false => heavy(move || encoding.pack(&work).ok()).await.ok().flatten(),
    };
    let Some(packed) = packed.filter(|packed| packed.len() < plain.len()) else {
        return Response::from_parts(parts, Body::from(plain));
    };
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(packed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(value: &str) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
        Encoding::accepted(&headers, &Encoding::ALL).map(Encoding::name)
    }

    #[test]
    fn clients_say_what_they_take() {
        assert_eq!(Encoding::accepted(&HeaderMap::new(), &Encoding::ALL), None);
        for (value, expected) in [
            ("", None),
            ("gzip", Some("gzip")),
            ("gzip, deflate, br", Some("br")),
            ("GZIP", Some("gzip")),
            ("x-gzip", Some("gzip")),
            ("br;q=0.5, gzip;q=0.8", Some("gzip")),
            ("br;q=0, *", Some("gzip")),
            ("*;q=0", None),
            ("*", Some("br")),
            ("gzip;q=0.5, identity", None),
            ("gzip;q=0.5, identity;q=0.1", Some("gzip")),
            ("gzip;q=2", None),
            ("gzip;q=much", None),
            ("deflate, zstd", None),
            ("identity;q=0, gzip;q=0.001", Some("gzip")),
        ] {
            assert_eq!(accepted(value), expected, "{value:?}");
        }
    }

    #[test]
    fn a_tag_names_every_form() {
        let plain = HeaderValue::from_static("\"abc\"");
        assert_eq!(Encoding::Gzip.tag(&plain), "\"abc.gz\"");
        for known in ["\"abc\"", "W/\"abc\"", "\"abc.gz\"", "\"x\", W/\"abc.br\"", "*"] {
            assert!(matches_etag(known.as_bytes(), &plain), "{known}");
        }
        for other in ["", "abc", "\"abc", "\"ab\"", "\"abc.zst\"", "\"x.gz\""] {
            assert!(!matches_etag(other.as_bytes(), &plain), "{other}");
        }
    }

    #[test]
    fn what_is_packed_is_smaller() {
        let text = "a prompt of some length, ".repeat(200);
        for encoding in Encoding::ALL {
            let packed = encoding.pack(text.as_bytes()).unwrap();
            assert!(packed.len() < text.len() / 10, "{encoding:?}: {}", packed.len());
        }
    }
}
