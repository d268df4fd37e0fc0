//! Surrogate keys: what an answer is made of, and what an event changes.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::features::edge::model::Happened;

/// Everything of a workspace.
pub fn of_workspace(workspace: Uuid) -> String {
    format!("xr2-w-{}", workspace.simple())
}

/// Everything of a prompt.
pub fn of_prompt(prompt: Uuid) -> String {
    format!("xr2-p-{}", prompt.simple())
}

/// Everything that a label delivers.
pub fn of_label(workspace: Uuid, label: &str) -> String {
    format!("xr2-l-{}-{label}", workspace.simple())
}

/// Everything that was fetched with a key.
pub fn of_key(key: Uuid) -> String {
    format!("xr2-k-{}", key.simple())
}

/// What is purged one by one; more is purged as a whole.
const MOST: usize = 200;

/// What caches must forget because of these events.
pub fn to_purge(workspace: Uuid, events: &[Happened]) -> BTreeSet<String> {
    let mut tags = BTreeSet::new();
    for event in events {
        match event.resource_type.as_str() {
            "prompt" => {
                tags.extend(event.resource_id.map(of_prompt));
                tags.extend(dependents(event).map(of_prompt));
            }
            "label" => tags.extend(event.resource_name.as_deref().map(|label| of_label(workspace, label))),
            "api_key" if event.kind != "api_key.created" => tags.extend(event.resource_id.map(of_key)),
            "api_key" => {}
            // A setting, or the role of whoever made a key.
            _ => drop(tags.insert(of_workspace(workspace))),
        }
    }
    let whole = of_workspace(workspace);
    if tags.len() > MOST || tags.contains(&whole) { BTreeSet::from([whole]) } else { tags }
}

/// Prompts whose text holds this one's.
fn dependents(event: &Happened) -> impl Iterator<Item = Uuid> {
    let list = event.after.as_ref().and_then(|after| after["dependents"].as_array());
    list.into_iter().flatten().filter_map(|one| Uuid::try_parse(one["id"].as_str()?).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(kind: &str, resource: &str, id: u128, after: serde_json::Value) -> Happened {
        Happened {
            kind: kind.to_owned(),
            resource_type: resource.to_owned(),
            resource_id: Some(Uuid::from_u128(id)),
            resource_name: Some("staging".to_owned()),
            after: Some(after),
        }
    }

    #[test]
    fn events_name_what_they_change_once() {
        let workspace = Uuid::from_u128(9);
        let dependent = json!({ "dependents": [{ "id": Uuid::from_u128(2), "slug": "b" }] });
        let events = [
            event("prompt.published", "prompt", 1, dependent),
            event("prompt.published", "prompt", 1, json!({})),
            event("label.deleted", "label", 5, json!({})),
            event("api_key.revoked", "api_key", 3, json!({})),
            event("api_key.created", "api_key", 4, json!({})),
        ];
        let expected = [
            of_key(Uuid::from_u128(3)),
            of_label(workspace, "staging"),
            of_prompt(Uuid::from_u128(1)),
            of_prompt(Uuid::from_u128(2)),
        ];
        assert_eq!(to_purge(workspace, &events), BTreeSet::from(expected));
    }

    #[test]
    fn many_changes_are_all_of_it() {
        let workspace = Uuid::from_u128(9);
        let all = BTreeSet::from([of_workspace(workspace)]);
        let many: Vec<_> = (0..201).map(|n| event("prompt.updated", "prompt", n, json!({}))).collect();
        assert_eq!(to_purge(workspace, &many), all);
        let member =
            [event("prompt.updated", "prompt", 1, json!({})), event("member.removed", "user", 2, json!({}))];
        assert_eq!(to_purge(workspace, &member), all);
    }
}
