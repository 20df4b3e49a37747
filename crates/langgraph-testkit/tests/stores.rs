//! The stores that ship, held against what every store does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use langgraph_rust_runtime::store::{SearchQuery, Store};
use langgraph_rust_runtime::{block_on, Clock, Map, MemoryStore};
use langgraph_rust_testkit::stores;

fn timed() -> (MemoryStore, Arc<AtomicU64>) {
    let time = Arc::new(AtomicU64::new(0));
    (MemoryStore::with_clock(Clock::Counter(time.clone())), time)
}

#[test]
fn memory_conforms() {
    block_on(stores::conforms(&MemoryStore::new()));
}

#[test]
fn memory_forgets_in_time() {
    let (store, time) = timed();
    let pass = |passed: Duration| {
        time.fetch_add(passed.as_micros() as u64, Ordering::Relaxed);
        std::future::ready(())
    };
    block_on(stores::expires(&store, pass));
}

#[test]
fn what_is_read_may_be_forgotten_all_the_same() {
    let (store, time) = timed();
    let store = store.refresh_on_read(false);
    block_on(async {
        let ttl = Some(Duration::from_micros(10));
        store.put(&["a"], "key", Map::new(), ttl).await.unwrap();
        time.store(9, Ordering::Relaxed);
        assert!(store.get(&["a"], "key").await.unwrap().is_some());
        time.store(10, Ordering::Relaxed);
        assert!(store.get(&["a"], "key").await.unwrap().is_none());
    });
}

#[test]
fn memory_finds_in_the_order_in_which_items_came() {
    let store = MemoryStore::new();
    block_on(async {
        for key in ["c", "a", "b", "c"] {
            store.put(&["a"], key, Map::new(), None).await.unwrap();
        }
        let found = store.search(&SearchQuery::new(&["a"])).await.unwrap();
        let keys: Vec<&str> = found.iter().map(|item| &*item.key).collect();
        assert_eq!(keys, ["c", "a", "b"]);
    });
}
