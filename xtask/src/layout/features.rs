//! Features are rooms with one door each, and the doors open downwards: identity ◄ content ◄ delivery.

use super::Finding;
use super::rust_text::split;
use super::tree::{Source, Tree};

const FOLDER: &str = "crates/xr2-server/src/features/";

/// The floors of the house, lowest first. A feature may import from its own floor and from those below it.
const FLOORS: &[(&str, &[&str])] = &[
    ("identity", &["accounts", "auth", "workspaces", "members", "invitations", "api_keys", "setup"]),
    ("content", &["prompts", "versions", "drafts", "labels", "templates", "bin", "folders", "views"]),
    ("delivery", &["delivery", "stream", "usage", "quotas", "telemetry", "edge", "activity"]),
    ("outside", &["system", "demo", "exports", "imports"]),
];

/// What one feature imports from another.
struct Import<'a> {
    file: &'a Source,
    line: usize,
    from: String,
    to: String,
    /// The path behind the other feature's name.
    tail: Vec<String>,
}

/// Only what a feature's `mod.rs` exports is used elsewhere, none of its inner modules.
pub fn entered_through_their_module(tree: &Tree) -> Vec<Finding> {
    imports(tree)
        .iter()
        .filter_map(|import| {
            let inner = import.tail.first()?;
            let path = format!("{FOLDER}{}/{inner}", import.to);
            let is_module =
                tree.file(&format!("{path}.rs")).is_some() || tree.file(&format!("{path}/mod.rs")).is_some();
            let message = format!(
                "`{}::{inner}` is an inner module; use what features/{}/mod.rs exports",
                import.to, import.to
            );
            is_module.then(|| Finding::new(&import.file.path, import.line, message))
        })
        .collect()
}

/// No feature imports from a floor above its own, and every feature has a floor.
pub fn imported_downwards(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = features(tree)
        .into_iter()
        .filter(|feature| floor(feature).is_none())
        .map(|feature| {
            let message =
                "this feature has no floor yet; give it one in FLOORS of xtask/src/layout/features.rs";
            Finding::new(&format!("{FOLDER}{feature}/"), 0, message)
        })
        .collect();
    for import in imports(tree) {
        let (Some(mine), Some(other)) = (floor(&import.from), floor(&import.to)) else { continue };
        if other > mine {
            let message = format!(
                "features/{} ({}) may not import from features/{} ({}), which stands above it",
                import.from, FLOORS[mine].0, import.to, FLOORS[other].0
            );
            findings.push(Finding::new(&import.file.path, import.line, message));
        }
    }
    findings
}

fn floor(feature: &str) -> Option<usize> {
    FLOORS.iter().position(|(_, features)| features.contains(&feature))
}

fn features(tree: &Tree) -> Vec<String> {
    let mut names: Vec<String> = tree
        .under(FOLDER, &[".rs"])
        .filter_map(|file| Some(file.path[FOLDER.len()..].split_once('/')?.0.to_owned()))
        .collect();
    names.dedup();
    names
}

fn imports(tree: &Tree) -> Vec<Import<'_>> {
    let known = features(tree);
    let mut found = Vec::new();
    for file in tree.under(FOLDER, &[".rs"]) {
        let Some((from, _)) = file.path[FOLDER.len()..].split_once('/') else { continue };
        let home = module_path(&file.path);
        for (line, path) in paths(&split(&file.text).code) {
            let path = absolute(&home, path);
            if let [features, to, tail @ ..] = path.as_slice()
                && features == "features"
                && to != from
                && known.contains(to)
            {
                found.push(Import { file, line, from: from.to_owned(), to: to.clone(), tail: tail.to_vec() });
            }
        }
    }
    found
}

/// `crates/xr2-server/src/features/a/b.rs` is `features::a::b`; `mod.rs` is its folder.
fn module_path(path: &str) -> Vec<String> {
    let inside =
        path.trim_start_matches("crates/xr2-server/src/").trim_end_matches(".rs").trim_end_matches("/mod");
    inside.split('/').map(str::to_owned).collect()
}

/// The path from the crate's root; empty when it is another crate's.
fn absolute(home: &[String], path: Vec<String>) -> Vec<String> {
    let mut base = match path.first().map(String::as_str) {
        Some("crate") => Vec::new(),
        Some("super" | "self") => home.to_vec(),
        _ => return Vec::new(),
    };
    for word in path {
        match word.as_str() {
            "crate" | "self" => {}
            "super" => {
                base.pop();
            }
            _ => base.push(word),
        }
    }
    base
}

/// Every path in the code with its line, groups in braces written out: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn paths(code: &str) -> Vec<(usize, Vec<String>)> {
    let mut reader = Reader { tokens: tokens(code), at: 0, found: Vec::new() };
    while reader.at < reader.tokens.len() {
        reader.path(&[]);
    }
    reader.found
}

