//! The prompts on disk, for a start without the server.
//!
//! One line names the format and carries a code over everything behind it, made with the API key: a file that was cut,
//! changed, or written for another key, server or selection is not ours and is passed over.
//!
//! Processes may share a file. Whoever writes holds the lock of a file beside it, and keeps of each label what is newer.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::item::Item;
use crate::settings::Settings;
use crate::shelf::Shelf;

const FORMAT: &str = "xr2-snapshot-1";
/// Larger files are none of ours.
const MAX_FILE: u64 = 512 << 20;
/// How long another process may hold the lock; it takes it only to write.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
const LOCK_RETRY: Duration = Duration::from_millis(10);

/// See the module.
pub(crate) struct Snapshot {
    path: PathBuf,
    key: Vec<u8>,
    /// What the file must have been made for.
    context: Vec<u8>,
    /// The server was set back: older revisions are right, and what the file has is not.
    overrules: AtomicBool,
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
            overrules: AtomicBool::new(false),
        })
    }

    /// What an earlier run kept; nothing if there is no file, or one that cannot be trusted.
    pub fn read(&self) -> Vec<Kept> {
        match self.try_read() {
            Ok(labels) => labels.iter().filter_map(Kept::of_json).collect(),
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                tracing::warn!(target: "xr2", "the snapshot is passed over: {error}");
                Vec::new()
            }
        }
    }

    /// What the file has of each label.
    fn try_read(&self) -> std::io::Result<Vec<Value>> {
        let wrong = |why: &str| std::io::Error::new(ErrorKind::InvalidData, why.to_owned());
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
        let mut body: Value = serde_json::from_slice(body)?;
        match body["labels"].take() {
            Value::Array(labels) => Ok(labels),
            _ => Err(wrong("it names no labels")),
        }
    }

    /// The server was set back: what the file has is not compared the next time.
    pub fn set_back(&self) {
        self.overrules.store(true, Relaxed);
    }

    /// Keeps what is on the shelves, unless the file has it already, or something newer.
    pub fn write(&self, shelves: &[Arc<Shelf>]) -> std::io::Result<()> {
        if shelves.iter().all(|shelf| shelf.complete().is_none() && !shelf.is_forbidden()) {
            return Ok(());
        }
        let _lock = self.lock()?;
        // What is not ours is overwritten.
        let there = self.try_read().unwrap_or_default();
        let overrules = self.overrules.swap(false, Relaxed);
        let labels = merged(&there, shelves, overrules);
        if labels == there {
            return Ok(());
        }
        let written = self.put(&labels);
        if written.is_err() && overrules {
            self.set_back();
        }
        written
    }

    /// Writes beside the file first, then puts it in its place.
    fn put(&self, labels: &[Value]) -> std::io::Result<()> {
        let body = json!({ "labels": labels }).to_string().into_bytes();
        let code = self.mac(&body).finalize().into_bytes();
        let beside = self.beside(&format!(".{:016x}.tmp", fastrand::u64(..)));
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
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(target: "xr2", "the snapshot cannot be removed: {error}");
        }
    }

    /// Keeps other processes from writing until it is dropped. The file stays: who removed it would take the lock from
    /// under somebody who waits for it.
    fn lock(&self) -> std::io::Result<Option<File>> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let file = private(&mut options).open(self.beside(".lock"))?;
        let deadline = Instant::now() + LOCK_TIMEOUT;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(file)),
                // There are file systems without locks, and nobody to share them with, as a rule.
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                    return Err(std::io::Error::new(ErrorKind::WouldBlock, "another process holds its lock"));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_RETRY),
            }
        }
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(ending);
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

/// Of each label the file's or ours, whichever is newer, in the order of the file; then what only we have.
fn merged(there: &[Value], shelves: &[Arc<Shelf>], overrules: bool) -> Vec<Value> {
    let mut labels = Vec::new();
    for kept in there {
        let ours = shelves.iter().find(|shelf| kept["label"] == *shelf.label);
        // A label this key may not see any more is kept nowhere.
        if ours.is_some_and(|shelf| shelf.is_forbidden()) {
            continue;
        }
        let is_newer = |ours: &Value| overrules || ours["revision"].as_u64() >= kept["revision"].as_u64();
        let ours = ours.and_then(|shelf| kept_json(shelf)).filter(is_newer);
        labels.push(ours.unwrap_or_else(|| kept.clone()));
    }
    let is_there = |shelf: &Shelf| there.iter().any(|kept| kept["label"] == *shelf.label);
    labels.extend(shelves.iter().filter(|shelf| !is_there(shelf)).filter_map(|shelf| kept_json(shelf)));
    labels
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
    private(OpenOptions::new().write(true).create_new(true)).open(path)
}

/// Files made with these options are for their owner alone.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
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
