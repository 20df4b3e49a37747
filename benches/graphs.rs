//! The graphs that the benchmarks run.

use std::sync::Arc;

use langgraph_rust_runtime::{
    Clock, Config, Dynamic, Error, Field, Goto, Graph, GraphInput, Memory, NodeResult, StateGraph,
    Update, END, START,
};
use tokio::sync::Semaphore;

/// A chain of `length` nodes that do nothing.
pub fn chain(length: usize) -> Graph {
    chained(length, |graph, name| graph.node(name, |_: &()| Ok(())))
}

/// The same of async functions, which return at once.
pub fn async_chain(length: usize) -> Graph {
    chained(length, |graph, name| graph.node(name, nothing))
}

/// The same of async functions that look at the state.
pub fn reading_chain(length: usize) -> Graph {
    chained(length, |graph, name| graph.node(name, looks))
}

/// The same of async functions each of which lets others go first, as one that waits does.
pub fn yielding_chain(length: usize) -> Graph {
    chained(length, |graph, name| graph.node(name, yields))
}

/// The same of async functions that count, and let others go first.
pub fn counting_chain(length: usize) -> Graph {
    chained(length, |graph, name| graph.node(name, counts))
}

/// Two nodes that do nothing and lead to each other, for ever.
pub fn ring() -> Graph {
    ringed(|graph, name| graph.node(name, |_: &()| Ok(())))
}

/// The same of async functions, which return at once.
pub fn async_ring() -> Graph {
    ringed(|graph, name| graph.node(name, nothing))
}

/// One node that counts to `limit`, by a conditional edge.
pub fn counter(limit: i64) -> Graph {
    let graph = StateGraph::new()
        .field("value", Field::Last)
        .node("count", |state: &Dynamic| {
            Ok(Update::new().set("value", state.get("value").int()? + 1))
        })
        .edge(START, "count")
        .branch("count", move |state: &Dynamic| {
            Ok(if state.get("value").int()? < limit { "count" } else { END })
        });
    compile(graph)
}

/// `width` packets for one node in one superstep, whose writes are added up.
pub fn fan_out(width: i64) -> Graph {
    let graph = StateGraph::new()
        .field("total", Field::sum())
        .node("split", |_: &()| Ok(()))
        .node("work", |state: &Dynamic| Ok(Update::new().set("total", state.get("x"))))
        .edge(START, "split")
        .branch("split", move |_: &Dynamic| {
            Ok((0..width).map(|x| Goto::send("work", [("x", x.into())])).collect::<Vec<_>>())
        });
    compile(graph)
}

/// A chain of ten nodes, the fifth of which waits until the gate is closed.
pub fn waiting(gate: Arc<Semaphore>) -> Graph {
    chained(10, |graph, name| {
        if name != "node0004" {
            return graph.node(name, nothing);
        }
        let gate = gate.clone();
        graph.node(name, move |_: Arc<()>| {
            let gate = gate.clone();
            async move {
                // It has nothing to give, and is closed in the end.
                let _ = gate.acquire().await;
                Ok(())
            }
        })
    })
}

/// The same graph, storing checkpoints in memory.
pub fn checkpointed(graph: Graph) -> Graph {
    graph.with_saver(Memory::new())
}

/// How the benchmarks run graphs, for at most so many supersteps.
pub fn config(supersteps: u64) -> Config {
    Config::thread("bench").recursion_limit(supersteps)
}

/// Runs the graph on this thread, to its end or as far as it may go.
pub fn run(graph: &Graph, input: impl Into<GraphInput>, config: &Config) {
    judge(graph.blocking().invoke(input, config).map(drop));
}

/// The same, as a future.
pub async fn run_async(graph: &Graph, input: impl Into<GraphInput>, config: &Config) {
    judge(graph.invoke(input, config).await.map(drop));
}

/// A runtime that is one thread: the one that waits for it.
pub fn one_thread() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap_or_else(|error| panic!("{error}"))
}

fn judge(ended: Result<(), Error>) {
    match ended {
        Ok(()) | Err(Error::RecursionLimit(_)) => {}
        Err(error) => panic!("{error}"),
    }
}

async fn nothing(_: &()) -> NodeResult<()> {
    Ok(())
}

async fn looks(state: &Dynamic) -> NodeResult<()> {
    std::hint::black_box(state.get("value"));
    Ok(())
}

async fn yields(_: &()) -> NodeResult<()> {
    others_first().await;
    Ok(())
}

async fn counts(state: &Dynamic) -> NodeResult<Update> {
    others_first().await;
    Ok(Update::new().set("value", state.get("value").int()? + 1))
}

/// Twice, since a run looks at a node once before it waits for it.
async fn others_first() {
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
}

fn chained(length: usize, node: impl Fn(StateGraph, &str) -> StateGraph) -> Graph {
    let names: Vec<String> = (0..length).map(|n| format!("node{n:04}")).collect();
    let mut graph = StateGraph::new().field("value", Field::Last);
    for name in &names {
        graph = node(graph, name);
    }
    graph = graph.edge(START, &names[0]);
    for pair in names.windows(2) {
        graph = graph.edge(&pair[0], &pair[1]);
    }
    compile(graph)
}

fn ringed(node: impl Fn(StateGraph, &str) -> StateGraph) -> Graph {
    let graph = node(node(StateGraph::new().field("value", Field::Last), "a"), "b");
    compile(graph.edge(START, "a").edge("a", "b").edge("b", "a"))
}

fn compile(graph: StateGraph) -> Graph {
    graph.compile().unwrap_or_else(|error| panic!("{error}")).with_clock(Clock::counter())
}
