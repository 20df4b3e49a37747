//! What breaks around a run: whoever stops it at odd moments, savers that fail, reducers and branches that
//! panic. A run ends with an error that says what happened, and its thread can be gone on with.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use langgraph_rust_core::{CheckpointId, Version};
use langgraph_rust_runtime::saver::{
    CheckpointTuple, DeltaHistory, ListQuery, Prune, PutCheckpoint, PutWrites, Saver,
};
use langgraph_rust_runtime::{
    BoxFuture, Command, Config, Durability, Dynamic, Error, Field, Graph, Memory, Node, NodeError,
    NodeResult, Place, Reducer, RetryPolicy, RunControl, Runtime, StateGraph, Status, Update,
    Value, END, START,
};
use tokio::time::{sleep, Instant};

fn ring() -> Graph {
    let graph = StateGraph::new().field("n", Field::sum());
    let graph = graph.node("a", |_: &()| Ok(Update::new().set("n", 1)));
    graph.edge(START, "a").edge("a", "a").compile().unwrap().with_saver(Memory::new())
}

#[tokio::test]
async fn a_run_that_was_told_before_it_began_does_nothing() {
    let control = RunControl::new();
    control.drain();
    let graph = ring();
    let config = Config::thread("1").control(&control);
    let output = graph.invoke(Update::new().set("n", 0), &config).await.unwrap();
    assert_eq!((output.status.clone(), output.get("n")), (Status::Drained, Value::Int(0)));
    control.cancel();
    let cancelled = graph.invoke((), &config).await;
    assert!(matches!(cancelled, Err(Error::Cancelled)), "{cancelled:?}");
}

