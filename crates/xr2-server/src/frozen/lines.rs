//! The journal as it was before it was sealed: a check value and a JSON object a line. It was only ever appended to, so what
//! stands behind the last line end was being written in a crash, before anybody was answered; anything else that does
//! not check was changed from outside.

use ring::hmac;

use crate::config::SecretKey;
use crate::frozen::journal::Cut;
use crate::frozen::seal::Damage;

/// The records of such a file.
pub fn parse(file: &[u8], secret: &SecretKey) -> Result<Vec<Cut>, Damage> {
    let key = key(secret);
    let whole = file.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let lines = file[..whole].split_inclusive(|byte| *byte == b'\n');
    lines.map(|line| parse_line(line.trim_ascii_end(), &key).ok_or(Damage::Broken)).collect()
}

fn key(secret: &SecretKey) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &secret.derive("frozen journal"))
}

fn parse_line(line: &[u8], key: &hmac::Key) -> Option<Cut> {
    let (tag, json) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let tag: Option<Vec<u8>> = tag
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    hmac::verify(key, json.as_bytes(), &tag?).ok()?;
    serde_json::from_str(json).ok()
}

/// A line of such a file.
#[cfg(test)]
pub fn line(cut: &Cut, secret: &SecretKey) -> Vec<u8> {
    let json = serde_json::to_string(cut).unwrap();
    let tag = hmac::sign(&key(secret), json.as_bytes());
    let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{tag} {json}\n").into_bytes()
}
