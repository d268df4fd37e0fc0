//! The journal of what was taken away: keys revoked or cut short, members gone. A record is on disk before whoever took
//! it away is answered, so that a snapshot from before brings nothing back.
//!
//! The file is sealed and replaced whole, so that a part of it is as good as none: records live only until the keys of
//! their workspace have been written again, so there are few. It carries a number that grows each time; `contact` knows
//! which one there was when the database was last heard from (at most half a minute ago), so that a file that is gone, or an
//! older one, is noticed as well.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::{self, Time};
use crate::config::SecretKey;
use crate::frozen::files::replace;
use crate::frozen::seal::{Damage, Sealer};

/// Name under which the file is sealed.
const NAME: &str = "revoked";

/// How long another process may take to write, and how often is looked whether it has.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(5);

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
    sealer: Sealer,
    /// Never held while the disk is waited for: who asks what was taken away has no time.
    book: Mutex<Book>,
    /// Held while the file is written.
    writing: Mutex<()>,
}

#[derive(Default)]
struct Book {
    cuts: HashMap<(Uuid, Subject), Vec<Noted>>,
    /// Records in the file.
    in_file: usize,
    /// The file's; 0: there is none yet, or one in the form of old.
    number: u64,
    /// The file cannot be used: it stays as it is until [`Journal::rewrite`].
    is_broken: bool,
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

/// What is sealed.
#[derive(Default, Serialize, Deserialize)]
struct Contents {
    number: u64,
    cuts: Vec<Cut>,
}

impl Journal {
    /// Reads the journal at `path`, of which there was once the number `known`. One that was never there is empty.
    pub fn open(path: PathBuf, secret: &SecretKey, known: u64) -> io::Result<Result<Journal, Damage>> {
        let journal = Journal::without_past(path, secret, known);
        Ok(journal.read()?.and_then(|contents| {
            if contents.number < known {
                return Err(Damage::Outdated);
            }
            let mut book = journal.book();
            (book.is_broken, book.number, book.in_file) = (false, contents.number, contents.cuts.len());
            contents.cuts.into_iter().for_each(|cut| book.insert(cut, true));
            drop(book);
            Ok(journal)
        }))
    }

    /// An empty journal beside a file that cannot be used, which stays until [`Journal::rewrite`].
    pub fn without_past(path: PathBuf, secret: &SecretKey, known: u64) -> Journal {
        let book = Book { number: known, is_broken: true, ..Book::default() };
        Journal { path, sealer: Sealer::new(secret), book: Mutex::new(book), writing: Mutex::default() }
    }

    /// Notes in memory that something was taken away; [`Journal::append`] makes it last.
    pub fn note(&self, cut: &Cut) {
        self.book().insert(cut.clone(), false);
    }

    /// Waits until these records are on disk, unless the file cannot be used anyway.
    pub fn append(&self, cuts: &[Cut]) -> io::Result<()> {
        let mut book = self.book();
        cuts.iter().for_each(|cut| book.insert(cut.clone(), false));
        drop(book);
        // Somebody else may write them meanwhile.
        self.write_unless(|book| book.is_broken || cuts.iter().all(|cut| book.is_written(cut)))
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
        drop(book);
        self.write_unless(|book| book.is_broken || !book.is_mostly_past())
    }

    /// Replaces the file by what is in memory.
    pub fn rewrite(&self) -> io::Result<()> {
        self.write_unless(|_| false)
    }

    /// Has a file, so that it is noticed from now on when there is none. One that cannot be used stays.
    pub fn settle(&self) -> io::Result<()> {
        self.write_unless(|book| book.is_broken || book.number > 0)
    }

    /// The number of the file, or of the one that there should be.
    pub fn number(&self) -> u64 {
        self.book().number
    }

    /// Replaces the file by what is in memory, unless that is done when it is this one's turn.
    fn write_unless(&self, is_done: impl FnOnce(&Book) -> bool) -> io::Result<()> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if is_done(&self.book()) {
            return Ok(());
        }
        let _alone = lock_directory(&self.path)?;
        let contents = self.contents(self.read()?.ok());
        let file = self.sealer.seal(NAME, &serde_json::to_vec(&contents)?).map_err(io::Error::other)?;
        replace(&self.path, &file)?;
        let mut book = self.book();
        contents.cuts.iter().for_each(|cut| book.set_written(cut));
        (book.is_broken, book.number, book.in_file) = (false, contents.number, contents.cuts.len());
        Ok(())
    }

    /// What is to be written over what was found. Another process may use the same directory, while it takes the place of
    /// this one.
    fn contents(&self, found: Option<Contents>) -> Contents {
        let mut book = self.book();
        if let Some(found) = found.filter(|found| found.number > book.number) {
            book.number = found.number;
            found.cuts.into_iter().for_each(|cut| book.insert(cut, false));
        }
        let cuts = book.cuts.values().flatten().map(|noted| noted.cut.clone()).collect();
        Contents { number: book.number + 1, cuts }
    }

    fn read(&self) -> io::Result<Result<Contents, Damage>> {
        let file = match std::fs::read(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(Contents::default())),
            Err(error) => return Err(error),
        };
        Ok(match self.sealer.open(NAME, file) {
            Ok(body) => serde_json::from_slice(&body).map_err(|_| Damage::Broken),
            // As little ours as all other files of that key: as good as none, which is noticed if there was one of ours.
            Err(Damage::OtherKey) => Ok(Contents::default()),
            Err(damage) => Err(damage),
        })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn insert(&mut self, cut: Cut, is_written: bool) {
        let cuts = self.cuts.entry((cut.workspace, cut.subject)).or_default();
        if !cuts.iter().any(|noted| noted.covers(&cut)) {
            cuts.push(Noted { cut, is_written });
        }
    }

    fn set_written(&mut self, cut: &Cut) {
        let cuts = self.cuts.get_mut(&(cut.workspace, cut.subject));
        cuts.into_iter()
            .flatten()
            .filter(|noted| noted.cut == *cut)
            .for_each(|noted| noted.is_written = true);
    }

    /// Whether half of a long file is not needed any more.
    fn is_mostly_past(&self) -> bool {
        let needed: usize = self.cuts.values().map(Vec::len).sum();
        self.in_file > COMPACT_ABOVE && needed <= self.in_file / 2
    }

    fn is_written(&self, cut: &Cut) -> bool {
        let cuts = self.cuts.get(&(cut.workspace, cut.subject));
        cuts.is_some_and(|cuts| cuts.iter().any(|noted| noted.is_written && noted.covers(cut)))
    }
}

/// Held while the file is read and replaced. A process that was stopped while it held it must not stop this one too.
fn lock_directory(path: &Path) -> io::Result<Option<File>> {
    // Only POSIX lets a directory be opened like a file.
    let Some(directory) = path.parent().filter(|_| cfg!(unix)) else { return Ok(None) };
    let directory = File::open(directory)?;
    let until = Instant::now() + PATIENCE;
    loop {
        match directory.try_lock() {
            Ok(()) => return Ok(Some(directory)),
            Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(LOOK_EVERY),
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "another process holds the directory"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
