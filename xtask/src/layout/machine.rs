//! The repository means the same on every machine.

use super::Finding;
use super::tree::Tree;

/// Places that exist on somebody's machine only. Written in two parts, or this file would find itself.
const PATHS: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
    concat!("../sha", "red"),
    concat!("/tmp", "/plan"),
    concat!("/tmp", "/wt"),
    concat!("/tmp", "/target"),
];

/// Hosts that a package manager is told by its own settings, which differ from one company to the next.
const REGISTRIES: &[&str] = &[
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("pypi", ".org"),
    concat!("python", "hosted.org"),
    concat!("static.crates", ".io"),
    concat!("index.crates", ".io"),
    concat!("docker", ".io"),
    concat!("gcr", ".io"),
    concat!("ghcr", ".io"),
    concat!("quay", ".io"),
];

/// No path of one machine in any file.
pub fn no_paths(tree: &Tree) -> Vec<Finding> {
    search(tree, PATHS, "a path of one machine")
}

/// No registry's host in any file, nor a download address in a lock file.
pub fn no_registries(tree: &Tree) -> Vec<Finding> {
    let mut findings = search(tree, REGISTRIES, "the host of a package registry");
    for file in tree.files.iter().filter(|file| file.path.ends_with("package-lock.json")) {
        for (at, line) in file.text.lines().enumerate() {
            if line.contains("\"resolved\": \"http") {
                let message = "a download address; write the lock file with `npm install --omit-lockfile-registry-resolved`";
                findings.push(Finding::new(&file.path, at + 1, message));
            }
        }
    }
    findings
}

fn search(tree: &Tree, patterns: &[&str], what: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        for (at, line) in file.text.lines().enumerate() {
            if let Some(pattern) = patterns.iter().find(|pattern| stands_in(line, pattern)) {
                findings.push(Finding::new(&file.path, at + 1, format!("`{pattern}` is {what}")));
            }
        }
    }
    findings
}

/// Not as the tail of a longer name: `framework/` in a path is nothing to worry about.
fn stands_in(line: &str, pattern: &str) -> bool {
    line.match_indices(pattern)
        .any(|(at, _)| !line[..at].chars().next_back().is_some_and(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_paths_hosts_and_download_addresses() {
        let path = format!("see {}notes", PATHS[1]);
        let host = format!("from https://{}/x", REGISTRIES[2]);
        let tree = Tree::of(&[
            ("README.md", path.as_str()),
            ("docs/a.md", "home/work/play and https://example.com/root/"),
            ("docs/b.md", host.as_str()),
            ("web/package-lock.json", "{\n\"resolved\": \"https://mirror.example/a.tgz\"\n}"),
        ]);
        assert_eq!(
            no_paths(&tree).iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(),
            ["README.md"]
        );
        let found: Vec<_> =
            no_registries(&tree).into_iter().map(|finding| (finding.path, finding.line)).collect();
        assert_eq!(found, [("docs/b.md".into(), 1), ("web/package-lock.json".into(), 2)]);
    }
}
