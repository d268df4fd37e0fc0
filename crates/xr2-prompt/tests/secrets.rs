//! What looks like a secret.

use proptest::prelude::*;
use xr2_prompt::find_secrets;

/// The sort found in each line, in order. Examples are put together here, so that no scanner stops at this file.
fn kinds(text: &str) -> Vec<&'static str> {
    find_secrets(text).into_iter().map(|found| found.kind).collect()
}

const RANDOM: &str = "q7Zp2Lx9Vb4Kd8Rt3Wm6Ys1Nc5Hf0JgAeUoIkTzB";

#[test]
fn known_forms_are_found() {
    for (form, length, kind) in [
        ("sk-ant-", 30, "an Anthropic API key"),
        ("sk-proj-", 40, "an OpenAI API key"),
        ("sk-", 40, "an OpenAI API key"),
        ("sk_live_", 24, "a Stripe key"),
        ("ghp_", 36, "a GitHub token"),
        ("glpat-", 20, "a GitLab token"),
        ("xoxb-", 30, "a Slack token"),
        ("AIza", 35, "a Google API key"),
        ("hf_", 34, "a Hugging Face token"),
        ("xr2_", 40, "an xr2 API key"),
    ] {
        let key = format!("{form}{}", &RANDOM[..length]);
        assert_eq!(kinds(&key), [kind], "{form}");
        assert_eq!(kinds(&format!("say \"{key}\", please")), [kind], "{form}");
        assert_eq!(kinds(&format!("key={key}&x")), [kind], "{form}");
    }
    assert_eq!(kinds(&format!("AKIA{}", "Q7ZP2LX9VB4KD8RT")), ["an AWS access key"]);
    assert_eq!(kinds(&format!("-----BEGIN {} PRIVATE KEY-----", "RSA")), ["a private key"]);
    assert_eq!(kinds(&format!("postgres://ana:{}@db.example/x", "hunter2-x9")), ["a password in an address"]);
    let token = format!("eyJ{0}.eyJ{0}.{0}", &RANDOM[..24]);
    assert_eq!(kinds(&token), ["a signed token (JWT)"]);
    for before in ["password: ", "\"api_key\": \"", "CLIENT_SECRET=", "token = '", "x-api-key: "] {
        assert_eq!(kinds(&format!("{before}{}", &RANDOM[..16])), ["a password or key"], "{before}");
    }
    assert_eq!(kinds(RANDOM), ["a long random key"]);
}

#[test]
fn lines_are_told() {
    let key = format!("ghp_{}", &RANDOM[..36]);
    let found = find_secrets(&format!("one\r\ntwo {key} {key}\n\n{key}"));
    assert_eq!(found.iter().map(|one| one.line).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(find_secrets(&format!("{key}\n").repeat(100)).len(), 10);
}

#[test]
fn ordinary_text_is_left_alone() {
    for text in [
        "Your key is {{ api_key }} and the password: {{ password }}.",
        "Authorization: Bearer sk-your-key-goes-here-and-not-this-one",
        "api_key = sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "password: correct horse battery staple",
        "token: a-long-but-plain-word-with-dashes",
        "postgres://user:password@localhost/db and https://{{user}}:{{password}}@host/",
        "https://example.com/a/very/long/path-with-words/and_more_of_them/index.html?x=1",
        "550e8400-e29b-41d4-a716-446655440000",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709 is the SHA-1 of nothing",
        "thisIsAVeryLongCamelCaseIdentifierOfSomeProgram2000AndMore",
        "AKIAIOSFODNN7EXAMPLE is what the documentation of AWS shows",
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        "the secret of success is work; the token economy is not",
    ] {
        assert_eq!(kinds(text), [""; 0], "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_harm(text in "\\PC{0,400}") {
        let lines = text.lines().count().max(1);
        for found in find_secrets(&text) {
            prop_assert!((1..=lines).contains(&(found.line as usize)));
        }
    }

    #[test]
    fn a_key_is_found_wherever_it_stands(
        before in "[a-z \\n]{0,60}", after in "[a-z \\n]{0,60}", key in "[A-Za-z0-9]{40}",
    ) {
        let key = format!("ghp_{key}7Zq");
        let text = format!("{before} {key} {after}");
        let line = before.matches('\n').count() as u32 + 1;
        let found = find_secrets(&text);
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!((found[0].kind, found[0].line), ("a GitHub token", line));
    }

    #[test]
    fn words_and_sentences_are_none(text in "([a-z]{1,14}[ .,\\n]){0,60}") {
        prop_assert_eq!(find_secrets(&text), vec![]);
    }
}
