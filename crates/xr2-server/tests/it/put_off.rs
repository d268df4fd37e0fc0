//! Statements that a transaction puts off (`Tx::later`): they run in their order, before what asks for a result, and
//! with the transaction or not at all.

use xr2_db::{Door, Purpose, testing};
use xr2_testkit::{TestApp, both};

use crate::queries::put_off::{insert_later, rename_above, rename_later, rows};

async fn make_table(app: &TestApp) {
    let columns = "number BIGINT PRIMARY KEY, word TEXT NOT NULL";
    testing::make_table(app.database_url(), "put_off", columns).await.unwrap();
}

fn door(app: &TestApp) -> Door<'_> {
    app.db().system(Purpose::Instance)
}

fn are(expected: &[(i64, &str)]) -> Vec<(i64, String)> {
    expected.iter().map(|(number, word)| (*number, (*word).to_owned())).collect()
}

both!(what_was_put_off_runs_first_and_in_order, |app| async move {
    make_table(&app).await;
    let mut tx = door(&app).write().await.unwrap();
    insert_later(&mut tx, 1, "it's $1").await;
    insert_later(&mut tx, 2, "two").await;
    rename_later(&mut tx, 2, "TWO").await;
    assert_eq!(rows(&mut tx).await.unwrap(), are(&[(1, "it's $1"), (2, "TWO")]));

    insert_later(&mut tx, 3, "three").await;
    let touched = rename_above(&mut tx, 1, "same").await;
    assert_eq!(touched, 2, "only what the statement itself touched is counted");
    for number in 100..300 {
        insert_later(&mut tx, number, "many").await;
    }
    tx.commit().await.unwrap();
    let mut tx = door(&app).read().await.unwrap();
    let all = rows(&mut tx).await.unwrap();
    assert_eq!(all.len(), 203);
    assert_eq!(all[..3], are(&[(1, "it's $1"), (2, "same"), (3, "same")]));
});

both!(a_failure_of_what_was_put_off_leaves_nothing, |app| async move {
    make_table(&app).await;
    let mut tx = door(&app).write().await.unwrap();
    insert_later(&mut tx, 1, "one").await;
    insert_later(&mut tx, 1, "again").await;
    assert!(tx.commit().await.unwrap_err().is_unique("put_off"));

    let mut tx = door(&app).write().await.unwrap();
    insert_later(&mut tx, 1, "one").await;
    insert_later(&mut tx, 1, "again").await;
    assert!(rows(&mut tx).await.unwrap_err().is_unique("put_off"));
    drop(tx);

    let mut tx = door(&app).write().await.unwrap();
    insert_later(&mut tx, 1, "never wanted").await;
    drop(tx);

    let mut tx = door(&app).write().await.unwrap();
    assert_eq!(rows(&mut tx).await.unwrap(), []);
    tx.rollback().await.unwrap();
});
