//! The home page.

use crate::auth::Access;
use crate::error::Result;
use crate::features::activity::dto::{Calls, Home, MyDraft, Onboarding};
use crate::features::activity::feed::{self, Filter};
use crate::features::activity::queries;
use crate::features::usage;
use crate::state::App;

/// What is shown of changes and drafts.
const RECENT: usize = 10;
const DRAFTS: usize = 10;
/// Drafts of the workspace among which the caller's are looked for.
const DRAFTS_READ: i64 = 500;

/// What goes on all the time, and what follows from something else that is told.
const NOISE: &[&str] = &["draft.saved", "draft.discarded", "version.created", "access.denied"];

/// Everything that the dashboard begins with.
pub(super) async fn home(app: &App, access: &Access) -> Result<Home> {
    let (week, before, ever) = usage::week_and_before(app, access).await?;
    let me = access.actor().id;
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let kinds = feed::visible(access).filter(|kind| !NOISE.contains(kind)).collect();
    let filter = Filter { kinds, resource: None, actor: None };
    let (recent, _) = feed::read(&mut tx, &filter, i64::MAX, RECENT).await?;
    let drafts = queries::latest_drafts(&mut tx, DRAFTS_READ).await?;
    let (has_prompt, has_published, has_key) = queries::steps(&mut tx, app.clock().now()).await?;
    tx.commit().await?;
    let mine = drafts.into_iter().filter(|draft| draft.updated_by.id == me && me.is_some());
    let drafts = mine.take(DRAFTS).map(|draft| MyDraft {
        prompt_id: draft.prompt,
        slug: draft.slug,
        title: draft.title,
        branch: draft.branch,
        updated_at: draft.updated_at,
    });
    Ok(Home {
        recent,
        drafts: drafts.collect(),
        calls: Calls { calls: week.0, errors: week.1, calls_before: before.0, errors_before: before.1 },
        onboarding: Onboarding { has_prompt, has_published, has_key, has_call: ever },
    })
}
