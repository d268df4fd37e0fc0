//! What a file says of the workspace itself: its settings and its labels.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::error::Result;
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::exports::Label;
use crate::features::imports::bring::Run;
use crate::features::imports::item::Item;
use crate::features::imports::model::Status;
use crate::features::imports::options::OnConflict;
use crate::features::imports::prepare::author;
use crate::features::imports::queries::{self, Told};
use crate::features::prompts::{self, is_label_name};

/// Largest settings, as JSON.
const MOST_SETTINGS: usize = 64 * 1024;

pub(super) async fn bring(change: &mut Change, run: &Run, number: i64, item: Item) -> Result<Told> {
    match item {
        Item::Settings(raw) => settings(change, run, number, &raw).await,
        Item::Label(one) => label(change, run, number, one).await,
        Item::Prompt(_) => Ok(told(number, "", Status::Skipped, "a prompt is brought in elsewhere")),
    }
}

fn told(number: i64, name: &str, status: Status, reason: &str) -> Told {
    let message = (!reason.is_empty()).then(|| reason.to_owned());
    Told { message, ..Told::of(number, name.to_owned(), status) }
}

async fn settings(change: &mut Change, run: &Run, number: i64, raw: &RawValue) -> Result<Told> {
    let name = "settings";
    let Ok(Value::Object(wanted)) = serde_json::from_str(raw.get()) else {
        return Ok(told(number, name, Status::Failed, "settings must be an object"));
    };
    if raw.get().len() > MOST_SETTINGS {
        return Ok(told(number, name, Status::Failed, "settings must have at most 64 KiB"));
    }
    let before = queries::settings(change.tx()).await?;
    let mut after = before.as_object().cloned().unwrap_or_default();
    after.extend(wanted);
    let after = Value::Object(after);
    if after == before {
        return Ok(told(number, name, Status::Unchanged, ""));
    }
    if !run.is_admin() {
        return Ok(told(number, name, Status::Skipped, "only admins change the workspace's settings"));
    }
    if run.options.on_conflict == OnConflict::Skip && before != json!({}) {
        return Ok(told(number, name, Status::Skipped, "the workspace has settings of its own"));
    }
    let now = change.app().clock().now();
    queries::set_settings(change.tx(), &after, now).await?;
    let resource = Resource::new("workspace", change.workspace(), name);
    change.record(
        NewEvent::new(EventType::WorkspaceUpdated, resource)
            .before(json!({ "settings": before }))
            .after(json!({ "settings": after })),
    );
    Ok(told(number, name, Status::Updated, ""))
}

async fn label(change: &mut Change, run: &Run, number: i64, one: Label) -> Result<Told> {
    let name = one.name.as_str();
    if !is_label_name(name) {
        return Ok(told(number, name, Status::Failed, "this cannot be the name of a label"));
    }
    let there = prompts::label(change.tx(), name).await?;
    let is_color = |color: &String| color.len() <= 20 && color.bytes().all(|byte| byte.is_ascii_lowercase());
    let color = one.color.clone().filter(is_color);
    let description = one.description.clone().filter(|text| text.chars().count() <= 500);
    let Some(mut label) = there else {
        if !run.is_admin() {
            return Ok(told(number, name, Status::Skipped, "only admins make labels of the workspace"));
        }
        let (by, created_at) = author(&run.setting, &one.created_by, one.created_at);
        let label = prompts::Label {
            name: name.to_owned(),
            color: color.unwrap_or_else(|| "gray".to_owned()),
            description,
            protected: one.protected,
            created_at,
            prompts: 0,
        };
        prompts::insert_label(change.tx(), &label, &by).await?;
        let event = NewEvent::new(EventType::LabelCreated, Resource::named("label", name));
        change.record(event.after(facts(&label)));
        return Ok(told(number, name, Status::Created, ""));
    };
    // A label that is only named, not described, is there: that is all it asks for.
    let before = facts(&label);
    if let Some(color) = color {
        (label.color, label.description, label.protected) = (color, description, one.protected);
    }
    if facts(&label) == before {
        return Ok(told(number, name, Status::Unchanged, ""));
    }
    if !run.is_admin() || run.options.on_conflict != OnConflict::Update {
        return Ok(told(number, name, Status::Skipped, "the label is there already and was left as it is"));
    }
    let now = change.app().clock().now();
    prompts::update_label_row(change.tx(), &label, now).await?;
    let event = NewEvent::new(EventType::LabelUpdated, Resource::named("label", name));
    change.record(event.before(before).after(facts(&label)));
    Ok(told(number, name, Status::Updated, ""))
}

fn facts(label: &prompts::Label) -> Value {
    json!({ "color": label.color, "description": label.description, "protected": label.protected })
}
