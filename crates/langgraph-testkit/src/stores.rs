//! What every store does, to be checked with any: on an empty one, by a panic that says what differs.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use langgraph_rust_runtime::store::{Item, ListNamespaces, Namespace, SearchQuery, Store};
use langgraph_rust_runtime::{Error, Map, Value};
use serde_json::json;

/// Checks a store that has no items; afterwards it has some.
///
/// # Panics
///
/// If the store does otherwise.
pub async fn conforms(store: &dyn Store) {
    items_are_found_by_namespace_and_key(store).await;
    writing_again_keeps_when_it_was_made(store).await;
    values_come_back_as_they_were(store).await;
    namespaces_are_checked(store).await;
    searches_go_by_prefix(store).await;
    filters_compare(store).await;
    searches_have_pages(store).await;
    namespaces_are_listed(store).await;
}

/// Checks that items are forgotten in time. `pass` lets time pass for the store, by its clock or by
/// waiting.
///
/// # Panics
///
/// If the store does otherwise.
pub async fn expires<F: Future<Output = ()>>(store: &dyn Store, pass: impl Fn(Duration) -> F) {
    const TTL: Duration = Duration::from_secs(120);
    let place = ["expires"];
    put(store, &place, "never", json!({})).await;
    store.put(&place, "soon", value(json!({})), Some(TTL)).await.unwrap();
    store.put(&place, "read", value(json!({})), Some(TTL)).await.unwrap();
    store.put(&place, "again", value(json!({})), Some(TTL)).await.unwrap();
    pass(TTL * 6 / 10).await;
    assert!(get(store, &place, "read").await.is_some(), "what is read lives on");
    store.put(&place, "again", value(json!({})), None).await.unwrap();
    pass(TTL * 6 / 10).await;
    assert_eq!(found(store, &SearchQuery::new(&place)).await, set(&["again", "never", "read"]));
    assert!(get(store, &place, "soon").await.is_none(), "it is over");
    // They were read by the search.
    pass(TTL * 6 / 10).await;
    assert_eq!(found(store, &SearchQuery::new(&place)).await, set(&["again", "never", "read"]));
    pass(TTL * 11 / 10).await;
    assert_eq!(found(store, &SearchQuery::new(&place)).await, set(&["again", "never"]));
    store.put(&["expires", "alone"], "a", value(json!({})), Some(TTL)).await.unwrap();
    pass(TTL * 11 / 10).await;
    let listed = list(store, &ListNamespaces::new().prefix(&place)).await;
    assert_eq!(listed, ["expires"], "a namespace is gone with its last item");
}

fn value(json: serde_json::Value) -> Map {
    match Value::from(json) {
        Value::Map(map) => (*map).clone(),
        other => panic!("{other} is no object"),
    }
}

async fn put(store: &dyn Store, namespace: &[&str], key: &str, json: serde_json::Value) {
    store.put(namespace, key, value(json), None).await.unwrap();
}

async fn get(store: &dyn Store, namespace: &[&str], key: &str) -> Option<Item> {
    store.get(namespace, key).await.unwrap()
}

async fn found(store: &dyn Store, query: &SearchQuery) -> BTreeSet<String> {
    store.search(query).await.unwrap().iter().map(|item| item.key.to_string()).collect()
}

async fn list(store: &dyn Store, query: &ListNamespaces) -> Vec<String> {
    let listed: Vec<Namespace> = store.list_namespaces(query).await.unwrap();
    listed.iter().map(|namespace| namespace.join("/")).collect()
}

fn set(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|key| key.to_string()).collect()
}

