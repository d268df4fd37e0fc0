//! SQL of prompts that come many at once: all rows of a table in few statements.

use uuid::Uuid;
use xr2_db::{Result, Sql, Tx, Value, args};

use crate::features::prompts::arrivals::Arrival;
use crate::features::prompts::includes::IncludedPrompt;
use crate::features::prompts::queries::{COLUMNS, PromptRow};
use crate::features::prompts::versions::VersionRow;

pub(super) async fn insert_slugs<'a>(tx: &mut Tx, all: impl Iterator<Item = &'a Arrival>) -> Result<()> {
    let workspace = tx.workspace();
    let mut values = Vec::new();
    for Arrival { row, former_slugs, .. } in all {
        values.extend(args![workspace, &row.slug, row.id, true, row.created_at]);
        for (slug, since) in former_slugs {
            values.extend(args![workspace, slug, row.id, false, *since]);
        }
    }
    let into = "INSERT INTO prompt_slugs (workspace_id, slug, prompt_id, is_current, created_at)";
    tx.insert_rows(into, 5, values, "").await.map(drop)
}

pub(super) async fn insert_tags<'a>(tx: &mut Tx, all: impl Iterator<Item = &'a PromptRow>) -> Result<()> {
    let workspace = tx.workspace();
    let of_row = |row: &'a PromptRow| row.tags.iter().flat_map(move |tag| args![workspace, tag, row.id]);
    let values: Vec<Value> = all.flat_map(of_row).collect();
    tx.insert_rows("INSERT INTO prompt_tags (workspace_id, tag, prompt_id)", 3, values, "").await.map(drop)
}

pub(super) async fn insert_versions(
    tx: &mut Tx,
    all: impl Iterator<Item = (Uuid, VersionRow)>,
) -> Result<()> {
    let workspace = tx.workspace();
    let of_version = |(prompt, version): (Uuid, VersionRow)| {
        args![
            version.id,
            workspace,
            prompt,
            version.number,
            version.parent,
            &version.branch,
            &version.origin,
            version.source.content.prompt_type().as_str(),
            version.source.syntax.as_str(),
            version.source.stored_content(),
            Value::json(&version.source.contract),
            Value::json(&version.source.config),
            &version.change_summary,
            Value::json(&version.created_by),
            version.created_at,
        ]
    };
    let values: Vec<Value> = all.flat_map(of_version).collect();
    let into = "INSERT INTO prompt_versions (id, workspace_id, prompt_id, number, parent_number, branch, origin, type,
        syntax, content, variables, config, change_summary, created_by, created_at)";
    tx.insert_rows(into, 15, values, "").await.map(drop)
}

pub(super) async fn insert_includes(
    tx: &mut Tx,
    all: impl Iterator<Item = (Uuid, i64, IncludedPrompt)>,
) -> crate::error::Result<()> {
    let workspace = tx.workspace();
    let of_one = |(prompt, number, one): (Uuid, i64, IncludedPrompt)| {
        args![workspace, prompt, number, one.id, &one.selector]
    };
    let values: Vec<Value> = all.flat_map(of_one).collect();
    let into = "INSERT INTO prompt_includes (workspace_id, prompt_id, version_number, included_id, selector)";
    tx.insert_rows(into, 5, values, "ON CONFLICT DO NOTHING").await?;
    Ok(())
}

pub(super) async fn insert_pointers<'a>(tx: &mut Tx, all: impl Iterator<Item = &'a Arrival>) -> Result<()> {
    let workspace = tx.workspace();
    let mut values = Vec::new();
    for Arrival { row, pointers, .. } in all {
        for one in pointers {
            let by = Value::json(&one.by);
            let comment = one.comment.as_deref();
            values.extend(args![workspace, row.id, &one.label, one.version, comment, by, one.at]);
        }
    }
    let into = "INSERT INTO prompt_labels (workspace_id, prompt_id, label, version_number, comment, moved_by, moved_at)";
    tx.insert_rows(into, 7, values, "").await.map(drop)
}

pub(super) async fn insert_moves<'a>(
    tx: &mut Tx,
    all: impl Iterator<Item = &'a Arrival>,
    new_id: impl Fn() -> Uuid,
) -> Result<()> {
    let workspace = tx.workspace();
    let mut values = Vec::new();
    for Arrival { row, moves, .. } in all {
        for one in moves {
            let (by, comment) = (Value::json(&one.by), one.comment.as_deref());
            let (label, action) = (&one.label, &one.action);
            values.extend(args![
                new_id(),
                workspace,
                row.id,
                label,
                action,
                one.from,
                one.to,
                comment,
                by,
                one.at
            ]);
        }
    }
    let into = "INSERT INTO label_moves (id, workspace_id, prompt_id, label, action, from_version, to_version, comment,
        moved_by, moved_at)";
    tx.insert_rows(into, 10, values, "").await.map(drop)
}

pub(super) async fn insert_drafts<'a>(tx: &mut Tx, all: impl Iterator<Item = &'a Arrival>) -> Result<()> {
    let workspace = tx.workspace();
    let mut values = Vec::new();
    for Arrival { row, drafts, .. } in all {
        for draft in drafts {
            values.extend(args![
                workspace,
                row.id,
                &draft.branch,
                draft.revision,
                draft.base_version,
                draft.source.content.prompt_type().as_str(),
                draft.source.syntax.as_str(),
                draft.source.stored_content(),
                Value::json(&draft.source.contract),
                Value::json(&draft.source.config),
                Value::json(&draft.updated_by),
                draft.updated_at,
            ]);
        }
    }
    let into = "INSERT INTO prompt_drafts (workspace_id, prompt_id, branch, revision, base_version, type, syntax, content,
        variables, config, updated_by, updated_at)";
    tx.insert_rows(into, 12, values, "").await.map(drop)
}

/// Versions of a prompt that may include others: those whose text is a template at all.
pub(super) async fn with_includes(tx: &mut Tx, prompt: Uuid) -> Result<Vec<VersionRow>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT id, number, parent_number, branch, origin, type, syntax, content, variables, config, change_summary,
            created_by, created_at
         FROM prompt_versions WHERE workspace_id = $1 AND prompt_id = $2 AND syntax = 'jinja'
            AND content LIKE '%include%' ORDER BY number",
        args![workspace, prompt],
    )
    .await
}

/// A version of the prompt whose text is this; at most a few are looked at.
pub(in crate::features::prompts) async fn versions_with_text(
    tx: &mut Tx,
    prompt: Uuid,
    syntax: &str,
    stored: &str,
) -> Result<Vec<VersionRow>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT id, number, parent_number, branch, origin, type, syntax, content, variables, config, change_summary,
            created_by, created_at
         FROM prompt_versions WHERE workspace_id = $1 AND prompt_id = $2 AND syntax = $3 AND content = $4
         ORDER BY number DESC LIMIT 20",
        args![workspace, prompt, syntax, stored],
    )
    .await
}

pub(super) async fn slug_owners(tx: &mut Tx, slugs: &[&str]) -> Result<Vec<(String, Uuid)>> {
    let mut sql = Sql::new("SELECT slug, prompt_id FROM prompt_slugs WHERE workspace_id = ");
    sql.bind(tx.workspace()).push(" AND slug IN ").bind_list(slugs.iter().copied());
    tx.all_built(sql).await
}

pub(super) async fn prompts_of(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<PromptRow>> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("WHERE p.workspace_id = ").bind(tx.workspace()).push(" AND p.id IN ");
    sql.bind_list(ids.iter().copied());
    tx.all_built(sql).await
}
