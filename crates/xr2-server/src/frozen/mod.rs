//! The frozen tier: what this node needs to deliver when the database is gone, also after a restart, in encrypted files
//! of the data directory. Features decide what stands in the files; here is how they are kept.
//!
//! `<workspace>.keys` and `<workspace>.prompts` are replaced whole, seconds after a change. `revoked` is the journal of
//! what was taken away since; `contact` tells when the database was last heard from, and which journal there was.

mod files;
mod journal;
mod seal;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use journal::{Cut, Subject};
pub use seal::{Damage, Sealer};

use crate::clock::{self, Time};
use crate::config::{Config, SecretKey};
use crate::events::{Listener, Notice};
use journal::Journal;

/// The file that tells when the database was last heard from.
const CONTACT: &str = "contact";

/// Which of a workspace's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Who may fetch.
    Keys,
    /// What is fetched.
    Prompts,
}

impl Part {
    fn extension(self) -> &'static str {
        match self {
            Part::Keys => "keys",
            Part::Prompts => "prompts",
        }
    }
}

/// See the module. All of its calls wait for the disk, except those that say otherwise.
pub struct Frozen(Option<Kept>);

struct Kept {
    directory: PathBuf,
    sealer: Sealer,
    journal: Journal,
    /// How often the journal was damaged or could not be written: files of keys from before may bring back what was
    /// taken away.
    failures: AtomicU64,
    /// The failure after which everything was written anew.
    mended: AtomicU64,
    /// None: nothing is kept.
    current: Mutex<Option<Current>>,
}

/// As of when what is kept is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// When the database was last heard from.
    #[serde(with = "clock::micros")]
    pub at: Time,
    /// Workspaces that are kept as they were before, in microseconds since 1970.
    #[serde(default)]
    pub behind: HashMap<Uuid, i64>,
}

impl Current {
    /// When what is kept of the workspace was as it is.
    pub fn of(&self, workspace: Uuid) -> Time {
        let behind = self.behind.get(&workspace).and_then(|micros| Time::from_timestamp_micros(*micros));
        behind.unwrap_or(self.at).min(self.at)
    }

    /// When everything that is kept was as it is.
    pub fn of_all(&self) -> Time {
        self.behind.keys().map(|workspace| self.of(*workspace)).fold(self.at, Time::min)
    }
}

/// The file `contact`.
#[derive(Default, Serialize, Deserialize)]
struct Contact {
    #[serde(flatten)]
    current: Current,
    /// The journal's number then. None was written down before journals had one.
    #[serde(default)]
    journal: u64,
}

impl Frozen {
    /// Opens the directory, or goes without when it is switched off or cannot be used.
    pub fn open(config: &Config, secret: &SecretKey) -> Frozen {
        if !config.delivery.snapshot {
            return Frozen(None);
        }
        let directory = config.data_dir.join("frozen");
        match Kept::open(directory.clone(), secret) {
            Ok(kept) => Frozen(Some(kept)),
            Err(error) => {
                tracing::warn!(%error, directory = %directory.display(),
                    "no snapshot is kept: its directory cannot be used (delivery.snapshot = false switches it off)");
                Frozen(None)
            }
        }
    }

    /// Whether snapshots are kept. Does not wait.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Whether there is something to deliver from.
    pub fn has_snapshot(&self) -> bool {
        !self.workspaces().is_empty()
    }

    /// Whether anything was ever kept here, usable or not.
    pub fn has_traces(&self) -> bool {
        let Some(kept) = &self.0 else { return false };
        std::fs::read_dir(&kept.directory).is_ok_and(|mut files| files.next().is_some())
    }

    /// Workspaces of which keys are kept.
    pub fn workspaces(&self) -> Vec<Uuid> {
        let kept = self.0.as_ref().filter(|kept| kept.distrust().is_none());
        kept.map_or_else(Vec::new, |kept| kept.workspaces_with(&[Part::Keys]))
    }

    /// Workspaces of which there is any file, usable or not.
    pub fn all_workspaces(&self) -> Vec<Uuid> {
        self.0.as_ref().map_or_else(Vec::new, |kept| kept.workspaces_with(&[Part::Keys, Part::Prompts]))
    }

    /// A part of a workspace; none when it is not there or cannot be used, which the log tells.
    pub fn read(&self, workspace: Uuid, part: Part) -> Option<Vec<u8>> {
        let kept = self.0.as_ref().filter(|kept| kept.distrust().is_none())?;
        read(&kept.directory, &kept.sealer, &file_name(workspace, part))
    }

