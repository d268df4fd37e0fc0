//! SQL of telemetry.

use std::collections::HashSet;

use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Sql, Tx, Value, args};

use crate::clock::Time;
use crate::features::telemetry::presence::{Heard, Serving};

/// Prompts by slug or former slug, in the bin or not, with the number of their last version.
pub(super) async fn prompts_by_slug(tx: &mut Tx, slugs: &[&str]) -> Result<Vec<(String, Uuid, i64)>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new(
        "SELECT s.slug, p.id, p.last_number FROM prompt_slugs s JOIN prompts p ON p.id = s.prompt_id
         WHERE p.workspace_id = s.workspace_id AND s.workspace_id = ",
    );
    sql.bind(workspace).push(" AND s.slug IN ").bind_list(slugs.iter().copied());
    tx.all_built(sql).await
}

/// Prompts by id, with the number of their last version.
pub(super) async fn prompts_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<(Uuid, i64)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let workspace = tx.workspace();
    let mut sql = Sql::new("SELECT id, last_number FROM prompts WHERE workspace_id = ");
    sql.bind(workspace).push(" AND id IN ").bind_list(ids.iter().copied());
    tx.all_built(sql).await
}

/// Labels of the workspace.
pub(super) async fn labels(tx: &mut Tx) -> Result<Vec<String>> {
    let workspace = tx.workspace();
    tx.all("SELECT name FROM labels WHERE workspace_id = $1", args![workspace]).await
}

/// Notes ids of events, and tells how many were not there.
pub(super) async fn note_new_ids(tx: &mut Tx, hashes: &[[u8; 16]], now: Time) -> Result<u64> {
    let values = id_values(tx.workspace(), hashes, now);
    tx.insert_rows(INSERT_IDS, 3, values, "ON CONFLICT DO NOTHING").await
}

/// Notes ids of events, and returns those that were not there.
pub(super) async fn note_ids(tx: &mut Tx, hashes: &[[u8; 16]], now: Time) -> Result<Vec<Vec<u8>>> {
    let values = id_values(tx.workspace(), hashes, now);
    tx.insert_rows_returning(INSERT_IDS, 3, values, "ON CONFLICT DO NOTHING RETURNING id_hash").await
}

const INSERT_IDS: &str = "INSERT INTO telemetry_ids (workspace_id, id_hash, seen_at)";

fn id_values(workspace: Uuid, hashes: &[[u8; 16]], now: Time) -> Vec<Value> {
    let now = now.timestamp_micros();
    hashes.iter().flat_map(|hash| args![workspace, hash.to_vec(), now]).collect()
}

/// Ids of a report, as appended.
pub(super) struct AppendedIds {
    pub sequence: i64,
    pub workspace: Uuid,
    pub seen_at: i64,
    pub id_hashes: Vec<u8>,
}

impl FromRow for AppendedIds {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(AppendedIds {
            sequence: row.get("sequence")?,
            workspace: row.get("workspace_id")?,
            seen_at: row.get("seen_at")?,
            id_hashes: row.get("id_hashes")?,
        })
    }
}

/// Ids appended behind a row. Runs in a system transaction.
pub(super) async fn appended_ids(tx: &mut Tx, after: i64) -> Result<Vec<AppendedIds>> {
    tx.all(
        "SELECT sequence, workspace_id, seen_at, id_hashes FROM reported_ids WHERE sequence > $1 ORDER BY sequence",
        args![after],
    )
    .await
}

/// Appends ids of a report as one row, and tells its number. Runs in a system transaction.
pub(super) async fn append_ids(
    tx: &mut Tx,
    workspace: Uuid,
    ids: &HashSet<[u8; 16]>,
    seen_at: i64,
) -> Result<i64> {
    let bytes: Vec<u8> = ids.iter().flatten().copied().collect();
    tx.one(
        "INSERT INTO reported_ids (workspace_id, seen_at, id_hashes) VALUES ($1, $2, $3) RETURNING sequence",
        args![workspace, seen_at, bytes],
    )
    .await
}

/// Those of the ids that the ordered table has. Runs in a system transaction.
pub(super) async fn known_ids(tx: &mut Tx, workspace: Uuid, ids: &[[u8; 16]]) -> Result<HashSet<[u8; 16]>> {
    let values = ids.iter().flat_map(|id| args![workspace, id.to_vec()]).collect();
    let known: Vec<Vec<u8>> = tx
        .insert_rows_returning(
            "SELECT t.id_hash FROM (",
            2,
            values,
            ") AS v JOIN telemetry_ids t ON t.workspace_id = v.column1 AND t.id_hash = v.column2",
        )
        .await?;
    Ok(known.into_iter().filter_map(|id| id.try_into().ok()).collect())
}

/// Puts ids into the ordered table. Runs in a system transaction.
pub(super) async fn put_ids(tx: &mut Tx, ids: &[((Uuid, [u8; 16]), i64)]) -> Result<()> {
    let values = ids.iter().flat_map(|((workspace, id), at)| args![*workspace, id.to_vec(), *at]).collect();
    tx.insert_rows(INSERT_IDS, 3, values, "ON CONFLICT DO NOTHING").await.map(drop)
}

/// Removes what was appended up to a row: it has been moved. Runs in a system transaction.
pub(super) async fn remove_appended(tx: &mut Tx, up_to: i64) -> Result<()> {
    tx.execute("DELETE FROM reported_ids WHERE sequence <= $1", args![up_to]).await.map(drop)
}

