//! CSV files of prompts: a column `act`, `title` or `name`, a column `prompt` or `content`, and what else there is.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::features::exports::{END, Substance, unguarded};
use crate::features::imports::{Batch, Found, Notation, Skipped};

const TITLE: &[&str] = &["act", "title", "name"];
const TEXT: &[&str] = &["prompt", "content", "text", "template"];
const KNOWN: &[&str] = &["slug", "description", "category", "tags", "type", "for_devs"];
/// Columns that only a table of ours has all of.
const OURS: &[&str] = &["slug", "type", "syntax", "live_version"];

pub(super) fn read(path: &Path, notation: Option<Notation>) -> Result<Batch, String> {
    let name = path
        .file_name()
        .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let bytes = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    parse_bytes(&bytes, &name, notation, &BTreeMap::new())
}

/// Reads a table. `mapping`: which of its columns is which of ours.
pub(super) fn parse(
    text: &str,
    name: &str,
    notation: Option<Notation>,
    mapping: &BTreeMap<String, String>,
) -> Result<Batch, String> {
    parse_bytes(text.as_bytes(), if name.is_empty() { "table" } else { name }, notation, mapping)
}

/// Whether a line names columns of a table of prompts.
pub(super) fn looks_like_header(line: &str) -> bool {
    let names: Vec<String> =
        line.split([',', ';', '\t']).map(|name| name.trim().trim_matches('"').to_lowercase()).collect();
    let has = |wanted: &[&str]| names.iter().any(|name| wanted.contains(&name.as_str()));
    has(TITLE) && has(TEXT)
}

/// What separates cells, by the first line.
fn delimiter(bytes: &[u8]) -> u8 {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |mark: u8| line.iter().filter(|byte| **byte == mark).count();
    [b';', b'\t']
        .into_iter()
        .filter(|mark| count(*mark) > count(b','))
        .max_by_key(|mark| count(*mark))
        .unwrap_or(b',')
}

fn parse_bytes(
    bytes: &[u8],
    name: &str,
    notation: Option<Notation>,
    mapping: &BTreeMap<String, String>,
) -> Result<Batch, String> {
    // Spreadsheets like to write a byte-order mark, which would become part of the first column's name.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter(bytes)).from_reader(bytes);
    let header = reader.byte_headers().map_err(|error| format!("{name}: {error}"))?;
    let columns = Columns::of(name, header, mapping)?;

    let mut batch = Batch { source: name.to_owned(), ..Batch::default() };
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut lines = Lines { bytes, at: 0, line: 1 };
    let mut promised = None;
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
        if columns.is_ours && record.get(0) == Some(END.as_bytes()) {
            promised = record.get(1).and_then(|count| std::str::from_utf8(count).ok()?.parse::<usize>().ok());
            continue;
        }
        match columns.read(&record) {
            Err(reason) => batch.skipped.push(Skipped { place, reason }),
            Ok(mut found) => {
                let count = seen.entry(found.title.clone()).and_modify(|n| *n += 1).or_insert(1);
                if !columns.is_ours {
                    found.key =
                        if *count == 1 { found.title.clone() } else { format!("{} #{count}", found.title) };
                }
                found.place = place;
                batch.found.push(found);
            }
        }
    }
    let rows = batch.found.len() + batch.skipped.len();
    match promised {
        Some(promised) if promised != rows => {
            batch
                .warnings
                .push(format!("The table says {promised} rows and has {rows}: it was changed or cut."));
        }
        None if columns.is_ours => {
            batch.warnings.push("The table's last row is missing: it was changed or cut.".to_owned())
        }
        _ => {}
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
    /// Whether `GET /export` has written the table.
    is_ours: bool,
}

