//! This package.

use langgraph_rust_core::Durability;
use langgraph_rust_runtime::{
    Config, Error, Field, Graph, Memory, NodeResult, StateGraph, Update, END, START,
};

async fn nothing(_: &()) -> NodeResult<()> {
    Ok(())
}

/// A chain of nodes.
pub fn chain(length: usize) -> Result<Graph, Error> {
    let names = crate::names(length);
    let mut graph = StateGraph::new().field("value", Field::Last);
    let mut last = START;
    for name in &names {
        graph = graph.node(name, nothing).edge(last, name);
        last = name;
    }
    graph.edge(last, END).compile()
}

/// A node, `width` nodes after it that run at once, and one after all of them.
pub fn fan_out(width: usize) -> Result<Graph, Error> {
    let names = crate::names(width);
    let graph = StateGraph::new().field("value", Field::Last);
    let mut graph = graph.node("split", nothing).node("join", nothing).edge(START, "split");
    for name in &names {
        graph = graph.node(name, nothing).edge("split", name).edge(name, "join");
    }
    graph.edge("join", END).compile()
}

/// The graph, keeping its threads in a new saver.
pub fn persisted(graph: Graph) -> Graph {
    graph.with_saver(Memory::new())
}

/// Runs the graph to its end.
pub async fn run(graph: &Graph) -> Result<(), Error> {
    // As the others: a superstep is stored before the next begins.
    let config = Config::thread("1").durability(Durability::Sync);
    graph.invoke(Update::new().set("value", 1), &config).await.map(drop)
}
