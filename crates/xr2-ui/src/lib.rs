//! The dashboard's files inside the binary (feature `embed`), or a stub page without it.

use std::borrow::Cow;

/// One embedded file, in the best encoding the client takes.
pub struct File {
    /// The bytes, encoded as `encoding` says.
    pub bytes: Cow<'static, [u8]>,
    /// Media type.
    pub content_type: String,
    /// `br`, `gzip` or none.
    pub encoding: Option<&'static str>,
    /// Whether the name holds a hash of the content.
    pub immutable: bool,
}

#[cfg(feature = "embed")]
mod files {
    #[derive(rust_embed::RustEmbed)]
    #[folder = "../../web/dist"]
    pub struct Dist;
}

/// The file at `path` (without leading slash). `accepts` is the Accept-Encoding header.
#[cfg(feature = "embed")]
pub fn file(path: &str, accepts: &str) -> Option<File> {
    use files::Dist;
    if path.is_empty() || path == "index.html" || path.ends_with(".br") || path.ends_with(".gz") {
        return None;
    }
    let original = Dist::get(path)?;
    let content_type = original.metadata.mimetype().to_owned();
    let immutable = path.starts_with("assets/");
    let takes = |name: &str| accepts.split(',').any(|part| part.trim().split(';').next() == Some(name));
    for (encoding, suffix) in [("br", ".br"), ("gzip", ".gz")] {
        if takes(encoding)
            && let Some(encoded) = Dist::get(&format!("{path}{suffix}"))
        {
            return Some(File { bytes: encoded.data, content_type, encoding: Some(encoding), immutable });
        }
    }
    Some(File { bytes: original.data, content_type, encoding: None, immutable })
}

/// The page of the dashboard; `__CSP_NONCE__` in it is to be replaced.
#[cfg(feature = "embed")]
pub fn page() -> String {
    files::Dist::get("index.html")
        .map(|file| String::from_utf8_lossy(&file.data).into_owned())
        .unwrap_or_else(|| STUB.to_owned())
}

/// No files without the feature `embed`.
#[cfg(not(feature = "embed"))]
pub fn file(_path: &str, _accepts: &str) -> Option<File> {
    None
}

/// The stub page.
#[cfg(not(feature = "embed"))]
pub fn page() -> String {
    STUB.to_owned()
}

const STUB: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>xr2</title></head><body>\
<h1>xr2 is running</h1><p>This build has no dashboard inside. The API is there: see <a href=\"/docs\">/docs</a>. \
To get the dashboard, start xr2 with <code>cargo xtask run</code>.</p></body></html>";