    /// Replaces a part of a workspace.
    pub fn write(&self, workspace: Uuid, part: Part, body: &[u8]) -> std::io::Result<()> {
        match &self.0 {
            Some(kept) => kept.write(&file_name(workspace, part), body),
            None => Ok(()),
        }
    }

    /// The keys of a workspace at `revision` are on disk.
    pub fn keys_are_kept(&self, workspace: Uuid, revision: i64) {
        let Some(kept) = &self.0 else { return };
        if let Err(error) = kept.journal.forget_up_to(workspace, revision) {
            tracing::warn!(%error, "the journal of revoked keys could not be made shorter");
        }
    }

    /// The failure of the journal for which the keys of all workspaces have to be written anew; none when all is well.
    /// Does not wait.
    pub fn distrust(&self) -> Option<u64> {
        self.0.as_ref()?.distrust()
    }

    /// The keys of all workspaces were written anew since this failure.
    pub fn trust_again(&self, failure: u64) {
        let Some(kept) = &self.0 else { return };
        match kept.journal.rewrite() {
            Ok(()) => kept.mended.store(failure, Ordering::Release),
            Err(error) => tracing::warn!(%error, "the journal of revoked keys could not be written anew"),
        }
    }

    /// Removes what is kept of a workspace.
    pub fn remove(&self, workspace: Uuid) {
        if let Some(kept) = &self.0 {
            for part in [Part::Keys, Part::Prompts] {
                let _ = std::fs::remove_file(kept.directory.join(file_name(workspace, part)));
            }
            // Nothing is left that they could be taken from.
            if let Err(error) = kept.journal.forget_up_to(workspace, i64::MAX) {
                tracing::warn!(%error, "the journal of revoked keys could not be written");
            }
        }
    }

    /// As of when what is kept is, as far as the disk knows.
    pub fn last_contact(&self) -> Option<Current> {
        let kept = self.0.as_ref()?;
        contact(&kept.directory, &kept.sealer).map(|contact| contact.current)
    }

    /// Notes when the database was last heard from.
    pub fn note_contact(&self, at: Time) -> std::io::Result<()> {
        let Some(kept) = &self.0 else { return Ok(()) };
        let behind = kept.current().as_ref().map(|current| current.behind.clone()).unwrap_or_default();
        let contact = Contact { current: Current { at, behind }, journal: kept.journal.number() };
        kept.write(CONTACT, &serde_json::to_vec(&contact)?)
    }

    /// Has a journal, so that it is noticed from now on when there is none, or one of before.
    pub fn settle_journal(&self) {
        let Some(kept) = &self.0 else { return };
        if let Err(error) = kept.journal.settle() {
            tracing::warn!(%error, "the journal of revoked keys could not be written");
        }
    }

    /// When what was taken from `subject` ended, for a snapshot of `revision`. Does not wait.
    pub fn end_of(&self, workspace: Uuid, subject: Subject, revision: i64) -> Option<Time> {
        self.0.as_ref()?.journal.end_of(workspace, subject, revision)
    }

    /// Notes as of when what is kept is. Does not wait.
    pub fn set_current(&self, current: Current) {
        if let Some(kept) = &self.0 {
            *kept.current() = Some(current);
        }
    }

    /// When everything kept was as it is; none when nothing is kept. Does not wait.
    pub fn current_at(&self) -> Option<Time> {
        self.0.as_ref()?.current().as_ref().map(Current::of_all)
    }

    /// When what is kept of the workspace was as it is; none when nothing is kept. Does not wait.
    pub fn current_of(&self, workspace: Uuid) -> Option<Time> {
        self.0.as_ref()?.current().as_ref().map(|current| current.of(workspace))
    }
}

impl Kept {
    fn open(directory: PathBuf, secret: &SecretKey) -> std::io::Result<Kept> {
        make_private(&directory)?;
        sweep(&directory);
        let sealer = Sealer::new(secret);
        let path = directory.join("revoked");
        let known = contact(&directory, &sealer).map_or(0, |contact| contact.journal);
        let (journal, failures) = match Journal::open(path.clone(), secret, known)? {
            Ok(journal) => (journal, 0),
            Err(damage) => {
                tracing::error!(file = %path.display(),
                    "the journal of revoked keys is not used: {damage}. Nothing is delivered from the snapshot until it has been written anew");
                (Journal::without_past(path, secret, known), 1)
            }
        };
        Ok(Kept {
            directory,
            sealer,
            journal,
            failures: AtomicU64::new(failures),
            mended: AtomicU64::new(0),
            current: Mutex::default(),
        })
    }

