//! The store: the rules of all stores, and what stands in its table.

use std::time::Duration;

use langgraph_rust_postgres::PostgresStore;
use langgraph_rust_runtime::store::{matches_filter, SearchQuery, Store};
use langgraph_rust_runtime::{Map, Value};
use langgraph_rust_testkit::stores;
use serde_json::json;

use crate::server::{connect, database};

async fn store() -> Option<(PostgresStore, String)> {
    let url = database().await?;
    let store = PostgresStore::connect(&url).await.expect("it connects");
    store.setup().await.expect("the table can be made");
    store.setup().await.expect("and is there");
    Some((store, url))
}

fn value(name: &str, value: impl Into<Value>) -> Map {
    Map::from_iter([(name.into(), value.into())])
}

#[tokio::test]
async fn it_keeps_the_rules_of_stores() {
    let Some((store, _)) = store().await else { return };
    stores::conforms(&store).await;
}

#[tokio::test]
async fn items_are_forgotten_in_time() {
    let Some((store, url)) = store().await else { return };
    let client = connect(&url).await;
    let client = &client;
    // Rather than waiting, what is to come comes earlier.
    let pass = |passed: Duration| async move {
        let sql = "UPDATE store SET expires_at = expires_at - $1::float8 * interval '1 second'";
        client.execute(sql, &[&passed.as_secs_f64()]).await.expect("it can be changed");
    };
    stores::expires(&store, pass).await;
    let left = store.sweep_ttl().await.expect("it sweeps");
    assert!(left > 0, "what is forgotten is still in the table");
    assert_eq!(store.sweep_ttl().await.expect("it sweeps"), 0);
}

#[tokio::test]
async fn reading_may_leave_the_time() {
    let Some((store, url)) = store().await else { return };
    let store = store.refresh_on_read(false);
    let ttl = Some(Duration::from_secs(90));
    store.put(&["a"], "k", value("n", 1), ttl).await.expect("it keeps");
    let client = connect(&url).await;
    let expiry = || async {
        let sql = "SELECT ttl_minutes, extract(epoch FROM expires_at)::float8 FROM store";
        let row = client.query_one(sql, &[]).await.expect("it is there");
        (row.get::<_, i32>(0), row.get::<_, f64>(1))
    };
    let before = expiry().await;
    assert_eq!(before.0, 2, "minutes, rounded up");
    assert!(store.get(&["a"], "k").await.expect("it reads").is_some());
    assert_eq!(store.search(&SearchQuery::new(&[])).await.expect("it reads").len(), 1);
    assert_eq!(expiry().await, before);
    let store = store.refresh_on_read(true);
    store.search(&SearchQuery::new(&[])).await.expect("it reads");
    assert!(expiry().await.1 > before.1 + 20.0);
}

#[tokio::test]
async fn items_stand_where_langgraph_has_them() {
    let Some((store, url)) = store().await else { return };
    store.put(&["users", "ada_1"], "k", value("n", 1.0), None).await.expect("it keeps");
    store.put(&["users", "adax1"], "k", value("n", 2), None).await.expect("it keeps");
    let client = connect(&url).await;
    let sql = "SELECT prefix, key, value::text, expires_at IS NULL, ttl_minutes FROM store \
               ORDER BY prefix";
    let rows = client.query(sql, &[]).await.expect("they are there");
    let row = &rows[0];
    assert_eq!(
        (row.get::<_, &str>(0), row.get::<_, &str>(1), row.get::<_, &str>(2)),
        ("users.ada_1", "k", r#"{"n": 1.0}"#)
    );
    assert_eq!((row.get::<_, bool>(3), row.get::<_, Option<i32>>(4)), (true, None));
    let found = store.search(&SearchQuery::new(&["users", "ada_1"])).await.expect("it reads");
    assert_eq!(found.len(), 1, "signs of patterns are just signs");
    let rows = client.query("SELECT v FROM store_migrations ORDER BY v", &[]).await;
    let versions: Vec<i32> = rows.expect("it is there").iter().map(|row| row.get(0)).collect();
    assert_eq!(versions, [0, 1, 2, 3]);
}

#[tokio::test]
async fn filters_say_what_they_say_elsewhere() {
    let Some((store, _)) = store().await else { return };
    let held = json!([
        {"a": null}, {"a": 1}, {"a": 1.5}, {"a": "1"}, {"a": true}, {"a": []}, {"a": {}},
        {"a": [1, {"b": 2, "c": 3}]}, {"a": [{"b": 2}, 1]}, {"a": {"b": [1, 2.0], "c": null}},
        {"a": {"b": {"c": 1e20}}}, {"a'": 1, "$x": 2}, {}, {"a": "1e400"}, {"a": [[[]]]},
    ]);
    let held: Vec<Map> = held.as_array().expect("a list").iter().map(map).collect();
    for (number, value) in held.iter().enumerate() {
        store.put(&["f"], &number.to_string(), value.clone(), None).await.expect("it keeps");
    }
    let filters = json!([
        {"a": null}, {"a": 1}, {"a": 1.0}, {"a": [1, {"b": 2}]}, {"a": [{"b": 2.0}, 1]},
        {"a": {"c": null}}, {"a": {"d": null}}, {"a": {}}, {"a": []}, {"a": [[[]]]}, {"a": [null]},
        {"a": {"b": [1.0, 2]}}, {"a": {"b": [1, {"$gt": 1}]}}, {"a": {"b": {"c": {"$gt": 1e19}}}},
        {"a": {"$ne": null}}, {"a": {"$ne": 1}}, {"a": {"$eq": {"b": 1}}}, {"a": {"$lt": 2}},
        {"a": {"$gte": 1.5, "$ne": 1.5}}, {"a'": 1}, {"a'": {"$lte": 1}}, {"a": {"$eq": {}}},
    ]);
    for filter in filters.as_array().expect("a list").iter().map(map) {
        let all = SearchQuery::new(&["f"]).limit(100);
        let query = filter.iter().fold(all, |query, (name, value)| query.filter(name, value));
        let found = store.search(&query).await.expect("it reads");
        let mut found: Vec<usize> =
            found.iter().map(|item| item.key.parse().expect("a number")).collect();
        found.sort_unstable();
        let wanted = held
            .iter()
            .enumerate()
            .filter(|(_, value)| matches_filter(value, &filter).expect("it is a filter"));
        let wanted: Vec<usize> = wanted.map(|(number, _)| number).collect();
        assert_eq!(found, wanted, "{filter:?}");
    }
}

fn map(json: &serde_json::Value) -> Map {
    match Value::from(json) {
        Value::Map(map) => (*map).clone(),
        other => panic!("{other} is no object"),
    }
}
