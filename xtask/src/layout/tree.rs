//! The files of the repository, as the rules see them.

use crate::process::Run;
use anyhow::Result;
use std::path::Path;

/// A text file with its path from the root, written with `/`.
pub struct Source {
    pub path: String,
    pub text: String,
}

/// Every text file that is tracked, or would be by `git add`.
#[derive(Default)]
pub struct Tree {
    pub files: Vec<Source>,
}

impl Tree {
    /// Lists and reads them.
    pub fn read(root: &Path) -> Result<Self> {
        let listing = Run::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .within(root)
            .stdout()?;
        let mut paths: Vec<&str> = listing.split('\0').filter(|path| !path.is_empty()).collect();
        paths.sort_unstable();
        paths.dedup();
        let read = |path: &str| {
            // Deleted but still tracked, a picture, a link to a folder: nothing to read.
            let text = std::fs::read_to_string(root.join(path)).ok()?;
            Some(Source { path: path.to_owned(), text })
        };
        Ok(Self { files: paths.into_iter().filter_map(read).collect() })
    }

    /// The files under a folder with one of these endings.
    pub fn under<'a>(&'a self, folder: &'a str, endings: &'a [&str]) -> impl Iterator<Item = &'a Source> {
        self.files.iter().filter(move |file| {
            file.path.starts_with(folder) && endings.iter().any(|ending| file.path.ends_with(ending))
        })
    }

    /// One file by its path.
    pub fn file(&self, path: &str) -> Option<&Source> {
        self.files.iter().find(|file| file.path == path)
    }

    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let source = |(path, text): &(&str, &str)| Source { path: (*path).into(), text: (*text).into() };
        Self { files: files.iter().map(source).collect() }
    }
}
