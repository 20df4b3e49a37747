//! The rules of savers, and what is a file's own.

use std::sync::Arc;
use std::time::Duration;

use langgraph_rust_runtime::saver::{ListQuery, Place, Saver};
use langgraph_rust_runtime::{Config, Dynamic, Error, Field, Graph, StateGraph, Update, START};
use langgraph_rust_sqlite::Sqlite;
use langgraph_rust_testkit::check_saver;
use rusqlite::Connection;

fn counting(saver: Sqlite) -> Graph<Dynamic> {
    StateGraph::new()
        .field("n", Field::sum())
        .node("count", |_: &()| Ok(Update::new().set("n", 1)))
        .edge(START, "count")
        .compile()
        .unwrap()
        .with_saver(saver)
}

#[tokio::test]
async fn it_follows_the_rules() {
    check_saver(Arc::new(Sqlite::in_memory().unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_follows_the_rules_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let saver = Sqlite::open(folder.path().join("x.db")).unwrap();
    check_saver(Arc::new(saver.clone())).await;
    // A second time, on what the first has left.
    check_saver(Arc::new(saver)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn handles_on_one_file_see_what_the_other_stores() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let (a, b) = (Sqlite::open(&path).unwrap(), Sqlite::open(&path).unwrap());
    let (a, b) = (counting(a), counting(b));
    let config = Config::thread("1");
    for round in 1..=5 {
        let by_a = a.invoke(Update::new(), &config).await.unwrap();
        assert_eq!(by_a.get("n"), (2 * round - 1).into());
        let by_b = b.invoke(Update::new(), &config).await.unwrap();
        assert_eq!(by_b.get("n"), (2 * round).into());
    }
    // Both at the same time, each on threads of its own.
    let runs = (0..40).map(|number| {
        let (graph, config) =
            (if number % 2 == 0 { &a } else { &b }, Config::thread(&format!("own {number}")));
        async move {
            for _ in 0..5 {
                graph.invoke(Update::new(), &config).await.unwrap();
            }
            graph.state(&config).await.unwrap().unwrap().values["n"].int().unwrap()
        }
    });
    assert_eq!(futures_util::future::join_all(runs).await, [5; 40]);
}

#[tokio::test]
async fn a_thread_outlives_its_saver() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let config = Config::thread("1");
    for round in 1..=3 {
        let graph = counting(Sqlite::open(&path).unwrap());
        let output = graph.invoke(Update::new(), &config).await.unwrap();
        assert_eq!(output.get("n"), round.into());
    }
}

#[tokio::test]
async fn who_cannot_write_says_so_and_whoever_reads_can() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let saver = Sqlite::options().busy_timeout(Duration::from_millis(20)).open(&path).unwrap();
    let graph = counting(saver.clone());
    let config = Config::thread("1");
    graph.invoke(Update::new(), &config).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = graph.invoke(Update::new(), &config).await.unwrap_err();
    assert!(matches!(error, Error::Storage { place: "SQLite saver", .. }), "{error:?}");
    assert!(error.to_string().contains("locked"), "{error}");
    let place = Place { thread: "1".into(), namespace: "".into() };
    assert_eq!(saver.list(&ListQuery::place(&place)).await.unwrap().len(), 3);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(graph.invoke(Update::new(), &config).await.unwrap().get("n"), 2.into());
}

#[tokio::test]
async fn what_cannot_be_used_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Sqlite::open(folder.path()).is_err(), "a folder is no database");
    let path = folder.path().join("text");
    std::fs::write(&path, "this is a text that is no database at all").unwrap();
    let error = Sqlite::open(&path).unwrap_err();
    assert!(error.to_string().contains("not a database"), "{error}");

    let path = folder.path().join("x.db");
    let graph = counting(Sqlite::open(&path).unwrap());
    let config = Config::thread("broken");
    graph.invoke(Update::new(), &config).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute("UPDATE checkpoints SET checkpoint = x'93'", []).unwrap();
    let error = graph.invoke(Update::new(), &config).await.unwrap_err();
    assert!(error.to_string().contains("of the thread 'broken' cannot be read"), "{error}");
}

#[test]
fn a_database_of_an_old_version_gets_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch(
            "CREATE TABLE checkpoints (thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL \
             DEFAULT '', checkpoint_id TEXT NOT NULL, parent_checkpoint_id TEXT, type TEXT, \
             checkpoint BLOB, metadata BLOB, \
             PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)); \
             CREATE TABLE writes (thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT \
             '', checkpoint_id TEXT NOT NULL, task_id TEXT NOT NULL, idx INTEGER NOT NULL, \
             channel TEXT NOT NULL, type TEXT, value BLOB, \
             PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx));",
        )
        .unwrap();
    let graph = counting(Sqlite::open(&path).unwrap());
    let output = graph.blocking().invoke(Update::new(), &Config::thread("1")).unwrap();
    assert_eq!(output.get("n"), 1.into());
}
