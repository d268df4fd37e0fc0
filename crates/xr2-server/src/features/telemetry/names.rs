//! What reports may speak of: prompts, versions and labels that are there.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::auth::Access;
use crate::error::Result;
use crate::features::telemetry::queries;
use crate::state::App;

/// Labels without a row.
const LATEST: &str = "latest";

/// A prompt as far as reports are checked against it.
#[derive(Debug, Clone, Copy)]
pub struct KnownPrompt {
    /// Its id.
    pub id: Uuid,
    /// Number of its last version.
    pub versions: i64,
}

/// See the module.
pub struct Names {
    prompts: HashMap<String, KnownPrompt>,
    labels: HashSet<String>,
    allowed: Option<Vec<String>>,
}

impl Names {
    /// Looks names up, all at once.
    pub async fn read(app: &App, access: &Access, asked: HashSet<&str>) -> Result<Names> {
        let allowed = access.labels().map(<[String]>::to_vec);
        let mut names = Names { prompts: HashMap::new(), labels: HashSet::new(), allowed };
        if asked.is_empty() {
            return Ok(names);
        }
        let mut ids: HashMap<Uuid, &str> = HashMap::new();
        let mut slugs = Vec::new();
        for name in asked {
            match Uuid::try_parse(name) {
                Ok(id) => drop(ids.insert(id, name)),
                Err(_) => slugs.push(name),
            }
        }
        let mut tx = app.db().tenant(access.workspace).read().await?;
        for (slug, id, versions) in queries::prompts_by_slug(&mut tx, &slugs).await? {
            names.prompts.insert(slug, KnownPrompt { id, versions });
        }
        let by_id: Vec<Uuid> = ids.keys().copied().collect();
        for (id, versions) in queries::prompts_by_id(&mut tx, &by_id).await? {
            names.prompts.insert(ids[&id].to_owned(), KnownPrompt { id, versions });
        }
        names.labels = queries::labels(&mut tx).await?.into_iter().collect();
        tx.commit().await?;
        Ok(names)
    }

    /// The prompt, if it has such a version and the label is one that the key may see.
    pub fn check(
        &self,
        prompt: &str,
        version: Option<i64>,
        label: Option<&str>,
    ) -> std::result::Result<KnownPrompt, &'static str> {
        let found = self.find(prompt, version, label);
        let Some(allowed) = &self.allowed else { return found };
        // Whoever sees some labels does not learn which other prompts, versions and labels there are.
        let may_see = label.is_some_and(|label| allowed.iter().any(|one| one == label));
        found.ok().filter(|_| may_see).ok_or("This API key sees no such prompt.")
    }

    fn find(
        &self,
        prompt: &str,
        version: Option<i64>,
        label: Option<&str>,
    ) -> std::result::Result<KnownPrompt, &'static str> {
        let known = self.prompts.get(prompt).ok_or("There is no such prompt.")?;
        if version.is_some_and(|version| !(1..=known.versions).contains(&version)) {
            return Err("The prompt has no such version.");
        }
        if label.is_some_and(|label| label != LATEST && !self.labels.contains(label)) {
            return Err("There is no such label.");
        }
        Ok(*known)
    }
}
