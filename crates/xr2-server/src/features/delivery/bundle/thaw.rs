//! Bundles of what is kept for times without the database.

use std::sync::Arc;

use crate::error::Result;
use crate::features::delivery::bundle::build::{Made, Work};
use crate::features::delivery::bundle::snapshot::{Item, Snapshot};
use crate::features::delivery::freeze::FrozenWorkspace;
use crate::features::delivery::freshness::Tenant;
use crate::heavy::heavy;
use crate::state::App;

/// What `label` delivers as it was kept; none when nothing was, or nothing newer than `known`.
pub async fn thaw(
    app: &App,
    tenant: &Arc<Tenant>,
    label: &str,
    known: Option<i64>,
) -> Result<Option<Snapshot>> {
    let kept = app.prompt_cache().thawed().workspace(app, tenant.id()).await;
    let Some(kept) = kept.filter(|kept| known.is_none_or(|known| kept.revision() > known)) else {
        return Ok(None);
    };
    let (revision, told) = (kept.revision(), tenant.told());
    let making = {
        let (tenant, label) = (tenant.clone(), label.to_owned());
        move || make(&kept, &tenant, &label)
    };
    let (items, is_partial) = heavy(making).await?;
    let snapshot = Snapshot::frozen(revision, label, items, is_partial);
    if revision < told {
        snapshot.outdate(app.frozen().current_of(tenant.id()).unwrap_or_else(|| app.clock().now()));
    }
    Ok(Some(snapshot))
}

/// The items, and whether some could not be made although they may be delivered in truth.
fn make(kept: &FrozenWorkspace, tenant: &Arc<Tenant>, label: &str) -> (Vec<Arc<Item>>, bool) {
    let (mut items, mut is_partial) = (Vec::new(), false);
    for (prompt, version, former_slugs) in kept.delivered_under(label) {
        let work = Work::begin(tenant, label, kept.revision(), prompt, version, former_slugs);
        let made = work.and_then(|(unfinished, source)| {
            let snippets = kept.snippets_of(&source);
            unfinished.with(source, snippets).finish()
        });
        match made {
            Some(made) => items.push(Arc::new(Made::keep(made, tenant))),
            None => is_partial = true,
        }
    }
    (items, is_partial)
}
