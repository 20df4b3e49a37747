//! Nodes whose writes a cache keeps.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use langgraph_rust_runtime::cache::{Cache, CacheEntry, CacheKey, CacheNamespace};
use langgraph_rust_runtime::{
    BoxFuture, CachePolicy, Clock, Command, Config, Dynamic, Error, Event, Field, Goto, Graph,
    Memory, MemoryCache, Mode, Node, StateGraph, Update, Value, START,
};

/// A graph whose node `slow` doubles `n`, is counted, and has its writes kept.
fn doubling(policy: CachePolicy) -> (Graph, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let slow = Node::new("slow", move |state: &Dynamic| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(Update::new().set("twice", state.get("n").int()? * 2))
    });
    let graph = StateGraph::<Dynamic>::new()
        .field("n", Field::Last)
        .field("other", Field::Last)
        .field("twice", Field::Last)
        .field("log", Field::append())
        .add_node(slow.cache(policy))
        .node("next", |_: &()| Ok(Update::new().set("log", "next")))
        .edge(START, "slow")
        .edge("slow", "next")
        .compile()
        .unwrap();
    (graph, calls)
}

fn n(n: i64) -> Update {
    Update::new().set("n", n)
}

#[tokio::test]
async fn a_node_runs_once_for_an_input() {
    let (graph, calls) = doubling(CachePolicy::new());
    let graph = graph.with_cache(MemoryCache::new());
    for (input, twice, runs) in [(n(1), 2, 1), (n(1), 2, 1), (n(2), 4, 2), (n(1), 2, 2)] {
        let done = graph.invoke(input, &Config::default()).await.unwrap();
        assert_eq!(done.get("twice"), Value::Int(twice));
        // What follows on the node runs all the same.
        assert_eq!(done.get("log"), vec!["next"].into());
        assert_eq!(calls.load(Ordering::Relaxed), runs);
    }
    // All that the node may look at is its input.
    graph.invoke(n(1).set("other", 1), &Config::default()).await.unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn without_a_cache_nothing_is_kept() {
    let (graph, calls) = doubling(CachePolicy::new());
    for _ in 0..2 {
        graph.invoke(n(1), &Config::default()).await.unwrap();
    }
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    let refused = graph.clear_cache(None).await.unwrap_err();
    assert!(matches!(refused, Error::NoCache), "{refused}");
}

#[tokio::test]
async fn a_key_of_ones_own_says_what_is_the_same() {
    let policy = CachePolicy::new().key(|state: &Dynamic| state.get("n"));
    let (graph, calls) = doubling(policy);
    let graph = graph.with_cache(MemoryCache::new());
    for other in 0..3 {
        graph.invoke(n(1).set("other", other), &Config::default()).await.unwrap();
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_is_kept_is_forgotten_in_time() {
    let time = Arc::new(AtomicU64::new(0));
    let (graph, calls) = doubling(CachePolicy::new().ttl(Duration::from_secs(1)));
    let graph = graph.with_cache(MemoryCache::with_clock(Clock::Counter(time.clone())));
    for (now, runs) in [(0, 1), (999_999, 1), (1_000_000, 2), (1_999_999, 2), (2_000_000, 3)] {
        time.store(now, Ordering::Relaxed);
        graph.invoke(n(1), &Config::default()).await.unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), runs, "after {now} microseconds");
    }
}

#[tokio::test]
async fn events_say_what_was_kept() {
    let (graph, _) = doubling(CachePolicy::new());
    let graph = graph.with_cache(MemoryCache::new());
    for expected in [false, true] {
        let events: Vec<_> = graph.stream(n(1), &Config::default(), Mode::Updates).collect().await;
        let events: Vec<_> = events.into_iter().map(|chunk| chunk.unwrap().event).collect();
        let update = Update::new().set("twice", 2);
        let slow = Event::Update { node: "slow".into(), update, cached: expected };
        assert_eq!(events[0], slow);
        assert!(matches!(&events[1], Event::Update { cached: false, .. }));
    }
}

#[tokio::test]
async fn a_cache_is_cleared_by_nodes() {
    let (graph, calls) = doubling(CachePolicy::new());
    let graph = graph.with_cache(MemoryCache::new());
    let run = || async { graph.invoke(n(1), &Config::default()).await.unwrap() };
    run().await;
    graph.clear_cache(Some(&["next"])).await.unwrap();
    run().await;
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    graph.clear_cache(Some(&["slow"])).await.unwrap();
    run().await;
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    graph.clear_cache(None).await.unwrap();
    run().await;
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    let refused = graph.clear_cache(Some(&["nobody"])).await.unwrap_err();
    assert!(matches!(refused, Error::UnknownNode { .. }), "{refused}");
}

#[tokio::test]
async fn packets_are_inputs_and_writes_and_maps_have_no_order() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let each = Node::new("each", move |sent: &Value| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(Update::new().set("log", sent.get("a")))
    });
    let split = Node::new("split", |_: &()| {
        // The same map, in two orders.
        let one = Value::from([("a", 1.into()), ("b", 2.into())]);
        let other = Value::from([("b", 2.into()), ("a", 1.into())]);
        Ok(Command::new().goto(vec![Goto::send("each", one), Goto::send("each", other)]))
    });
    let graph = StateGraph::<Dynamic>::new()
        .field("log", Field::append())
        .add_node(split.cache(CachePolicy::new()))
        .add_node(each.cache(CachePolicy::new()))
        .edge(START, "split")
        .compile()
        .unwrap()
        .with_cache(MemoryCache::new());
    for _ in 0..2 {
        let done = graph.invoke(Update::new(), &Config::default()).await.unwrap();
        assert_eq!(done.get("log"), vec![1, 1].into());
        // Both are looked for before either has run; later they are found.
        assert_eq!(calls.load(Ordering::Relaxed), 2);
    }
}

