//! Making, changing and deleting folders.

use serde_json::{Value, json};
use uuid::Uuid;
use xr2_db::{DbError, Tx};

use crate::auth::Access;
use crate::error::{ApiError, Code, FieldProblem, Result};
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::folders::dto::{CreateFolder, UpdateFolder};
use crate::features::folders::model::{Deleted, Folder};
use crate::features::folders::queries::{self, FolderRow};
use crate::features::folders::tree::{MAX_DEPTH, Tree};
use crate::state::App;

/// Most folders of a workspace.
const MAX_FOLDERS: usize = 5000;
/// Most folders a prompt stands in.
pub const MAX_OF_PROMPT: usize = 50;
/// Prompts taken out of a folder that is to be deleted before others get their turn.
const BATCH: i64 = 2000;

/// All folders in the order of their paths.
pub async fn list(app: &App, caller: &Access) -> Result<Vec<Folder>> {
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let tree = Tree::of(queries::all(&mut tx).await?);
    let counts = queries::counts(&mut tx, None).await?;
    tx.commit().await?;
    let folder = |(row, path): (FolderRow, Vec<String>)| {
        let prompts = counts.get(&row.id).copied().unwrap_or(0);
        entity(&row, path, prompts)
    };
    Ok(tree.into_sorted().into_iter().map(folder).collect())
}

/// One folder.
pub async fn get(app: &App, caller: &Access, id: Uuid) -> Result<Folder> {
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let tree = Tree::of(queries::upwards(&mut tx, id).await?);
    let folder = read(&mut tx, &tree, id).await?;
    tx.commit().await?;
    Ok(folder)
}

/// Makes a folder.
pub async fn create(app: &App, caller: &Access, input: CreateFolder) -> Result<Folder> {
    let name = read_name(&input.name)?;
    let mut change = Change::begin(app, caller).await?;
    let mut tree = locked_tree(&mut change).await?;
    if tree.len() >= MAX_FOLDERS {
        let message =
            format!("A workspace has at most {MAX_FOLDERS} folders. Delete some that are not needed.");
        return Err(ApiError::new(Code::Conflict, message));
    }
    let parent = input.parent_folder_id;
    check_place(&tree, parent, 1)?;
    check_free(&tree, parent, &name, None)?;
    let now = app.clock().now();
    let row = FolderRow { id: app.clock().new_id(), parent, name, created_at: now, updated_at: now };
    let by = change.actor().clone();
    queries::insert(change.tx(), &row, &by).await.map_err(|error| taken_or(error, &row.name))?;
    tree = tree.with(row.clone());
    let path = tree.path(row.id);
    change.record(event(EventType::FolderCreated, &row).after(told(&row, &path)));
    change.commit().await?;
    Ok(entity(&row, path, 0))
}

/// Renames and moves a folder.
pub async fn update(app: &App, caller: &Access, id: Uuid, input: UpdateFolder) -> Result<Folder> {
    let name = input.name.as_deref().map(read_name).transpose()?;
    let mut change = Change::begin(app, caller).await?;
    let mut tree = locked_tree(&mut change).await?;
    let before = tree.get(id).cloned().ok_or_else(no_folder)?;
    let mut row = before.clone();
    row.name = name.unwrap_or(row.name);
    row.parent = input.parent_folder_id.unwrap_or(row.parent);
    if row.parent != before.parent {
        if row.parent.is_some_and(|parent| tree.is_within(parent, id)) {
            let message = "must not be the folder itself or one that stands in it";
            return Err(ApiError::invalid_field("parent_folder_id", "invalid", message));
        }
        check_place(&tree, row.parent, tree.height(id))?;
    }
    if (row.parent, &row.name) != (before.parent, &before.name) {
        check_free(&tree, row.parent, &row.name, Some(id))?;
        row.updated_at = app.clock().now();
        queries::save(change.tx(), &row).await.map_err(|error| taken_or(error, &row.name))?;
        let was = tree.path(id);
        tree = tree.with(row.clone());
        let is = tree.path(id);
        change
            .record(event(EventType::FolderUpdated, &row).before(told(&before, &was)).after(told(&row, &is)));
    }
    let folder = read(change.tx(), &tree, id).await?;
    change.commit().await?;
    Ok(folder)
}

/// Deletes a folder; its prompts stay. Its subfolders go with it, or to where it stood.
pub async fn delete(app: &App, caller: &Access, id: Uuid, recursive: bool) -> Result<Deleted> {
    let mut deleted = Deleted { folders: 0, prompts: 0 };
    loop {
        let mut change = Change::begin(app, caller).await?;
        let tree = locked_tree(&mut change).await?;
        let row = tree.get(id).cloned().ok_or_else(no_folder)?;
        let doomed = if recursive { tree.below(id) } else { vec![id] };
        if !recursive {
            check_lift(&tree, &row)?;
        }
        queries::lock(change.tx(), &doomed).await?;
        let out = queries::take_out(change.tx(), &doomed, BATCH).await? as i64;
        deleted.prompts += out;
        if out == BATCH {
            // More than one writer should wait for: the rest, and the folder, in the next ones.
            change.commit().await?;
            continue;
        }
        if !recursive {
            queries::lift(change.tx(), id, row.parent, app.clock().now()).await?;
        }
        queries::delete(change.tx(), &doomed).await?;
        deleted.folders = doomed.len() as i64;
        let after = json!({ "folders": deleted.folders, "prompts": deleted.prompts });
        let before = told(&row, &tree.path(id));
        change.record(event(EventType::FolderDeleted, &row).before(before).after(after));
        change.commit().await?;
        return Ok(deleted);
    }
}

