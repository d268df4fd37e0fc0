//! What each action does to one prompt.

use uuid::Uuid;

use crate::error::{ApiError, Result};
use crate::features::folders;
use crate::features::prompts::bulk::action::Action;
use crate::features::prompts::bulk::batch::Batch;
use crate::features::prompts::bulk::dto::{Copied, End};
use crate::features::prompts::dto::MAX_TAGS;
use crate::features::prompts::includes::{self, Dependent};
use crate::features::prompts::labels::{self, LabelMove};
use crate::features::prompts::{
    PromptRow, access, bin, create_in, drafts, duplicate, queries, update, versions,
};

impl Batch<'_> {
    /// Does the action to one prompt. An error says why it cannot be done.
    pub(super) async fn apply(&mut self, row: PromptRow) -> Result<End> {
        let slug = row.slug.clone();
        match self.action {
            Action::Tag(tags) => {
                let row = access::not_archived(access::not_in_bin(row, &slug)?)?;
                let mut all = row.tags.clone();
                for tag in tags {
                    if !all.contains(tag) {
                        all.push(tag.clone());
                    }
                }
                self.set_tags(row, all).await
            }
            Action::Untag(tags) => {
                let row = access::not_archived(access::not_in_bin(row, &slug)?)?;
                let left = row.tags.iter().filter(|tag| !tags.contains(tag)).cloned().collect();
                self.set_tags(row, left).await
            }
            Action::SetCategory(category) => {
                let row = access::not_archived(access::not_in_bin(row, &slug)?)?;
                let changed = PromptRow { category: category.clone(), ..row.clone() };
                self.keep_facts(&row, changed).await
            }
            Action::AddToFolder(_) | Action::MoveToFolder(_) | Action::RemoveFromFolder(_) => {
                self.put_into_folders(access::not_archived(access::not_in_bin(row, &slug)?)?).await
            }
            Action::Archive(archived) => {
                let row = access::not_in_bin(row, &slug)?;
                let is_change = row.archived != *archived;
                update::set_archived(&mut self.change, row, *archived).await?;
                Ok(End::when(is_change))
            }
            Action::Label { .. } => self.label(access::not_archived(access::not_in_bin(row, &slug)?)?).await,
            Action::Unlabel { .. } => {
                self.unlabel(access::not_archived(access::not_in_bin(row, &slug)?)?).await
            }
            Action::Delete { force } => self.delete(row, *force).await,
            Action::Restore => self.restore(row).await,
            Action::Purge => {
                bin::purge_in_bin(&mut self.change, &row).await?;
                Ok(End::done())
            }
            Action::Duplicate => self.duplicate(access::not_in_bin(row, &slug)?).await,
        }
    }

    async fn set_tags(&mut self, row: PromptRow, tags: Vec<String>) -> Result<End> {
        if tags == row.tags {
            return Ok(End::Unchanged);
        }
        if tags.len() > MAX_TAGS {
            return Err(ApiError::invalid_field("tags", "too_long", "a prompt has at most 50 tags"));
        }
        queries::set_tags(self.change.tx(), row.id, &tags, false).await?;
        let changed = PromptRow { tags, ..row.clone() };
        self.keep_facts(&row, changed).await
    }

    async fn put_into_folders(&mut self, row: PromptRow) -> Result<End> {
        let stood = self.folders.get(&row.id).cloned().unwrap_or_default();
        let mut stands = stood.clone();
        match self.action {
            Action::AddToFolder(folder) => stands.push(*folder),
            Action::MoveToFolder(folder) => stands = folder.iter().copied().collect(),
            Action::RemoveFromFolder(folder) => stands.retain(|id| id != folder),
            _ => {}
        }
        stands.sort_unstable();
        stands.dedup();
        if stands == stood {
            return Ok(End::Unchanged);
        }
        if stands.len() > folders::MAX_OF_PROMPT {
            let message = format!("a prompt stands in at most {} folders", folders::MAX_OF_PROMPT);
            return Err(ApiError::invalid_field("folder", "too_long", message));
        }
        let folders = (stood.as_slice(), stands.as_slice());
        update::keep_facts_and_folders(&mut self.change, &row, row.clone(), None, folders).await?;
        Ok(End::done())
    }

    async fn keep_facts(&mut self, before: &PromptRow, row: PromptRow) -> Result<End> {
        let labels = self.labels_of(&row);
        let events = self.change.recorded();
        update::keep_facts(&mut self.change, before, row, Some(labels)).await?;
        Ok(End::when(self.change.recorded() > events))
    }

    async fn label(&mut self, row: PromptRow) -> Result<End> {
        let Action::Label { label, version, comment } = self.action else { return Ok(End::Unchanged) };
        let number = version.unwrap_or(row.latest_version);
        if self.pointer(row.id, label) == Some(number) {
            return Ok(End::Unchanged);
        }
        let Some(version) = versions::queries::by_number(self.change.tx(), row.id, number).await? else {
            return Err(ApiError::not_found(&format!("version {number}")));
        };
        // It compiled when it was saved; what it includes may have changed since.
        includes::check(self.change.tx(), Some(&row.slug), &version.source).await?;
        let to = LabelMove {
            prompt: row.id,
            slug: &row.slug,
            label,
            version: number,
            comment: comment.as_deref(),
            restored: false,
            is_new: false,
        };
        let moved = labels::move_label(&mut self.change, to).await?;
        Ok(End::Done { previous_version: moved.previous, copy: None })
    }

    async fn unlabel(&mut self, row: PromptRow) -> Result<End> {
        let Action::Unlabel { label, force } = self.action else { return Ok(End::Unchanged) };
        if self.pointer(row.id, label).is_none() {
            return Ok(End::Unchanged);
        }
        let moved = labels::remove_label(&mut self.change, row.id, &row.slug, label, *force).await?;
        Ok(End::Done { previous_version: moved.previous, copy: None })
    }

    async fn delete(&mut self, row: PromptRow, force: bool) -> Result<End> {
        if row.deleted_at.is_some() {
            return Ok(End::Unchanged);
        }
        let dependents = self.dependents(row.id).await?;
        if !force {
            let now = self.change.app().clock().now();
            bin::check_unused(now, self.fetched.get(&row.id).copied(), &dependents)?;
        }
        let labels = self.labels_of(&row);
        bin::put_away(&mut self.change, row, labels, &dependents).await?;
        Ok(End::done())
    }

    async fn restore(&mut self, row: PromptRow) -> Result<End> {
        if row.deleted_at.is_none() {
            return Ok(End::Unchanged);
        }
        let dependents = self.dependents(row.id).await?;
        let labels = self.labels_of(&row);
        bin::take_out(&mut self.change, row, labels, &dependents).await?;
        Ok(End::done())
    }

    async fn dependents(&mut self, prompt: Uuid) -> Result<Vec<Dependent>> {
        if !self.included.contains(&prompt) {
            return Ok(Vec::new());
        }
        includes::all_dependents(self.change.tx(), prompt).await
    }

    async fn duplicate(&mut self, row: PromptRow) -> Result<End> {
        let newest = versions::queries::newest(self.change.tx(), row.id, drafts::MAIN).await?;
        let Some(newest) = newest else { return Err(ApiError::not_found("version")) };
        let folder_ids = self.folders.get(&row.id).cloned().unwrap_or_default();
        let new = duplicate::copy(row, newest, folder_ids, duplicate::Duplicate::default());
        new.source.check_size(self.change.app().config().limits.content_bytes)?;
        let saved = create_in(&mut self.change, self.access, new, true).await?;
        let copy = Some(Copied { id: saved.prompt.id, slug: saved.prompt.slug });
        Ok(End::Done { previous_version: None, copy })
    }
}
