//! The graphs that the benchmarks run, and the driver they are run by.

use langgraph_rust_core::Durability;
use langgraph_rust_pregel::{Effect, Emits};
use langgraph_rust_runtime::{
    Clock, Config, Field, Goto, Graph, Input, Memory, Run, StateGraph, Update, END, START,
};

/// A chain of `length` nodes that do nothing.
pub fn chain(length: usize) -> Graph {
    let names: Vec<String> = (0..length).map(|n| format!("node{n:04}")).collect();
    let mut graph = StateGraph::new().field("value", Field::Last);
    for name in &names {
        graph = graph.node(name, |_| Ok(()));
    }
    graph = graph.edge(START, &names[0]);
    for pair in names.windows(2) {
        graph = graph.edge(&pair[0], &pair[1]);
    }
    compile(graph)
}

/// Two nodes that do nothing and lead to each other, for ever.
pub fn ring() -> Graph {
    let graph = StateGraph::new()
        .field("value", Field::Last)
        .node("a", |_| Ok(()))
        .node("b", |_| Ok(()))
        .edge(START, "a")
        .edge("a", "b")
        .edge("b", "a");
    compile(graph)
}

/// One node that counts to `limit`, by a conditional edge.
pub fn counter(limit: i64) -> Graph {
    let graph = StateGraph::new()
        .field("n", Field::Last)
        .node("count", |state| Ok(Update::new().set("n", state.get("n").int()? + 1)))
        .edge(START, "count")
        .branch("count", move |state| {
            Ok(if state.get("n").int()? < limit { "count" } else { END })
        });
    compile(graph)
}

/// `width` packets for one node in one superstep, whose writes are added up.
pub fn fan_out(width: i64) -> Graph {
    let graph = StateGraph::new()
        .field("total", Field::sum())
        .node("split", |_| Ok(()))
        .node("work", |state| Ok(Update::new().set("total", state.get("x"))))
        .edge(START, "split")
        .branch("split", move |_| {
            Ok((0..width).map(|x| Goto::send("work", [("x", x.into())])).collect::<Vec<_>>())
        });
    compile(graph)
}

/// The same graph, storing checkpoints in memory.
pub fn checkpointed(graph: Graph) -> Graph {
    graph.with_saver(Memory::new())
}

/// Runs the graph to its end; returns the number of supersteps.
pub fn run(graph: &Graph, input: Update, recursion_limit: u64, durability: Durability) -> i64 {
    let config = Config { recursion_limit, durability, ..Config::thread("bench") };
    let mut run = Run::begin(graph, Input::Update(input), &config, Emits::default())
        .unwrap_or_else(|error| panic!("{error}"));
    loop {
        match run.poll() {
            Effect::RunTask { task, .. } => {
                let outcome = run.perform(task, &mut |_| {});
                run.report(task, outcome);
            }
            effect @ (Effect::PersistWrites(_) | Effect::PersistCheckpoint(_)) => run.store(effect),
            Effect::Finish(_) => return run.engine().steps().0,
            Effect::CancelTask(_) | Effect::LookUpCache(_) | Effect::Emit(_) | Effect::Wait(_) => {}
        }
    }
}

fn compile(graph: StateGraph) -> Graph {
    graph.compile().unwrap_or_else(|error| panic!("{error}")).with_clock(Clock::counter())
}
