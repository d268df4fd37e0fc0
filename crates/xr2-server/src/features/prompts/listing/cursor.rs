//! Where the next page begins. A cursor carries what the list was narrowed by and its order, so that nothing else has to
//! be sent with it, and a checksum: one that was altered is refused.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::{ApiError, Result};
use crate::http::Params;

/// What is of the page and not of the list.
const OF_THE_PAGE: &[&str] = &["cursor", "page", "limit"];
/// Longer ones are none of ours.
const MOST_BYTES: usize = 16 * 1024;

/// The place behind the last item of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// Behind the prompt with this key and id, wherever it stands by now.
    Behind {
        /// What the list is ordered by, of that prompt.
        key: String,
        /// The prompt.
        id: Uuid,
    },
    /// Behind so many prompts.
    Count(i64),
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    list: Vec<(String, String)>,
    place: Place,
}

/// The text of a cursor behind `place` in the list that `params` ask for.
pub(super) fn write(params: &Params, place: Place) -> String {
    let cursor = Cursor { list: of_the_list(params), place };
    let json = serde_json::to_vec(&cursor).unwrap_or_default();
    checksum(&json).iter().chain(&json).map(|byte| format!("{byte:02x}")).collect()
}

/// The list and the place of the cursor in `params`, if there is one. What else is asked for has to be the same list.
pub(super) fn read(params: &Params) -> Result<Option<(Params, Place)>> {
    let Some(text) = params.first_of(&["cursor"]) else { return Ok(None) };
    let wrong = || {
        ApiError::bad_request(
            "The cursor is not one that this list has given. Begin again without a cursor, or send meta.next_cursor as it was.",
        )
    };
    let bytes = unhex(text).ok_or_else(wrong)?;
    let (sum, json) = bytes.split_at_checked(SUM).ok_or_else(wrong)?;
    if sum != checksum(json) {
        return Err(wrong());
    }
    let cursor: Cursor = serde_json::from_slice(json).map_err(|_| wrong())?;
    let here = of_the_list(params);
    if !here.is_empty() && here != cursor.list {
        return Err(ApiError::bad_request(
            "The cursor belongs to a list with another filter or order. Send it alone, or with the same ones.",
        ));
    }
    Ok(Some((Params(cursor.list), cursor.place)))
}

fn of_the_list(params: &Params) -> Vec<(String, String)> {
    params.0.iter().filter(|(name, _)| !OF_THE_PAGE.contains(&name.as_str())).cloned().collect()
}

const SUM: usize = 8;

fn checksum(json: &[u8]) -> [u8; SUM] {
    let digest = Sha256::new().chain_update(b"a place in a list of prompts").chain_update(json).finalize();
    let mut sum = [0; SUM];
    sum.copy_from_slice(&digest[..SUM]);
    sum
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() > MOST_BYTES || !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? * 16 + digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> Params {
        Params::parse(query).unwrap()
    }

    #[test]
    fn remembers_the_list_and_the_place() {
        let place = Place::Behind { key: "größe".into(), id: Uuid::from_u128(7) };
        let text = write(&params("tag=a&limit=5&tag=b&page=1"), place.clone());
        let (list, back) = read(&params(&format!("cursor={text}&limit=2"))).unwrap().unwrap();
        assert_eq!((back, list.0.len()), (place, 2));
        assert!(read(&params(&format!("cursor={text}&tag=a&tag=b"))).unwrap().is_some());
        assert_eq!(read(&params("tag=a")).unwrap().map(|(_, place)| place), None);
    }

    #[test]
    fn refuses_what_was_altered() {
        let text = write(&params("tag=a"), Place::Count(20));
        for at in 0..text.len() {
            let mut altered = text.clone().into_bytes();
            altered[at] = if altered[at] == b'0' { b'1' } else { b'0' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(read(&params(&format!("cursor={altered}"))).is_err(), "{at}");
        }
        for bad in ["x", "00", "ü", &text[2..], &"0".repeat(20_000)] {
            assert!(read(&params(&format!("cursor={bad}"))).is_err(), "{bad}");
        }
        assert!(read(&params(&format!("cursor={text}&tag=b"))).is_err());
    }
}