#[tokio::test]
async fn types_of_ones_own_are_kept_and_count_as_what_they_hold() {
    use langgraph_rust_runtime::{FieldSpec, Input, NodeResult, State, TaskInput};

    #[derive(Clone)]
    struct Counts(HashMap<String, u32>);

    impl Input for Counts {
        fn read(from: &TaskInput) -> Result<Arc<Self>, Error> {
            Ok(Arc::new(Self(from.field("counts")?)))
        }
    }

    impl State for Counts {
        type Update = Update;

        fn fields() -> Vec<FieldSpec> {
            vec![FieldSpec::of::<HashMap<String, u32>>("counts", Field::Last)]
        }

        fn into_update(self) -> Update {
            Update::new().set_typed("counts", self.0)
        }
    }

    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let graph = StateGraph::<Counts>::new()
        .add_node(
            Node::new("count", move |state: &Counts| -> NodeResult<Update> {
                counted.fetch_add(1, Ordering::Relaxed);
                let more = state.0.iter().map(|(name, count)| (name.clone(), count + 1)).collect();
                Ok(Counts(more).into_update())
            })
            .cache(CachePolicy::new()),
        )
        .edge(START, "count")
        .compile()
        .unwrap()
        .with_cache(MemoryCache::new());
    // Each of these maps has an order of its own.
    for _ in 0..5 {
        let counts = (0..20).map(|number| (number.to_string(), number)).collect();
        let input = Counts(counts).into_update();
        let done = graph.invoke(input, &Config::default()).await.unwrap();
        assert_eq!(done.state.0["7"], 8);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn nodes_that_fail_are_not_kept_and_those_that_write_nothing_are() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let node = Node::new("node", move |_: &()| match counted.fetch_add(1, Ordering::Relaxed) {
        0 => Err(Error::message("not yet").into()),
        _ => Ok(()),
    });
    let graph = StateGraph::<Dynamic>::new()
        .field("n", Field::Last)
        .add_node(node.cache(CachePolicy::new()))
        .edge(START, "node")
        .compile()
        .unwrap()
        .with_cache(MemoryCache::new())
        .with_saver(Memory::new());
    graph.invoke(n(1), &Config::thread("0")).await.unwrap_err();
    for thread in ["1", "2"] {
        let config = Config::thread(thread);
        assert!(graph.invoke(n(1), &config).await.unwrap().is_done());
        assert_eq!(calls.load(Ordering::Relaxed), 2);
        // The node is over, and the history says so.
        let before = graph.history(&config).await.unwrap().swap_remove(1);
        assert_eq!(before.tasks[0].result, Some(Update::new()));
    }
}

#[tokio::test]
async fn a_graph_inside_uses_the_cache_around_it() {
    let (inner, calls) = doubling(CachePolicy::new());
    let graph = StateGraph::<Dynamic>::new()
        .field("n", Field::Last)
        .field("twice", Field::Last)
        .add_node(Node::graph("inner", inner))
        .edge(START, "inner")
        .compile()
        .unwrap()
        .with_cache(MemoryCache::new());
    for _ in 0..2 {
        let done = graph.invoke(n(4), &Config::default()).await.unwrap();
        assert_eq!(done.get("twice"), Value::Int(8));
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

/// A cache that takes its time, and may fail.
#[derive(Debug, Default)]
struct Slow {
    kept: Mutex<Vec<CacheEntry>>,
    fails: bool,
}

impl Cache for Slow {
    fn get<'a>(&'a self, keys: &'a [CacheKey]) -> BoxFuture<'a, Result<Vec<Option<Value>>, Error>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let kept = self.kept.lock().unwrap();
            let find = |key: &CacheKey| kept.iter().find(|entry| entry.key == *key);
            Ok(keys.iter().map(|key| find(key).map(|entry| entry.value.clone())).collect())
        })
    }

    fn set(&self, entries: Vec<CacheEntry>) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if self.fails {
                return Err(Error::message("the cache is full"));
            }
            self.kept.lock().unwrap().extend(entries);
            Ok(())
        })
    }

    fn clear<'a>(
        &'a self,
        _namespaces: Option<&'a [CacheNamespace]>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn a_run_waits_until_everything_is_kept() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let node = Node::new("node", move |_: &()| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(Update::new().set("n", 1))
    });
    let graph = StateGraph::<Dynamic>::new()
        .field("n", Field::Last)
        .add_node(node.cache(CachePolicy::new()))
        .edge(START, "node")
        .compile()
        .unwrap();
    let kept = Arc::new(Slow::default());
    let slow = graph.clone().with_shared_cache(kept.clone());
    for _ in 0..2 {
        slow.invoke(Update::new(), &Config::default()).await.unwrap();
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(kept.kept.lock().unwrap().len(), 1);
    let failing = graph.with_cache(Slow { fails: true, ..Slow::default() });
    let failed = failing.invoke(Update::new(), &Config::default()).await.unwrap_err();
    assert_eq!(failed.to_string(), "the cache is full");
}
