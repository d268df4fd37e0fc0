//! How prompts stand in a workspace's file: a length and a head, then for each prompt its id, a length and JSON. A changed
//! prompt is exchanged without reading the others.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::{self, Time};
use crate::features::delivery::queries::{PromptRow, VersionRow};

/// A prompt with the versions that labels and pinned includes can reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrozenPrompt {
    pub id: Uuid,
    pub slug: String,
    pub former_slugs: Vec<String>,
    pub title: String,
    /// JSON.
    pub tags: String,
    pub latest_version: i64,
    pub labels: Vec<(String, i64)>,
    pub versions: Vec<FrozenVersion>,
}

/// A version as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrozenVersion {
    pub id: Uuid,
    pub number: i64,
    pub kind: String,
    pub syntax: String,
    pub content: String,
    /// JSON.
    pub variables: String,
    /// JSON.
    pub config: String,
    #[serde(with = "clock::micros")]
    pub created_at: Time,
}

/// What the file begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// Every change up to this revision is in it.
    pub(super) revision: i64,
}

/// A workspace's prompts, each still as JSON.
pub(super) struct Pages {
    pub(super) head: Head,
    pub(super) prompts: BTreeMap<Uuid, Vec<u8>>,
}

impl Pages {
    pub(super) fn new() -> Pages {
        Pages { head: Head { revision: 0 }, prompts: BTreeMap::new() }
    }

    pub(super) fn parse(file: &[u8]) -> Option<Pages> {
        let mut rest = file;
        let head = serde_json::from_slice(take_part(&mut rest)?).ok()?;
        let mut prompts = BTreeMap::new();
        while !rest.is_empty() {
            let (id, behind) = rest.split_first_chunk::<16>()?;
            rest = behind;
            prompts.insert(Uuid::from_bytes(*id), take_part(&mut rest)?.to_vec());
        }
        Some(Pages { head, prompts })
    }

    /// What the file begins with alone.
    pub(super) fn parse_head(mut file: &[u8]) -> Option<Head> {
        serde_json::from_slice(take_part(&mut file)?).ok()
    }

    pub(super) fn put(&mut self, prompt: &FrozenPrompt) -> serde_json::Result<()> {
        self.prompts.insert(prompt.id, serde_json::to_vec(prompt)?);
        Ok(())
    }

    pub(super) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let room: usize = self.prompts.values().map(|prompt| prompt.len() + 20).sum();
        let mut file = Vec::with_capacity(room + 64);
        put_part(&mut file, &serde_json::to_vec(&self.head)?);
        for (id, prompt) in &self.prompts {
            file.extend_from_slice(id.as_bytes());
            put_part(&mut file, prompt);
        }
        Ok(file)
    }
}

fn take_part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk::<4>()?;
    let (part, behind) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = behind;
    Some(part)
}

/// A part is a prompt with a few versions, whose texts are limited to far less than 4 GiB.
fn put_part(file: &mut Vec<u8>, part: &[u8]) {
    file.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
    file.extend_from_slice(part);
}

/// A workspace's prompts, ready to be looked up.
pub struct FrozenWorkspace {
    pub(super) revision: i64,
    /// Memory it takes, about.
    pub(super) bytes: usize,
    pub(super) prompts: Vec<FrozenPrompt>,
    /// By slug and former slug.
    by_name: HashMap<String, usize>,
    by_id: HashMap<Uuid, usize>,
}

impl FrozenWorkspace {
    pub(super) fn parse(file: &[u8]) -> Option<FrozenWorkspace> {
        let pages = Pages::parse(file)?;
        let mut prompts: Vec<FrozenPrompt> = Vec::with_capacity(pages.prompts.len());
        let (mut by_name, mut by_id) = (HashMap::new(), HashMap::new());
        for json in pages.prompts.values() {
            let prompt: FrozenPrompt = serde_json::from_slice(json).ok()?;
            let index = prompts.len();
            by_id.insert(prompt.id, index);
            for name in [&prompt.slug].into_iter().chain(&prompt.former_slugs) {
                by_name.insert(name.clone(), index);
            }
            prompts.push(prompt);
        }
        Some(FrozenWorkspace {
            revision: pages.head.revision,
            bytes: file.len() * 2,
            prompts,
            by_name,
            by_id,
        })
    }

    /// The prompt of this id, slug or former slug.
    pub(super) fn find(&self, name: &str) -> Option<&FrozenPrompt> {
        let index = match Uuid::try_parse(name) {
            Ok(id) => self.by_id.get(&id),
            Err(_) => self.by_name.get(name),
        };
        self.prompts.get(*index?)
    }
}

impl FrozenPrompt {
    /// As it is read from the database.
    pub fn row(&self) -> PromptRow {
        PromptRow {
            id: self.id,
            slug: self.slug.clone(),
            title: self.title.clone(),
            tags: self.tags.clone(),
            latest_version: self.latest_version,
        }
    }

    pub(super) fn version(&self, number: i64) -> Option<&FrozenVersion> {
        self.versions.iter().find(|version| version.number == number)
    }

    /// The number of the version a label points at; `latest` is computed.
    pub(super) fn labelled(&self, label: &str) -> Option<i64> {
        match label {
            "latest" => Some(self.latest_version),
            label => self.labels.iter().find(|(name, _)| name == label).map(|(_, number)| *number),
        }
    }
}

impl FrozenVersion {
    /// As it is read from the database.
    pub fn row(&self) -> VersionRow {
        VersionRow {
            number: self.number,
            kind: self.kind.clone(),
            syntax: self.syntax.clone(),
            content: self.content.clone(),
            variables: self.variables.clone(),
            config: self.config.clone(),
            created_at: self.created_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(id: u128, slug: &str) -> FrozenPrompt {
        FrozenPrompt {
            id: Uuid::from_u128(id),
            slug: slug.to_owned(),
            former_slugs: vec![format!("old-{slug}")],
            title: "T".to_owned(),
            tags: "[]".to_owned(),
            latest_version: 2,
            labels: vec![("production".to_owned(), 1)],
            versions: Vec::new(),
        }
    }

    #[test]
    fn one_prompt_is_exchanged_and_the_others_stay() {
        let mut pages = Pages::new();
        pages.head.revision = 7;
        for (id, slug) in [(2, "b"), (1, "a")] {
            pages.put(&prompt(id, slug)).unwrap();
        }
        let file = pages.to_bytes().unwrap();
        let mut pages = Pages::parse(&file).unwrap();
        pages.put(&prompt(2, "new")).unwrap();
        let workspace = FrozenWorkspace::parse(&pages.to_bytes().unwrap()).unwrap();
        assert_eq!(workspace.revision, 7);
        assert_eq!(workspace.find("a"), Some(&prompt(1, "a")));
        assert_eq!(workspace.find("old-new"), Some(&prompt(2, "new")));
        assert_eq!(workspace.find(&Uuid::from_u128(2).to_string()), Some(&prompt(2, "new")));
        assert!(workspace.find("b").is_none());
        assert_eq!((prompt(1, "a").labelled("latest"), prompt(1, "a").labelled("staging")), (Some(2), None));
    }

    #[test]
    fn a_cut_file_is_no_file() {
        let mut pages = Pages::new();
        pages.put(&prompt(1, "a")).unwrap();
        let file = pages.to_bytes().unwrap();
        let whole = Pages::parse(&file).map(|pages| pages.prompts.len());
        assert_eq!(whole, Some(1));
        let cut = (0..file.len()).filter_map(|at| Pages::parse(&file[..at])).map(|pages| pages.prompts.len());
        assert_eq!(cut.max(), Some(0), "but for the empty one");
    }
}
