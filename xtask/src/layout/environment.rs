//! Who may read the environment.

use super::Finding;
use super::rust_text::split;
use super::tree::Tree;

/// The crates that make up the program. Test kit, benchmarks and these commands are tools and read what they like.
const PROGRAM: &[&str] = &["crates/xr2/src/", "crates/xr2-server/src/"];

/// Settings come from one place, so that one page can document all of them and one check can validate them.
pub fn only_configuration_reads_it(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in PROGRAM.iter().flat_map(|folder| tree.under(folder, &[".rs"])) {
        if is_configuration(&file.path) {
            continue;
        }
        for (at, line) in split(&file.text).code.lines().enumerate() {
            if ["env::var(", "env::var_os(", "env::vars(", "env::vars_os("]
                .iter()
                .any(|call| line.contains(call))
            {
                let message =
                    "only the configuration module reads the environment; take it from the settings";
                findings.push(Finding::new(&file.path, at + 1, message));
            }
        }
    }
    findings
}

fn is_configuration(path: &str) -> bool {
    path.ends_with("/src/config.rs") || path.contains("/src/config/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_config_may() {
        let reading = "fn a() {\n    std::env::var(\"HOME\");\n}";
        let tree = Tree::of(&[
            ("crates/xr2-server/src/config.rs", reading),
            ("crates/xr2-server/src/config/file.rs", reading),
            ("crates/xr2-server/src/state.rs", reading),
            ("crates/xr2-testkit/src/lib.rs", reading),
            ("crates/xr2/src/main.rs", "// std::env::var(\"A\")\nlet b = std::env::args();"),
        ]);
        let findings = only_configuration_reads_it(&tree);
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].path.as_str(), findings[0].line), ("crates/xr2-server/src/state.rs", 2));
    }
}