/// Forgets ids seen before a time, at most `limit`; tells how many.
pub(super) async fn forget_ids(tx: &mut Tx, before: i64, limit: i64) -> Result<u64> {
    tx.execute(
        "DELETE FROM telemetry_ids WHERE (workspace_id, id_hash) IN (
             SELECT workspace_id, id_hash FROM telemetry_ids WHERE seen_at < $1 ORDER BY seen_at LIMIT $2)",
        args![before, limit],
    )
    .await
}

/// Forgets instances not heard of since.
pub(super) async fn forget_instances(tx: &mut Tx, before: Time) -> Result<()> {
    tx.later("DELETE FROM client_instances WHERE last_seen < $1", args![before]).await
}

/// Forgets instances of a workspace not heard of since. Runs in a system transaction.
pub(super) async fn forget_instances_of(tx: &mut Tx, workspace: Uuid, before: Time) -> Result<()> {
    let sql = "DELETE FROM client_instances WHERE workspace_id = $1 AND last_seen < $2";
    tx.execute(sql, args![workspace, before]).await.map(drop)
}

/// How many instances a workspace has. Runs in a system transaction.
pub(super) async fn count_instances(tx: &mut Tx, workspace: Uuid) -> Result<i64> {
    tx.one("SELECT COUNT(*) FROM client_instances WHERE workspace_id = $1", args![workspace]).await
}

/// Their names. Runs in a system transaction.
pub(super) async fn instance_names(tx: &mut Tx, workspace: Uuid) -> Result<HashSet<String>> {
    let sql = "SELECT instance FROM client_instances WHERE workspace_id = $1";
    Ok(tx.all::<String>(sql, args![workspace]).await?.into_iter().collect())
}

/// Writes what instances said, unless they have said something else since.
pub(super) async fn put_instances(tx: &mut Tx, workspace: Uuid, heard: &[Heard]) -> Result<()> {
    let mut values = Vec::with_capacity(heard.len() * 9);
    for one in heard {
        values.extend(args![
            workspace,
            &*one.instance,
            &*one.sdk,
            one.key,
            one.revision,
            one.stream,
            Value::json_opt(one.serving.as_ref()),
            one.at,
            one.at,
        ]);
    }
    tx.insert_rows(
        "INSERT INTO client_instances (workspace_id, instance, sdk, api_key_id, revision, stream, serving, first_seen,
                                       last_seen)",
        9,
        values,
        "ON CONFLICT (workspace_id, instance) DO UPDATE
             SET sdk = excluded.sdk, api_key_id = excluded.api_key_id, revision = excluded.revision,
                 stream = excluded.stream, serving = COALESCE(excluded.serving, client_instances.serving),
                 last_seen = excluded.last_seen
             WHERE excluded.last_seen >= client_instances.last_seen",
    )
    .await
    .map(drop)
}

/// An instance as stored.
#[derive(Clone)]
pub(super) struct InstanceRow {
    pub instance: String,
    pub sdk: String,
    pub key: Option<Uuid>,
    pub revision: i64,
    pub stream: bool,
    pub serving: Vec<Serving>,
    pub first_seen: Time,
    pub last_seen: Time,
}

impl FromRow for InstanceRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(InstanceRow {
            instance: row.get("instance")?,
            sdk: row.get("sdk")?,
            key: row.opt("api_key_id")?,
            revision: row.get("revision")?,
            stream: row.get("stream")?,
            serving: row.json_opt("serving")?.unwrap_or_default(),
            first_seen: row.get("first_seen")?,
            last_seen: row.get("last_seen")?,
        })
    }
}

/// Instances heard of since, behind the one named `after`, at most `limit`.
pub(super) async fn instances(tx: &mut Tx, since: Time, after: &str, limit: i64) -> Result<Vec<InstanceRow>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT instance, sdk, api_key_id, revision, stream, serving, first_seen, last_seen FROM client_instances
         WHERE workspace_id = $1 AND last_seen >= $2 AND instance > $3 ORDER BY instance LIMIT $4",
        args![workspace, since, after, limit],
    )
    .await
}

/// What the labels of a prompt point at.
pub(super) async fn pointers(tx: &mut Tx, prompt: Uuid) -> Result<Vec<(String, i64)>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT label, version_number FROM prompt_labels WHERE workspace_id = $1 AND prompt_id = $2",
        args![workspace, prompt],
    )
    .await
}

/// The last revision, behind `since`, at which a prompt changed or anything that is delivered inside it; 0 if none did.
/// What is included by versions that no label delivers any more counts too: clients pass such revisions in a moment.
pub(super) async fn last_change(tx: &mut Tx, prompt: Uuid, since: i64) -> Result<i64> {
    let workspace = tx.workspace();
    let found: Option<i64> = tx
        .optional(
            "WITH RECURSIVE parts (id) AS (
                 SELECT id FROM prompts WHERE workspace_id = $1 AND id = $2
                 UNION
                 SELECT i.included_id FROM prompt_includes i JOIN parts ON parts.id = i.prompt_id
                 WHERE i.workspace_id = $1)
             SELECT e.revision FROM events e
             WHERE e.workspace_id = $1 AND e.revision > $3 AND e.resource_id IN (SELECT id FROM parts)
             ORDER BY e.revision DESC LIMIT 1",
            args![workspace, prompt, since],
        )
        .await?;
    Ok(found.unwrap_or(0))
}

/// Slugs of prompts.
pub(super) async fn slugs(tx: &mut Tx, prompts: &[Uuid]) -> Result<Vec<(Uuid, String)>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new("SELECT id, slug FROM prompts WHERE workspace_id = ");
    sql.bind(workspace).push(" AND id IN ").bind_list(prompts.iter().copied());
    tx.all_built(sql).await
}
