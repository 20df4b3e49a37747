//! [juncture](https://crates.io/crates/juncture).

use std::sync::Arc;

use juncture::node::NodeFnUpdate;
use juncture::{CompiledGraph, JunctureError, RunnableConfig, StateGraph};
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
    let names = crate::names(length);
    for name in &names {
        graph.add_node_simple(name, NodeFnUpdate(nothing))?;
    }
    for pair in names.windows(2) {
        graph.add_edge(&pair[0], &pair[1]);
    }
    graph.set_entry_point(&names[0]);
    graph.set_finish_point(&names[length - 1]);
    Ok(graph)
}

/// A node, `width` nodes after it that run at once, and one after all of them.
pub fn fan_out(width: usize) -> Result<Described, Box<dyn std::error::Error>> {
    let mut graph = StateGraph::<Values>::new();
    graph.add_node_simple("split", NodeFnUpdate(nothing))?;
    graph.add_node_simple("join", NodeFnUpdate(nothing))?;
    graph.set_entry_point("split");
    for name in crate::names(width) {
        graph.add_node_simple(&name, NodeFnUpdate(nothing))?;
        graph.add_edge("split", &name);
        graph.add_edge(&name, "join");
    }
    graph.set_finish_point("join");
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
