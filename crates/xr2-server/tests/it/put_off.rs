//! Statements that a transaction puts off (`Tx::later`): they run in their order, before what asks for a result, and
//! with the transaction or not at all.

use xr2_db::{Purpose, Tx, args, testing};
use xr2_testkit::{TestApp, both};

const INSERT: &str = "INSERT INTO put_off (number, word) VALUES ($1, $2)";

async fn make_table(app: &TestApp) {
    let columns = "number BIGINT PRIMARY KEY, word TEXT NOT NULL";
    testing::make_table(app.database_url(), "put_off", columns).await.unwrap();
}

async fn words(tx: &mut Tx) -> Vec<(i64, String)> {
    tx.all("SELECT number, word FROM put_off ORDER BY number", args![]).await.unwrap()
}

fn rows(expected: &[(i64, &str)]) -> Vec<(i64, String)> {
    expected.iter().map(|(number, word)| (*number, (*word).to_owned())).collect()
}

both!(what_was_put_off_runs_first_and_in_order, |app| async move {
    make_table(&app).await;
    let door = || app.db().system(Purpose::Instance);
    let mut tx = door().write().await.unwrap();
    tx.later(INSERT, args![1_i64, "it's $1"]).await.unwrap();
    tx.later(INSERT, args![2_i64, "two"]).await.unwrap();
    tx.later("UPDATE put_off SET word = $2 WHERE number = $1", args![2_i64, "TWO"]).await.unwrap();
    assert_eq!(words(&mut tx).await, rows(&[(1, "it's $1"), (2, "TWO")]));

    tx.later(INSERT, args![3_i64, "three"]).await.unwrap();
    let touched = tx.execute("UPDATE put_off SET word = 'same' WHERE number > $1", args![1_i64]).await;
    assert_eq!(touched.unwrap(), 2, "only what the statement itself touched is counted");
    for number in 100..300_i64 {
        tx.later(INSERT, args![number, "many"]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx = door().read().await.unwrap();
    let all = words(&mut tx).await;
    assert_eq!(all.len(), 203);
    assert_eq!(all[..3], rows(&[(1, "it's $1"), (2, "same"), (3, "same")]));
});

both!(a_failure_of_what_was_put_off_leaves_nothing, |app| async move {
    make_table(&app).await;
    let door = || app.db().system(Purpose::Instance);

    let mut tx = door().write().await.unwrap();
    tx.later(INSERT, args![1_i64, "one"]).await.unwrap();
    tx.later(INSERT, args![1_i64, "again"]).await.unwrap();
    assert!(tx.commit().await.unwrap_err().is_unique("put_off"));

    let mut tx = door().write().await.unwrap();
    tx.later(INSERT, args![1_i64, "one"]).await.unwrap();
    tx.later(INSERT, args![1_i64, "again"]).await.unwrap();
    let asked: Result<Option<i64>, _> = tx.optional("SELECT COUNT(*) FROM put_off", args![]).await;
    assert!(asked.unwrap_err().is_unique("put_off"));
    drop(tx);

    let mut tx = door().write().await.unwrap();
    tx.later(INSERT, args![1_i64, "never wanted"]).await.unwrap();
    drop(tx);

    let mut tx = door().write().await.unwrap();
    assert_eq!(words(&mut tx).await, []);
    tx.rollback().await.unwrap();
});
