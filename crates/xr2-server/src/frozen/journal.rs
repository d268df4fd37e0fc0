//! The journal of what was taken away: keys revoked or cut short, members gone. A record is on disk before whoever took
//! it away is answered, so that a snapshot from before brings nothing back.
//!
//! A line is a check value and a JSON object. What stands behind the last line end was being written in a crash, before
//! anybody was answered; anything else that does not check was changed from outside.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ring::hmac;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::{self, Time};
use crate::config::SecretKey;
use crate::frozen::files::{replace, sync_directory};
use crate::frozen::seal::Damage;

/// Records beyond which those that no snapshot needs any more are dropped.
const COMPACT_ABOVE: usize = 256;

/// What was taken away, from whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// An API key.
    Key(Uuid),
    /// Every key that this user has made in the workspace.
    Maker(Uuid),
}

/// One record: from `ends_at` on the subject counts for nothing, unless a snapshot of a later revision knows better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Whose keys.
    pub subject: Subject,
    /// Where.
    pub workspace: Uuid,
    /// The workspace's revision of the change.
    pub revision: i64,
    /// From when on.
    #[serde(with = "clock::micros")]
    pub ends_at: Time,
}

/// See the module.
pub struct Journal {
    path: PathBuf,
    key: hmac::Key,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    cuts: HashMap<(Uuid, Subject), Vec<Noted>>,
    /// Lines in the file.
    lines: usize,
}

struct Noted {
    cut: Cut,
    /// Whether it stands in the file.
    is_written: bool,
}

impl Noted {
    /// Whether it takes away at least what `cut` does. The node that made the change notes it before it has a time.
    fn covers(&self, cut: &Cut) -> bool {
        self.cut.revision == cut.revision && self.cut.ends_at <= cut.ends_at
    }
}

impl Journal {
    /// Reads the journal at `path`; one that is not there is empty.
    pub fn open(path: PathBuf, secret: &SecretKey) -> io::Result<Result<Journal, Damage>> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret.derive("frozen journal"));
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let journal = Journal { path, key, book: Mutex::default() };
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for line in text[..whole].split_inclusive(|byte| *byte == b'\n') {
            let Some(cut) = journal.parse(line.trim_ascii_end()) else { return Ok(Err(Damage::Broken)) };
            journal.book().add(cut);
        }
        if whole < text.len() {
            tracing::info!("the journal of revoked keys ends in an unfinished line, which is cut off");
            journal.shorten(whole as u64)?;
        }
        Ok(Ok(journal))
    }

    /// What is appended must not become part of an unfinished line.
    fn shorten(&self, length: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(&self.path)?;
        file.set_len(length)?;
        file.sync_all()
    }

    /// An empty journal beside a file that cannot be used, which stays until [`Journal::rewrite`].
    pub fn without_past(path: PathBuf, secret: &SecretKey) -> Journal {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret.derive("frozen journal"));
        Journal { path, key, book: Mutex::default() }
    }

    /// Notes in memory that something was taken away; [`Journal::append`] makes it last.
    pub fn note(&self, cut: &Cut) {
        self.book().insert(cut.clone());
    }

    /// Appends the records that are not in the file yet and waits until they are on disk.
    pub fn append(&self, cuts: &[Cut]) -> io::Result<()> {
        let mut book = self.book();
        let cuts: Vec<&Cut> = cuts.iter().filter(|cut| !book.is_written(cut)).collect();
        if cuts.is_empty() {
            return Ok(());
        }
        let is_new = !self.path.exists();
        let mut file = private(OpenOptions::new().append(true).create(true), &self.path)?;
        let lines: Vec<u8> = cuts.iter().flat_map(|cut| self.line(cut)).collect();
        file.write_all(&lines)?;
        file.sync_data()?;
        if is_new {
            sync_directory(&self.path)?;
        }
        for cut in cuts {
            book.add(cut.clone());
        }
        Ok(())
    }

    /// When the subject's rights ended, for a snapshot of `revision`.
    pub fn end_of(&self, workspace: Uuid, subject: Subject, revision: i64) -> Option<Time> {
        let book = self.book();
        let cuts = book.cuts.get(&(workspace, subject))?;
        let cuts = cuts.iter().map(|noted| &noted.cut);
        cuts.filter(|cut| cut.revision > revision).map(|cut| cut.ends_at).min()
    }

    /// A snapshot of the workspace at `revision` is on disk: records up to there are not needed any more.
    pub fn forget_up_to(&self, workspace: Uuid, revision: i64) -> io::Result<()> {
        let mut book = self.book();
        for ((place, _), cuts) in &mut book.cuts {
            cuts.retain(|noted| *place != workspace || noted.cut.revision > revision);
        }
        book.cuts.retain(|_, cuts| !cuts.is_empty());
        if book.lines > COMPACT_ABOVE { self.write(&mut book) } else { Ok(()) }
    }

    /// Replaces the file by what is in memory.
    pub fn rewrite(&self) -> io::Result<()> {
        self.write(&mut self.book())
    }

    fn write(&self, book: &mut Book) -> io::Result<()> {
        let lines: Vec<u8> = book.cuts.values().flatten().flat_map(|noted| self.line(&noted.cut)).collect();
        replace(&self.path, &lines)?;
        book.cuts.values_mut().flatten().for_each(|noted| noted.is_written = true);
        book.lines = book.cuts.values().map(Vec::len).sum();
        Ok(())
    }

    fn line(&self, cut: &Cut) -> Vec<u8> {
        let json = serde_json::to_string(cut).unwrap_or_default();
        let tag = hmac::sign(&self.key, json.as_bytes());
        let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{tag} {json}\n").into_bytes()
    }

    fn parse(&self, line: &[u8]) -> Option<Cut> {
        let (tag, json) = std::str::from_utf8(line).ok()?.split_once(' ')?;
        let tag: Option<Vec<u8>> = tag
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        hmac::verify(&self.key, json.as_bytes(), &tag?).ok()?;
        serde_json::from_str(json).ok()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn insert(&mut self, cut: Cut) {
        let cuts = self.cuts.entry((cut.workspace, cut.subject)).or_default();
        if !cuts.iter().any(|noted| noted.covers(&cut)) {
            cuts.push(Noted { cut, is_written: false });
        }
    }

    /// A line of the file.
    fn add(&mut self, cut: Cut) {
        self.lines += 1;
        let cuts = self.cuts.entry((cut.workspace, cut.subject)).or_default();
        match cuts.iter_mut().find(|noted| noted.cut == cut) {
            Some(noted) => noted.is_written = true,
            None => cuts.push(Noted { cut, is_written: true }),
        }
    }

    fn is_written(&self, cut: &Cut) -> bool {
        let cuts = self.cuts.get(&(cut.workspace, cut.subject));
        cuts.is_some_and(|cuts| cuts.iter().any(|noted| noted.is_written && noted.covers(cut)))
    }
}