async fn items_are_found_by_namespace_and_key(store: &dyn Store) {
    assert_eq!(get(store, &["users", "ada"], "name").await, None, "the store is to be empty");
    put(store, &["users", "ada"], "name", json!({"name": "Ada"})).await;
    put(store, &["users"], "name", json!({"name": "nobody"})).await;
    put(store, &["users", "ada"], "age", json!({"age": 36})).await;
    let item = get(store, &["users", "ada"], "name").await.expect("it was put there");
    assert_eq!((&*item.key, item.get("name")), ("name", "Ada".into()));
    assert_eq!(item.namespace.iter().map(|label| &**label).collect::<Vec<_>>(), ["users", "ada"]);
    assert_eq!(get(store, &["users", "ada"], "other").await, None);
    assert_eq!(get(store, &["users", "bob"], "name").await, None);
    store.delete(&["users", "ada"], "name").await.unwrap();
    store.delete(&["users", "ada"], "name").await.expect("forgetting nothing is no failure");
    assert_eq!(get(store, &["users", "ada"], "name").await, None);
    assert!(get(store, &["users"], "name").await.is_some());
    assert!(get(store, &["users", "ada"], "age").await.is_some());
    // A key is any text, and so is a label without a period.
    for key in ["a.b", "ä 'quoted' \"", "%", "_", ""] {
        put(store, &["keys", "100%", "it's"], key, json!({"key": key})).await;
        let item = get(store, &["keys", "100%", "it's"], key).await.expect("it was put there");
        assert_eq!(item.get("key"), key.into());
    }
}

async fn writing_again_keeps_when_it_was_made(store: &dyn Store) {
    let place = ["times"];
    put(store, &place, "a", json!({"n": 1, "gone": true})).await;
    let first = get(store, &place, "a").await.unwrap();
    assert!(first.created_at.contains('T'), "{}", first.created_at);
    put(store, &place, "a", json!({"n": 2})).await;
    let second = get(store, &place, "a").await.unwrap();
    assert_eq!(second.value, value(json!({"n": 2})), "a value replaces the one before");
    assert_eq!(second.created_at, first.created_at);
    assert!(second.updated_at >= first.updated_at);
}

async fn values_come_back_as_they_were(store: &dyn Store) {
    let held = json!({
        "none": null, "yes": true, "whole": -7, "large": i64::MAX, "part": 0.5, "text": "ä\n\"",
        "list": [1, "two", [3.0], {}], "map": {"deep": {"deeper": []}}, "": "no name",
    });
    put(store, &["values"], "all", held.clone()).await;
    assert_eq!(get(store, &["values"], "all").await.unwrap().value, value(held));
    put(store, &["values"], "nothing", json!({})).await;
    assert_eq!(get(store, &["values"], "nothing").await.unwrap().value, Map::new());
}

async fn namespaces_are_checked(store: &dyn Store) {
    let wrong: [&[&str]; 6] =
        [&[], &[""], &["a", ""], &["a.b"], &["langgraph", "x"], &["a", "nul\0"]];
    for namespace in wrong {
        let refused = store.put(namespace, "key", Map::new(), None).await;
        assert!(matches!(refused, Err(Error::InvalidNamespace(_))), "{namespace:?}: {refused:?}");
    }
    put(store, &["a", "langgraph"], "key", json!({})).await;
}

async fn searches_go_by_prefix(store: &dyn Store) {
    put(store, &["docs"], "top", json!({})).await;
    put(store, &["docs", "a"], "in a", json!({})).await;
    put(store, &["docs", "a", "b"], "in b", json!({})).await;
    put(store, &["docs", "ab"], "in ab", json!({})).await;
    put(store, &["other", "docs"], "other", json!({})).await;
    let all = found(store, &SearchQuery::new(&["docs"])).await;
    assert_eq!(all, set(&["top", "in a", "in b", "in ab"]));
    // Labels count as wholes.
    assert_eq!(found(store, &SearchQuery::new(&["docs", "a"])).await, set(&["in a", "in b"]));
    assert_eq!(found(store, &SearchQuery::new(&["doc"])).await, set(&[]));
    let everything = found(store, &SearchQuery::new(&[]).limit(1000)).await;
    assert!(everything.is_superset(&all) && everything.contains("other"));
}