#[derive(Clone, Copy, PartialEq)]
enum Token<'a> {
    Name(&'a str),
    Colons,
    Open,
    Close,
    Other,
}

fn tokens(code: &str) -> Vec<(usize, Token<'_>)> {
    let mut found = Vec::new();
    let mut line = 1;
    let mut rest = code;
    while let Some(next) = rest.chars().next() {
        let is_name = |character: char| character.is_alphanumeric() || character == '_';
        let length =
            if is_name(next) { rest.find(|c| !is_name(c)).unwrap_or(rest.len()) } else { next.len_utf8() };
        let token = match next {
            _ if is_name(next) => Some((length, Token::Name(&rest[..length]))),
            ':' if rest.starts_with("::") => Some((2, Token::Colons)),
            '{' => Some((1, Token::Open)),
            '}' => Some((1, Token::Close)),
            _ if next.is_whitespace() => None,
            _ => Some((length, Token::Other)),
        };
        line += usize::from(next == '\n');
        if let Some((_, token)) = token {
            found.push((line, token));
        }
        rest = &rest[token.map_or(length, |(length, _)| length)..];
    }
    found
}

struct Reader<'a> {
    tokens: Vec<(usize, Token<'a>)>,
    at: usize,
    found: Vec<(usize, Vec<String>)>,
}

impl Reader<'_> {
    fn peek(&self) -> Token<'_> {
        self.tokens.get(self.at).map_or(Token::Other, |(_, token)| *token)
    }

    /// One path, behind what the surrounding group begins with.
    fn path(&mut self, before: &[String]) {
        let line = self.tokens[self.at].0;
        let mut path = before.to_vec();
        while let Token::Name(name) = self.peek() {
            path.push(name.to_owned());
            self.at += 1;
            if self.peek() != Token::Colons {
                self.found.push((line, path));
                return;
            }
            self.at += 1;
            if self.peek() == Token::Open {
                self.at += 1;
                return self.group(&path);
            }
        }
        if path.len() > before.len() {
            // `a::*` or `a::<T>`.
            self.found.push((line, path));
        }
        self.at += 1;
    }

    fn group(&mut self, before: &[String]) {
        while self.at < self.tokens.len() && self.peek() != Token::Close {
            self.path(before);
        }
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(code: &str) -> Vec<String> {
        paths(code).into_iter().map(|(_, path)| path.join("::")).filter(|path| path.contains("::")).collect()
    }

    #[test]
    fn writes_groups_out() {
        assert_eq!(
            joined("use a::{b, c::{d, e}, self};\nlet x = f::g(h::<T>());"),
            ["a::b", "a::c::d", "a::c::e", "a::self", "f::g"]
        );
        assert_eq!(joined("fn a() { b::c { d: e::f } } use g::*;"), ["b::c", "e::f"]);
    }

    #[test]
    fn knows_where_relative_paths_lead() {
        let home = module_path("crates/xr2-server/src/features/prompts/queries.rs");
        let to = |text: &str| absolute(&home, text.split("::").map(str::to_owned).collect()).join("::");
        assert_eq!(to("super::model::A"), "features::prompts::model::A");
        assert_eq!(to("super::super::labels::A"), "features::labels::A");
        assert_eq!(to("crate::state"), "state");
        assert_eq!(to("std::fs"), "");
        assert_eq!(
            module_path("crates/xr2-server/src/features/prompts/mod.rs").join("::"),
            "features::prompts"
        );
    }

    fn tree(users_of: &[(&str, &str)]) -> Tree {
        let mut files = vec![
            ("crates/xr2-server/src/features/accounts/mod.rs", "mod queries; pub use queries::find;"),
            ("crates/xr2-server/src/features/accounts/queries.rs", ""),
            ("crates/xr2-server/src/features/delivery/mod.rs", ""),
        ];
        files.extend_from_slice(users_of);
        Tree::of(&files)
    }

    #[test]
    fn features_have_one_door() {
        let tree = tree(&[(
            "crates/xr2-server/src/features/prompts/service.rs",
            "use crate::features::accounts::find;\nuse crate::features::accounts::queries::find;\nfn f() { super::super::accounts::{queries} }",
        )]);
        let lines: Vec<usize> =
            entered_through_their_module(&tree).iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [2, 3]);
    }

    #[test]
    fn nobody_imports_from_above() {
        let tree = tree(&[
            (
                "crates/xr2-server/src/features/prompts/service.rs",
                "use crate::features::{accounts::find,\n delivery::Cache};",
            ),
            ("crates/xr2-server/src/features/novelty/mod.rs", ""),
        ]);
        let found: Vec<String> = imported_downwards(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("novelty/: this feature has no floor"), "{found:?}");
        assert!(
            found[1]
                .contains("service.rs:2: features/prompts (content) may not import from features/delivery"),
            "{found:?}"
        );
    }
}
