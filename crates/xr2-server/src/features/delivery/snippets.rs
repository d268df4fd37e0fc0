//! Snippets of a prompt, read ahead in one transaction, so that the engine can compile without waiting.

use std::collections::HashMap;

use xr2_db::Tx;
use xr2_prompt::{
    Content, Contract, IncludeError, IncludeTarget, MAX_SNIPPETS, Snippet, Syntax, list_includes,
};

use crate::error::{ApiError, Result};
use crate::features::delivery::freshness::Dependency;
use crate::features::delivery::queries::{self, VersionRow};

/// What includes lead to.
#[derive(Default)]
pub struct Snippets {
    found: HashMap<IncludeTarget, std::result::Result<Snippet, IncludeError>>,
    /// The prompts and names that were looked at.
    pub dependencies: Vec<Dependency>,
}

impl Snippets {
    /// Reads everything that `content` includes, directly and through others.
    pub async fn read(tx: &mut Tx, content: &Content, syntax: Syntax) -> Result<Snippets> {
        let mut snippets = Snippets::default();
        let mut wanted = list_includes(content, syntax);
        while let Some(target) = wanted.pop() {
            if snippets.found.contains_key(&target) || snippets.found.len() > MAX_SNIPPETS {
                continue;
            }
            let found = snippets.load(tx, &target).await?;
            if let Ok(snippet) = &found {
                wanted.extend(list_includes(&snippet.content, snippet.syntax));
            }
            snippets.found.insert(target, found);
        }
        Ok(snippets)
    }

    /// The engine's resolver.
    pub fn resolve(&self, target: &IncludeTarget) -> std::result::Result<Snippet, IncludeError> {
        match self.found.get(target) {
            Some(found) => found.clone(),
            None => Err(IncludeError(format!("a prompt includes at most {MAX_SNIPPETS} snippets."))),
        }
    }

    async fn load(
        &mut self,
        tx: &mut Tx,
        target: &IncludeTarget,
    ) -> Result<std::result::Result<Snippet, IncludeError>> {
        self.dependencies.push(Dependency::Name(target.slug.as_str().into()));
        let Some((prompt, version)) = queries::snippet(tx, target).await? else {
            return Ok(Err(IncludeError("there is no such prompt.".to_owned())));
        };
        self.dependencies.push(Dependency::Prompt(prompt.id));
        self.dependencies.push(Dependency::Name(prompt.slug.as_str().into()));
        let Some(version) = version else {
            let reason = match target.label() {
                Some(label) => format!("it has no version with the label `{label}`."),
                None => "it has no such version.".to_owned(),
            };
            return Ok(Err(IncludeError(reason)));
        };
        let number = version.number;
        let Source { content, syntax, contract } = Source::read(version)?;
        Ok(Ok(Snippet { slug: prompt.slug, version: number, content, syntax, contract }))
    }
}

/// A stored version, read back.
pub struct Source {
    /// Text or messages.
    pub content: Content,
    /// How texts are read.
    pub syntax: Syntax,
    /// Declared variables.
    pub contract: Contract,
}

impl Source {
    pub(super) fn read(row: VersionRow) -> Result<Source> {
        let content = match row.kind.as_str() {
            "text" => Content::Text(row.content),
            _ => serde_json::from_str(&row.content).map_err(ApiError::internal)?,
        };
        Ok(Source {
            content,
            syntax: row.syntax.parse().map_err(ApiError::internal)?,
            contract: serde_json::from_str(&row.variables).map_err(ApiError::internal)?,
        })
    }
}
