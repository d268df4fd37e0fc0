//! SQL of quotas: reads only.

use std::collections::HashMap;
use std::ops::Range;

use uuid::Uuid;
use xr2_db::{Result, Sql, Tx};

/// Workspaces looked up at once.
pub(super) const AT_ONCE: usize = 100;

/// Calls of a month so far: those summed, and those behind the sums. `during`: the month, in microseconds.
pub(super) async fn used(
    tx: &mut Tx,
    month: i64,
    during: Range<i64>,
    workspaces: &[Uuid],
) -> Result<HashMap<Uuid, i64>> {
    let mut sql = Sql::new("SELECT workspace_id, count FROM usage_monthly WHERE month = ");
    sql.bind(month).push(" AND workspace_id IN (");
    list(&mut sql, workspaces);
    sql.push(")");
    let mut used: HashMap<Uuid, i64> = tx.all_built::<(Uuid, i64)>(sql).await?.into_iter().collect();
    let mut sql = Sql::new(
        "SELECT workspace_id, CAST(SUM(count) AS BIGINT) FROM usage_events
         WHERE sequence > (SELECT sequence FROM usage_cursors WHERE name = 'rollup')
             AND source = 'api' AND status < 400 AND at >= ",
    );
    sql.bind(during.start).push(" AND at < ").bind(during.end).push(" AND workspace_id IN (");
    list(&mut sql, workspaces);
    sql.push(") GROUP BY workspace_id");
    for (workspace, count) in tx.all_built::<(Uuid, i64)>(sql).await? {
        *used.entry(workspace).or_default() += count;
    }
    Ok(used)
}

fn list(sql: &mut Sql, workspaces: &[Uuid]) {
    for (index, workspace) in workspaces.iter().enumerate() {
        sql.push(if index == 0 { "" } else { ", " });
        sql.bind(*workspace);
    }
}
