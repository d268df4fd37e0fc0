//! SQLite's file of usage goes away, and nothing else does.

use xr2_testkit::{Engine, Options, both};

use super::{people, ready, text, until_ready};
use crate::queries;

both!(it_is_missed_and_made_anew, Options::new().with_faults(), |app| async move {
    let (owner, shop) = people(&app).await;
    text(&owner, "p", "x").await;
    assert_eq!(ready(&app).await.ok().json["checks"]["usage"], "ok");
    if app.db().engine() != Engine::Sqlite {
        return;
    }
    let main = app.database_url().trim_start_matches("sqlite:").to_owned();
    let file = std::path::PathBuf::from(main.replace(".sqlite3", "-usage.sqlite3"));
    assert!(file.exists(), "{file:?}");
    for suffix in ["-wal", "-shm", ""] {
        let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
    }
    std::fs::create_dir(&file).expect("something is in the way");
    until_ready(&app, "degraded").await;
    let checks = ready(&app).await.ok().json["checks"].clone();
    assert_eq!((&checks["usage"], &checks["database"]), (&"unavailable".into(), &"ok".into()));
    shop.get("/prompts/p").await.ok();
    owner.put("/prompts/p", serde_json::json!({ "content": "y" })).await.ok();
    std::fs::remove_dir(&file).expect("nothing is in the way any more");
    until_ready(&app, "ready").await;
    app.until("what was delivered meanwhile is written down", || async {
        app.app().usage().flush(app.app()).await.is_ok()
            && queries::usage(app.db(), app.workspace()).await.is_ok_and(|rows| !rows.is_empty())
    })
    .await;
});
