//! Rules about where things stand, each small enough to be checked by reading text.
//!
//! A rule looks at a [`Tree`] and returns what it found. To add one, write the function and put it into [`RULES`].

use anyhow::Result;
use tree::Tree;

pub mod checksums;
mod database;
mod environment;
mod features;
mod machine;
mod migrations;
mod rust_text;
mod size;
mod tree;

/// One thing that stands in the wrong place.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    pub path: String,
    /// 1-based; 0 when the file as a whole is meant.
    pub line: usize,
    pub message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(formatter, "{}: {}", self.path, self.message),
            line => write!(formatter, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// A rule's name, as the report shows it, and its check.
pub type Rule = (&'static str, fn(&Tree) -> Vec<Finding>);

/// Every rule there is.
pub const RULES: &[Rule] = &[
    ("only xr2-db names sqlx", database::only_the_data_layer_names_sqlx),
    ("SQL stands in queries.rs", database::sql_stands_in_queries),
    ("only the configuration reads the environment", environment::only_configuration_reads_it),
    ("features are entered through mod.rs", features::entered_through_their_module),
    ("features import downwards", features::imported_downwards),
    ("migrations agree in both dialects", migrations::same_in_both_dialects),
    ("landed migrations are unchanged", checksums::unchanged),
    ("files can be read in a sitting", size::readable_in_a_sitting),
    ("no machine paths", machine::no_paths),
    ("no package registry hosts", machine::no_registries),
];

/// Checks all rules and prints what they found.
pub fn run() -> Result<bool> {
    let tree = Tree::read(crate::paths::root())?;
    let findings: Vec<Finding> = RULES.iter().flat_map(|(_, rule)| rule(&tree)).collect();
    for finding in &findings {
        println!("{finding}");
    }
    println!("{} rules, {} findings", RULES.len(), findings.len());
    Ok(findings.is_empty())
}

/// Reads the tree once for a caller that runs the rules one by one.
pub fn tree() -> Result<Tree> {
    Tree::read(crate::paths::root())
}
