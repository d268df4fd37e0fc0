//! Who may speak to the database.

use super::Finding;
use super::rust_text::{has_word, split};
use super::tree::Tree;

const DATA_LAYER: &str = "crates/xr2-db/";

/// Nobody but the data layer knows which driver there is.
pub fn only_the_data_layer_names_sqlx(tree: &Tree) -> Vec<Finding> {
    let message = "only crates/xr2-db names sqlx; go through its two doors";
    let mut findings = Vec::new();
    for file in tree.under("crates/", &[".rs", "Cargo.toml"]) {
        if file.path.starts_with(DATA_LAYER) {
            continue;
        }
        let text = if file.path.ends_with(".rs") {
            split(&file.text).code
        } else {
            without_toml_comments(&file.text)
        };
        let lines = text.lines().enumerate().filter(|(_, line)| has_word(line, "sqlx"));
        findings.extend(lines.map(|(at, _)| Finding::new(&file.path, at + 1, message)));
    }
    findings
}

fn without_toml_comments(text: &str) -> String {
    text.lines().map(|line| line.split('#').next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Statements stand in the data layer or in a module called `queries`, so that a reader finds all of them.
pub fn sql_stands_in_queries(tree: &Tree) -> Vec<Finding> {
    let allowed = |path: &str| {
        path.starts_with(DATA_LAYER) || path.ends_with("/queries.rs") || path.contains("/queries/")
    };
    let mut findings = Vec::new();
    for file in tree.under("crates/", &[".rs"]).filter(|file| !allowed(&file.path)) {
        for literal in split(&file.text).literals.iter().filter(|literal| is_sql(&literal.text)) {
            let message = "SQL stands in a queries.rs or in crates/xr2-db";
            findings.push(Finding::new(&file.path, literal.line, message));
        }
    }
    findings
}

/// Whether a literal is a statement, or the part of one that carries a placeholder.
fn is_sql(literal: &str) -> bool {
    let text = literal.replace("\\n", " ").replace("\\\n", " ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let has = |word: &str| words.contains(&word);
    let placeholder = (1..=9).any(|number| text.contains(&format!("${number}")));
    match words.as_slice() {
        ["SELECT", _, ..] | ["DELETE", "FROM", _, ..] | ["INSERT", "INTO" | "OR", _, ..] => true,
        ["UPDATE", ..] => has("SET"),
        ["WITH", ..] => has("AS") && has("SELECT"),
        [
            "CREATE",
            "TABLE" | "INDEX" | "UNIQUE" | "ROLE" | "POLICY" | "TRIGGER" | "VIEW" | "VIRTUAL" | "SCHEMA",
            ..,
        ] => true,
        ["ALTER" | "DROP", "TABLE" | "INDEX" | "ROLE" | "POLICY" | "VIEW" | "SCHEMA", ..] => true,
        ["PRAGMA", _, ..] | ["SET", "ROLE" | "LOCAL", ..] | ["BEGIN", "IMMEDIATE"] | ["TRUNCATE", _, ..] => {
            true
        }
        _ => placeholder && ["WHERE", "VALUES", "AND", "LIMIT"].iter().any(|word| has(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(findings: &[Finding]) -> Vec<(&str, usize)> {
        findings.iter().map(|finding| (finding.path.as_str(), finding.line)).collect()
    }

    #[test]
    fn sqlx_is_named_in_its_own_crate_only() {
        let tree = Tree::of(&[
            ("crates/xr2-db/src/lib.rs", "use sqlx::Row;"),
            ("crates/xr2-server/src/lib.rs", "// sqlx is elsewhere\nlet text = \"sqlx\";\nuse sqlx::Row;"),
            ("crates/xr2-server/Cargo.toml", "# sqlx\nsqlx = { workspace = true }"),
        ]);
        assert_eq!(
            lines(&only_the_data_layer_names_sqlx(&tree)),
            [("crates/xr2-server/src/lib.rs", 3), ("crates/xr2-server/Cargo.toml", 2)]
        );
    }

    #[test]
    fn sql_is_found_wherever_it_hides() {
        let statement = "let a = 1;\nrun(\"SELECT id FROM users\");";
        let tree = Tree::of(&[
            ("crates/xr2-db/src/lib.rs", statement),
            ("crates/xr2-server/src/features/prompts/queries.rs", statement),
            ("crates/xr2-server/src/features/prompts/service.rs", statement),
            ("crates/xr2-server/tests/all.rs", statement),
        ]);
        assert_eq!(
            lines(&sql_stands_in_queries(&tree)),
            [("crates/xr2-server/src/features/prompts/service.rs", 2), ("crates/xr2-server/tests/all.rs", 2)]
        );
    }

    #[test]
    fn sql_is_told_from_prose() {
        for sql in [
            "\n  INSERT INTO users (id) VALUES ($1)",
            "UPDATE users SET name = $1",
            "WITH live AS (SELECT 1) SELECT * FROM live",
            "PRAGMA journal_mode",
            " AND workspace_id = $2",
            "SET LOCAL row_security",
        ] {
            assert!(is_sql(sql), "{sql}");
        }
        for prose in [
            "UPDATE",
            "Select a label",
            "WITH care",
            "CREATE a prompt",
            "it costs $1",
            "DELETE",
            "GET /a AND /b",
        ] {
            assert!(!is_sql(prose), "{prose}");
        }
    }
}
