//! Migrations of the two dialects go together.

use super::Finding;
use super::tree::Tree;

pub const FOLDER: &str = "crates/xr2-db/migrations/";
const DIALECTS: [&str; 2] = ["sqlite", "postgres"];

/// The same `NNNN_name.sql` in both folders, numbered from 0001 without a gap.
pub fn same_in_both_dialects(tree: &Tree) -> Vec<Finding> {
    let [sqlite, postgres] = DIALECTS.map(|dialect| names(tree, dialect));
    let mut findings = Vec::new();
    for (mine, others, dialect, other) in
        [(&sqlite, &postgres, "sqlite", "postgres"), (&postgres, &sqlite, "postgres", "sqlite")]
    {
        for (position, name) in mine.iter().enumerate() {
            let path = format!("{FOLDER}{dialect}/{name}");
            if !others.contains(name) {
                let message = format!("there is no {other}/{name}; a migration exists in both dialects");
                findings.push(Finding::new(&path, 0, message));
            }
            let number = format!("{:04}_", position + 1);
            if !name.starts_with(&number) || !well_formed(name) {
                let message = format!(
                    "expected {number}<name>.sql here: numbers follow each other, names are a-z, 0-9 and _"
                );
                findings.push(Finding::new(&path, 0, message));
            }
        }
    }
    findings
}

fn names(tree: &Tree, dialect: &str) -> Vec<String> {
    let folder = format!("{FOLDER}{dialect}/");
    let mut names: Vec<String> =
        tree.under(&folder, &[""]).map(|file| file.path[folder.len()..].to_owned()).collect();
    names.sort();
    names
}

fn well_formed(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".sql") else { return false };
    let allowed =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    stem.len() > 5 && stem.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(paths: &[&str]) -> Vec<String> {
        let full: Vec<String> = paths.iter().map(|path| format!("{FOLDER}{path}")).collect();
        let files: Vec<(&str, &str)> = full.iter().map(|path| (path.as_str(), "")).collect();
        same_in_both_dialects(&Tree::of(&files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn accepts_pairs_in_order() {
        assert!(
            check(&["sqlite/0001_a.sql", "sqlite/0002_b.sql", "postgres/0001_a.sql", "postgres/0002_b.sql"])
                .is_empty()
        );
    }

    #[test]
    fn refuses_a_missing_twin_a_gap_and_a_bad_name() {
        let missing = check(&["sqlite/0001_a.sql", "postgres/0001_b.sql"]);
        assert_eq!(missing.len(), 2, "{missing:?}");
        let gap =
            check(&["sqlite/0001_a.sql", "sqlite/0003_b.sql", "postgres/0001_a.sql", "postgres/0003_b.sql"]);
        assert!(gap.iter().all(|finding| finding.contains("0002_")) && gap.len() == 2, "{gap:?}");
        assert_eq!(check(&["sqlite/0001_A.sql", "postgres/0001_A.sql"]).len(), 2);
    }
}
