//! The prompts on disk, for a start without the server.
//!
//! One line names the format and carries a code over everything behind it, made with the API key: a file that was cut,
//! changed, or written for another key, server or selection is not ours and is passed over.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::item::Item;
use crate::settings::Settings;
use crate::shelf::Shelf;

const FORMAT: &str = "xr2-snapshot-1";
/// Larger files are none of ours.
const MAX_FILE: u64 = 512 << 20;

/// See the module.
pub(crate) struct Snapshot {
    path: PathBuf,
    key: Vec<u8>,
    /// What the file must have been made for.
    context: Vec<u8>,
}

/// What was kept of a label.
pub(crate) struct Kept {
    pub label: String,
    pub revision: u64,
    pub etag: Option<String>,
    pub items: Vec<Item>,
}

impl Snapshot {
    pub fn new(settings: &Settings) -> Option<Self> {
        let context = json!([settings.url.as_str(), settings.slugs, settings.tags]).to_string();
        Some(Self {
            path: settings.snapshot.clone()?,
            key: settings.api_key.clone().into_bytes(),
            context: context.into_bytes(),
        })
    }

    /// What an earlier run kept; nothing if there is no file, or one that cannot be trusted.
    pub fn read(&self) -> Vec<Kept> {
        match self.try_read() {
            Ok(kept) => kept,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                tracing::warn!(target: "xr2", "the snapshot is passed over: {error}");
                Vec::new()
            }
        }
    }

    fn try_read(&self) -> std::io::Result<Vec<Kept>> {
        let wrong = |why: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, why.to_owned());
        let file = File::open(&self.path)?;
        if file.metadata()?.len() > MAX_FILE {
            return Err(wrong("it is too large"));
        }
        let mut bytes = Vec::new();
        file.take(MAX_FILE).read_to_end(&mut bytes)?;
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(|| wrong("it is cut"))?;
        let (head, body) = (&bytes[..end], &bytes[end + 1..]);
        let head = std::str::from_utf8(head).ok().and_then(|head| head.strip_prefix(FORMAT));
        let code = head.and_then(|head| unhex(head.trim())).ok_or_else(|| wrong("it has another format"))?;
        self.mac(body)
            .verify_slice(&code)
            .map_err(|_| wrong("it was cut, changed, or made for another key"))?;
        let body: Value = serde_json::from_slice(body)?;
        Ok(body["labels"].as_array().into_iter().flatten().filter_map(Kept::of_json).collect())
    }

    /// Keeps what is on the shelves: beside the file first, then in its place.
    pub fn write(&self, shelves: &[std::sync::Arc<Shelf>]) -> std::io::Result<()> {
        let labels: Vec<Value> = shelves.iter().filter_map(|shelf| kept_json(shelf)).collect();
        if labels.is_empty() {
            return Ok(());
        }
        let body = json!({ "labels": labels }).to_string().into_bytes();
        let code = self.mac(&body).finalize().into_bytes();
        let beside = self.beside();
        let written = create(&beside).and_then(|mut file| {
            writeln!(file, "{FORMAT} {}", hex(&code))?;
            file.write_all(&body)?;
            file.sync_all()
        });
        let placed = written.and_then(|()| std::fs::rename(&beside, &self.path));
        if placed.is_err() {
            // It was made for nothing; that it cannot be removed changes nothing.
            let _ = std::fs::remove_file(&beside);
        }
        placed
    }

    /// Removes the file: the key it was made with is good no more.
    pub fn remove(&self) {
        if let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(target: "xr2", "the snapshot cannot be removed: {error}");
        }
    }

    fn beside(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{:016x}.tmp", fastrand::u64(..)));
        self.path.with_file_name(name)
    }

    fn mac(&self, body: &[u8]) -> Hmac<Sha256> {
        // A key of any length will do.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { unreachable!() };
        mac.update(FORMAT.as_bytes());
        mac.update(&(self.context.len() as u64).to_be_bytes());
        mac.update(&self.context);
        mac.update(body);
        mac
    }
}

impl Kept {
    fn of_json(value: &Value) -> Option<Self> {
        let prompts = value["prompts"].as_array()?;
        Some(Self {
            label: value["label"].as_str()?.to_owned(),
            revision: value["revision"].as_u64()?,
            etag: value["etag"].as_str().map(str::to_owned),
            items: prompts.iter().filter_map(|prompt| Item::read(prompt.clone()).ok()).collect(),
        })
    }
}

fn kept_json(shelf: &Shelf) -> Option<Value> {
    let (revision, items) = shelf.contents()?;
    let prompts: Vec<&_> = items.iter().map(|item| item.data()).collect();
    Some(json!({
        "label": &*shelf.label,
        "revision": revision,
        "etag": shelf.etag(),
        "prompts": prompts,
    }))
}

/// A new file that only its owner may read.
fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
