//! The examples that a reader copies first are run as they stand.

use anyhow::{Context, Result};
use std::path::Path;

/// The first fenced block of a Markdown file in one of these languages.
pub fn first_example(path: &Path, languages: &[&str]) -> Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    first_block(&text, languages)
        .with_context(|| format!("{} has no block of code in {}", path.display(), languages.join(" or ")))
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
    fn takes_the_first_block_of_the_language() {
        let text =
            "# xr2\n```sh\npip install xr2\n```\n```python\nimport xr2\nprint(1)\n```\n```python\nno\n```\n";
        assert_eq!(first_block(text, &["python"]).as_deref(), Some("import xr2\nprint(1)\n"));
        assert_eq!(first_block(text, &["ts"]), None);
    }
}
