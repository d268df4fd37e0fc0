//! What a bulk request asks for, read and checked: all that is wrong with it at once.

use uuid::Uuid;

use crate::auth::Right;
use crate::error::{ApiError, FieldProblem, Result};
use crate::features::prompts::bulk::dto::{Bulk, BulkAction, BulkVersion};
use crate::features::prompts::dto::{blank_to_none, read_tags};
use crate::features::prompts::labels::LATEST;

/// Longest name of a prompt.
const MAX_NAME: usize = 200;

/// An action with what it needs.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Tag(Vec<String>),
    Untag(Vec<String>),
    SetCategory(Option<String>),
    AddToFolder(Uuid),
    /// None: out of all folders.
    MoveToFolder(Option<Uuid>),
    RemoveFromFolder(Uuid),
    /// `true`: into the archive.
    Archive(bool),
    /// No version: each prompt's newest.
    Label {
        label: String,
        version: Option<i64>,
        comment: Option<String>,
    },
    Unlabel {
        label: String,
        force: bool,
    },
    Delete {
        force: bool,
    },
    Restore,
    Purge,
    Duplicate,
}

impl Action {
    /// What the caller must be allowed to do.
    pub fn right(&self) -> Right {
        match self {
            Action::Tag(_)
            | Action::Untag(_)
            | Action::SetCategory(_)
            | Action::AddToFolder(_)
            | Action::MoveToFolder(_)
            | Action::RemoveFromFolder(_)
            | Action::Archive(_)
            | Action::Duplicate => Right::Write,
            Action::Label { .. } | Action::Unlabel { .. } => Right::Publish,
            Action::Delete { .. } | Action::Restore => Right::Remove,
            Action::Purge => Right::Admin,
        }
    }

    /// Whether an error may come after something was written, so that the item has to be taken back by itself.
    pub fn may_fail_late(&self) -> bool {
        matches!(self, Action::Label { .. } | Action::Duplicate)
    }

    /// Whether labels must not move while it is done.
    pub fn holds_labels(&self) -> bool {
        matches!(
            self,
            Action::Label { .. } | Action::Unlabel { .. } | Action::Delete { .. } | Action::Restore
        )
    }

    /// The folder it names, and whether it is about folders at all.
    pub fn folder(&self) -> Option<Option<Uuid>> {
        match self {
            Action::AddToFolder(folder) | Action::RemoveFromFolder(folder) => Some(Some(*folder)),
            Action::MoveToFolder(folder) => Some(*folder),
            _ => None,
        }
    }

    pub fn read(input: Bulk) -> Result<Action> {
        let mut problems = Vec::new();
        check_prompts(&input.prompts, &mut problems);
        check_fields(&input, &mut problems);
        let tags = |problems: &mut Vec<FieldProblem>| read_tags(input.tags.clone(), problems);
        let required = |field: &str, problems: &mut Vec<FieldProblem>| {
            problems.push(FieldProblem::new(field, "required", "is required for this action"));
        };
        let force = input.force.unwrap_or(false);
        let label = input.label.clone().unwrap_or_default();
        let action = match input.action {
            BulkAction::Tag | BulkAction::Untag => {
                let tags = tags(&mut problems).unwrap_or_default();
                if tags.is_empty() && problems.is_empty() {
                    required("tags", &mut problems);
                }
                if input.action == BulkAction::Tag { Action::Tag(tags) } else { Action::Untag(tags) }
            }
            BulkAction::SetCategory => {
                if input.category.is_none() {
                    required("category", &mut problems);
                }
                Action::SetCategory(blank_to_none(input.category.clone().flatten()))
            }
            BulkAction::AddToFolder => Action::AddToFolder(one_folder(&input, &mut problems)),
            BulkAction::RemoveFromFolder => Action::RemoveFromFolder(one_folder(&input, &mut problems)),
            BulkAction::MoveToFolder => {
                if input.folder.is_none() {
                    required("folder", &mut problems);
                }
                Action::MoveToFolder(input.folder.flatten())
            }
            BulkAction::Archive => Action::Archive(true),
            BulkAction::Unarchive => Action::Archive(false),
            BulkAction::Label => {
                if label.is_empty() {
                    required("label", &mut problems);
                }
                let version = read_version(input.version.as_ref(), &mut problems);
                Action::Label { label, version, comment: blank_to_none(input.comment.clone()) }
            }
            BulkAction::Unlabel => {
                if label.is_empty() {
                    required("label", &mut problems);
                }
                Action::Unlabel { label, force }
            }
            BulkAction::Delete => Action::Delete { force },
            BulkAction::Restore => Action::Restore,
            BulkAction::Purge => Action::Purge,
            BulkAction::Duplicate => Action::Duplicate,
        };
        if problems.is_empty() { Ok(action) } else { Err(ApiError::validation(problems)) }
    }
}

fn check_prompts(prompts: &[String], problems: &mut Vec<FieldProblem>) {
    if prompts.is_empty() {
        problems.push(FieldProblem::new("prompts", "required", "must name at least one prompt"));
    }
    for (index, name) in prompts.iter().enumerate() {
        if name.is_empty() || name.chars().count() > MAX_NAME {
            let message = "must be a slug or an id of 1 to 200 characters";
            problems.push(FieldProblem::new(format!("prompts[{index}]"), "invalid", message));
        }
    }
}

/// A field that says nothing to the action is a mistake: its sender expects something else to happen.
fn check_fields(input: &Bulk, problems: &mut Vec<FieldProblem>) {
    use BulkAction::{
        AddToFolder, Delete, Label, MoveToFolder, RemoveFromFolder, SetCategory, Tag, Unlabel, Untag,
    };
    let given: [(&str, bool, &[BulkAction]); 7] = [
        ("folder", input.folder.is_some(), &[AddToFolder, MoveToFolder, RemoveFromFolder]),
        ("tags", input.tags.is_some(), &[Tag, Untag]),
        ("category", input.category.is_some(), &[SetCategory]),
        ("label", input.label.is_some(), &[Label, Unlabel]),
        ("version", input.version.is_some(), &[Label]),
        ("comment", input.comment.is_some(), &[Label]),
        ("force", input.force.is_some(), &[Delete, Unlabel]),
    ];
    for (field, is_given, actions) in given {
        if is_given && !actions.contains(&input.action) {
            problems.push(FieldProblem::new(field, "unknown_field", "does not belong to this action"));
        }
    }
}

/// The folder, for what needs one. With a problem it means nothing.
fn one_folder(input: &Bulk, problems: &mut Vec<FieldProblem>) -> Uuid {
    let folder = input.folder.flatten();
    if folder.is_none() {
        problems.push(FieldProblem::new("folder", "required", "is required for this action"));
    }
    folder.unwrap_or_default()
}

fn read_version(version: Option<&BulkVersion>, problems: &mut Vec<FieldProblem>) -> Option<i64> {
    let number = match version {
        None => {
            problems.push(FieldProblem::new("version", "required", "is required for this action"));
            return None;
        }
        Some(BulkVersion::Word(word)) if word == LATEST => return None,
        Some(BulkVersion::Word(word)) => word.parse().ok(),
        Some(BulkVersion::Number(number)) => Some(*number),
    };
    let number = number.filter(|number| *number >= 1);
    if number.is_none() {
        let message = "must be \"latest\" or the number of a version";
        problems.push(FieldProblem::new("version", "invalid", message));
    }
    number
}
