//! [juncture](https://crates.io/crates/juncture).

use std::sync::Arc;

use juncture::node::NodeFnUpdate;
use juncture::{CompiledGraph, JunctureError, RunnableConfig, StateGraph, END, START};
use juncture_checkpoint::MemorySaver;
use serde::{Deserialize, Serialize};

/// What the graphs hold.
#[derive(Clone, Debug, Default, Serialize, Deserialize, juncture_derive::State)]
pub struct Values {
    /// Read by nobody.
    pub value: i64,
}

/// A graph that is described but not compiled.
pub type Described = StateGraph<Values>;

fn nothing(_: &Values) -> std::future::Ready<Result<ValuesUpdate, JunctureError>> {
    std::future::ready(Ok(ValuesUpdate::default()))
}

/// A chain of nodes.
pub fn chain(length: usize) -> Result<Described, Box<dyn std::error::Error>> {
    let mut graph = StateGraph::<Values>::new();
    let mut last = START.to_string();
    for name in crate::names(length) {
        graph.add_node_simple(&name, NodeFnUpdate(nothing))?;
        graph.add_edge(last, &name);
        last = name;
    }
    graph.add_edge(last, END);
    Ok(graph)
}

/// A node, `width` nodes after it that run at once, and one after all of them.
pub fn fan_out(width: usize) -> Result<Described, Box<dyn std::error::Error>> {
    let mut graph = StateGraph::<Values>::new();
    graph.add_node_simple("split", NodeFnUpdate(nothing))?;
    graph.add_node_simple("join", NodeFnUpdate(nothing))?;
    graph.add_edge(START, "split");
    for name in crate::names(width) {
        graph.add_node_simple(&name, NodeFnUpdate(nothing))?;
        graph.add_edge("split", &name);
        graph.add_edge(&name, "join");
    }
    graph.add_edge("join", END);
    Ok(graph)
}

/// The graph, keeping its threads in a new saver.
pub fn persisted(graph: &Described) -> Result<CompiledGraph<Values>, Box<dyn std::error::Error>> {
    Ok(graph.compile_with_checkpointer(Some(Arc::new(MemorySaver::new())))?)
}

/// Runs the graph to its end.
pub async fn run(graph: &CompiledGraph<Values>) -> Result<(), JunctureError> {
    let config = RunnableConfig::new().with_thread_id("1").with_recursion_limit(1_000);
    graph.invoke_async(Values { value: 1 }, &config).await.map(drop)
}
