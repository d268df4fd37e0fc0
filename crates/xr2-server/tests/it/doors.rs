//! The two doors of the data layer: what row-level security holds back on PostgreSQL, and what refuses to start.

use serde_json::json;
use xr2_db::{Engine, Purpose, testing};
use xr2_server::clock::Clock;
use xr2_server::config::{Config, Override};
use xr2_server::{App, StartError};
use xr2_testkit::{CANARY_ID, Options, TestApp, both};

both!(every_table_of_a_workspace_is_guarded, |app| async move {
    if app.db().engine() != Engine::Postgres {
        return;
    }
    let columns = testing::columns(app.database_url()).await.unwrap();
    let security = testing::row_security(app.database_url()).await.unwrap();
    for (table, enabled, forced, policies) in &security {
        if table == "schema_migrations" {
            continue;
        }
        assert!(*enabled && *forced && *policies > 0, "{table}: row-level security is not forced");
    }
    let owned = columns.iter().filter(|column| column.name == "workspace_id").count();
    assert!(owned >= 12, "the test looks at the right schema: {owned}");
    let (login, superuser, bypass) = testing::app_role(app.database_url()).await.unwrap();
    assert!(!login && !superuser && !bypass, "xr2_app must not get around row-level security");
    assert!(
        testing::is_superuser(app.database_url()).await.unwrap(),
        "the tests name a superuser on purpose"
    );
});

both!(the_tenant_door_opens_one_workspace, |app| async move {
    if app.db().engine() != Engine::Postgres {
        return;
    }
    for table in testing::guarded_tables() {
        let seen = testing::count_rows(app.db().tenant(app.workspace()), table, CANARY_ID).await.unwrap();
        assert_eq!(seen, 0, "{table}: rows of another workspace are seen without any filter");
        let own = testing::count_rows(app.db().tenant(CANARY_ID), table, CANARY_ID).await.unwrap();
        assert!(own > 0 || *table == "prompt_includes", "{table}: nothing is planted there");
    }
    for table in ["users", "sessions"] {
        let people = testing::count_all(app.db().tenant(CANARY_ID), table).await.unwrap();
        assert_eq!(people, 0, "{table}: people stand above workspaces");
    }
    let content = testing::count_all(app.db().system(Purpose::Accounts), "prompt_versions").await.unwrap();
    assert_eq!(content, 0, "the system door shows no content");
});

both!(the_tenant_door_writes_into_one_workspace, |app| async move {
    if app.db().engine() != Engine::Postgres {
        return;
    }
    let planted = testing::insert_label(app.db().tenant(app.workspace()), CANARY_ID).await;
    assert!(planted.unwrap_err().to_string().contains("row-level security"));
    let moved = testing::move_rows(app.db().tenant(CANARY_ID), "labels", CANARY_ID, app.workspace()).await;
    assert!(moved.unwrap_err().to_string().contains("row-level security"));
});

both!(history_cannot_be_changed, |app| async move {
    if app.db().engine() != Engine::Postgres {
        return;
    }
    let moved =
        testing::move_rows(app.db().system(Purpose::InstanceEvents), "events", CANARY_ID, app.workspace())
            .await;
    assert!(moved.unwrap_err().to_string().contains("permission denied"));
});

fn config(app: &TestApp, secret: &str) -> Config {
    let flags = [
        ("listen", "127.0.0.1:0".to_owned()),
        ("data_dir", app.directory().display().to_string()),
        ("database", app.database_url().to_owned()),
        ("secret_key", secret.to_owned()),
        ("postgres.max_connections", "2".to_owned()),
    ];
    let flags = flags.map(|(key, value)| Override { key: key.into(), value });
    Config::load(None, &|_| None, &flags).unwrap()
}

async fn refused(config: Config) -> String {
    match App::open(config, Clock::default()).await {
        Ok(_) => panic!("the server starts"),
        Err(StartError::Config(error)) => error.to_string(),
        Err(error) => error.to_string(),
    }
}

both!(a_node_with_another_key_is_refused, |app| async move {
    let message = refused(config(&app, &"ab".repeat(32))).await;
    assert!(message.starts_with("secret_key: this is not the key"), "{message}");
    assert!(!message.contains("abab"), "the message must not show the key: {message}");
    app.nobody().get("/auth/status").await.ok();
});

both!(postgres_must_be_given_its_key, |app| async move {
    if app.db().engine() != Engine::Postgres {
        return;
    }
    let message = refused(config(&app, "")).await;
    assert!(message.contains("must be given with PostgreSQL"), "{message}");
});

both!(two_starts_at_once_migrate_once, Options::new().empty(), |app| async move {
    let fresh = testing::Fresh::create(&app.db().engine(), app.directory(), xr2_testkit::postgres_url())
        .await
        .unwrap();
    let open =
        || async { xr2_db::Db::open(&xr2_db::Options::new(fresh.url())).await.map(|(_, report)| report) };
    let (a, b, c) = tokio::join!(open(), open(), open());
    let mut applied: Vec<i64> = [a, b, c].into_iter().flat_map(|report| report.unwrap().applied).collect();
    applied.sort_unstable();
    let all: Vec<i64> = xr2_db::migrations().iter().map(|migration| migration.version).collect();
    assert_eq!(applied, all, "each step is taken once");
    fresh.drop().await.unwrap();
});

both!(a_fresh_server_can_be_used, Options::new().empty(), |app| async move {
    assert_eq!(app.nobody().get("/auth/status").await.ok().data()["setup_required"], json!(true));
});
