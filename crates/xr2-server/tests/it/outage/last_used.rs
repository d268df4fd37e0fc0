//! When something was last used is known after the database was away, too.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use xr2_testkit::{Network, Options, both};

use super::{people, text};

both!(uses_are_noted_until_they_can_be_written, Options::new().with_faults(), |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "x").await;
    let flush = async || app.app().last_used().flush(app.app()).await;
    key.get("/prompts/p").await.ok();
    flush().await.expect("the database is there");
    let before = owner.get("/prompts/p/details").await.ok().text_of("last_fetched_at");

    app.database_network(Network::Cut).await;
    app.clock().advance(TimeDelta::seconds(2));
    key.get("/prompts/p").await.ok();
    let refused = AtomicUsize::new(0);
    app.until("the database is left alone", || async {
        let outcome = flush().await;
        let is_refused = outcome.is_err_and(|error| error.is_refusal());
        is_refused && refused.fetch_add(1, Ordering::Relaxed) >= 2
    })
    .await;

    app.database_network(Network::Works).await;
    app.until("the use meanwhile is written", || async {
        let answer = owner.get("/prompts/p/details").await;
        answer.status == 200 && answer.text_of("last_fetched_at") > before
    })
    .await;
});
