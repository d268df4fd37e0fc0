//! A folder that was packed. What is in it is counted while it is unpacked, into memory and never onto the disk: neither a
//! bomb nor a path that leads out of the folder gets anywhere.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use crate::features::imports::item::{Entry, Item};
use crate::features::imports::options::{Format, Options};
use crate::features::imports::readers::{LARGEST_WHOLE, Take, decoded, detect, entries, promptfoo, texts};

/// Files in it at most.
const MOST_FILES: usize = 50_000;

pub(super) fn read(
    path: &Path,
    options: &Options,
    limit: u64,
    take: Take<'_>,
) -> Result<Vec<String>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let broken = |error: zip::result::ZipError| format!("The zip file cannot be read: {error}.");
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    if archive.len() > MOST_FILES {
        return Err(format!("The zip file holds more than {MOST_FILES} files."));
    }
    let mut texts = BTreeMap::new();
    let mut room = limit.min(LARGEST_WHOLE * 2);
    for index in 0..archive.len() {
        let mut packed = archive.by_index(index).map_err(broken)?;
        if packed.is_dir() {
            continue;
        }
        let raw_name = packed.name().map(|name| name.into_owned()).unwrap_or_default();
        let shown: String = raw_name.chars().filter(|c| !c.is_control()).take(300).collect();
        let Some(name) = packed.enclosed_name().map(|name| name.to_string_lossy().replace('\\', "/")) else {
            take(Entry::wrong(shown, "", "its path leads out of the folder"));
            continue;
        };
        if is_noise(&name) {
            continue;
        }
        let mut bytes = Vec::new();
        // What the archive says of its size is not believed.
        let unpacked = packed.by_ref().take(room + 1).read_to_end(&mut bytes);
        if bytes.len() as u64 > room {
            let most = limit.min(LARGEST_WHOLE * 2) / 1024 / 1024;
            return Err(format!(
                "The zip file unfolds to more than {most} MiB, which this server does not take."
            ));
        }
        room -= bytes.len() as u64;
        match unpacked.map_err(|error| error.to_string()).and_then(|_| decoded(&bytes)) {
            Ok(text) => drop(texts.insert(name, text)),
            Err(reason) => drop(take(Entry::wrong(name, "", reason))),
        }
    }
    let mut warnings = Vec::new();
    bring(texts, options, &mut warnings, take);
    Ok(warnings)
}

/// What no program means as a prompt.
fn is_noise(name: &str) -> bool {
    name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX" || part == "node_modules")
}

fn bring(texts: BTreeMap<String, String>, options: &Options, warnings: &mut Vec<String>, take: Take<'_>) {
    // What a configuration refers to is no prompt of its own.
    let mut used = Vec::new();
    let mut found = Vec::new();
    for (name, text) in &texts {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
        match ending.as_str() {
            "md" | "markdown" | "txt" | "prompt" => {}
            "yaml" | "yml" | "json" | "jsonl" | "csv" | "tsv" => {
                let inner = Options { name: name.clone(), ..options.clone() };
                found.extend(of_file(name, text, &inner, &texts, &mut used, warnings));
            }
            _ => drop(take(Entry::left_out(name, "it is no kind of file that holds prompts"))),
        }
    }
    for entry in found {
        if !take(entry) {
            return;
        }
    }
    for (name, text) in &texts {
        let lower = name.to_ascii_lowercase();
        let is_text = lower.ends_with(".txt") || lower.ends_with(".prompt");
        let is_markdown = lower.ends_with(".md") || lower.ends_with(".markdown");
        let is_about = ["readme.md", "license.md", "changelog.md", "user.md", "license.txt"];
        let file = lower.rsplit('/').next().unwrap_or(&lower);
        if !(is_text || is_markdown) || used.contains(name) || is_about.contains(&file) {
            continue;
        }
        let entry = match is_markdown {
            true => texts::markdown(name, text, options.notation),
            false => texts::plain(name, text, options.notation),
        };
        if !take(entry) {
            return;
        }
    }
}

fn of_file(
    name: &str,
    text: &str,
    options: &Options,
    texts: &BTreeMap<String, String>,
    used: &mut Vec<String>,
    warnings: &mut Vec<String>,
) -> Vec<Entry> {
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut look_up = |path: &str| {
        let path = path.trim_start_matches("./");
        let whole = if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") };
        let (name, text) = texts.get_key_value(&whole).or_else(|| texts.get_key_value(path))?;
        used.push(name.clone());
        Some(text.clone())
    };
    let read = match detect(text.as_bytes(), name) {
        Format::Promptfoo => promptfoo::read(text, &mut look_up),
        Format::Xr2 | Format::Zip => Err("a document of its own; import it by itself".to_owned()),
        format => entries(text, format, options, warnings),
    };
    match read {
        Err(reason) => vec![Entry::left_out(name, reason)],
        Ok(entries) => entries
            .into_iter()
            .map(|mut entry| {
                entry.place = format!("{name} {}", entry.place);
                if let Ok(Item::Prompt(item)) = &mut entry.item {
                    item.key = item.key.take().map(|key| format!("{name} {key}"));
                }
                entry
            })
            .collect(),
    }
}