/// Opens a file that only this user may read.
fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> SecretKey {
        SecretKey::from_hex(&"a".repeat(64)).unwrap()
    }

    fn cut(key: u128, revision: i64, seconds: i64) -> Cut {
        let ends_at = Time::from_timestamp(1_800_000_000 + seconds, 0).unwrap();
        Cut { subject: Subject::Key(Uuid::from_u128(key)), workspace: Uuid::nil(), revision, ends_at }
    }

    fn open(path: &Path) -> Result<Journal, Damage> {
        Journal::open(path.to_owned(), &secret()).unwrap()
    }

    #[test]
    fn what_was_cut_stays_cut() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("journal");
        open(&path).unwrap().append(&[cut(1, 5, 9), cut(2, 6, 0)]).unwrap();
        open(&path).unwrap().append(&[cut(1, 7, 3)]).unwrap();
        let journal = open(&path).unwrap();
        let end = |key, revision| journal.end_of(Uuid::nil(), Subject::Key(Uuid::from_u128(key)), revision);
        assert_eq!(end(1, 4), Some(cut(1, 7, 3).ends_at), "the earliest end counts");
        assert_eq!(end(2, 5), Some(cut(2, 6, 0).ends_at));
        assert_eq!((end(1, 7), end(2, 6), end(3, 0)), (None, None, None), "a later snapshot knows better");
    }

    #[test]
    fn an_unfinished_line_is_left_out_and_a_changed_one_noticed() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("journal");
        open(&path).unwrap().append(&[cut(1, 5, 0), cut(2, 5, 0)]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 10]).unwrap();
        let journal = open(&path).unwrap();
        assert!(journal.end_of(Uuid::nil(), Subject::Key(Uuid::from_u128(1)), 0).is_some());
        assert!(journal.end_of(Uuid::nil(), Subject::Key(Uuid::from_u128(2)), 0).is_none());
        journal.append(&[cut(3, 6, 0)]).unwrap();
        let journal = open(&path).unwrap();
        assert!(
            journal.end_of(Uuid::nil(), Subject::Key(Uuid::from_u128(3)), 0).is_some(),
            "begins a new line"
        );
        let mut changed = whole.clone();
        changed[80] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        assert_eq!(open(&path).err(), Some(Damage::Broken));
        std::fs::write(&path, b"nonsense\n").unwrap();
        assert_eq!(open(&path).err(), Some(Damage::Broken));
    }

    #[test]
    fn what_is_told_again_is_written_once() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("journal");
        let journal = open(&path).unwrap();
        journal.note(&cut(1, 5, 0));
        journal.append(&[cut(1, 5, 0)]).unwrap();
        // As the follower tells it: with the time at which it happened.
        journal.note(&cut(1, 5, 7));
        journal.append(&[cut(1, 5, 7)]).unwrap();
        assert_eq!(open(&path).unwrap().book().lines, 1);
        let ended = journal.end_of(Uuid::nil(), Subject::Key(Uuid::from_u128(1)), 4);
        assert_eq!(ended, Some(cut(1, 5, 0).ends_at));
    }

    #[test]
    fn the_file_does_not_grow_for_ever() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("journal");
        let journal = open(&path).unwrap();
        for revision in 1..=300_i64 {
            journal.append(&[cut(u128::from(revision.unsigned_abs()), revision, 0)]).unwrap();
        }
        journal.forget_up_to(Uuid::nil(), 290).unwrap();
        assert_eq!(open(&path).unwrap().book().lines, 10);
    }
}
