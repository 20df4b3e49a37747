//! Nodes that wait: side by side, within limits, and what becomes of them when a run ends early. Time
//! stands still but for timers, so nothing here takes any.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use langgraph_rust_runtime::{
    Config, Dynamic, Error, Event, Field, Graph, Memory, Mode, Node, NodeError, NodeResult,
    RetryPolicy, RunControl, Runtime, StateGraph, Status, Update, Value, END, START,
};
use tokio::time::{sleep, Instant};

/// How many nodes run, and how many ran at the same time at most.
#[derive(Clone, Default)]
struct Crowd(Arc<(AtomicUsize, AtomicUsize)>);

impl Crowd {
    async fn stay(&self, time: Duration) {
        let inside = Inside(self.0.clone());
        let now = inside.0 .0.fetch_add(1, Ordering::SeqCst) + 1;
        inside.0 .1.fetch_max(now, Ordering::SeqCst);
        sleep(time).await;
    }

    fn now(&self) -> usize {
        self.0 .0.load(Ordering::SeqCst)
    }

    fn most(&self) -> usize {
        self.0 .1.load(Ordering::SeqCst)
    }
}

/// Leaves when it is dropped.
struct Inside(Arc<(AtomicUsize, AtomicUsize)>);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0 .0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Nodes that each take a second, all of them in the first superstep.
fn sleepers(count: usize, crowd: &Crowd) -> Graph {
    let mut graph = StateGraph::new().field("log", Field::append());
    for number in 0..count {
        let (name, crowd) = (format!("n{number:03}"), crowd.clone());
        let own = name.clone();
        graph = graph
            .node(&name, move |_: Arc<()>| {
                let (crowd, own) = (crowd.clone(), own.clone());
                async move {
                    crowd.stay(Duration::from_secs(1)).await;
                    Ok(Update::new().set("log", own))
                }
            })
            .edge(START, &name);
    }
    graph.compile().unwrap()
}

