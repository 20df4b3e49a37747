//! Stores within graphs: what all stores do is checked by the test kit.

use langgraph_rust_runtime::store::{check_namespace, SearchQuery};
use langgraph_rust_runtime::{
    Config, Dynamic, Error, Field, Map, MemoryStore, Node, Runtime, StateGraph, Store, Update,
    START,
};
use serde::Deserialize;
use std::sync::Arc;

/// A graph that counts, beyond its threads, how often it was greeted by whom.
fn greeting() -> StateGraph {
    StateGraph::<Dynamic>::new()
        .field("name", Field::Last)
        .field("times", Field::Last)
        .add_node(Node::new("greet", |state: Arc<Dynamic>, runtime: Runtime| async move {
            let (store, name) = (runtime.store()?, state.get("name"));
            let place = ["users", name.text()?];
            let before = store.get(&place, "times").await?;
            let times = before.map_or(Ok(0), |item| item.get("times").int())? + 1;
            store.put(&place, "times", Map::from([("times".into(), times.into())]), None).await?;
            Ok(Update::new().set("times", times))
        }))
        .edge(START, "greet")
}

fn name(name: &str) -> Update {
    Update::new().set("name", name)
}

#[tokio::test]
async fn nodes_remember_beyond_a_thread() {
    let store = MemoryStore::new();
    let graph = greeting().compile().unwrap().with_store(store.clone());
    for (who, times) in [("ada", 1), ("bob", 1), ("ada", 2)] {
        let done = graph.invoke(name(who), &Config::default()).await.unwrap();
        assert_eq!(done.get("times"), times.into());
    }
    #[derive(Deserialize)]
    struct Times {
        times: u32,
    }
    let found = store.search(&SearchQuery::new(&["users", "ada"])).await.unwrap();
    assert_eq!(found[0].to_serde::<Times>().unwrap().times, 2);
}

#[tokio::test]
async fn a_graph_inside_has_the_store_around_it_or_its_own() {
    let own = MemoryStore::new();
    for inner_store in [None, Some(own.clone())] {
        let has_own = inner_store.is_some();
        let inner = greeting().compile().unwrap();
        let inner = match inner_store {
            Some(store) => inner.with_store(store),
            None => inner,
        };
        let store = MemoryStore::new();
        let graph = StateGraph::<Dynamic>::new()
            .field("name", Field::Last)
            .add_node(Node::graph("inner", inner))
            .edge(START, "inner")
            .compile()
            .unwrap()
            .with_store(store.clone());
        graph.invoke(name("ada"), &Config::default()).await.unwrap();
        let outer_has = store.get(&["users", "ada"], "times").await.unwrap().is_some();
        assert_eq!(outer_has, !has_own);
        let own_has = own.get(&["users", "ada"], "times").await.unwrap().is_some();
        assert_eq!(own_has, has_own);
    }
}

#[tokio::test]
async fn without_a_store_the_error_says_what_to_do() {
    let graph = greeting().compile().unwrap();
    let failed = graph.invoke(name("ada"), &Config::default()).await.unwrap_err();
    assert!(failed.to_string().contains("'greet'"), "{failed}");
    assert!(failed.to_string().contains("with_store"), "{failed}");
}

#[test]
fn a_wrong_namespace_is_said_why() {
    let wrong: [(&[&str], &str); 4] = [
        (&[], "at least one label"),
        (&["a", "b.c"], "['a', 'b.c'] has a label with a period"),
        (&["langgraph"], "reserved"),
        (&["a", ""], "empty"),
    ];
    for (namespace, why) in wrong {
        let error = check_namespace(namespace).unwrap_err();
        assert!(
            matches!(error, Error::InvalidNamespace(_)) && error.to_string().contains(why),
            "{error}"
        );
    }
    check_namespace(&["a", "langgraph", "ä b"]).unwrap();
}
