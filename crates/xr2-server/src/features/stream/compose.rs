//! From changes to a batch: who else is concerned, and what everybody delivers now.

use std::collections::HashMap;

use bytes::Bytes;
use uuid::Uuid;

use crate::error::Result;
use crate::features::delivery::{DeliveredItem, delivered_now};
use crate::features::prompts::delivering;
use crate::features::stream::batch::{Batch, Frame, Segment};
use crate::features::stream::changes::Change;
use crate::features::stream::filter::Filter;
use crate::features::stream::frame::{
    Changed, Edited, Gone, push_changed, push_delete, push_edited, push_put,
};
use crate::state::App;

/// Prompts of one label that are sent to everybody who listens; with more, fetching the bundle is cheaper for all.
const MOST: usize = 500;

/// Bytes of them.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Changes whose dependents are looked for.
const MOST_EXPANDED: usize = 2 * MOST;

/// Puts together what the changes up to `revision` come to, for the labels that `filter` lets through. Every label of
/// a prompt is told once, at the place of its last change, with what it delivers now: whoever reads in order never
/// goes back.
pub async fn compose(
    app: &App,
    workspace: Uuid,
    changes: Vec<Change>,
    revision: i64,
    filter: &Filter,
) -> Result<Batch> {
    let changes = last_of_each(with_dependents(app, workspace, last_of_each(changes)).await?);
    let mut labels: Vec<(String, Vec<Change>)> = Vec::new();
    for change in changes.into_iter().filter(|change| filter.has_label(&change.told.label)) {
        match labels.iter_mut().find(|(label, _)| *label == change.told.label) {
            Some((_, changes)) => changes.push(change),
            None => labels.push((change.told.label.clone(), vec![change])),
        }
    }
    let mut segments = Vec::with_capacity(labels.len());
    for (label, changes) in labels {
        segments.push(segment(app, workspace, label, changes, revision).await?);
    }
    Ok(Batch::new(revision, segments))
}

/// Every label of every prompt once, where it was last changed.
fn last_of_each(changes: Vec<Change>) -> Vec<Change> {
    let mut last: HashMap<(Option<Uuid>, &str), usize> = HashMap::with_capacity(changes.len());
    let mut retagged = vec![false; changes.len()];
    for (at, change) in changes.iter().enumerate() {
        let before = last.insert((change.told.prompt_id, &change.told.label), at);
        retagged[at] = change.retagged || before.is_some_and(|before| retagged[before]);
    }
    let mut kept: Vec<usize> = last.into_values().collect();
    kept.sort_unstable_by_key(|at| (changes[*at].told.revision, *at));
    let mut changes: Vec<Option<Change>> = changes.into_iter().map(Some).collect();
    let take = |at: usize| changes[at].take().map(|change| Change { retagged: retagged[at], ..change });
    kept.into_iter().filter_map(take).collect()
}

/// Adds those whose text holds what has changed, at the same revision. An event names those that a label delivered
/// then; here are those that deliver it now, as their newest version too.
async fn with_dependents(app: &App, workspace: Uuid, changes: Vec<Change>) -> Result<Vec<Change>> {
    if changes.is_empty() || changes.len() > MOST_EXPANDED {
        return Ok(changes);
    }
    let mut all = Vec::with_capacity(changes.len());
    let mut tx = app.db().tenant(workspace).read().await?;
    for change in changes {
        let Changed { revision, at, .. } = change.told;
        let dependents = match change.told.prompt_id {
            Some(id) if change.edited.is_none() => delivering(&mut tx, id, &change.told.label).await?,
            _ => Vec::new(),
        };
        all.push(change);
        all.extend(dependents.into_iter().map(|dependent| Change {
            told: Changed {
                slug: dependent.slug,
                prompt_id: Some(dependent.id),
                label: dependent.label,
                version: Some(dependent.version),
                revision,
                at,
            },
            retagged: false,
            edited: None,
        }));
    }
    tx.commit().await?;
    Ok(all)
}

async fn segment(
    app: &App,
    workspace: Uuid,
    label: String,
    changes: Vec<Change>,
    revision: i64,
) -> Result<Segment> {
    if changes.len() > MOST {
        return Ok(Segment::too_much(label));
    }
    let mut text = Vec::new();
    let mut frames = Vec::with_capacity(changes.len());
    for mut change in changes {
        if let Some(tags) = change.edited.take() {
            frames.push(write_edit(&mut text, change.told, tags));
            continue;
        }
        let delivered =
            delivered_now(app, workspace, &change.told.slug, change.told.prompt_id, &label).await?;
        frames.push(write(&mut text, change, delivered));
        if text.len() > MOST_BYTES && frames.len() > 1 {
            return Ok(Segment::too_much(label));
        }
    }
    Ok(Segment::frames(label, frames, text, revision))
}

fn write(text: &mut Vec<u8>, change: Change, delivered: Option<DeliveredItem>) -> Frame {
    let start = text.len();
    let Change { told: mut changed, retagged, .. } = change;
    let prompt = changed.prompt_id.unwrap_or_default();
    let revision = changed.revision;
    let Some(delivered) = delivered else {
        push_changed(text, &changed);
        push_delete(text, &Gone { revision, id: prompt, slug: &changed.slug, label: &changed.label });
        let names = vec![changed.slug.into()];
        let whole = Bytes::copy_from_slice(&text[start..]);
        // Whatever tags it had: it is gone for everybody who had it.
        return Frame {
            prompt,
            names,
            tags: Vec::new(),
            revision,
            untagged: Some(whole),
            range: start..text.len(),
        };
    };
    changed.version = Some(delivered.version);
    push_changed(text, &changed);
    push_put(text, revision, &delivered.item);
    let untagged = retagged.then(|| {
        let mut gone = Vec::new();
        push_delete(&mut gone, &Gone { revision, id: prompt, slug: &changed.slug, label: &changed.label });
        gone.into()
    });
    Frame {
        prompt,
        names: delivered.names,
        tags: delivered.tags,
        revision,
        untagged,
        range: start..text.len(),
    }
}

fn write_edit(text: &mut Vec<u8>, told: Changed, tags: Vec<Box<str>>) -> Frame {
    let start = text.len();
    let Changed { slug, prompt_id, revision, at, .. } = told;
    push_edited(text, &Edited { slug: &slug, prompt_id, revision, at });
    let (prompt, names) = (prompt_id.unwrap_or_default(), vec![slug.into()]);
    Frame { prompt, names, tags, revision, untagged: None, range: start..text.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;

    fn change(id: u128, label: &str, revision: i64, retagged: bool) -> Change {
        let told = Changed {
            slug: format!("p{id}"),
            prompt_id: Some(Uuid::from_u128(id)),
            label: label.to_owned(),
            version: Some(revision),
            revision,
            at: Time::default(),
        };
        Change { told, retagged, edited: None }
    }

    #[test]
    fn every_label_is_told_once_where_it_changed_last() {
        let changes = vec![
            change(1, "production", 1, true),
            change(2, "production", 2, false),
            change(1, "staging", 2, false),
            change(1, "production", 3, false),
        ];
        let left: Vec<(String, String, i64, bool)> = last_of_each(changes)
            .into_iter()
            .map(|c| (c.told.slug, c.told.label, c.told.revision, c.retagged))
            .collect();
        let one =
            |slug: &str, label: &str, revision, retagged| (slug.into(), label.into(), revision, retagged);
        assert_eq!(
            left,
            [
                one("p2", "production", 2, false),
                one("p1", "staging", 2, false),
                one("p1", "production", 3, true)
            ]
        );
    }
}
