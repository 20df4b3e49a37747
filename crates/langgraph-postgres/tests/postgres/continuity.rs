//! Threads that Python began, and threads for Python: `tests/rust_postgres` runs this between two
//! programs of its own.

use langgraph_rust_core::Durability;
use langgraph_rust_postgres::{Postgres, PostgresStore};
use langgraph_rust_runtime::store::{SearchQuery, Store};
use langgraph_rust_runtime::{
    Command, Config, Dynamic, Field, Graph, Runtime, StateGraph, Update, Value, START,
};

/// As `tests/rust_postgres/threads.py` has it.
fn graph(saver: Postgres, by: &'static str) -> Graph<Dynamic> {
    StateGraph::<Dynamic>::new()
        .field("text", Field::Last)
        .field("count", Field::sum())
        .field("ratio", Field::Last)
        .field("log", Field::append())
        .field("messages", Field::append())
        .node("write", move |_: &()| {
            let data = Value::from([("by", by.into()), ("n", Value::list([1, 2]))]);
            Ok(Update::new()
                .set("text", "ünï")
                .set("count", 1)
                .set("ratio", 0.5)
                .set("log", Value::list([data])))
        })
        .node("ask", |state: &Dynamic, runtime: &Runtime| {
            let answer = runtime.interrupt(state.get("text"))?;
            Ok(Update::new().set("count", 1).set("log", Value::list([answer])))
        })
        .node("end", |state: &Dynamic| {
            let done = Update::new().set("text", "done");
            // As it was read.
            Ok(match state.get("messages").items()?.first() {
                Some(first) => done.set("messages", Value::list([first])),
                None => done,
            })
        })
        .edge(START, "write")
        .edge("write", "ask")
        .edge("ask", "end")
        .compile()
        .expect("it compiles")
        .with_saver(saver)
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_go_on_in_the_other_language() {
    let Ok(url) = std::env::var("LANGGRAPH_RUST_POSTGRES_THREADS") else {
        eprintln!("skipped: nothing was begun in Python (make test-rust-postgres)");
        return;
    };
    let saver = Postgres::connect(&url).await.expect("it connects");
    saver.setup().await.expect("Python made the tables");
    let by_rust = graph(saver.clone(), "rust");
    let graph = graph(saver, "python");
    for thread in ["python-sync", "python-async", "python-pipeline"] {
        let config = Config::thread(thread);
        let found = graph.state(&config).await.expect("it reads").expect("Python began it");
        assert_eq!(found.next, ["ask".into()], "{thread}");
        assert_eq!(found.values["count"], 3.into());
        assert_eq!(found.values["ratio"], 0.5.into());
        assert_eq!(found.tasks[0].interrupts[0].value, "ünï".into());
        let message = found.values["messages"].items().expect("a list")[0].get("content");
        assert_eq!(message, "hi".into());
        let done = graph.invoke(Command::resume("yes"), &config).await.expect("it goes on");
        assert_eq!(done.get("count"), 4.into());
        assert_eq!(done.get("log").items().expect("a list").len(), 2);
        let history = graph.history(&config).await.expect("it has one");
        assert_eq!(history.len(), 5, "{thread}");
    }
    let begun = Update::new().set("count", 2);
    let paused = by_rust.invoke(begun.clone(), &Config::thread("rust")).await.expect("it runs");
    assert_eq!(paused.interrupts()[0].value, "ünï".into());
    // Their rows are held against those of the same threads in Python.
    for (thread, is_whole) in [("same-rust", false), ("whole-rust", true)] {
        let config = Config::thread(thread).durability(Durability::Sync);
        graph.invoke(begun.clone(), &config).await.expect("it runs");
        if is_whole {
            graph.invoke(Command::resume("yes"), &config).await.expect("it goes on");
        }
    }
}

#[tokio::test]
async fn items_are_found_in_the_other_language() {
    let Ok(url) = std::env::var("LANGGRAPH_RUST_POSTGRES_THREADS") else {
        eprintln!("skipped: nothing was kept in Python (make test-rust-postgres)");
        return;
    };
    let store = PostgresStore::connect(&url).await.expect("it connects");
    store.setup().await.expect("Python made the table");
    let item = store.get(&["users", "ada"], "drinks").await.expect("it reads").expect("it is kept");
    assert_eq!(item.get("likes"), "tëa".into());
    assert_eq!(item.get("n"), Value::list([Value::Int(1), Value::Float(2.5), Value::Null]));
    let found = store.search(&SearchQuery::new(&["users"]).filter("likes", "tëa")).await;
    assert_eq!(found.expect("it reads"), std::slice::from_ref(&item));
    store.put(&["users", "bob"], "drinks", item.value, None).await.expect("it keeps");
    let ttl = Some(std::time::Duration::from_secs(600));
    let coffee = [("likes".into(), "coffee".into())].into_iter().collect();
    store.put(&["users", "ada"], "drinks", coffee, ttl).await.expect("it keeps");
}
