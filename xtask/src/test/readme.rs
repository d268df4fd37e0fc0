//! The examples that a reader copies first are run as they stand.

use super::Outcome;
use super::session::Session;
use crate::process::Run;
use anyhow::{Context, Result};
use std::path::Path;

/// The first fenced block of a Markdown file in one of these languages.
pub fn first_example(path: &Path, languages: &[&str]) -> Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    first_block(&text, languages)
        .with_context(|| format!("{} has no block of code in {}", path.display(), languages.join(" or ")))
}

/// Runs an example; its last line says where the text came from, and the example's own fallback does not count.
pub fn run(session: &Session, log: &str, run: &Run) -> Result<Outcome> {
    let mut finished = session.run(log, run)?;
    if finished.problem.is_none() && !was_served(&finished.output) {
        finished.problem = Some("the example did not get its text from the server".to_owned());
    }
    Ok(Outcome::of_check(finished))
}

/// `version 3, from api`
fn was_served(output: &str) -> bool {
    let last = output.trim_end().lines().next_back().unwrap_or_default();
    last.starts_with("version ")
        && ["from api", "from stream", "from cache"].iter().any(|end| last.ends_with(end))
}

fn first_block(text: &str, languages: &[&str]) -> Option<String> {
    let mut lines = text.lines();
    lines
        .find(|line| line.strip_prefix("```").is_some_and(|language| languages.contains(&language.trim())))?;
    let block: Vec<&str> = lines.take_while(|line| !line.starts_with("```")).collect();
    Some(block.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fallback_is_no_answer_of_the_server() {
        assert!(was_served("Hello Ada\nversion 3, from api\n"));
        assert!(!was_served("Hello Ada\nversion None, from fallback\n"));
        assert!(!was_served(""));
    }

    #[test]
    fn takes_the_first_block_of_the_language() {
        let text =
            "# xr2\n```sh\npip install xr2\n```\n```python\nimport xr2\nprint(1)\n```\n```python\nno\n```\n";
        assert_eq!(first_block(text, &["python"]).as_deref(), Some("import xr2\nprint(1)\n"));
        assert_eq!(first_block(text, &["ts"]), None);
    }
}
