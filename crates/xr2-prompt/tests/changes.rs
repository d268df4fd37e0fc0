//! Differences of versions, told in lines and in a sentence.

use serde_json::{Value, json};
use xr2_prompt::{Content, Contract, LineKind, Side, Syntax, change_summary, diff};

struct Version {
    content: Content,
    syntax: Syntax,
    contract: Contract,
    config: Value,
}

impl Version {
    fn side(&self) -> Side<'_> {
        Side { content: &self.content, syntax: self.syntax, contract: &self.contract, config: &self.config }
    }
}

fn text(content: &str) -> Version {
    Version {
        content: Content::Text(content.to_owned()),
        syntax: Syntax::Simple,
        contract: Contract::default(),
        config: Value::Null,
    }
}

fn chat(messages: Value) -> Version {
    Version { content: Content::from_messages(&messages, "messages").expect("messages"), ..text("") }
}

fn with_variables(version: Version, variables: Value) -> Version {
    Version { contract: Contract::from_value(&variables, "variables").expect("contract"), ..version }
}

fn summary(before: &Version, after: &Version) -> String {
    let summary = change_summary(Some(&before.side()), &after.side(), None);
    assert_eq!(diff(&before.side(), &after.side(), None).summary, summary);
    summary
}

#[test]
fn texts_are_summed_up_by_lines() {
    assert_eq!(change_summary(None, &text("a").side(), None), "Created");
    assert_eq!(summary(&text("a"), &text("a")), "No changes");
    assert_eq!(summary(&text("a\nb\nc"), &text("a\nB\nc")), "Changed 1 line");
    assert_eq!(summary(&text("a\nb\nc"), &text("A\nb\nC")), "Changed 2 lines");
    assert_eq!(summary(&text("a"), &text("a\nb\nc")), "Added 2 lines");
    assert_eq!(summary(&text("a\nb"), &text("a")), "Removed 1 line");
    assert_eq!(summary(&text("a\nb"), &text("A\nb\nc")), "Changed 1 line, added 1 line");
}

#[test]
fn variables_and_settings_are_named() {
    let spec = |name: &str| json!({"name": name});
    let none = text("a");
    let one = with_variables(text("a"), json!([spec("tone")]));
    let two = with_variables(text("a"), json!([spec("tone"), spec("name")]));
    let many = with_variables(text("a"), json!([spec("a"), spec("b"), spec("c"), spec("d")]));
    let changed = with_variables(text("a"), json!([{"name": "tone", "required": true}]));
    assert_eq!(summary(&none, &one), "Added variable `tone`");
    assert_eq!(summary(&none, &two), "Added variables `tone` and `name`");
    assert_eq!(summary(&many, &none), "Removed 4 variables");
    assert_eq!(summary(&one, &changed), "Changed variable `tone`");
    let hot = Version { config: json!({"temperature": 1}), ..text("a") };
    let empty = Version { config: json!({}), ..text("a") };
    assert_eq!(summary(&none, &hot), "Changed model settings");
    assert_eq!(summary(&none, &empty), "No changes");
    let jinja = Version { syntax: Syntax::Jinja, ..text("b") };
    assert_eq!(summary(&none, &jinja), "Changed 1 line, switched the syntax to jinja");
    let both = with_variables(text("x\ny"), json!([spec("tone")]));
    assert_eq!(summary(&text("a\nb"), &both), "Changed 2 lines, added variable `tone`");
}

#[test]
fn chats_are_summed_up_by_messages() {
    let message = |role: &str, content: &str| json!({"role": role, "content": content});
    let base = chat(json!([message("system", "s"), message("user", "u")]));
    let cases = [
        (json!([message("system", "S"), message("user", "u")]), "Changed the system message"),
        (json!([message("system", "s"), message("user", "u"), message("user", "v")]), "Added a user message"),
        (
            json!([message("system", "s"), message("user", "u"), message("assistant", "v")]),
            "Added an assistant message",
        ),
        (json!([message("user", "u")]), "Removed a system message"),
        (json!([message("system", "S"), message("user", "U")]), "Changed 2 messages"),
        (
            json!([message("system", "s"), {"type": "placeholder", "name": "history"}, message("user", "u")]),
            "Added a placeholder",
        ),
        (
            json!([
                message("system", "s"),
                message("user", "u"),
                message("assistant", "a"),
                message("user", "v")
            ]),
            "Added 2 messages",
        ),
    ];
    for (messages, expected) in cases {
        assert_eq!(summary(&base, &chat(messages)), expected);
    }
    assert_eq!(summary(&text("a"), &base), "Made it a chat prompt");
    assert!(diff(&text("a").side(), &base.side(), None).type_changed);
}

