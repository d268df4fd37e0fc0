//! Files that only this instance can read and that nobody can change unnoticed.
//!
//! A file is a header and a body sealed with AES-256-GCM. Each file has a key of its own, derived from the instance's
//! secret key and 32 random bytes in the header, so that no nonce is ever used twice. The file's name is sealed with it:
//! a file cannot take the place of another.

use rand::RngCore;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::config::SecretKey;

const MAGIC: &[u8; 8] = b"xr2frz1\n";
const CHECK: usize = 8;
const SALT: usize = 32;
const HEADER: usize = MAGIC.len() + CHECK + SALT;

/// Why a file cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Another instance wrote it, or this one with another secret key.
    #[error("it was written with another secret key")]
    OtherKey,
    /// Cut, changed, or no such file at all.
    #[error("it is cut or was changed")]
    Broken,
    /// There was a later one.
    #[error("it is gone, or an older one stands in its place")]
    Outdated,
}

/// Seals and opens files.
#[derive(Clone)]
pub struct Sealer {
    secret: SecretKey,
    /// Tells files of this instance from others'; reveals nothing of the key.
    check: [u8; CHECK],
}

impl Sealer {
    /// With keys derived from `secret`.
    pub fn new(secret: &SecretKey) -> Sealer {
        let mut check = [0; CHECK];
        check.copy_from_slice(&secret.derive("frozen files check")[..CHECK]);
        Sealer { secret: secret.clone(), check }
    }

    /// The bytes of the file `name` that holds `body`.
    pub fn seal(&self, name: &str, body: &[u8]) -> Result<Vec<u8>, Damage> {
        let mut salt = [0; SALT];
        rand::rng().fill_bytes(&mut salt);
        let mut file = Vec::with_capacity(HEADER + body.len() + AES_256_GCM.tag_len());
        file.extend_from_slice(MAGIC);
        file.extend_from_slice(&self.check);
        file.extend_from_slice(&salt);
        let aad = aad(&file, name);
        let mut sealed = body.to_vec();
        self.key(&salt)?
            .seal_in_place_append_tag(only_nonce(), Aad::from(aad), &mut sealed)
            .map_err(|_| Damage::Broken)?;
        file.append(&mut sealed);
        Ok(file)
    }

    /// The body of the file `name`, if it is whole and ours.
    pub fn open(&self, name: &str, mut file: Vec<u8>) -> Result<Vec<u8>, Damage> {
        if file.len() < HEADER || &file[..MAGIC.len()] != MAGIC {
            return Err(Damage::Broken);
        }
        if file[MAGIC.len()..MAGIC.len() + CHECK] != self.check {
            return Err(Damage::OtherKey);
        }
        let mut salt = [0; SALT];
        salt.copy_from_slice(&file[MAGIC.len() + CHECK..HEADER]);
        let aad = aad(&file[..HEADER], name);
        let key = self.key(&salt)?;
        let length = key
            .open_within(only_nonce(), Aad::from(aad), &mut file, HEADER..)
            .map_err(|_| Damage::Broken)?
            .len();
        file.truncate(length);
        Ok(file)
    }

    fn key(&self, salt: &[u8; SALT]) -> Result<LessSafeKey, Damage> {
        let salt: String = salt.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = self.secret.derive(&format!("frozen file {salt}"));
        UnboundKey::new(&AES_256_GCM, &key).map(LessSafeKey::new).map_err(|_| Damage::Broken)
    }
}

/// Every key seals one file only.
fn only_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn aad(header: &[u8], name: &str) -> Vec<u8> {
    [header, name.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(digit: &str) -> Sealer {
        Sealer::new(&SecretKey::from_hex(&digit.repeat(64)).unwrap())
    }

    #[test]
    fn what_is_sealed_comes_back() {
        let sealer = sealer("a");
        for body in [&b""[..], b"x", &[7; 100_000]] {
            let file = sealer.seal("one", body).unwrap();
            assert_eq!(sealer.open("one", file).unwrap(), body);
        }
        let (one, two) = (sealer.seal("one", b"same").unwrap(), sealer.seal("one", b"same").unwrap());
        assert_ne!(one, two, "the same text does not look the same");
        assert!(!one.windows(4).any(|bytes| bytes == b"same"));
    }

    #[test]
    fn a_changed_file_is_noticed_wherever_it_was_changed() {
        let sealer = sealer("a");
        let file = sealer.seal("one", b"some text").unwrap();
        for at in 0..file.len() {
            let mut other = file.clone();
            other[at] ^= 1;
            assert!(sealer.open("one", other).is_err(), "byte {at}");
            assert!(sealer.open("one", file[..at].to_vec()).is_err(), "cut at {at}");
        }
        assert_eq!(sealer.open("two", file.clone()), Err(Damage::Broken), "under another name");
        assert_eq!(
            sealer.open("one", [&file[..], b"x"].concat()),
            Err(Damage::Broken),
            "with more behind it"
        );
    }

    #[test]
    fn another_instance_s_file_is_told_from_a_broken_one() {
        let file = sealer("a").seal("one", b"text").unwrap();
        assert_eq!(sealer("b").open("one", file), Err(Damage::OtherKey));
    }
}
