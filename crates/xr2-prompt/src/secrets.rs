//! Finding what looks like a secret: a key or password that somebody pasted into a text that many will read.
//!
//! Known forms of keys, passwords in addresses, values given to names such as `api_key`, and long random words. Only where
//! and what sort is told, never the thing itself. One pass over the text.

/// What a suspicious piece of text looks like, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretFound {
    /// In words, with an article, such as "a private key".
    pub kind: &'static str,
    /// Line, from 1.
    pub line: u32,
}

/// Places told of one text at most.
const MOST: usize = 10;

/// Beginnings of keys, how many characters follow at least, and whose they are. Longer beginnings come first.
const FORMS: &[(&str, usize, &str)] = &[
    ("sk-ant-", 20, "an Anthropic API key"),
    ("sk-or-", 20, "an OpenRouter API key"),
    ("sk-proj-", 20, "an OpenAI API key"),
    ("sk-", 32, "an OpenAI API key"),
    ("sk_live_", 16, "a Stripe key"),
    ("rk_live_", 16, "a Stripe key"),
    ("sk_test_", 16, "a Stripe key"),
    ("github_pat_", 22, "a GitHub token"),
    ("ghp_", 30, "a GitHub token"),
    ("gho_", 30, "a GitHub token"),
    ("ghu_", 30, "a GitHub token"),
    ("ghs_", 30, "a GitHub token"),
    ("ghr_", 30, "a GitHub token"),
    ("glpat-", 20, "a GitLab token"),
    ("xoxb-", 20, "a Slack token"),
    ("xoxp-", 20, "a Slack token"),
    ("xoxa-", 20, "a Slack token"),
    ("xoxr-", 20, "a Slack token"),
    ("xoxs-", 20, "a Slack token"),
    ("AIza", 35, "a Google API key"),
    ("hf_", 30, "a Hugging Face token"),
    ("npm_", 36, "an npm token"),
    ("pypi-", 50, "a PyPI token"),
    ("xr2_", 32, "an xr2 API key"),
    ("xr2s_", 32, "an xr2 session token"),
    ("xr2p_", 32, "an xr2 preview link"),
];

/// Ends of names whose value is nobody's business.
const SECRET_NAMES: &[&str] =
    &["password", "passwd", "secret", "token", "api_key", "apikey", "api-key", "access_key", "private_key"];

/// Shortest value of such a name, and of a random word without one.
const LEAST_VALUE: usize = 12;
const LEAST_WORD: usize = 40;
/// Longer ones are data, such as a picture.
const MOST_WORD: usize = 512;

/// Everything in `text` that looks like a secret, in its order; the same sort once a line.
pub fn find_secrets(text: &str) -> Vec<SecretFound> {
    let mut found: Vec<SecretFound> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for kind in in_line(line) {
            let one = SecretFound { kind, line: number };
            if !found.contains(&one) {
                found.push(one);
            }
            if found.len() == MOST {
                return found;
            }
        }
    }
    found
}

fn in_line(line: &str) -> Vec<&'static str> {
    let mut kinds = Vec::new();
    if line.contains("-----BEGIN ") && line.contains("PRIVATE KEY-----") {
        kinds.push("a private key");
    }
    if has_password_in_address(line) {
        kinds.push("a password in an address");
    }
    let (mut at, bytes) = (0, line.as_bytes());
    while at < bytes.len() {
        if !is_of_word(bytes[at]) {
            at += 1;
            continue;
        }
        let end = at + bytes[at..].iter().take_while(|byte| is_of_word(**byte)).count();
        let (word, before, after) = (&line[at..end], &line[..at], &line[end..]);
        kinds.extend(of_word(word, before, after));
        at = end;
    }
    kinds
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn of_word(word: &str, before: &str, after: &str) -> Option<&'static str> {
    // A placeholder such as sk-xxxxxxxx or sk-your-key-here gives nothing away.
    let is_random = |text: &str| entropy(text) > 3.0;
    let known = FORMS.iter().find(|(form, least, _)| {
        word.strip_prefix(form).is_some_and(|rest| rest.len() >= *least && is_random(rest) && has_digit(rest))
    });
    if let Some((_, _, kind)) = known {
        // A publishable key is for everybody's eyes.
        return (!word.starts_with("xr2_pub_")).then_some(*kind);
    }
    let is_aws = ["AKIA", "ASIA"].iter().any(|form| word.starts_with(form))
        && word.len() == 20
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if is_aws && !word.contains("EXAMPLE") {
        return Some("an AWS access key");
    }
    if word.starts_with("eyJ") && word.len() > 10 && is_signed_token(after) {
        return Some("a signed token (JWT)");
    }
    if word.len() >= LEAST_VALUE && is_value_of_secret(before) && is_random(word) && has_digit(word) {
        return Some("a password or key");
    }
    let is_long = (LEAST_WORD..=MOST_WORD).contains(&word.len());
    (is_long && is_mixed(word) && entropy(word) > 4.5).then_some("a long random key")
}

/// `.eyJ….…`: what follows the first part of a JWT.
fn is_signed_token(after: &str) -> bool {
    let mut parts = after.strip_prefix('.').unwrap_or_default().splitn(2, '.');
    let payload = parts.next().unwrap_or_default();
    let signature = parts.next().unwrap_or_default();
    payload.starts_with("eyJ")
        && payload.bytes().all(is_of_word)
        && signature.bytes().take_while(|byte| is_of_word(*byte)).count() >= 20
}

/// Whether what stands before a word gives it to a name such as `api_key`: `api_key = "`, `"token": "`.
fn is_value_of_secret(before: &str) -> bool {
    let before = before.trim_end_matches(['"', '\'', '`', ' ', '\t']);
    let Some(name) = before.strip_suffix(['=', ':']) else { return false };
    let name = name.trim_end_matches(['"', '\'', '`', ' ', '\t', ':']);
    // Names are short: the end is enough.
    let tail: Vec<u8> = name.bytes().rev().take(16).map(|byte| byte.to_ascii_lowercase()).collect();
    SECRET_NAMES.iter().any(|secret| tail.starts_with(&secret.bytes().rev().collect::<Vec<u8>>()))
}

/// `scheme://user:password@host`, the password not a variable.
fn has_password_in_address(line: &str) -> bool {
    line.match_indices("://").take(MOST).any(|(at, mark)| {
        let rest = &line[at + mark.len()..];
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '<' | '>' | '`'));
        let Some((user, _)) = rest[..end.unwrap_or(rest.len())].rsplit_once('@') else { return false };
        let Some((_, password)) = user.split_once(':') else { return false };
        password.len() >= 6 && !password.contains(['{', '}', '$', '*', '…']) && !is_stand_in(password)
    })
}

/// What documentation writes instead of a password.
fn is_stand_in(password: &str) -> bool {
    let lower = password.to_ascii_lowercase();
    ["password", "passwort", "secret", "xxxxxx", "changeme"].iter().any(|word| lower.starts_with(word))
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Digits, capitals and small letters, several of each.
fn is_mixed(text: &str) -> bool {
    let count = |is: fn(&u8) -> bool| text.as_bytes().iter().filter(|byte| is(byte)).count();
    count(u8::is_ascii_digit) >= 3 && count(u8::is_ascii_uppercase) >= 3 && count(u8::is_ascii_lowercase) >= 3
}

/// Bits that a character of the text tells, by how often each stands in it.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = text.len().max(1) as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum()
}
