//! Making the tables, and databases that cannot be used.

use futures_util::future::join_all;
use langgraph_rust_postgres::Postgres;
use langgraph_rust_runtime::saver::{ListQuery, Saver};

use crate::server::{connect, database, saver};

#[tokio::test(flavor = "multi_thread")]
async fn many_make_the_tables_at_once() {
    let Some(url) = database().await else { return };
    let savers = (0..8).map(|_| Postgres::connect(&url));
    let savers = join_all(savers).await.into_iter().map(|saver| saver.expect("it connects"));
    let savers: Vec<_> = savers.collect();
    for made in join_all(savers.iter().map(Postgres::setup)).await {
        made.expect("each makes them, or finds them made");
    }
    let client = connect(&url).await;
    let rows = client.query("SELECT v FROM checkpoint_migrations ORDER BY v", &[]).await;
    let versions: Vec<i32> = rows.expect("it is there").iter().map(|row| row.get(0)).collect();
    assert_eq!(versions, (0..10).collect::<Vec<_>>());
    let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
    let mut left = 1;
    for _ in 0..100 {
        let row = client.query_one(held, &[]).await.expect("locks can be listed");
        left = row.get(0);
        if left == 0_i64 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(left, 0, "the lock is given back");
}

#[tokio::test]
async fn tables_of_a_newer_release_are_left_alone() {
    let Some((saver, url)) = saver().await else { return };
    let client = connect(&url).await;
    client
        .execute("INSERT INTO checkpoint_migrations (v) VALUES (99)", &[])
        .await
        .expect("it is in");
    saver.setup().await.expect("there is nothing to do");
    let row = client.query_one("SELECT count(*) FROM checkpoint_migrations", &[]).await;
    assert_eq!(row.expect("it is there").get::<_, i64>(0), 11);
}

#[tokio::test]
async fn a_database_without_tables_says_what_to_do() {
    let Some(url) = database().await else { return };
    let saver = Postgres::connect(&url).await.expect("it connects");
    let error = saver.list(&ListQuery::default()).await.expect_err("there are no tables");
    let text = error.to_string();
    assert!(text.contains("\"checkpoints\" does not exist"), "{text}");
    assert!(text.contains("call it once"), "{text}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error() {
    // Nobody listens on this port.
    let error =
        Postgres::connect("postgres://localhost:1/none").await.expect_err("nobody is there");
    let text = error.to_string();
    assert!(text.contains("Postgres saver") && text.contains("refused"), "{text}");
    assert!(Postgres::connect("nonsense").await.is_err());
}
