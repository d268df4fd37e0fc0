//! Files that are whole or not there at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// What unfinished files end in.
pub const UNFINISHED: &str = ".unfinished";

/// Puts a file in the place of what is at `path`, so that a crash leaves either the one or the other.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let unfinished = path.with_extension(format!("{}-{number}{UNFINISHED}", std::process::id()));
    let written = write(&unfinished, bytes).and_then(|()| std::fs::rename(&unfinished, path));
    if let Err(error) = written {
        let _ = std::fs::remove_file(&unfinished);
        return Err(error);
    }
    sync_directory(path)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Waits until the name of `path` is on disk.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    // Only POSIX lets a directory be opened like a file.
    match path.parent().filter(|_| cfg!(unix)) {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}
