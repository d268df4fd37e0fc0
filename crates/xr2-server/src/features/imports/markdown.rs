//! Markdown: a folder of patterns (`<name>/system.md`, perhaps with a `user.md` beside it), or single files.

use std::path::{Path, PathBuf};

use crate::features::imports::{Batch, Found, Notation, Skipped};

/// Deepest folder looked into below the one given.
const MAX_DEPTH: usize = 4;

pub(super) fn read_folder(folder: &Path, notation: Option<Notation>) -> Result<Batch, String> {
    let mut files = Vec::new();
    collect(folder, 0, &mut files).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    files.sort();
    let source =
        folder.file_name().map_or_else(|| "folder".to_owned(), |name| name.to_string_lossy().into_owned());
    let mut batch = Batch { source, ..Batch::default() };
    for file in files {
        let place = file.strip_prefix(folder).unwrap_or(&file).display().to_string();
        match read_file(&file, &place, notation) {
            Ok(found) => batch.found.push(found),
            Err(reason) => batch.skipped.push(Skipped { place, reason }),
        }
    }
    if batch.found.is_empty() && batch.skipped.is_empty() {
        return Err(format!("{}: there are no .md files in this folder", folder.display()));
    }
    Ok(batch)
}

pub(super) fn read_one(file: &Path, notation: Option<Notation>) -> Result<Batch, String> {
    let place = file
        .file_name()
        .map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned());
    let mut batch = Batch { source: place.clone(), ..Batch::default() };
    match read_file(file, &place, notation) {
        Ok(found) => batch.found.push(found),
        Err(reason) => batch.skipped.push(Skipped { place, reason }),
    }
    Ok(batch)
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        // Links are not followed: they may lead in circles, or out of the folder.
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < MAX_DEPTH {
            collect(&path, depth + 1, files)?;
        } else if kind.is_file() && is_pattern(&name) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_pattern(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.ends_with(".md")
        && !matches!(lower.as_str(), "readme.md" | "license.md" | "changelog.md" | "user.md")
}

fn read_file(file: &Path, place: &str, notation: Option<Notation>) -> Result<Found, String> {
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| "is not valid UTF-8".to_owned())?;
    if text.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    if text.contains('\0') {
        return Err("holds a NUL character".to_owned());
    }
    let (title, category) = names(file);
    Ok(Found {
        place: place.to_owned(),
        key: place.to_owned(),
        title,
        slug: None,
        text: text.to_owned(),
        description: None,
        category,
        tags: Vec::new(),
        facts: Vec::new(),
        notation: notation.unwrap_or(Notation::Braces),
        substance: None,
        publish: None,
        archived: false,
    })
}

/// Title and category by a file's path: a pattern is called as its folder.
pub(super) fn names(file: &Path) -> (String, Option<String>) {
    let stem =
        |path: &Path| path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_system = file.file_name().is_some_and(|name| name == "system.md");
    let name = match file.parent() {
        Some(parent) if is_system => stem(parent),
        _ => stem(file),
    };
    (title_of(&name), is_system.then(|| "pattern".to_owned()))
}

/// `extract_main_idea` → `Extract main idea`.
fn title_of(name: &str) -> String {
    let words = name.replace(['_', '-'], " ");
    let mut chars = words.trim().chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).take(255).collect(),
        None => "Untitled".to_owned(),
    }
}