fn count(output: &Value) -> usize {
    output.items().unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn nodes_of_a_superstep_overlap() {
    let crowd = Crowd::default();
    let begun = Instant::now();
    let output = sleepers(20, &crowd).invoke(Update::new(), &Config::default()).await.unwrap();
    assert_eq!((count(&output.get("log")), crowd.most()), (20, 20));
    assert_eq!(begun.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_more_run_than_may() {
    let crowd = Crowd::default();
    let begun = Instant::now();
    let config = Config::default().max_concurrency(3);
    let output = sleepers(20, &crowd).invoke(Update::new(), &config).await.unwrap();
    assert_eq!((count(&output.get("log")), crowd.most()), (20, 3));
    assert_eq!(begun.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_drops_its_nodes() {
    let crowd = Crowd::default();
    let graph = sleepers(5, &crowd);
    let config = Config::default();
    let run = graph.invoke(Update::new(), &config);
    assert!(tokio::time::timeout(Duration::from_millis(500), run).await.is_err());
    assert_eq!((crowd.now(), crowd.most()), (0, 5));
}

#[tokio::test(start_paused = true)]
async fn a_run_is_send_and_runs_elsewhere() {
    let crowd = Crowd::default();
    let graph = sleepers(2, &crowd);
    let runs = (0..1_000).map(|_| {
        let graph = graph.clone();
        tokio::spawn(async move { graph.invoke(Update::new(), &Config::default()).await })
    });
    for output in futures_util::future::join_all(runs).await {
        assert_eq!(count(&output.unwrap().unwrap().get("log")), 2);
    }
    assert_eq!(crowd.most(), 2_000);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_takes_too_long_fails() {
    let slow = Node::new("slow", |_: Arc<()>| async {
        sleep(Duration::from_secs(60)).await;
        Ok(())
    });
    let graph = StateGraph::<Dynamic>::new()
        .add_node(slow.timeout(Duration::from_secs(2)))
        .edge(START, "slow")
        .compile()
        .unwrap();
    let begun = Instant::now();
    let error = graph.invoke(Update::new(), &Config::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "the node 'slow' failed: it took longer than 2s");
    assert_eq!(begun.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_node_is_tried_again_after_a_while_and_knows_which_attempt_it_is() {
    async fn flaky(_: &(), runtime: &Runtime) -> NodeResult<Update> {
        match runtime.attempt() {
            3 => Ok(Update::new().set("attempt", 3)),
            _ => Err(NodeError::message("not yet")),
        }
    }
    let graph = StateGraph::new()
        .field("attempt", Field::Last)
        .add_node(Node::new("flaky", flaky).retry(RetryPolicy::attempts(3)))
        .edge(START, "flaky")
        .compile()
        .unwrap();
    let begun = Instant::now();
    let output = graph.invoke(Update::new(), &Config::default()).await.unwrap();
    assert_eq!(output.get("attempt"), Value::Int(3));
    assert_eq!(begun.elapsed().as_millis(), 1_500);
}

#[tokio::test]
async fn only_failures_that_are_worth_it_are_tried_again() {
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = calls.clone();
    let node = Node::new("node", move |_: &()| -> NodeResult<()> {
        seen.fetch_add(1, Ordering::SeqCst);
        Err(std::io::Error::other("the disk is gone").into())
    });
    let policy = RetryPolicy::attempts(5).at_once().only(|error| {
        let Error::Node { source, .. } = error else { return false };
        source.downcast_ref::<std::io::Error>().is_none()
    });
    let graph = StateGraph::<Dynamic>::new().add_node(node.retry(policy)).edge(START, "node");
    let graph = graph.compile().unwrap();
    let error = graph.invoke(Update::new(), &Config::default()).await.unwrap_err();
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.downcast_ref::<std::io::Error>().unwrap().to_string(), "the disk is gone");
}

#[tokio::test]
async fn a_panic_is_the_failure_of_its_node() {
    let sync = StateGraph::<Dynamic>::new()
        .node("sync", |_: &()| -> NodeResult<()> { panic!("at the {}", "disco") })
        .edge(START, "sync");
    let waiting = StateGraph::<Dynamic>::new()
        .node("waiting", |_: Arc<()>| async {
            tokio::task::yield_now().await;
            let found: Vec<()> = Vec::new();
            found.first().expect("something");
            Ok(())
        })
        .edge(START, "waiting");
    let blocking = StateGraph::<Dynamic>::new()
        .add_node(Node::blocking("blocking", |_: &()| -> NodeResult<()> { panic!("blocked") }))
        .edge(START, "blocking");
    let mut texts = Vec::new();
    for graph in [sync, waiting, blocking] {
        let graph = graph.compile().unwrap();
        let error = graph.invoke(Update::new(), &Config::default()).await.unwrap_err();
        texts.push(error.to_string());
    }
    assert_eq!(
        texts,
        [
            "the node 'sync' failed: it panicked: at the disco",
            "the node 'waiting' failed: it panicked: something",
            "the node 'blocking' failed: it panicked: blocked",
        ]
    );
}

#[tokio::test]
async fn blocking_nodes_overlap_and_leave_the_thread_that_drives() {
    let barrier = Arc::new(std::sync::Barrier::new(3));
    let mut graph = StateGraph::new().field("threads", Field::append());
    for name in ["a", "b", "c"] {
        let barrier = barrier.clone();
        let node = Node::blocking(name, move |_: &()| {
            barrier.wait();
            Ok(Update::new().set("threads", format!("{:?}", std::thread::current().id())))
        });
        graph = graph.add_node(node).edge(START, name);
    }
    let graph = graph.compile().unwrap();
    let output = graph.invoke(Update::new(), &Config::default()).await.unwrap().get("threads");
    let threads: BTreeSet<String> =
        output.items().unwrap().iter().map(|id| id.text().unwrap().to_string()).collect();
    assert_eq!(threads.len(), 3);
    assert!(!threads.contains(&format!("{:?}", std::thread::current().id())));
}

/// Two nodes after each other, each of which takes a second.
fn two(crowd: &Crowd) -> Graph {
    let node = |name: &'static str| {
        let crowd = crowd.clone();
        Node::new(name, move |_: Arc<()>| {
            let crowd = crowd.clone();
            async move {
                crowd.stay(Duration::from_secs(1)).await;
                Ok(Update::new().set("log", name))
            }
        })
    };
    let graph = StateGraph::new().field("log", Field::append());
    let graph = graph.add_node(node("a")).add_node(node("b")).edge(START, "a").edge("a", "b");
    graph.edge("b", END).compile().unwrap().with_saver(Memory::new())
}

#[tokio::test(start_paused = true)]
async fn a_drained_run_stops_between_supersteps_and_goes_on() {
    let (crowd, control) = (Crowd::default(), RunControl::new());
    let (graph, config) = (two(&crowd), Config::thread("1"));
    let told = config.clone().control(&control);
    let run = graph.invoke(Update::new(), &told);
    let (output, ()) = tokio::join!(run, async {
        sleep(Duration::from_millis(500)).await;
        control.drain();
    });
    let output = output.unwrap();
    assert_eq!((output.status.clone(), output.get("log")), (Status::Drained, vec!["a"].into()));
    let output = graph.invoke((), &config).await.unwrap();
    assert_eq!((output.status.clone(), output.get("log")), (Status::Done, vec!["a", "b"].into()));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_drops_what_runs_and_goes_on() {
    let (crowd, control) = (Crowd::default(), RunControl::new());
    let (graph, config) = (two(&crowd), Config::thread("1"));
    let told = config.clone().control(&control);
    let begun = Instant::now();
    let run = graph.invoke(Update::new(), &told);
    let (output, ()) = tokio::join!(run, async {
        sleep(Duration::from_millis(1_500)).await;
        control.cancel();
    });
    assert!(matches!(output, Err(Error::Cancelled)), "{output:?}");
    assert_eq!((begun.elapsed().as_millis(), crowd.now()), (1_500, 0));
    let output = graph.invoke((), &config).await.unwrap();
    assert_eq!(output.get("log"), vec!["a", "b"].into());
}

#[tokio::test(start_paused = true)]
async fn a_stream_shows_what_nodes_say_while_they_run() {
    let graph = StateGraph::new()
        .field("log", Field::append())
        .node("talks", |_: Arc<()>, runtime: Runtime| async move {
            for word in ["one", "two"] {
                runtime.write(word);
                sleep(Duration::from_secs(1)).await;
            }
            Ok(Update::new().set("log", "done"))
        })
        .edge(START, "talks")
        .compile()
        .unwrap();
    let begun = Instant::now();
    let modes = [Mode::Custom, Mode::Values];
    let mut stream = graph.stream(Update::new(), &Config::default(), modes);
    let mut seen = Vec::new();
    while let Some(chunk) = stream.next().await {
        let what = match chunk.unwrap().event {
            Event::Custom { value, .. } => value.to_string(),
            Event::Values { values } => Value::from(values).to_string(),
            other => panic!("nobody asked for {other:?}"),
        };
        seen.push((begun.elapsed().as_secs(), what));
    }
    let expected = [(0, "\"one\""), (1, "\"two\""), (2, "{\"log\": [\"done\"]}")];
    assert_eq!(seen, expected.map(|(time, what)| (time, what.to_string())));
    assert_eq!(stream.output().await.unwrap().status, Status::Done);
}

#[tokio::test]
async fn a_stream_ends_with_the_error_of_its_run() {
    let graph = StateGraph::<Dynamic>::new()
        .node("fails", |_: &()| -> NodeResult<()> { Err(NodeError::message("no")) })
        .edge(START, "fails")
        .compile()
        .unwrap();
    let mut stream = graph.stream(Update::new(), &Config::default(), Mode::Tasks);
    assert!(
        matches!(stream.next().await, Some(Ok(chunk)) if matches!(chunk.event, Event::Started { .. }))
    );
    let error = stream.next().await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the node 'fails' failed: no");
    assert!(stream.next().await.is_none());
    assert!(stream.output().await.is_err());
}

#[tokio::test]
async fn a_run_that_never_waits_lets_others_have_their_turn() {
    let graph = StateGraph::<Dynamic>::new()
        .node("a", |_: Arc<()>| async { Ok(()) })
        .edge(START, "a")
        .edge("a", "a")
        .compile()
        .unwrap();
    let config = Config::default().recursion_limit(100_000_000);
    let turns = async {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = graph.invoke(Update::new(), &config) => panic!("it has no end"),
        () = turns => {}
    }
}