#[test]
fn a_changed_line_shows_its_words() {
    let difference =
        diff(&text("You are a kind helper.").side(), &text("You are a very kind guide.").side(), None);
    let segments = |index: usize| {
        let line: &xr2_prompt::DiffLine = &difference.lines[index];
        let pieces = line.segments.iter().flatten();
        pieces
            .map(|piece| if piece.changed { format!("[{}]", piece.text) } else { piece.text.clone() })
            .collect::<String>()
    };
    assert_eq!(difference.lines.len(), 2);
    assert_eq!(segments(0), "You are a kind [helper].");
    assert_eq!(segments(1), "You are a [very ]kind [guide].");
    assert_eq!((difference.stats.changed, difference.stats.added, difference.stats.removed), (1, 0, 0));
}

#[test]
fn unlike_lines_have_no_words_in_common() {
    let difference = diff(&text("alpha beta").side(), &text("gamma delta").side(), None);
    assert!(difference.lines.iter().all(|line| line.segments.is_none()));
}

#[test]
fn a_chat_is_laid_out_with_headings() {
    let version = chat(json!([
        {"role": "system", "content": "Be kind."},
        {"type": "placeholder", "name": "history", "required": true},
        {"role": "user", "name": "ada", "content": [
            {"type": "text", "text": "See"}, {"type": "image", "url": "https://example.com/a.png"},
        ]},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "1"}]},
        {"role": "tool", "content": "5", "tool_call_id": "1"},
    ]));
    let difference = diff(&version.side(), &version.side(), None);
    let lines: Vec<_> = difference.lines.iter().map(|line| line.text.as_str()).collect();
    let expected = [
        "[system]",
        "Be kind.",
        "",
        "[placeholder: history, required]",
        "",
        "[user: ada]",
        "See",
        "[image: https://example.com/a.png]",
        "",
        "[assistant]",
        "[calls] {\"id\":\"1\"}",
        "",
        "[tool for 1]",
        "5",
    ];
    assert_eq!(lines, expected);
    assert!(difference.lines.iter().all(|line| line.kind == LineKind::Equal));
}

#[test]
fn the_shape_is_the_one_of_the_api() {
    let before = with_variables(text("a\nb"), json!([{"name": "x"}, {"name": "y"}]));
    let after = with_variables(
        Version { config: json!({"model": "m"}), ..text("a\nc") },
        json!([{"name": "y", "required": true}, {"name": "z"}]),
    );
    let shape = json!(diff(&before.side(), &after.side(), None));
    assert_eq!(shape["lines"][0], json!({"kind": "equal", "old": 1, "new": 1, "text": "a"}));
    assert_eq!(shape["lines"][1], json!({"kind": "delete", "old": 2, "new": null, "text": "b"}));
    assert_eq!(shape["lines"][2], json!({"kind": "insert", "old": null, "new": 2, "text": "c"}));
    assert_eq!(shape["variables"]["added"], json!(["z"]));
    assert_eq!(shape["variables"]["removed"], json!(["x"]));
    assert_eq!(shape["variables"]["changed"][0]["name"], json!("y"));
    assert_eq!(shape["config"], json!({"before": null, "after": {"model": "m"}}));
    assert_eq!(shape["syntax"], Value::Null);
    assert_eq!(shape["stats"], json!({"added": 0, "removed": 0, "changed": 1}));
}

#[test]
fn large_texts_are_compared_in_time() {
    let lines =
        |step: usize| (0..40_000).map(|at| format!("line {}", at * step)).collect::<Vec<_>>().join("\n");
    let started = std::time::Instant::now();
    let deadline = Some(started + std::time::Duration::from_millis(500));
    let (old, new) = (text(&lines(7)), text(&lines(11)));
    let difference = diff(&old.side(), &new.side(), deadline);
    assert!(started.elapsed() < std::time::Duration::from_secs(10), "{:?}", started.elapsed());
    assert!(difference.lines.len() >= 40_000);
}
