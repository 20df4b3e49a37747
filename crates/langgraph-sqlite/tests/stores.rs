//! The store: the rules of all stores, files that others have open or have made, and time.

use std::time::Duration;

use langgraph_rust_runtime::store::{SearchQuery, Store};
use langgraph_rust_runtime::{Map, Value};
use langgraph_rust_sqlite::{Sqlite, SqliteStore};
use langgraph_rust_testkit::stores;
use rusqlite::Connection;

fn value(name: &str, value: impl Into<Value>) -> Map {
    Map::from_iter([(name.into(), value.into())])
}

#[tokio::test]
async fn it_keeps_the_rules_of_stores() {
    stores::conforms(&SqliteStore::in_memory().unwrap()).await;
}

#[tokio::test]
async fn items_are_forgotten_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    let other = &other;
    // Rather than waiting, what is to come comes earlier.
    let pass = |passed: Duration| async move {
        let sql = "UPDATE store SET expires_at = strftime('%Y-%m-%d %H:%M:%f', expires_at, ?)
                   || '+00:00' WHERE expires_at IS NOT NULL";
        other.execute(sql, [format!("-{} seconds", passed.as_secs_f64())]).unwrap();
    };
    stores::expires(&store, pass).await;
    assert!(store.sweep_ttl().await.unwrap() > 0, "what is forgotten is still in the table");
    assert_eq!(store.sweep_ttl().await.unwrap(), 0);
}

#[tokio::test]
async fn a_file_is_a_savers_and_two_stores() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.db");
    let _saver = Sqlite::open(&path).unwrap();
    let (one, two) = (SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap());
    one.put(&["users", "ada"], "likes", value("tea", 1), None).await.unwrap();
    assert_eq!(two.get(&["users", "ada"], "likes").await.unwrap().unwrap().get("tea"), 1.into());
    two.delete(&["users", "ada"], "likes").await.unwrap();
    assert!(one.search(&SearchQuery::new(&["users"])).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_python_stored_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("python.db");
    drop(SqliteStore::open(&path).unwrap());
    // As LangGraph's store writes it: JSON as bytes, times with their offset.
    let python = Connection::open(&path).unwrap();
    let sql = "INSERT INTO store VALUES ('a.b', 'k', x'7b226e223a317d', '2026-01-02 03:04:05',
               '2026-01-02 03:04:05', '2999-01-02 03:04:05.678901+00:00', 5.0)";
    python.execute(sql, []).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let item = store.get(&["a", "b"], "k").await.unwrap().unwrap();
    assert_eq!((item.get("n"), &*item.created_at), (1.into(), "2026-01-02T03:04:05.000+00:00"));
}

#[tokio::test]
async fn who_only_reads_waits_for_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    store.put(&["a"], "k", value("n", 1), None).await.unwrap();
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let read = async {
        assert!(store.get(&["a"], "k").await.unwrap().is_some());
        assert_eq!(store.search(&SearchQuery::new(&["a"])).await.unwrap().len(), 1);
        SqliteStore::open(&path).unwrap();
    };
    tokio::time::timeout(Duration::from_secs(5), read).await.expect("it need not wait");
}

#[tokio::test]
async fn what_python_embedded_goes_with_what_it_was_about() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    let python = Connection::open(&path).unwrap();
    python
        .execute_batch(
            "CREATE TABLE store_vectors (prefix text, key text, field_name text, embedding BLOB);
             INSERT INTO store_vectors VALUES ('a', 'k', 'text', x'00'), ('a', 'j', 'text', x'00')",
        )
        .unwrap();
    store.put(&["a"], "k", value("text", "new"), None).await.unwrap();
    let left: String = python
        .query_row("SELECT group_concat(key) FROM store_vectors", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, "j");
}
