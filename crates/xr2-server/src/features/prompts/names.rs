//! Slugs.

use crate::error::FieldProblem;

/// Longest slug.
pub const MAX_SLUG: usize = 100;

/// Words that are, or may become, a path beside `{p}`.
const RESERVED: &[&str] = &[
    "batch",
    "search",
    "import",
    "export",
    "new",
    "bin",
    "bulk",
    "bundle",
    "stream",
    "render",
    "tags",
    "categories",
    "labels",
    "folders",
    "views",
    "stats",
    "drafts",
    "versions",
    "all",
    "me",
    "edit",
    "settings",
];

/// What is wrong with `slug`, if anything: `^[a-z0-9][a-z0-9_-]{0,99}$`, no UUID, no reserved word.
pub fn check_slug(slug: &str) -> Option<FieldProblem> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let first = slug.bytes().next();
    let problem = |code: &str, message: &str| Some(FieldProblem::new("slug", code, message));
    if slug.is_empty() {
        return problem("required", "must not be empty");
    }
    if slug.len() > MAX_SLUG {
        return problem("too_long", "must have at most 100 characters");
    }
    if !slug.bytes().all(allowed) || matches!(first, Some(b'-' | b'_')) {
        return problem(
            "invalid",
            "may hold lower-case letters, digits, - and _, and begins with a letter or digit, such as welcome-message",
        );
    }
    if uuid::Uuid::parse_str(slug).is_ok() {
        return problem(
            "invalid",
            "must not have the form of a UUID, because prompts are found by id as well",
        );
    }
    if RESERVED.contains(&slug) {
        return problem("reserved", "is reserved; please choose another");
    }
    None
}

/// A slug made from a title: `Welcome, Ana!` → `welcome-ana`. Letters with accents lose them where they have a plain
/// form; titles without any usable letter give `prompt`.
pub fn slugify(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        if slug.len() >= 80 {
            break;
        }
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            'ä' | 'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ą' => slug.push('a'),
            'ç' | 'ć' | 'č' => slug.push('c'),
            'ď' | 'đ' => slug.push('d'),
            'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => slug.push('e'),
            'ğ' => slug.push('g'),
            'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => slug.push('i'),
            'ł' => slug.push('l'),
            'ñ' | 'ń' | 'ň' => slug.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' => slug.push('o'),
            'ř' => slug.push('r'),
            'ś' | 'š' | 'ş' => slug.push('s'),
            'ß' => slug.push_str("ss"),
            'ť' | 'ţ' => slug.push('t'),
            'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' => slug.push('u'),
            'ý' | 'ÿ' => slug.push('y'),
            'ź' | 'ż' | 'ž' => slug.push('z'),
            '\'' | '’' | '\u{307}' => {}
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let slug = slug.trim_matches('-');
    match check_slug(slug) {
        None => slug.to_owned(),
        Some(_) if slug.is_empty() => "prompt".to_owned(),
        Some(_) => format!("{slug}-prompt"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_follow_the_contract() {
        for good in ["a", "welcome-message", "0_x", &"x".repeat(100)] {
            assert_eq!(check_slug(good), None, "{good}");
        }
        for (bad, code) in [
            ("", "required"),
            ("-a", "invalid"),
            ("_a", "invalid"),
            ("Welcome", "invalid"),
            ("a b", "invalid"),
            ("ä", "invalid"),
            ("a/b", "invalid"),
            ("search", "reserved"),
            ("0190b5a4-7b1c-7e52-b7a5-2f6f2e1c9d10", "invalid"),
            (&"x".repeat(101), "too_long"),
        ] {
            assert_eq!(check_slug(bad).map(|p| p.code), Some(code.to_owned()), "{bad}");
        }
    }

    #[test]
    fn titles_become_slugs() {
        assert_eq!(slugify("Welcome, Ana!"), "welcome-ana");
        assert_eq!(slugify("  Größe & Maß  "), "grosse-mass");
        assert_eq!(slugify("日本語"), "prompt");
        assert_eq!(slugify("Search"), "search-prompt");
        assert_eq!(slugify("Don't stop"), "dont-stop");
    }

    #[test]
    fn every_title_gives_a_valid_slug() {
        for title in [
            "",
            "---",
            "İstanbul",
            "a".repeat(500).as_str(),
            "0190b5a4-7b1c-7e52-b7a5-2f6f2e1c9d10",
            "🎉 new",
        ] {
            let slug = slugify(title);
            assert_eq!(check_slug(&slug), None, "{title:?} gave {slug:?}");
        }
    }
}
