//! Our own document, read as it comes: of a large one a prompt at a time is in memory.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::features::exports::{DOCUMENT_VERSION, FORMAT, Label, Prompt, Workspace};
use crate::features::imports::item::{Entry, Item, PromptItem};
use crate::features::imports::readers::Take;

/// What the last line of an export says.
#[derive(Deserialize)]
struct LastLine {
    sha256: String,
}

/// Longest last line.
const LAST_LINE: u64 = 512;

pub(super) fn read(path: &Path, take: Take<'_>) -> Result<Vec<String>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    if reader.fill_buf().is_ok_and(|bytes| bytes.starts_with(b"\xef\xbb\xbf")) {
        reader.consume(3);
    }
    let mut json = serde_json::Deserializer::from_reader(reader);
    let mut found = Found::default();
    json.deserialize_map(Whole { take, found: &mut found })
        .and_then(|()| json.end())
        .map_err(|error| format!("The document cannot be read: {error}. It may have been cut."))?;
    if found.is_exported && !found.is_complete {
        return Err("The document is not whole: its last line is missing.".to_owned());
    }
    if let Some(count) = found.count.filter(|count| *count != found.prompts) {
        let there = found.prompts;
        return Err(format!("The document is not whole: it says {count} prompts and holds {there}."));
    }
    let mut warnings = Vec::new();
    if found.is_exported && was_changed(path).unwrap_or(false) {
        warnings.push("The file was changed after it was exported.".to_owned());
    }
    Ok(warnings)
}

/// Whether the sum in the last line is not that of the lines before it.
fn was_changed(path: &Path) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let from = size.saturating_sub(LAST_LINE);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let trimmed = tail.trim_ascii_end();
    let Some(begins) = trimmed.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1) else {
        return Ok(true);
    };
    let last = format!("{{{}", String::from_utf8_lossy(&trimmed[begins..]));
    let Ok(LastLine { sha256 }) = serde_json::from_str(&last) else { return Ok(true) };
    file.rewind()?;
    let mut sum = Sha256::new();
    let mut rest = file.take(from + begins as u64);
    std::io::copy(&mut rest, &mut HashWriter(&mut sum))?;
    let sum: String = sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(sum != sha256)
}

struct HashWriter<'a>(&'a mut Sha256);

impl std::io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[derive(Default)]
struct Found {
    prompts: u64,
    count: Option<u64>,
    is_exported: bool,
    is_complete: bool,
}

/// The document as a whole.
struct Whole<'a, 'b> {
    take: Take<'a>,
    found: &'b mut Found,
}

impl<'de> Visitor<'de> for Whole<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Whole { take, found } = self;
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "format" if map.next_value::<String>()? != FORMAT => {
                    return Err(A::Error::custom("its format is another one"));
                }
                "version" => {
                    let version: i64 = map.next_value()?;
                    if version > DOCUMENT_VERSION {
                        let message = format!("it is of version {version}, which a newer xr2 has written");
                        return Err(A::Error::custom(message));
                    }
                }
                "format" => {}
                "exported_at" => {
                    map.next_value::<IgnoredAny>()?;
                    found.is_exported = true;
                }
                "workspace" => {
                    let workspace: Workspace = map.next_value()?;
                    if let Some(settings) = workspace.settings.filter(|settings| settings.get() != "{}") {
                        take(Entry { place: "settings".to_owned(), item: Ok(Item::Settings(settings)) });
                    }
                }
                "labels" => map.next_value_seed(Each { take, what: "label", count: &mut 0, read: label })?,
                "prompts" => {
                    let count = &mut found.prompts;
                    map.next_value_seed(Each { take, what: "prompt", count, read: prompt })?;
                }
                "count" => found.count = Some(map.next_value()?),
                "complete" => found.is_complete = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Each element of a list, by itself: what is wrong with one is told of that one.
struct Each<'a, 'b> {
    take: &'a mut dyn FnMut(Entry) -> bool,
    what: &'static str,
    count: &'b mut u64,
    read: fn(&str) -> Result<Item, serde_json::Error>,
}

impl<'de> DeserializeSeed<'de> for Each<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Each<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element::<Box<RawValue>>()? {
            *self.count += 1;
            let place = format!("{} {}", self.what, self.count);
            let entry = match (self.read)(element.get()) {
                Ok(item) => Entry { place, item: Ok(item) },
                Err(error) => Entry::wrong(place, name_of(element.get()), error.to_string()),
            };
            if !(self.take)(entry) {
                return Err(A::Error::custom("it is not wanted any more"));
            }
        }
        Ok(())
    }
}

fn label(text: &str) -> Result<Item, serde_json::Error> {
    serde_json::from_str::<Label>(text).map(Item::Label)
}

fn prompt(text: &str) -> Result<Item, serde_json::Error> {
    let prompt: Prompt = serde_json::from_str(text)?;
    Ok(Item::Prompt(Box::new(PromptItem { whole: true, derived: false, key: None, publish: None, prompt })))
}

/// The slug of a prompt that cannot be read.
fn name_of(text: &str) -> String {
    #[derive(Deserialize)]
    struct Named {
        slug: String,
    }
    serde_json::from_str::<Named>(text).map(|named| named.slug).unwrap_or_default()
}
