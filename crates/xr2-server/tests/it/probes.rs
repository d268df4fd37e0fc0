//! What load balancers and monitoring ask.

use xr2_testkit::both;

both!(alive_and_ready, |app| async move {
    let nobody = app.nobody();
    assert_eq!(nobody.get(&app.url("/health")).await.ok().json["status"], "ok");
    let ready = nobody.get(&app.url("/ready")).await.ok();
    assert_eq!(ready.json["checks"]["engine"], app.db().engine().name());
    nobody.get("/nowhere").await.error(404, "NOT_FOUND");
    nobody.post(&app.url("/health"), serde_json::json!({})).await.error(405, "METHOD_NOT_ALLOWED");
    assert!(app.new_events().await.is_empty());
});