    fn write(&self, name: &str, body: &[u8]) -> std::io::Result<()> {
        let file = self.sealer.seal(name, body).map_err(std::io::Error::other)?;
        files::replace(&self.directory.join(name), &file)
    }

    fn current(&self) -> MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn distrust(&self) -> Option<u64> {
        let failures = self.failures.load(Ordering::Acquire);
        (failures != self.mended.load(Ordering::Acquire)).then_some(failures)
    }

    fn workspaces_with(&self, parts: &[Part]) -> Vec<Uuid> {
        let files = std::fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let workspace = |path: PathBuf| -> Option<Uuid> {
            let extension = path.extension()?;
            let is_one = parts.iter().any(|part| extension == part.extension());
            is_one.then(|| path.file_stem()?.to_str()?.parse().ok())?
        };
        let mut workspaces: Vec<Uuid> = files.filter_map(|file| workspace(file.path())).collect();
        workspaces.sort_unstable();
        workspaces.dedup();
        workspaces
    }

    /// When the journal cannot be written, no file may be left that would bring back what was taken away.
    fn give_up(&self) {
        self.failures.fetch_add(1, Ordering::AcqRel);
        for workspace in self.workspaces_with(&[Part::Keys]) {
            let path = self.directory.join(file_name(workspace, Part::Keys));
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::error!(%error, file = %path.display(), "remove this file by hand: it still lists a revoked key");
            }
        }
    }
}

impl Listener for Frozen {
    fn invalidate(&self, notice: &Notice) {
        if let (Some(kept), Some(cut)) = (&self.0, cut_of(notice)) {
            kept.journal.note(&cut);
        }
    }

    fn in_order(&self, _: &Notice) {}

    fn must_last(&self, notice: &Notice) -> bool {
        self.0.is_some() && cut_of(notice).is_some()
    }

    fn make_last(&self, notices: &[Notice]) {
        let Some(kept) = &self.0 else { return };
        let cuts: Vec<Cut> = notices.iter().filter_map(cut_of).collect();
        if let Err(error) = kept.journal.append(&cuts) {
            tracing::error!(%error, "a revoked key could not be noted in the journal; the snapshot is removed instead");
            kept.give_up();
        }
    }
}

/// What an event takes away, and from whom.
fn cut_of(notice: &Notice) -> Option<Cut> {
    let id = notice.resource_id?;
    let rotated_until = || {
        let text = notice.after.as_ref()?.get("old_key_ends_at")?.as_str()?;
        chrono::DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
    };
    let (subject, ends_at) = match notice.kind.as_str() {
        "api_key.revoked" => (Subject::Key(id), notice.at),
        "api_key.rotated" => (Subject::Key(id), rotated_until().unwrap_or(notice.at)),
        "member.updated" | "member.removed" => (Subject::Maker(id), notice.at),
        _ => return None,
    };
    Some(Cut { subject, workspace: notice.workspace, revision: notice.revision, ends_at })
}

/// The body of a file; none when it is not there or cannot be used, which the log tells.
fn read(directory: &Path, sealer: &Sealer, name: &str) -> Option<Vec<u8>> {
    let path = directory.join(name);
    let file = match std::fs::read(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::error!(%error, file = %path.display(), "a file of the snapshot cannot be read");
            return None;
        }
    };
    match sealer.open(name, file) {
        Ok(body) => Some(body),
        Err(damage) => {
            tracing::error!(file = %path.display(), "a file of the snapshot is not used: {damage}");
            None
        }
    }
}

fn contact(directory: &Path, sealer: &Sealer) -> Option<Contact> {
    serde_json::from_slice(&read(directory, sealer, CONTACT)?).ok()
}

fn file_name(workspace: Uuid, part: Part) -> String {
    format!("{workspace}.{}", part.extension())
}

fn make_private(directory: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Removes what a crash left unfinished.
fn sweep(directory: &Path) {
    for file in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if file.file_name().to_string_lossy().ends_with(files::UNFINISHED) {
            let _ = std::fs::remove_file(file.path());
        }
    }
}