impl Columns {
    fn of(
        file: &str,
        header: &csv::ByteRecord,
        mapping: &BTreeMap<String, String>,
    ) -> Result<Columns, String> {
        let mut names: Vec<String> =
            header.iter().map(|name| String::from_utf8_lossy(name).trim().to_lowercase()).collect();
        for (field, column) in mapping {
            let wanted = column.trim().to_lowercase();
            let Some(index) = names.iter().position(|name| *name == wanted) else {
                return Err(format!("{file}: there is no column {column}; there are {}", names.join(", ")));
            };
            // What was called so before is another thing.
            if let Some(other) = names.iter_mut().find(|name| *name == field) {
                *other = format!("{other} (file)");
            }
            names[index] = field.clone();
        }
        let find =
            |wanted: &[&str]| wanted.iter().find_map(|wanted| names.iter().position(|name| name == wanted));
        let first = |field: &str, usual: &[&str]| {
            if mapping.contains_key(field) { find(&[field]) } else { find(usual) }
        };
        let is_ours = OURS.iter().all(|name| names.iter().any(|column| column == name));
        match (first("title", TITLE), first("content", TEXT)) {
            (Some(title), Some(text)) => Ok(Columns { title, text, names, is_ours }),
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
            let torn = record.iter().any(|cell| cell.contains(&b'\n'));
            let hint = if torn { "; a quotation mark may be missing" } else { "" };
            return Err(format!("has {} columns instead of {}{hint}", record.len(), self.names.len()));
        }
        let mut cells = Vec::with_capacity(record.len());
        for (index, cell) in record.iter().enumerate() {
            let text = std::str::from_utf8(cell)
                .map_err(|_| format!("column {} is not valid UTF-8", self.names[index]))?;
            if text.contains('\0') {
                return Err(format!("column {} holds a NUL character", self.names[index]));
            }
            cells.push(if self.is_ours { unguarded(text) } else { text });
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
        let substance = self.substance(&cells)?;
        let facts = self.names.iter().enumerate().filter(|(index, name)| {
            *index != self.title && *index != self.text && !name.is_empty() && !KNOWN.contains(&name.as_str())
        });
        let facts = facts.filter(|_| !self.is_ours).filter(|(_, name)| {
            substance.is_none() || !["syntax", "variables", "config"].contains(&name.as_str())
        });
        Ok(Found {
            place: String::new(),
            key: String::new(),
            title: title.chars().take(255).collect(),
            slug: cell("slug"),
            text: cells[self.text].to_owned(),
            description: cell("description"),
            category: cell("category")
                .or_else(|| cell("type").filter(|_| substance.is_none()).map(|kind| kind.to_lowercase())),
            tags,
            facts: facts
                .map(|(index, name)| (name.clone(), Value::String(cells[index].to_owned())))
                .collect(),
            notation: Notation::None,
            publish: (self.is_ours && cell("live_version").is_none()).then_some(false),
            archived: self.is_ours && cell("archived").as_deref() == Some("true"),
            substance,
        })
    }

    /// The text with what belongs to it, where the table says it in our terms.
    fn substance(&self, cells: &[&str]) -> Result<Option<Substance>, String> {
        let cell = |name: &str| {
            let index = self.names.iter().position(|column| column == name)?;
            Some(cells[index].trim()).filter(|text| !text.is_empty())
        };
        let says_it = self.is_ours
            || cell("syntax").is_some()
            || cell("variables").is_some()
            || cell("config").is_some();
        if !says_it {
            return Ok(None);
        }
        let json = |name: &str, text: &str| {
            RawValue::from_string(text.to_owned())
                .map_err(|error| format!("the column {name} is no JSON: {error}"))
        };
        let text = cells[self.text];
        let is_chat = cell("type") == Some("chat");
        Ok(Some(Substance {
            kind: cell("type").filter(|kind| ["text", "chat"].contains(kind)).map(str::to_owned),
            syntax: cell("syntax").map(str::to_owned),
            content: (!is_chat).then(|| text.to_owned()),
            messages: is_chat.then(|| json("content", text)).transpose()?,
            variables: cell("variables").map(|text| json("variables", text)).transpose()?,
            config: cell("config").map(|text| json("config", text)).transpose()?,
        }))
    }
}

fn split_tags(text: &str) -> Vec<String> {
    text.split([',', ';']).map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}
