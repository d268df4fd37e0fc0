//! A migration that has landed is never edited: some database somewhere has already run it.

use super::Finding;
use super::migrations::FOLDER;
use super::tree::{Source, Tree};
use anyhow::{Context, Result, bail};

const LIST: &str = "crates/xr2-db/migrations/CHECKSUMS";

/// Every migration is in the list of checksums, as it is; the list is in the form `sha256sum --check` reads.
pub fn unchanged(tree: &Tree) -> Vec<Finding> {
    let listed = entries(tree.file(LIST).map_or("", |list| &list.text));
    let mut findings = Vec::new();
    for file in migrations(tree) {
        let name = &file.path[FOLDER.len()..];
        match listed.iter().find(|(_, of)| *of == name) {
            None => findings.push(Finding::new(&file.path, 0, "not yet listed; run `cargo xtask checksums`")),
            Some((sum, _)) if *sum == crate::stamp::sha256(file.text.as_bytes()) => {}
            Some(_) => {
                let message = "this migration has landed and was edited; put it back and write a new one";
                findings.push(Finding::new(&file.path, 0, message));
            }
        }
    }
    for (_, name) in &listed {
        if tree.file(&format!("{FOLDER}{name}")).is_none() {
            findings.push(Finding::new(LIST, 0, format!("{name} has landed and must stay, but it is gone")));
        }
    }
    findings
}

/// Adds what is not yet in the list. It never changes a line that is there.
pub fn append_missing() -> Result<()> {
    let tree = super::tree()?;
    let path = crate::paths::root().join(LIST);
    let mut text = tree.file(LIST).map_or_else(String::new, |list| list.text.clone());
    let mut added = 0;
    for file in migrations(&tree) {
        let name = &file.path[FOLDER.len()..];
        if entries(&text).iter().all(|(_, of)| *of != name) {
            text.push_str(&format!("{}  {name}\n", crate::stamp::sha256(file.text.as_bytes())));
            added += 1;
        }
    }
    if added > 0 {
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("{added} added to {LIST}");
    let wrong = unchanged(&super::tree()?);
    match wrong.first() {
        None => Ok(()),
        Some(finding) => bail!("{finding}"),
    }
}

fn migrations(tree: &Tree) -> impl Iterator<Item = &Source> {
    tree.under(FOLDER, &[".sql"])
}

fn entries(list: &str) -> Vec<(&str, &str)> {
    list.lines().filter_map(|line| line.split_once("  ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_edited_missing_or_not_listed() {
        let sum = crate::stamp::sha256(b"CREATE TABLE a (b INT);");
        let path = format!("{FOLDER}sqlite/0001_a.sql");
        let list = format!("{sum}  sqlite/0001_a.sql\n");
        let check = |text: &str, list: &str| {
            let findings = unchanged(&Tree::of(&[(&path, text), (LIST, list)]));
            findings.into_iter().map(|finding| finding.message).collect::<Vec<_>>()
        };
        assert!(check("CREATE TABLE a (b INT);", &list).is_empty());
        assert!(check("CREATE TABLE a (b TEXT);", &list)[0].contains("was edited"));
        assert!(check("CREATE TABLE a (b INT);", "")[0].contains("cargo xtask checksums"));
        assert!(unchanged(&Tree::of(&[(LIST, &list)]))[0].message.contains("it is gone"));
    }
}