async fn locked_tree(change: &mut Change) -> Result<Tree> {
    queries::lock_tree(change.tx()).await?;
    Ok(Tree::of(queries::all(change.tx()).await?))
}

async fn read(tx: &mut Tx, tree: &Tree, id: Uuid) -> Result<Folder> {
    let row = tree.get(id).ok_or_else(no_folder)?;
    let prompts = queries::counts(tx, Some(id)).await?.remove(&id).unwrap_or(0);
    Ok(entity(row, tree.path(id), prompts))
}

fn entity(row: &FolderRow, path: Vec<String>, prompts: i64) -> Folder {
    Folder {
        id: row.id,
        name: row.name.clone(),
        parent_folder_id: row.parent,
        path,
        prompts,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn event(kind: EventType, row: &FolderRow) -> NewEvent {
    NewEvent::new(kind, Resource::new("folder", row.id, &row.name))
}

fn told(row: &FolderRow, path: &[String]) -> Value {
    json!({ "name": row.name, "parent_folder_id": row.parent, "path": path })
}

fn no_folder() -> ApiError {
    ApiError::not_found("folder")
}

fn read_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() {
        return Err(ApiError::invalid_field("name", "required", "must not be empty"));
    }
    if name.chars().any(char::is_control) {
        return Err(ApiError::invalid_field(
            "name",
            "invalid",
            "must be one line without control characters",
        ));
    }
    Ok(name.to_owned())
}

/// Whether a folder with so many levels may stand in `parent`.
fn check_place(tree: &Tree, parent: Option<Uuid>, levels: usize) -> Result<()> {
    let Some(parent) = parent else { return Ok(()) };
    if tree.get(parent).is_none() {
        let message = "there is no such folder in this workspace";
        return Err(ApiError::invalid_field("parent_folder_id", "not_found", message));
    }
    if tree.depth(parent) + levels > MAX_DEPTH {
        let message = format!("would be too deep: at most {MAX_DEPTH} folders stand in each other");
        return Err(ApiError::invalid_field("parent_folder_id", "too_deep", message));
    }
    Ok(())
}

/// Whether no other folder in `parent` has the name.
fn check_free(tree: &Tree, parent: Option<Uuid>, name: &str, but: Option<Uuid>) -> Result<()> {
    let key = name.to_lowercase();
    let is_taken = |row: &FolderRow| Some(row.id) != but && row.name.to_lowercase() == key;
    if tree.children(parent).any(is_taken) { Err(taken(name)) } else { Ok(()) }
}

/// Whether the folder's subfolders can stand where it does.
fn check_lift(tree: &Tree, row: &FolderRow) -> Result<()> {
    let clash = tree
        .children(Some(row.id))
        .find(|sub| check_free(tree, row.parent, &sub.name, Some(row.id)).is_err());
    match clash {
        None => Ok(()),
        Some(sub) => {
            let message = format!(
                "Its subfolder \"{}\" would move up to a folder of the same name. Rename one of them, or delete the \
                 folder with all its subfolders (recursive=true).",
                sub.name
            );
            Err(ApiError::new(Code::Conflict, message))
        }
    }
}

fn taken(name: &str) -> ApiError {
    ApiError::new(
        Code::Conflict,
        format!("There is a folder \"{name}\" here already. Please choose another name."),
    )
    .with_details(
        json!({ "errors": [FieldProblem::new("name", "taken", "is taken; please choose another")] }),
    )
}

fn taken_or(error: DbError, name: &str) -> ApiError {
    if error.is_unique("folders") { taken(name) } else { error.into() }
}

/// What is wrong with the folders somebody wants a prompt in, looked up before anything is changed.
pub async fn unknown(app: &App, caller: &Access, folders: &[Uuid]) -> Result<Vec<FieldProblem>> {
    if folders.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let known = queries::existing(&mut tx, folders, false).await?;
    tx.commit().await?;
    Ok(problems(folders, &known))
}

/// The folders a prompt is put into: sorted and each once, and sure to be there until the commit; else what is wrong.
pub async fn check_ids(
    tx: &mut Tx,
    folders: &[Uuid],
) -> Result<std::result::Result<Vec<Uuid>, Vec<FieldProblem>>> {
    if folders.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let known = queries::existing(tx, folders, true).await?;
    let problems = problems(folders, &known);
    Ok(if problems.is_empty() { Ok(known) } else { Err(problems) })
}

fn problems(folders: &[Uuid], known: &[Uuid]) -> Vec<FieldProblem> {
    if folders.len() > MAX_OF_PROMPT {
        let message = format!("a prompt stands in at most {MAX_OF_PROMPT} folders");
        return vec![FieldProblem::new("folder_ids", "too_long", message)];
    }
    let unknown = folders.iter().enumerate().filter(|(_, folder)| !known.contains(folder));
    unknown
        .map(|(index, _)| {
            let message = "there is no such folder in this workspace";
            FieldProblem::new(format!("folder_ids[{index}]"), "not_found", message)
        })
        .collect()
}
