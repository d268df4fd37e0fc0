//! The text of a key: `xr2_` (or `xr2_pub_`), 43 base-62 characters (256 random bits), 6 characters of checksum. The
//! checksum lets a mistyped key be told from a revoked one without asking the database, and secret scanners be exact.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::auth::{random_token, token_hash};

const RANDOM: usize = 43;
const CHECKSUM: usize = 6;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// Stays on servers.
    Secret,
    /// May stand in a web page: deliver only, from listed origins.
    Publishable,
}

impl KeyKind {
    /// As stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyKind::Secret => "secret",
            KeyKind::Publishable => "publishable",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            KeyKind::Secret => "xr2_",
            KeyKind::Publishable => "xr2_pub_",
        }
    }
}

impl std::str::FromStr for KeyKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "secret" => Ok(KeyKind::Secret),
            "publishable" => Ok(KeyKind::Publishable),
            _ => Err(()),
        }
    }
}

/// A fresh key and what is stored of it.
pub struct NewKey {
    /// The whole key; shown once.
    pub text: String,
    /// SHA-256 of it.
    pub hash: [u8; 32],
    /// First 12 characters.
    pub prefix: String,
    /// Last 4 characters.
    pub last4: String,
}

/// Makes a key.
pub fn new_key(kind: KeyKind) -> NewKey {
    let body = random_token(32);
    let text = format!("{}{body}{}", kind.prefix(), checksum(kind.prefix(), &body));
    NewKey {
        hash: token_hash(&text),
        prefix: text[..12].to_owned(),
        last4: text[text.len() - 4..].to_owned(),
        text,
    }
}

/// Whether `text` has the form of a key and its checksum is right.
pub fn is_well_formed(text: &str) -> bool {
    let (prefix, rest) = match text.strip_prefix("xr2_pub_") {
        Some(rest) => ("xr2_pub_", rest),
        None => match text.strip_prefix("xr2_") {
            Some(rest) => ("xr2_", rest),
            None => return false,
        },
    };
    rest.len() == RANDOM + CHECKSUM && rest.is_ascii() && {
        let (body, sum) = rest.split_at(RANDOM);
        checksum(prefix, body) == sum
    }
}

fn checksum(prefix: &str, body: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digest = Sha256::new().chain_update(prefix).chain_update(body).finalize();
    digest.iter().take(CHECKSUM).map(|byte| char::from(DIGITS[usize::from(*byte) % 62])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_well_formed_until_a_letter_changes() {
        for kind in [KeyKind::Secret, KeyKind::Publishable] {
            let key = new_key(kind);
            assert!(is_well_formed(&key.text), "{}", key.text);
            assert_eq!(key.prefix.len(), 12);
            let mut other = key.text.clone().into_bytes();
            let i = other.len() - 20;
            other[i] = if other[i] == b'a' { b'b' } else { b'a' };
            assert!(!is_well_formed(std::str::from_utf8(&other).unwrap()));
            assert!(!is_well_formed(&key.text[..key.text.len() - 1]));
        }
        assert!(!is_well_formed("xr2_") && !is_well_formed("") && !is_well_formed("sk-123"));
    }
}
