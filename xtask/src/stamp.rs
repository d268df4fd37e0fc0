//! "Is it up to date?" by the bytes of the inputs, not by file times.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// The SHA-256 of bytes, as lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One hash over files and folders, names included; `skip` leaves out folders by their name.
pub fn of(paths: &[PathBuf], skip: &[&str]) -> Result<String> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, skip, &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        hash.update(file.to_string_lossy().as_bytes());
        hash.update([0]);
        hash.update(bytes.len().to_le_bytes());
        hash.update(&bytes);
    }
    Ok(hexadecimal(&hash.finalize()))
}

fn collect(path: &Path, skip: &[&str], files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    if !path.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
        let entry = entry?;
        if !skip.iter().any(|name| entry.file_name() == *name) {
            collect(&entry.path(), skip, files)?;
        }
    }
    Ok(())
}

/// Whether `stamp` holds this hash.
pub fn matches(stamp: &Path, hash: &str) -> bool {
    std::fs::read_to_string(stamp).is_ok_and(|kept| kept.trim() == hash)
}

/// Keeps the hash for the next time.
pub fn keep(stamp: &Path, hash: &str) -> Result<()> {
    if let Some(folder) = stamp.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(stamp, hash).with_context(|| format!("cannot write {}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_everyone_does() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_changed_byte_or_name_changes_the_hash_and_a_skipped_folder_does_not() {
        let folder = crate::paths::scratch().join("unit").join(format!("stamp-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("skipped")).unwrap();
        let hash = || of(std::slice::from_ref(&folder), &["skipped"]).unwrap();
        std::fs::write(folder.join("a"), "one").unwrap();
        let first = hash();
        std::fs::write(folder.join("skipped/x"), "anything").unwrap();
        assert_eq!(hash(), first);
        std::fs::write(folder.join("a"), "two").unwrap();
        let second = hash();
        assert_ne!(second, first);
        std::fs::rename(folder.join("a"), folder.join("b")).unwrap();
        assert_ne!(hash(), second);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
