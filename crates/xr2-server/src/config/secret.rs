//! The instance's secret key.

use std::fs;
use std::io::Write;
use std::path::Path;

use rand::RngCore;
use sha2::{Digest, Sha256};

use super::ConfigError;

/// 32 bytes that protect what is stored encrypted.
#[derive(Clone)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<SecretKey> {
        let text = text.trim();
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut key = [0; 32];
        for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(SecretKey(key))
    }

    /// What the database keeps, to notice a node that was given another key. Reveals nothing of the key.
    pub fn check_value(&self) -> String {
        hex(&Sha256::new().chain_update(b"xr2 secret key check v1").chain_update(self.0).finalize())
    }

    /// A key for one purpose, derived from this one.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(b"xr2 derived key v1")
            .chain_update(purpose)
            .chain_update(self.0)
            .finalize()
            .into()
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn load(
    given: &str,
    file: &str,
    data_dir: &Path,
    must_be_given: bool,
) -> Result<SecretKey, ConfigError> {
    if !given.is_empty() {
        return SecretKey::from_hex(given).ok_or_else(|| {
            ConfigError::new("secret_key: must be 64 hexadecimal digits (try: openssl rand -hex 32)")
        });
    }
    if !file.is_empty() {
        let text = fs::read_to_string(file)
            .map_err(|error| ConfigError::new(format!("secret_key_file: cannot read {file}: {error}")))?;
        return SecretKey::from_hex(&text).ok_or_else(|| {
            ConfigError::new(format!("secret_key_file: {file} must hold 64 hexadecimal digits"))
        });
    }
    if must_be_given {
        return Err(ConfigError::new(
            "secret_key: must be given with PostgreSQL, the same on every node: set XR2_SECRET_KEY or \
             XR2_SECRET_KEY_FILE (64 hexadecimal digits; try: openssl rand -hex 32)",
        ));
    }
    generated(&data_dir.join("secret.key"))
}

fn generated(path: &Path) -> Result<SecretKey, ConfigError> {
    let failed = |error: std::io::Error| {
        ConfigError::new(format!("cannot keep the secret key in {}: {error}", path.display()))
    };
    match fs::read_to_string(path) {
        Ok(text) => SecretKey::from_hex(&text)
            .ok_or_else(|| ConfigError::new(format!("{} must hold 64 hexadecimal digits", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut key = [0; 32];
            rand::rng().fill_bytes(&mut key);
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(path).map_err(failed)?;
            file.write_all(format!("{}\n", hex(&key)).as_bytes()).map_err(failed)?;
            file.sync_all().map_err(failed)?;
            Ok(SecretKey(key))
        }
        Err(error) => Err(failed(error)),
    }
}
