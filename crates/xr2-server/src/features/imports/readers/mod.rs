//! Reading files: what they are, and what stands in them. None of this knows a database.

mod chat;
mod document;
mod frontmatter;
mod langfuse;
mod promptfoo;
mod texts;
mod unpack;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::features::imports::item::Entry;
use crate::features::imports::options::{Format, Options};
use crate::features::imports::{convert, table};

/// Largest file of a kind that is read as a whole. Documents of ours are read as they come.
const LARGEST_WHOLE: u64 = 32 * 1024 * 1024;
/// How much of a file is looked at to find out what it is.
const PEEK: usize = 64 * 1024;

/// Takes entries; false when nobody wants more.
pub type Take<'a> = &'a mut dyn FnMut(Entry) -> bool;

/// What there is to say of a file beside its entries.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// What it was.
    pub format: Option<Format>,
    /// What did not stop it, but deserves a look.
    pub warnings: Vec<String>,
}

/// Reads a file. The error is about the file as a whole: what came before it is not to be used.
pub fn read(path: &Path, options: &Options, limit: u64, take: Take<'_>) -> Result<Said, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    let head = peek(path)?;
    if size == 0 || head.iter().all(u8::is_ascii_whitespace) {
        return Err("The file is empty.".to_owned());
    }
    let format = match options.format {
        Format::Auto => detect(&head, &options.name),
        format => format,
    };
    let said = |warnings| Ok(Said { format: Some(format), warnings });
    match format {
        Format::Xr2 => return said(document::read(path, take)?),
        Format::Zip => return said(unpack::read(path, options, limit, take)?),
        _ => {}
    }
    if size > LARGEST_WHOLE {
        let most = LARGEST_WHOLE / 1024 / 1024;
        return Err(format!("A file of this kind may have at most {most} MiB. Please split it."));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let text = decoded(&bytes)?;
    let mut warnings = Vec::new();
    let entries = entries(&text, format, options, &mut warnings)?;
    for entry in entries {
        if !take(entry) {
            break;
        }
    }
    said(warnings)
}

/// What a text holds, of a kind that is read as a whole.
fn entries(
    text: &str,
    format: Format,
    options: &Options,
    warnings: &mut Vec<String>,
) -> Result<Vec<Entry>, String> {
    match format {
        Format::Csv => {
            let batch = table::parse(text, &options.name, options.notation, &options.mapping)?;
            warnings.extend(batch.warnings.iter().cloned());
            Ok(convert::entries(batch))
        }
        Format::Langfuse => langfuse::read(text),
        Format::Promptfoo => promptfoo::read(text, &mut |_| None),
        Format::Markdown => Ok(vec![texts::markdown(&options.name, text, options.notation)]),
        _ => Ok(vec![texts::plain(&options.name, text, options.notation)]),
    }
}

fn peek(path: &Path) -> Result<Vec<u8>, String> {
    let mut head = Vec::with_capacity(PEEK);
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(PEEK as u64).read_to_end(&mut head).map_err(|error| error.to_string())?;
    Ok(head)
}

/// The text of a file: UTF-8, or UTF-16 that says so with its first two bytes, as spreadsheets write it.
pub(super) fn decoded(bytes: &[u8]) -> Result<String, String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks(2).map(|pair| unit([pair[0], *pair.get(1).unwrap_or(&0)]));
        char::decode_utf16(units)
            .collect::<Result<String, _>>()
            .map_err(|_| "The file is not valid UTF-16. Please save it as UTF-8.".to_owned())
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            let text = std::str::from_utf8(bytes).map_err(|error| {
                let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
                format!("The file is not valid UTF-8 (line {line}). Please save it as UTF-8.")
            })?;
            Ok(text.to_owned())
        }
    }
}

/// What a file is, by its beginning and its name.
pub(super) fn detect(head: &[u8], name: &str) -> Format {
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Format::Zip;
    }
    let text = match head {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => decoded(&head[..head.len() & !1]).unwrap_or_default(),
        _ => String::from_utf8_lossy(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head)).into_owned(),
    };
    let begins = text.trim_start();
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "csv" | "tsv" => return Format::Csv,
        "md" | "markdown" => return Format::Markdown,
        "txt" | "prompt" => return Format::Text,
        "yaml" | "yml" => return Format::Promptfoo,
        _ => {}
    }
    if begins.starts_with(['{', '[']) {
        return json_kind(begins);
    }
    let first_line = begins.lines().next().unwrap_or_default();
    if begins.lines().any(|line| line.starts_with("prompts:")) {
        return Format::Promptfoo;
    }
    if table::looks_like_header(first_line) {
        return Format::Csv;
    }
    match first_line.starts_with('#') || first_line == "---" {
        true => Format::Markdown,
        false => Format::Text,
    }
}

fn json_kind(text: &str) -> Format {
    let tight: String = text.chars().filter(|c| !c.is_whitespace()).take(PEEK).collect();
    let is_ours = tight.starts_with("{\"format\":\"xr2\"")
        || (tight.starts_with('{') && tight.contains("\"prompts\":[{") && tight.contains("\"versions\":["));
    if is_ours {
        Format::Xr2
    } else if tight.starts_with('{') && tight.contains("\"prompts\":") {
        Format::Promptfoo
    } else {
        Format::Langfuse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_beginnings() {
        for (head, name, format) in [
            ("PK\u{3}\u{4}…", "", Format::Zip),
            ("\u{feff}slug,title,content\n", "", Format::Csv),
            ("a;b", "x.csv", Format::Csv),
            ("{\"format\":\"xr2\",\"version\":1", "", Format::Xr2),
            ("{ \"prompts\" : [ { \"slug\": \"a\", \"versions\": [", "", Format::Xr2),
            ("{\"prompts\":[\"Say {{x}}\"],\"providers\":[]", "", Format::Promptfoo),
            ("description: x\nprompts:\n  - a", "", Format::Promptfoo),
            ("[{\"name\":\"a\",\"prompt\":\"b\"}]", "", Format::Langfuse),
            ("{\"name\":\"a\",\"prompt\":\"b\"}\n{\"name\"", "", Format::Langfuse),
            ("# Title\n\ntext, and more", "", Format::Markdown),
            ("---\ntitle: x\n---\n", "", Format::Markdown),
            ("Say hello, please", "", Format::Text),
            ("title,content", "notes.txt", Format::Text),
        ] {
            assert_eq!(detect(head.as_bytes(), name), format, "{head:?} {name}");
        }
    }

    #[test]
    fn texts_are_read_however_they_are_written() {
        let wide = |unit: fn(u16) -> [u8; 2], mark: [u8; 2]| {
            mark.into_iter().chain("aß🎉".encode_utf16().flat_map(unit)).collect::<Vec<u8>>()
        };
        for bytes in [
            "aß🎉".as_bytes().to_vec(),
            "\u{feff}aß🎉".as_bytes().to_vec(),
            wide(u16::to_le_bytes, [0xff, 0xfe]),
            wide(u16::to_be_bytes, [0xfe, 0xff]),
        ] {
            assert_eq!(decoded(&bytes).as_deref(), Ok("aß🎉"));
        }
        assert!(decoded(b"a\nb\xff").unwrap_err().contains("line 2"));
        assert!(decoded(b"\xff\xfe\x00\xd8").unwrap_err().contains("UTF-16"));
    }
}
