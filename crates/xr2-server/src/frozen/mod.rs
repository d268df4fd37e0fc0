//! The frozen tier: what this node needs to deliver when the database is gone, also after a restart, in encrypted files
//! of the data directory. Features decide what stands in the files; here is how they are kept.
//!
//! `<workspace>.keys` and `<workspace>.prompts` are replaced whole, seconds after a change. `revoked` is the journal of
//! what was taken away since; `contact` tells when the database was last heard from.

mod files;
mod journal;
mod seal;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use journal::{Cut, Subject};
pub use seal::{Damage, Sealer};

use crate::clock::{self, Time};
use crate::config::{Config, SecretKey};
use crate::events::{Listener, Notice};
use journal::Journal;

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
    /// Set when the journal could not be trusted: snapshots from before may bring back what was taken away.
    is_distrusted: AtomicBool,
    /// When the oldest state of what is kept was current, in microseconds since 1970; 0: nothing is kept.
    current_at: AtomicI64,
}

#[derive(Serialize, Deserialize)]
struct LastContact {
    #[serde(with = "clock::micros")]
    at: Time,
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
        let Some(kept) = self.0.as_ref().filter(|kept| !kept.is_distrusted.load(Ordering::Acquire)) else {
            return Vec::new();
        };
        let files = std::fs::read_dir(&kept.directory).into_iter().flatten().flatten();
        let workspace = |path: PathBuf| {
            (path.extension()? == Part::Keys.extension()).then(|| path.file_stem()?.to_str()?.parse().ok())?
        };
        files.filter_map(|file| workspace(file.path())).collect()
    }

    /// A part of a workspace; none when it is not there or cannot be used, which the log tells.
    pub fn read(&self, workspace: Uuid, part: Part) -> Option<Vec<u8>> {
        let kept = self.0.as_ref().filter(|kept| !kept.is_distrusted.load(Ordering::Acquire))?;
        kept.read(&file_name(workspace, part))
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

    /// Everything was written anew since the journal was found damaged.
    pub fn trust_again(&self) {
        let Some(kept) = self.0.as_ref().filter(|kept| kept.is_distrusted.load(Ordering::Acquire)) else {
            return;
        };
        match kept.journal.rewrite() {
            Ok(()) => kept.is_distrusted.store(false, Ordering::Release),
            Err(error) => tracing::warn!(%error, "the journal of revoked keys could not be written anew"),
        }
    }

    /// Removes what is kept of a workspace.
    pub fn remove(&self, workspace: Uuid) {
        if let Some(kept) = &self.0 {
            for part in [Part::Keys, Part::Prompts] {
                let _ = std::fs::remove_file(kept.directory.join(file_name(workspace, part)));
            }
        }
    }

    /// When the database was last heard from, as far as the disk knows.
    pub fn last_contact(&self) -> Option<Time> {
        let body = self.0.as_ref()?.read("contact")?;
        serde_json::from_slice::<LastContact>(&body).ok().map(|contact| contact.at)
    }

    /// Notes when the database was last heard from.
    pub fn note_contact(&self, at: Time) -> std::io::Result<()> {
        let Some(kept) = &self.0 else { return Ok(()) };
        kept.write("contact", &serde_json::to_vec(&LastContact { at })?)
    }

    /// When what was taken from `subject` ended, for a snapshot of `revision`. Does not wait.
    pub fn end_of(&self, workspace: Uuid, subject: Subject, revision: i64) -> Option<Time> {
        self.0.as_ref()?.journal.end_of(workspace, subject, revision)
    }

    /// Notes that everything kept was current at `at`. Does not wait.
    pub fn set_current(&self, at: Time) {
        if let Some(kept) = &self.0 {
            kept.current_at.store(at.timestamp_micros(), Ordering::Release);
        }
    }

    /// When everything kept was current; none when nothing is kept. Does not wait.
    pub fn current_at(&self) -> Option<Time> {
        let micros = self.0.as_ref()?.current_at.load(Ordering::Acquire);
        if micros == 0 { None } else { Time::from_timestamp_micros(micros) }
    }
}

impl Kept {
    fn open(directory: PathBuf, secret: &SecretKey) -> std::io::Result<Kept> {
        make_private(&directory)?;
        sweep(&directory);
        let path = directory.join("revoked");
        let (journal, is_distrusted) = match Journal::open(path.clone(), secret)? {
            Ok(journal) => (journal, false),
            Err(damage) => {
                tracing::error!(file = %path.display(),
                    "the journal of revoked keys is not used: {damage}. Nothing is delivered from the snapshot until it has been written anew");
                (Journal::without_past(path, secret), true)
            }
        };
        Ok(Kept {
            directory,
            sealer: Sealer::new(secret),
            journal,
            is_distrusted: AtomicBool::new(is_distrusted),
            current_at: AtomicI64::new(0),
        })
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        let path = self.directory.join(name);
        let file = match std::fs::read(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::error!(%error, file = %path.display(), "a file of the snapshot cannot be read");
                return None;
            }
        };
        match self.sealer.open(name, file) {
            Ok(body) => Some(body),
            Err(damage) => {
                tracing::error!(file = %path.display(), "a file of the snapshot is not used: {damage}");
                None
            }
        }
    }

    fn write(&self, name: &str, body: &[u8]) -> std::io::Result<()> {
        let file = self.sealer.seal(name, body).map_err(std::io::Error::other)?;
        files::replace(&self.directory.join(name), &file)
    }

    /// When the journal cannot be written, no file may be left that would bring back what was taken away.
    fn give_up(&self) {
        self.is_distrusted.store(true, Ordering::Release);
        for file in std::fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let path = file.path();
            if path.extension().is_some_and(|extension| extension == Part::Keys.extension())
                && let Err(error) = std::fs::remove_file(&path)
            {
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
