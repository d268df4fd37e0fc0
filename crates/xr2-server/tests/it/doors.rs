//! The two doors of the data layer: what row-level security holds back on PostgreSQL, and what refuses to start.

use serde_json::json;
use xr2_db::{Engine, Purpose, testing};
use xr2_server::clock::Clock;
use xr2_server::config::{Config, Override};
use xr2_server::{App, StartError};
use xr2_testkit::{CANARY_ID, Options, TestApp, both};

use crate::queries::roles;

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
        // Its owner searches it, in a function that filters by the workspace itself.
        let is_forced = *forced || table == "prompt_search";
        assert!(*enabled && is_forced && *policies > 0, "{table}: row-level security is not forced");
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

/// A database that belongs to somebody who is no superuser; none on SQLite.
struct OwnedBySomebody {
    fresh: testing::Fresh,
    admin: String,
    user: String,
    url: String,
}

impl OwnedBySomebody {
    async fn make(app: &TestApp, user: &str, may: &str) -> Option<OwnedBySomebody> {
        let admin = xr2_testkit::postgres_url().filter(|_| app.db().engine() == Engine::Postgres)?;
        let fresh =
            testing::Fresh::create(&Engine::Postgres, app.directory(), Some(admin.clone())).await.unwrap();
        let user = format!("xr2_{user}_{}", std::process::id());
        let database = fresh.url().rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
        let url = testing::url_of(fresh.url(), &user, "secret", &database);
        let made = OwnedBySomebody { fresh, admin, user: user.clone(), url };
        made.as_admin(&roles::make_owner(&user, may, &database)).await;
        Some(made)
    }

    async fn as_admin(&self, statements: &[String]) {
        testing::run_sql(&self.admin, statements).await.unwrap();
    }

    async fn open(&self) -> xr2_db::Result<()> {
        let (db, _) = xr2_db::Db::open(&xr2_db::Options::new(&self.url)).await?;
        let labels = testing::count_all(db.tenant(CANARY_ID), "labels").await;
        db.close().await;
        labels.map(drop)
    }

    async fn clean_up(self) {
        self.fresh.drop().await.unwrap();
        testing::run_sql(&self.admin, &roles::drop(&self.user)).await.unwrap();
    }
}

both!(an_owner_who_made_the_role_may_take_it, Options::new().empty(), |app| async move {
    let Some(place) = OwnedBySomebody::make(&app, "maker", "CREATEROLE").await else { return };
    // What PostgreSQL gives to somebody with CREATEROLE who makes a role: to hand it on, but (from 16 on) not to take
    // it. The role itself is there already, because the other tests use it.
    let version = testing::server_version(&place.admin).await.unwrap();
    let given = if version >= 16 { "ADMIN TRUE, INHERIT FALSE, SET FALSE" } else { "ADMIN OPTION" };
    place.as_admin(&[format!("GRANT xr2_app TO {} WITH {given}", place.user)]).await;
    place.open().await.unwrap();
    place.open().await.unwrap();
    place.clean_up().await;
});

both!(who_may_not_take_the_role_is_told_what_to_run, Options::new().empty(), |app| async move {
    let Some(place) = OwnedBySomebody::make(&app, "nobody", "NOCREATEROLE").await else { return };
    let message = place.open().await.unwrap_err().to_string();
    assert!(
        message.contains(&format!("the PostgreSQL user {} may not take the role xr2_app", place.user)),
        "{message}"
    );
    assert!(message.contains("as a superuser"), "{message}");
    assert!(!message.contains("secret"), "{message}");
    let statement = message.lines().last().unwrap().trim().to_owned();
    assert!(statement.starts_with("GRANT xr2_app TO "), "{message}");
    place.as_admin(&[statement]).await;
    place.open().await.unwrap();
    place.clean_up().await;
});

both!(a_dump_without_grants_is_put_right, Options::new().empty(), |app| async move {
    if app.db().engine() != Engine::Postgres {
        return;
    }
    let fresh = testing::Fresh::create(&Engine::Postgres, app.directory(), xr2_testkit::postgres_url())
        .await
        .unwrap();
    let open = || async { xr2_db::Db::open(&xr2_db::Options::new(fresh.url())).await };
    open().await.unwrap().0.close().await;
    let lost = [
        "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM xr2_app",
        "REVOKE ALL ON SCHEMA public FROM xr2_app",
    ];
    testing::run_sql(fresh.url(), &lost.map(str::to_owned)).await.unwrap();
    let (db, report) = open().await.unwrap();
    assert!(report.applied.is_empty());
    for table in testing::guarded_tables() {
        testing::count_all(db.tenant(CANARY_ID), table).await.unwrap();
    }
    let forbidden =
        testing::move_rows(db.system(Purpose::InstanceEvents), "events", CANARY_ID, CANARY_ID).await;
    assert!(forbidden.unwrap_err().to_string().contains("permission denied"), "no more than before");
    db.close().await;
    fresh.drop().await.unwrap();
});
