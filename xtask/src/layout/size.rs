//! Files one reads in a sitting.

use super::Finding;
use super::tree::Tree;

const MOST_LINES: usize = 600;
const FOLDERS: &[&str] = &["crates/", "web/src/", "web/e2e/", "sdks/", "xtask/", "bench/"];
const ENDINGS: &[&str] = &[".rs", ".ts", ".tsx", ".js", ".mjs", ".py", ".css"];
/// Written by a program for programs.
const GENERATED: &[&str] = &["web/src/api/schema.d.ts"];

/// No file of ours is longer than [`MOST_LINES`].
pub fn readable_in_a_sitting(tree: &Tree) -> Vec<Finding> {
    let ours = FOLDERS.iter().flat_map(|folder| tree.under(folder, ENDINGS));
    ours.filter(|file| !GENERATED.contains(&file.path.as_str()))
        .filter_map(|file| {
            let lines = file.text.lines().count();
            let message = format!("{lines} lines; split it by what its parts do ({MOST_LINES} at most)");
            (lines > MOST_LINES).then(|| Finding::new(&file.path, 0, message))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_of_what_people_write() {
        let long = "line\n".repeat(MOST_LINES + 1);
        let fair = "line\n".repeat(MOST_LINES);
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", &long),
            ("crates/a/src/fair.rs", &fair),
            ("web/src/api/schema.d.ts", &long),
            ("sdks/python/data.json", &long),
            ("sdks/python/client.py", &long),
        ]);
        let paths: Vec<String> =
            readable_in_a_sitting(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(paths, ["crates/a/src/lib.rs", "sdks/python/client.py"]);
    }
}