#[tokio::test]
async fn a_run_whose_nodes_never_wait_is_stopped_from_another_thread() {
    let control = RunControl::new();
    let config = Config::thread("1").control(&control).recursion_limit(u64::MAX);
    let other = std::thread::spawn(move || {
        std::thread::yield_now();
        control.drain();
    });
    let output = ring().invoke(Update::new(), &config).await.unwrap();
    assert_eq!(output.status, Status::Drained);
    other.join().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_hears_whenever_it_is_told() {
    let graph = StateGraph::<Dynamic>::new()
        .node("waits", |_: Arc<()>| async {
            std::future::pending::<()>().await;
            Ok(())
        })
        .edge(START, "waits")
        .compile()
        .unwrap();
    for spins in 0..3_000 {
        let control = RunControl::new();
        let (graph, config) = (graph.clone(), Config::default().control(&control));
        let run = tokio::spawn(async move { graph.invoke(Update::new(), &config).await });
        // It is told before it begins, amid its beginning, or while its node waits.
        (0..spins).for_each(|_| std::hint::spin_loop());
        control.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(20), run).await;
        let ended = ended.expect("it hears").unwrap();
        assert!(matches!(ended, Err(Error::Cancelled)), "{ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_drains_may_still_cancel() {
    let control = RunControl::new();
    let graph = StateGraph::<Dynamic>::new()
        .node("slow", |_: Arc<()>| async {
            sleep(Duration::from_secs(3_600)).await;
            Ok(())
        })
        .edge(START, "slow")
        .compile()
        .unwrap();
    let config = Config::default().control(&control);
    let begun = Instant::now();
    let (output, ()) = tokio::join!(graph.invoke(Update::new(), &config), async {
        sleep(Duration::from_secs(1)).await;
        control.drain();
        control.drain();
        sleep(Duration::from_secs(1)).await;
        control.cancel();
    });
    assert!(matches!(output, Err(Error::Cancelled)), "{output:?}");
    assert_eq!(begun.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn one_place_is_enough_for_graphs_in_graphs() {
    let leaf = || {
        let graph = StateGraph::new().field("log", Field::append());
        let graph = graph.node("leaf", |_: Arc<()>| async {
            sleep(Duration::from_secs(1)).await;
            Ok(Update::new().set("log", "leaf"))
        });
        graph.edge(START, "leaf").compile().unwrap()
    };
    let called = leaf();
    let graph = StateGraph::new()
        .field("log", Field::append())
        .add_node(Node::graph("inner", leaf()))
        .node("calls", move |_: Arc<()>, runtime: Runtime| {
            let called = called.clone();
            async move {
                let first = runtime.invoke(&called, Update::new()).await?;
                runtime.invoke(&called, Update::new()).await?;
                Ok(Update::new().set("log", first.get("log")))
            }
        })
        .edge(START, "inner")
        .edge(START, "calls")
        .compile()
        .unwrap();
    let config = Config::default().max_concurrency(1);
    let output = graph.invoke(Update::new(), &config).await.unwrap();
    assert_eq!(output.get("log"), vec!["leaf", "leaf"].into());
}

#[tokio::test]
async fn a_panic_in_a_reducer_or_a_branch_is_an_error() {
    let reducer = Reducer::new(|_, _| panic!("at the reducer"));
    let reduced = StateGraph::new()
        .field("x", Field::Reduce(reducer.starting_from(0)))
        .node("a", |_: &()| Ok(Update::new().set("x", 1)))
        .edge(START, "a")
        .compile()
        .unwrap();
    let error = reduced.invoke(Update::new(), &Config::default()).await.unwrap_err().to_string();
    assert!(error.contains("'x'") && error.contains("at the reducer"), "{error}");
    let branched = StateGraph::<Dynamic>::new()
        .node("a", |_: &()| Ok(()))
        .edge(START, "a")
        .branch("a", |_| -> NodeResult<&str> { panic!("at the branch") })
        .compile()
        .unwrap();
    let error = branched.invoke(Update::new(), &Config::default()).await.unwrap_err().to_string();
    assert_eq!(error, "the node 'a' failed: it panicked: at the branch");
}

#[tokio::test]
async fn two_interrupts_in_two_graphs_that_one_node_calls() {
    let asking = |question: &'static str| {
        StateGraph::new()
            .field("answer", Field::Last)
            .node("ask", move |_: &(), runtime: &Runtime| {
                Ok(Update::new().set("answer", runtime.interrupt(question)?))
            })
            .edge(START, "ask")
            .compile()
            .unwrap()
    };
    let (first, second) = (asking("first?"), asking("second?"));
    let graph = StateGraph::new()
        .field("log", Field::append())
        .node("both", move |_: Arc<()>, runtime: Runtime| {
            let (first, second) = (first.clone(), second.clone());
            async move {
                let one = runtime.invoke(&first, Update::new()).await?.get("answer");
                let two = runtime.invoke(&second, Update::new()).await?.get("answer");
                Ok(Update::new().set("log", vec![one, two]))
            }
        })
        .edge(START, "both")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let config = Config::thread("1");
    let asked = graph.invoke(Update::new(), &config).await.unwrap();
    assert_eq!(asked.interrupts()[0].value, "first?".into());
    let asked = graph.invoke(Command::resume("1"), &config).await.unwrap();
    assert_eq!(asked.interrupts()[0].value, "second?".into());
    let done = graph.invoke(Command::resume("2"), &config).await.unwrap();
    assert_eq!(done.get("log"), vec!["1", "2"].into());
}

/// Fails at its so-many-th storing, and then works again.
#[derive(Clone, Debug)]
struct Failing {
    memory: Memory,
    calls: Arc<AtomicUsize>,
    at: usize,
}

impl Failing {
    fn fails(&self) -> bool {
        self.calls.fetch_add(1, Ordering::SeqCst) == self.at
    }
}

type Answer<'a, T> = BoxFuture<'a, Result<T, Error>>;

fn full<'a>() -> Answer<'a, ()> {
    let full = std::io::Error::other("the disk is full");
    Box::pin(std::future::ready(Err(Error::storage("saver", full))))
}

impl Saver for Failing {
    fn get<'a>(
        &'a self,
        place: &'a Place,
        id: Option<&'a CheckpointId>,
    ) -> Answer<'a, Option<CheckpointTuple>> {
        self.memory.get(place, id)
    }

    fn list<'a>(&'a self, query: &'a ListQuery) -> Answer<'a, Vec<(Place, CheckpointTuple)>> {
        self.memory.list(query)
    }

    fn put<'a>(&'a self, place: &'a Place, put: PutCheckpoint) -> Answer<'a, ()> {
        if self.fails() {
            full()
        } else {
            self.memory.put(place, put)
        }
    }

    fn put_writes<'a>(&'a self, place: &'a Place, writes: PutWrites) -> Answer<'a, ()> {
        if self.fails() {
            full()
        } else {
            self.memory.put_writes(place, writes)
        }
    }

    fn delete_thread<'a>(&'a self, thread: &'a str) -> Answer<'a, ()> {
        self.memory.delete_thread(thread)
    }

    fn copy_thread<'a>(&'a self, from: &'a str, to: &'a str) -> Answer<'a, ()> {
        self.memory.copy_thread(from, to)
    }

    fn prune<'a>(&'a self, threads: &'a [Arc<str>], strategy: Prune) -> Answer<'a, ()> {
        self.memory.prune(threads, strategy)
    }

    fn delta_history<'a>(
        &'a self,
        place: &'a Place,
        id: &'a CheckpointId,
        channels: &'a [Arc<str>],
    ) -> Answer<'a, Vec<DeltaHistory>> {
        self.memory.delta_history(place, id, channels)
    }

    fn next_version(&self, current: Option<&Version>) -> Version {
        self.memory.next_version(current)
    }
}

