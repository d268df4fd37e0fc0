//! What changed between two states of a prompt.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use xr2_db::Tx;
use xr2_prompt::{Content, Contract, Syntax, diff};

use crate::auth::Access;
use crate::error::{ApiError, Result};
use crate::features::prompts::source::Source;
use crate::features::prompts::{PromptRow, access, drafts, labels, versions};
use crate::heavy::heavy;
use crate::http::Params;
use crate::state::App;

/// How long lines are compared at most; past it the comparison gets coarser.
const DEADLINE: Duration = Duration::from_millis(500);

/// One side of a difference.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Side {
    /// Number of the version; null for a draft or for nothing.
    pub number: Option<i64>,
    /// `Version 3`, `Draft`, `Nothing`.
    pub name: String,
}

/// A difference: the engine's, with what it is between.
#[derive(Debug, Serialize, ToSchema)]
pub struct Difference {
    /// The older side.
    pub from: Side,
    /// The newer side.
    pub to: Side,
    /// `summary` in a sentence, `stats`, `lines` with the words that changed, `variables`, `config`, `type_changed`,
    /// `syntax`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub parts: Value,
}

struct State {
    side: Side,
    source: Option<Source>,
    parent: Option<i64>,
}

/// `from` and `to` are a number, an id, `draft` or `live`; without `against` it is the parent (for a draft: the
/// version it was begun from).
pub async fn difference(
    app: &App,
    caller: &Access,
    name: &str,
    version: &str,
    params: &Params,
) -> Result<Difference> {
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let row = access::existing(&mut tx, name, false).await?;
    let to = state(&mut tx, &row, version).await?;
    let from = match (params.first_of(&["against"]), to.parent) {
        (Some(name), _) => state(&mut tx, &row, name).await?,
        (None, Some(parent)) => state(&mut tx, &row, &parent.to_string()).await?,
        (None, None) => nothing(),
    };
    tx.commit().await?;
    // Large texts take a while to compare; not on the threads that serve.
    heavy(move || compare(from, to)).await
}

fn nothing() -> State {
    State { side: Side { number: None, name: "Nothing".into() }, source: None, parent: None }
}

async fn state(tx: &mut Tx, row: &PromptRow, name: &str) -> Result<State> {
    if name == "draft" {
        let draft = drafts::queries::find(tx, row.id, drafts::MAIN).await?;
        let draft = draft.ok_or_else(|| ApiError::not_found("draft"))?;
        let side = Side { number: None, name: "Draft".into() };
        return Ok(State { side, source: Some(draft.source), parent: Some(draft.base_version) });
    }
    let found = if name == "live" {
        match labels::queries::version_of(tx, row.id, labels::PRODUCTION).await? {
            None => return Ok(nothing()),
            Some(number) => versions::queries::by_number(tx, row.id, number).await?,
        }
    } else {
        versions::queries::find(tx, row.id, name).await?
    };
    let version = found.ok_or_else(|| ApiError::not_found(&format!("version {}", access::shorten(name))))?;
    Ok(State {
        side: Side { number: Some(version.number), name: format!("Version {}", version.number) },
        source: Some(version.source),
        parent: version.parent,
    })
}

fn compare(from: State, to: State) -> Difference {
    let empty = Source {
        syntax: Syntax::default(),
        content: Content::Text(String::new()),
        contract: Contract::default(),
        config: Value::Object(serde_json::Map::new()),
    };
    let (before, after) = (from.source.as_ref().unwrap_or(&empty), to.source.as_ref().unwrap_or(&empty));
    let parts = diff(&before.side(), &after.side(), Some(Instant::now() + DEADLINE));
    Difference { from: from.side, to: to.side, parts: serde_json::to_value(parts).unwrap_or_default() }
}