async fn filters_compare(store: &dyn Store) {
    let place = ["filters"];
    put(store, &place, "one", json!({"n": 1, "kind": "a", "in": {"x": 1, "y": 2}})).await;
    put(store, &place, "two", json!({"n": 2.5, "kind": "a", "list": [1, 2]})).await;
    put(store, &place, "ten", json!({"n": 10, "kind": "b", "none": null})).await;
    put(store, &place, "text", json!({"n": "3", "kind": null, "list": [1]})).await;
    let cases = [
        (json!({"kind": "a"}), &["one", "two"][..]),
        (json!({"n": 1}), &["one"]),
        (json!({"n": 1.0}), &["one"]),
        (json!({"kind": "a", "n": 2.5}), &["two"]),
        (json!({"kind": {"$eq": "b"}}), &["ten"]),
        (json!({"kind": {"$ne": "a"}}), &["ten", "text"]),
        (json!({"n": {"$gt": 1}}), &["two", "ten"]),
        (json!({"n": {"$gte": 1, "$lt": 10}}), &["one", "two"]),
        (json!({"n": {"$lte": 2.5}}), &["one", "two"]),
        (json!({"in": {"x": 1}}), &["one"]),
        (json!({"in": {"x": 1, "y": {"$gt": 2}}}), &[]),
        (json!({"list": [1, 2]}), &["two"]),
        (json!({"missing": 1}), &[]),
        (json!({"kind": "a", "n": {"$gt": 100}}), &[]),
        (json!({"kind": "' OR 1=1 --"}), &[]),
        (json!({"it's": 1}), &[]),
    ];
    for (filter, expected) in cases {
        let query = value(filter.clone());
        let query = query
            .into_iter()
            .fold(SearchQuery::new(&place), |query, (name, value)| query.filter(&name, value));
        assert_eq!(found(store, &query).await, set(expected), "{filter}");
    }
    let query = SearchQuery::new(&place).filter("n", json!({"$like": 1}));
    assert!(store.search(&query).await.is_err(), "there is no such comparison");
}

async fn searches_have_pages(store: &dyn Store) {
    let place = ["pages"];
    for number in 0..25 {
        put(store, &place, &format!("{number:02}"), json!({"even": number % 2 == 0})).await;
    }
    assert_eq!(store.search(&SearchQuery::new(&place)).await.unwrap().len(), 10);
    let mut all = BTreeSet::new();
    for (offset, length) in [(0, 10), (10, 10), (20, 5), (30, 0)] {
        let page = found(store, &SearchQuery::new(&place).offset(offset)).await;
        assert_eq!(page.len(), length);
        all.extend(page);
    }
    assert_eq!(all.len(), 25, "no item is on two pages");
    let even = SearchQuery::new(&place).filter("even", true).limit(8);
    let (first, second) = (found(store, &even).await, found(store, &even.clone().offset(8)).await);
    assert_eq!((first.len(), second.len()), (8, 5));
    assert!(first.is_disjoint(&second));
    assert!(found(store, &SearchQuery::new(&place).limit(0)).await.is_empty());
}

async fn namespaces_are_listed(store: &dyn Store) {
    let places: [&[&str]; 6] = [
        &["list", "b"],
        &["list", "a", "v1"],
        &["list", "a", "v2", "deep"],
        &["list", "c", "v1"],
        &["list"],
        &["elsewhere", "v1"],
    ];
    for place in places {
        put(store, place, "key", json!({})).await;
    }
    let below = || ListNamespaces::new().prefix(&["list"]);
    let all = ["list", "list/a/v1", "list/a/v2/deep", "list/b", "list/c/v1"];
    assert_eq!(list(store, &below()).await, all);
    assert_eq!(list(store, &below().max_depth(2)).await, ["list", "list/a", "list/b", "list/c"]);
    assert_eq!(list(store, &below().suffix(&["v1"])).await, ["list/a/v1", "list/c/v1"]);
    let any = ListNamespaces::new().prefix(&["list", "*", "v1"]);
    assert_eq!(list(store, &any).await, ["list/a/v1", "list/c/v1"]);
    let any = below().suffix(&["v2", "*"]);
    assert_eq!(list(store, &any).await, ["list/a/v2/deep"]);
    assert_eq!(list(store, &below().offset(1).limit(2)).await, all[1..3]);
    assert_eq!(list(store, &below().max_depth(2).offset(1).limit(1)).await, ["list/a"]);
    store.delete(&["list", "b"], "key").await.unwrap();
    assert!(!list(store, &below()).await.contains(&"list/b".to_owned()), "it has no items");
}
