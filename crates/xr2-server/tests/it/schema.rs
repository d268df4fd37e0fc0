//! The schema is the same on both engines, whichever of them a customer runs.

use std::collections::BTreeMap;

use xr2_db::testing::{self, ColumnInfo};
use xr2_testkit::{Engine, postgres_url};

/// How a type of PostgreSQL is written on SQLite.
fn counterpart(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "uuid" | "bytea" => "blob",
        "text" | "json" | "timestamp with time zone" => "text",
        "bigint" | "boolean" => "integer",
        "double precision" => "real",
        _ => return None,
    })
}

async fn read(engine: Engine) -> (Vec<ColumnInfo>, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let fresh = testing::Fresh::create(&engine, directory.path(), postgres_url()).await.unwrap();
    let (db, _) = xr2_db::Db::open(&xr2_db::Options::new(fresh.url())).await.unwrap();
    db.close().await;
    let schema = (testing::columns(fresh.url()).await.unwrap(), testing::indexes(fresh.url()).await.unwrap());
    fresh.drop().await.unwrap();
    schema
}

#[tokio::test]
async fn both_dialects_agree() {
    if postgres_url().is_none() {
        return;
    }
    let (sqlite, sqlite_indexes) = read(Engine::Sqlite).await;
    let (postgres, postgres_indexes) = read(Engine::Postgres).await;
    assert!(sqlite.len() > 100, "the test looks at the right databases: {}", sqlite.len());
    assert_eq!(sqlite_indexes, postgres_indexes);
    let by_name = |columns: &[ColumnInfo]| -> BTreeMap<String, ColumnInfo> {
        columns.iter().map(|column| (format!("{}.{}", column.table, column.name), column.clone())).collect()
    };
    let (sqlite, postgres) = (by_name(&sqlite), by_name(&postgres));
    assert_eq!(sqlite.keys().collect::<Vec<_>>(), postgres.keys().collect::<Vec<_>>());
    for (name, there) in &postgres {
        let here = &sqlite[name];
        let expected = counterpart(&there.kind).unwrap_or_else(|| {
            panic!("{name} has the type {}, which has no counterpart on SQLite", there.kind)
        });
        // A table of the migrations' own, made before there are migrations, uses the words of both.
        let kind = if here.kind == "bigint" { "integer" } else { &here.kind };
        assert_eq!(kind, expected, "{name}: {} on PostgreSQL", there.kind);
        assert_eq!(here.nullable, there.nullable, "{name}: may be null on one engine only");
    }
}

#[test]
fn migrations_are_numbered_in_order() {
    for (index, migration) in xr2_db::migrations().iter().enumerate() {
        assert_eq!(migration.version, index as i64 + 1);
        assert!(migration.name.starts_with(&format!("{:04}_", migration.version)), "{}", migration.name);
    }
}

#[tokio::test]
async fn sqlite_is_told_how_large_tables_become() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("xr2.sqlite3");
    let url = format!("sqlite:{}", file.display());
    for _ in 0..2 {
        let (db, _) = xr2_db::Db::open(&xr2_db::Options::new(&url)).await.unwrap();
        db.close().await;
    }
    assert_eq!(testing::wrong_statistics(&file).await.unwrap(), Vec::<String>::new());
    for plan in testing::plans_of_one_prompt(&file).await.unwrap() {
        assert!(plan.iter().any(|step| step.starts_with("SEARCH")), "{plan:?}");
        assert!(!plan.iter().any(|step| step.ends_with("(workspace_id=?)")), "{plan:?}");
    }
}
