//! E-mail addresses: as typed for people, as a key for the database.

use unicode_normalization::UnicodeNormalization;

/// The longest address that mail can be sent to.
const MAX_BYTES: usize = 254;

/// An address of a sane form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// As typed, without surrounding space.
    pub text: String,
    /// Composed and in lower case: two addresses with the same key belong to one account.
    pub key: String,
}

impl Email {
    /// Takes an address that has one `@`, something on both sides and no space; whether it exists only mail can tell.
    pub fn parse(input: &str) -> Option<Email> {
        let text: String = input.trim().nfc().collect();
        let (local, domain) = text.rsplit_once('@')?;
        let plain = |part: &str| {
            !part.chars().any(|c| c.is_whitespace() || c.is_control() || "<>(),;:\"\\".contains(c))
        };
        let dots = |part: &str| !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
        let sane = text.len() <= MAX_BYTES
            && (1..=64).contains(&local.len())
            && !domain.is_empty()
            && !local.contains('@')
            && plain(local)
            && plain(domain)
            && dots(local)
            && dots(domain)
            && !domain.starts_with('-')
            && !domain.ends_with('-');
        sane.then(|| Email { key: text.to_lowercase().nfc().collect(), text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_mailbox_has_the_same_key() {
        let key = |text: &str| Email::parse(text).map(|email| email.key);
        assert_eq!(key(" Ann@Example.com "), Some("ann@example.com".into()));
        assert_eq!(key("jose\u{301}@example.com"), key("JOS\u{c9}@example.com"));
        assert_eq!(key("root@localhost"), Some("root@localhost".into()));
        assert_eq!(Email::parse("Ann@Example.com").unwrap().text, "Ann@Example.com");
    }

    #[test]
    fn what_cannot_be_an_address_is_none() {
        for text in [
            "",
            "@",
            "ann",
            "ann@",
            "@example.com",
            "a b@example.com",
            "a@b@c",
            "ann@.com",
            "ann@-a.com",
            "a..b@c.de",
            "Ann <ann@example.com>",
            "ann@exam\u{7}ple.com",
        ] {
            assert_eq!(Email::parse(text), None, "{text:?}");
        }
        assert_eq!(Email::parse(&format!("{}@example.com", "a".repeat(65))), None);
        assert_eq!(Email::parse(&format!("a@{}.com", "b".repeat(250))), None);
    }
}
