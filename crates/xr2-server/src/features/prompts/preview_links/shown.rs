//! What a preview link shows to whoever has it.

use serde_json::{Map, Value};
use xr2_db::{Purpose, Tx};
use xr2_prompt::{Compiled, Content, RenderOptions, render};

use crate::auth::token_hash;
use crate::clock::Time;
use crate::error::{ApiError, Code, Result};
use crate::events::ActorKind;
use crate::features::prompts::includes::{Snippets, resolve_snippets};
use crate::features::prompts::preview_links::model::{LinkRow, SharedPrompt, SharedSample};
use crate::features::prompts::preview_links::queries;
use crate::features::prompts::source::Source;
use crate::features::prompts::{PromptRow, compile_now, drafts, versions};
use crate::heavy::heavy;
use crate::state::App;

/// The prompt behind a token. One answer for all that are not, or not any more: what there was is nobody's business.
pub(super) async fn open(app: &App, token: &str) -> Result<SharedPrompt> {
    let hash = token_hash(token);
    let mut tx = app.db().system(Purpose::PreviewLinks).read().await?;
    let workspace = queries::workspace_of(&mut tx, &hash).await?;
    tx.commit().await?;
    let workspace = workspace.ok_or_else(ended)?;
    let mut tx = app.db().tenant(workspace).read().await?;
    let link = queries::open(&mut tx, &hash, app.clock().now()).await?.ok_or_else(ended)?;
    let (prompt, source, updated_at) = subject(&mut tx, &link).await?.ok_or_else(ended)?;
    let snippets = resolve_snippets(&mut tx, &source).await?;
    tx.commit().await?;
    heavy(move || shown(link, prompt, source, &snippets, updated_at)).await
}

fn ended() -> ApiError {
    let message =
        "preview link not found: it may have expired or been revoked. Ask whoever sent it for a new one.";
    ApiError::new(Code::NotFound, message)
}

/// The prompt and what is shown of it; none when the link has ended for another reason than time.
async fn subject(tx: &mut Tx, link: &LinkRow) -> Result<Option<(PromptRow, Source, Time)>> {
    let by = &link.created_by;
    if by.kind == ActorKind::User && !matches!(by.id, Some(user) if queries::is_member(tx, user).await?) {
        return Ok(None);
    }
    let prompt = crate::features::prompts::find(tx, &link.prompt.to_string()).await?;
    let Some(prompt) = prompt.filter(|prompt| prompt.deleted_at.is_none()) else { return Ok(None) };
    Ok(match link.version {
        Some(number) => {
            let version = versions::queries::by_number(tx, prompt.id, number).await?;
            version.map(|version| (prompt, version.source, version.created_at))
        }
        None => {
            let draft = drafts::queries::find(tx, prompt.id, drafts::MAIN).await?;
            draft.map(|draft| (prompt, draft.source, draft.updated_at))
        }
    })
}

fn shown(
    link: LinkRow,
    prompt: PromptRow,
    source: Source,
    snippets: &Snippets,
    updated_at: Time,
) -> SharedPrompt {
    // A draft may have mistakes; then its text is shown as it was typed.
    let compiled = compile_now(&prompt.slug, &source, snippets).ok();
    let (content, messages) = fields(compiled.as_ref().map_or(&source.content, Compiled::template_form));
    let variables = match &compiled {
        Some(compiled) => serde_json::to_value(compiled.variables()),
        None => serde_json::to_value(&source.contract),
    };
    SharedPrompt {
        title: prompt.title,
        kind: source.content.prompt_type().as_str(),
        syntax: source.syntax.as_str(),
        version: link.version,
        content,
        messages,
        variables: variables.unwrap_or_default(),
        sample: compiled.as_ref().and_then(sample),
        shared_by: link.created_by.name,
        note: link.note,
        shared_at: link.created_at,
        expires_at: link.expires_at,
        updated_at,
    }
}

fn sample(compiled: &Compiled) -> Option<SharedSample> {
    let samples = compiled.variables().iter().filter_map(|variable| {
        let spec = &variable.spec;
        Some((spec.name.clone(), spec.sample.clone()?))
    });
    let values: Map<String, Value> = samples.collect();
    let rendered = render(compiled, &values, RenderOptions { lenient: true }).ok()?;
    let (content, messages) = fields(&rendered.content);
    Some(SharedSample { content, messages, missing: rendered.missing })
}

fn fields(content: &Content) -> (Option<String>, Option<Value>) {
    match content {
        Content::Text(text) => (Some(text.clone()), None),
        Content::Chat(_) => (None, serde_json::to_value(content).ok()),
    }
}
