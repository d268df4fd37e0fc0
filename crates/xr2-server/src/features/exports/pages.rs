//! Which prompts are read at once: as many as have room together.

use std::collections::HashMap;

use uuid::Uuid;
use xr2_db::{Result, Tx};

use crate::features::exports::document::{Prompt, Version};
use crate::features::exports::queries::{self, Of, Sized};
use crate::features::exports::sink::Selection;

/// Bytes of text that are in memory at once; a version that is larger is there alone.
pub(super) const ROOM: i64 = 2 * 1024 * 1024;
/// Prompts read at once at most.
const MOST: i64 = 100;

/// Where an export is.
pub(super) struct Pages {
    after: Uuid,
    with_bin: bool,
    /// What was asked for and is still to come; none: everything.
    chosen: Option<std::vec::IntoIter<Uuid>>,
}

/// A few prompts; one whose versions have no room together comes alone and without them.
pub(super) struct Page {
    pub ids: Vec<Uuid>,
    pub is_large: bool,
}

impl Pages {
    /// From the beginning.
    pub async fn begin(tx: &mut Tx, selection: &Selection) -> Result<Pages> {
        let chosen = match &selection.only {
            Some(names) => Some(queries::chosen(tx, names, selection.with_bin).await?.into_iter()),
            None => None,
        };
        Ok(Pages { after: Uuid::nil(), with_bin: selection.with_bin, chosen })
    }

    /// What comes next; none at the end.
    pub async fn next(&mut self, tx: &mut Tx) -> Result<Option<Page>> {
        let sized = match &mut self.chosen {
            None => queries::next_prompts(tx, self.after, self.with_bin, MOST).await?,
            Some(rest) => {
                let ids: Vec<Uuid> = rest.as_slice().iter().take(MOST as usize).copied().collect();
                queries::sizes_of(tx, &ids).await?
            }
        };
        let page = take(&sized);
        let Some(last) = page.ids.last() else { return Ok(None) };
        self.after = *last;
        if let Some(rest) = &mut self.chosen {
            while rest.as_slice().first().is_some_and(|id| id <= last) {
                rest.next();
            }
        }
        Ok(Some(page))
    }
}

/// As many from the front as have room together.
fn take(sized: &[Sized]) -> Page {
    let mut page = Page { ids: Vec::new(), is_large: false };
    let mut room = ROOM;
    for Sized { id, bytes } in sized {
        room -= bytes;
        if room < 0 {
            if page.ids.is_empty() {
                return Page { ids: vec![*id], is_large: true };
            }
            break;
        }
        page.ids.push(*id);
    }
    page
}

/// A prompt read, with what is needed to read its versions.
pub(super) struct Read {
    pub id: Uuid,
    pub last_number: i64,
    pub prompt: Prompt,
}

/// The prompts of a page with all that is small.
pub(super) async fn read(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Read>> {
    let mut all: Vec<Read> = queries::heads(tx, ids)
        .await?
        .into_iter()
        .map(|head| Read { id: head.id, last_number: head.last_number, prompt: head.prompt })
        .collect();
    let place: HashMap<Uuid, usize> = all.iter().enumerate().map(|(index, read)| (read.id, index)).collect();
    for Of(id, slug) in queries::former_slugs(tx, ids).await? {
        if let Some(index) = place.get(&id) {
            all[*index].prompt.former_slugs.push(slug);
        }
    }
    for Of(id, pointer) in queries::pointers(tx, ids).await? {
        if let Some(index) = place.get(&id) {
            all[*index].prompt.labels.push(pointer);
        }
    }
    Ok(all)
}

/// Puts versions to their prompts.
pub(super) fn put_versions(all: &mut [Read], versions: Vec<Of<Version>>) {
    let place: HashMap<Uuid, usize> = all.iter().enumerate().map(|(index, read)| (read.id, index)).collect();
    for Of(id, version) in versions {
        if let Some(index) = place.get(&id) {
            all[*index].prompt.versions.push(version);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_what_has_room() {
        let sized = |sizes: &[i64]| -> Vec<Sized> {
            sizes.iter().map(|bytes| Sized { id: Uuid::max(), bytes: *bytes }).collect()
        };
        for (sizes, taken, is_large) in [
            (&[][..], 0, false),
            (&[1, 2, 3][..], 3, false),
            (&[ROOM, 1][..], 1, false),
            (&[ROOM / 2, ROOM / 2, 1][..], 2, false),
            (&[ROOM + 1, 1][..], 1, true),
            (&[1, ROOM + 1][..], 1, false),
        ] {
            let page = take(&sized(sizes));
            assert_eq!((page.ids.len(), page.is_large), (taken, is_large), "{sizes:?}");
        }
    }
}
