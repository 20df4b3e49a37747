use std::sync::Arc;

use langgraph_rust_core::{CheckpointId, Durability};
use langgraph_rust_pregel::InterruptAt;

use crate::{Error, Graph};

/// How a run is to go.
#[derive(Clone, Debug)]
pub struct Config {
    /// The thread; only graphs with a saver have threads.
    pub thread: Arc<str>,
    /// The checkpoint to start from, rather than the thread's newest.
    pub checkpoint: Option<CheckpointId>,
    /// When checkpoints are stored.
    pub durability: Durability,
    /// Whether a checkpoint is stored in one step with the writes before it.
    pub joins: bool,
    /// How many supersteps the run may take.
    pub recursion_limit: u64,
    /// The nodes to stop before.
    pub interrupt_before: Stops,
    /// The nodes to stop after.
    pub interrupt_after: Stops,
}

/// Nodes to stop at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stops {
    /// None.
    #[default]
    Nowhere,
    /// All.
    Everywhere,
    /// These.
    Nodes(Vec<String>),
}

impl Default for Config {
    fn default() -> Self {
        Self {
            thread: "".into(),
            checkpoint: None,
            durability: Durability::Async,
            joins: false,
            recursion_limit: 10_007,
            interrupt_before: Stops::Nowhere,
            interrupt_after: Stops::Nowhere,
        }
    }
}

impl Config {
    /// The usual, on the given thread.
    pub fn thread(name: &str) -> Self {
        Self { thread: name.into(), ..Self::default() }
    }
}

impl Stops {
    pub(crate) fn resolve(&self, graph: &Graph) -> Result<InterruptAt, Error> {
        Ok(match self {
            Stops::Nowhere => InterruptAt::Nowhere,
            Stops::Everywhere => InterruptAt::Everywhere,
            Stops::Nodes(names) => {
                let nodes = names.iter().map(|name| graph.node(name));
                InterruptAt::Nodes(nodes.collect::<Result<_, _>>()?)
            }
        })
    }
}
