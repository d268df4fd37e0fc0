//! CSV files of prompts: a column `act`, `title` or `name`, a column `prompt` or `content`, and what else there is.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use crate::features::imports::{Batch, Found, Notation, Skipped};

const TITLE: &[&str] = &["act", "title", "name"];
const TEXT: &[&str] = &["prompt", "content", "text", "template"];
const KNOWN: &[&str] = &["slug", "description", "category", "tags", "type", "for_devs"];

pub(super) fn read(path: &Path, notation: Option<Notation>) -> Result<Batch, String> {
    let name = path
        .file_name()
        .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let bytes = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    // Spreadsheets like to write a byte-order mark, which would become part of the first column's name.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let columns = Columns::of(&name, reader.byte_headers().map_err(|error| format!("{name}: {error}"))?)?;

    let mut batch = Batch { source: name.clone(), ..Batch::default() };
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut lines = Lines { bytes, at: 0, line: 1 };
    for record in reader.byte_records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = lines.of(error.position());
                batch
                    .skipped
                    .push(Skipped { place: format!("{name} line {line}"), reason: error.to_string() });
                continue;
            }
        };
        let place = format!("{name} line {}", lines.of(record.position()));
        match columns.read(&record) {
            Err(reason) => batch.skipped.push(Skipped { place, reason }),
            Ok(mut found) => {
                let count = seen.entry(found.title.clone()).and_modify(|n| *n += 1).or_insert(1);
                found.key =
                    if *count == 1 { found.title.clone() } else { format!("{} #{count}", found.title) };
                found.place = place;
                batch.found.push(found);
            }
        }
    }
    let notation =
        notation.unwrap_or_else(|| Notation::detect(batch.found.iter().map(|found| found.text.as_str())));
    batch.found.iter_mut().for_each(|found| found.notation = notation);
    Ok(batch)
}

/// Counts lines up to where a row begins. (The reader's own count is one behind where lines end with CRLF, and does not
/// know of empty lines before a row.)
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line of the row at `position`; rows come in order.
    fn of(&mut self, position: Option<&csv::Position>) -> usize {
        let byte = position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(self.at);
        let begins = self.bytes[byte..].iter().position(|b| !matches!(b, b'\r' | b'\n'));
        let begins = begins.map_or(self.bytes.len(), |ahead| byte + ahead);
        self.line += self.bytes[self.at..begins].iter().filter(|byte| **byte == b'\n').count();
        self.at = begins;
        self.line
    }
}

struct Columns {
    names: Vec<String>,
    title: usize,
    text: usize,
}

impl Columns {
    fn of(file: &str, header: &csv::ByteRecord) -> Result<Columns, String> {
        let names: Vec<String> =
            header.iter().map(|name| String::from_utf8_lossy(name).trim().to_lowercase()).collect();
        let find =
            |wanted: &[&str]| wanted.iter().find_map(|wanted| names.iter().position(|name| name == wanted));
        match (find(TITLE), find(TEXT)) {
            (Some(title), Some(text)) => Ok(Columns { title, text, names }),
            _ => Err(format!(
                "{file}: the first line must name the columns, with one of {} and one of {} among them; found: {}",
                TITLE.join(", "),
                TEXT.join(", "),
                if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
            )),
        }
    }

    fn read(&self, record: &csv::ByteRecord) -> Result<Found, String> {
        if record.len() != self.names.len() {
            return Err(format!("has {} columns instead of {}", record.len(), self.names.len()));
        }
        let mut cells = Vec::with_capacity(record.len());
        for (index, cell) in record.iter().enumerate() {
            let text = std::str::from_utf8(cell)
                .map_err(|_| format!("column {} is not valid UTF-8", self.names[index]))?;
            if text.contains('\0') {
                return Err(format!("column {} holds a NUL character", self.names[index]));
            }
            cells.push(text);
        }
        let cell = |name: &str| {
            let index = self.names.iter().position(|column| column == name)?;
            Some(cells[index].trim().to_owned()).filter(|text| !text.is_empty())
        };
        let title = cells[self.title].trim();
        if title.is_empty() {
            return Err(format!("the column {} is empty", self.names[self.title]));
        }
        if cells[self.text].trim().is_empty() {
            return Err(format!("the column {} is empty", self.names[self.text]));
        }
        let mut tags: Vec<String> = cell("tags").map(|tags| split_tags(&tags)).unwrap_or_default();
        if cell("for_devs").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            tags.push("developers".to_owned());
        }
        let facts = self.names.iter().enumerate().filter(|(index, name)| {
            *index != self.title && *index != self.text && !name.is_empty() && !KNOWN.contains(&name.as_str())
        });
        Ok(Found {
            place: String::new(),
            key: String::new(),
            title: title.chars().take(255).collect(),
            slug: cell("slug"),
            text: cells[self.text].to_owned(),
            description: cell("description"),
            category: cell("category").or_else(|| cell("type").map(|kind| kind.to_lowercase())),
            tags,
            facts: facts
                .map(|(index, name)| (name.clone(), Value::String(cells[index].to_owned())))
                .collect(),
            notation: Notation::None,
        })
    }
}

fn split_tags(text: &str) -> Vec<String> {
    text.split([',', ';']).map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}
