//! What stands between two lines of `---` at the beginning of a Markdown file.

use serde_json::Value;

use crate::features::imports::readers::promptfoo::parse;

/// The facts at the beginning, if there are any, and the text behind them.
pub(super) fn split(text: &str) -> (Option<Value>, &str) {
    let Some(rest) = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n")) else {
        return (None, text);
    };
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            let facts = parse(&rest[..at]).ok().filter(Value::is_object);
            let behind = &rest[at + line.len()..];
            let behind = behind.strip_prefix("\r\n").or(behind.strip_prefix('\n')).unwrap_or(behind);
            return match facts {
                Some(facts) => (Some(facts), behind),
                None => (None, text),
            };
        }
        at += line.len();
    }
    (None, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_stand_before_the_text() {
        let (facts, text) = split("---\ntitle: A b\ntags: [x, y]\n---\n\nHello\n");
        let facts = facts.expect("facts");
        assert_eq!(
            (facts["title"].as_str(), facts["tags"][1].as_str(), text),
            (Some("A b"), Some("y"), "Hello\n")
        );
        for plain in ["# Title\n---\n", "---\nno end", "---\n: [\n---\ntext", "---\njust words\n---\n"] {
            assert_eq!(split(plain), (None, plain));
        }
    }
}