#[tokio::test]
async fn a_saver_that_fails_once_loses_nothing() {
    let inner = || {
        let graph = StateGraph::new().field("log", Field::append());
        let graph = graph.node("inside", |_: &()| Ok(Update::new().set("log", "inside")));
        graph.edge(START, "inside").compile().unwrap()
    };
    let graph = |at| {
        StateGraph::new()
            .field("log", Field::append())
            .node("a", |_: &()| Ok(Update::new().set("log", "a")))
            .node("b", |_: &()| Ok(Update::new().set("log", "b")))
            .add_node(Node::graph("inner", inner()))
            .edge(START, "a")
            .edge(START, "b")
            .join(&["a", "b"], "inner")
            .edge("inner", END)
            .compile()
            .unwrap()
            .with_saver(Failing { memory: Memory::new(), calls: Arc::default(), at })
    };
    for durability in [Durability::Sync, Durability::Async, Durability::Exit] {
        let config = Config::thread("1").durability(durability);
        let expected = graph(usize::MAX).invoke(Update::new(), &config).await.unwrap().get("log");
        let mut failures = 0;
        for at in 0..40 {
            let graph = graph(at);
            match graph.invoke(Update::new(), &config).await {
                Ok(output) => assert_eq!(output.get("log"), expected),
                Err(error) => {
                    assert!(error.to_string().contains("the disk is full"), "{error}");
                    failures += 1;
                    let begun = graph.state(&config).await.unwrap();
                    let begun = begun.is_some_and(|state| state.metadata.step > -2);
                    let again = match begun {
                        true => graph.invoke((), &config).await.unwrap(),
                        false => graph.invoke(Update::new(), &config).await.unwrap(),
                    };
                    assert_eq!(again.get("log"), expected, "{durability:?} at {at}");
                }
            }
        }
        assert!(failures > 0, "{durability:?}: it never failed");
    }
}

/// A thread on which a node has asked; once it has its answer, it fails the first time, or waits too
/// long.
async fn asked(retry: RetryPolicy, waits: bool) -> (Graph, Config) {
    let answers = Arc::new(AtomicUsize::new(0));
    let asks = move |_: Arc<()>, runtime: Runtime| {
        let answers = answers.clone();
        async move {
            let answer = runtime.interrupt("what?")?;
            match answers.fetch_add(1, Ordering::SeqCst) {
                0 if waits => std::future::pending().await,
                0 => Err(NodeError::message("not yet")),
                _ => Ok(Update::new().set("answer", answer)),
            }
        }
    };
    let node = Node::new("asks", asks).retry(retry).timeout(Duration::from_secs(1));
    let graph = StateGraph::<Dynamic>::new().field("answer", Field::Last).add_node(node);
    let graph = graph.edge(START, "asks").compile().unwrap().with_saver(Memory::new());
    let config = Config::thread("1");
    let output = graph.invoke(Update::new(), &config).await.unwrap();
    assert!(matches!(output.status, Status::Interrupted(_)), "{:?}", output.status);
    (graph, config)
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_kept_for_the_next_attempt() {
    for waits in [false, true] {
        let (graph, config) = asked(RetryPolicy::attempts(2), waits).await;
        let done = graph.invoke(Command::resume("that"), &config).await.unwrap();
        assert_eq!((done.status.clone(), done.get("answer")), (Status::Done, "that".into()));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_kept_for_when_the_thread_goes_on() {
    for waits in [false, true] {
        let (graph, config) = asked(RetryPolicy::attempts(1), waits).await;
        let failed = graph.invoke(Command::resume("that"), &config).await;
        assert!(matches!(failed, Err(Error::Node { .. })), "{failed:?}");
        let done = graph.invoke((), &config).await.unwrap();
        assert_eq!((done.status.clone(), done.get("answer")), (Status::Done, "that".into()));
    }
}
