use std::any::Any;
use std::sync::Arc;

use langgraph_rust_core::{CheckpointId, Durability};
use langgraph_rust_pregel::InterruptAt;

use crate::graph::Core;
use crate::{Error, Map, RunControl, Value};

/// How a run is to go.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// The thread; only graphs with a saver have threads.
    pub thread: Arc<str>,
    /// Which graph's part of the thread, for looking at it and updating it: empty for the graph itself,
    /// otherwise the namespace of a graph inside it. Runs begin at the graph itself.
    pub namespace: Arc<str>,
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
    /// How many tasks may run at the same time; `None`: all of a superstep.
    pub max_concurrency: Option<usize>,
    /// What the run says of itself: stored with each of its checkpoints.
    pub metadata: Map,
    /// What stops the run from elsewhere.
    pub control: Option<RunControl>,
    /// What nodes read by [`Runtime::context`](crate::Runtime::context).
    pub(crate) context: Option<Arc<dyn Any + Send + Sync>>,
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
            namespace: "".into(),
            checkpoint: None,
            durability: Durability::Async,
            joins: true,
            recursion_limit: 10_007,
            interrupt_before: Stops::Nowhere,
            interrupt_after: Stops::Nowhere,
            max_concurrency: None,
            metadata: Map::new(),
            control: None,
            context: None,
        }
    }
}

impl Config {
    /// The usual, on the given thread.
    pub fn thread(name: &str) -> Self {
        Self { thread: name.into(), ..Self::default() }
    }

    /// The same, for the part of the thread that belongs to a graph inside the graph: its
    /// namespace, as [`SnapshotTask::graph`](crate::SnapshotTask::graph) has it.
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// The same, from this checkpoint rather than from the thread's newest.
    pub fn checkpoint(mut self, id: &CheckpointId) -> Self {
        self.checkpoint = Some(id.clone());
        self
    }

    /// The same, with checkpoints stored then.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// The same, with each checkpoint stored together with the writes before it, or after them.
    pub fn joins(mut self, joins: bool) -> Self {
        self.joins = joins;
        self
    }

    /// The same, with at most so many supersteps.
    pub fn recursion_limit(mut self, supersteps: u64) -> Self {
        self.recursion_limit = supersteps;
        self
    }

    /// The same, stopping before these nodes.
    pub fn interrupt_before(mut self, stops: impl Into<Stops>) -> Self {
        self.interrupt_before = stops.into();
        self
    }

    /// The same, stopping after these nodes.
    pub fn interrupt_after(mut self, stops: impl Into<Stops>) -> Self {
        self.interrupt_after = stops.into();
        self
    }

    /// The same, with at most so many tasks at the same time.
    pub fn max_concurrency(mut self, tasks: usize) -> Self {
        self.max_concurrency = Some(tasks.max(1));
        self
    }

    /// The same, with an entry for the metadata of its checkpoints.
    pub fn metadata(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// The same, stopped by `control`.
    pub fn control(mut self, control: &RunControl) -> Self {
        self.control = Some(control.clone());
        self
    }

    /// The same, with something for nodes to read by
    /// [`Runtime::context`](crate::Runtime::context).
    pub fn context<C: Send + Sync + 'static>(mut self, context: C) -> Self {
        self.context = Some(Arc::new(context));
        self
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("thread", &self.thread)
            .field("namespace", &self.namespace)
            .field("checkpoint", &self.checkpoint)
            .field("durability", &self.durability)
            .finish_non_exhaustive()
    }
}

impl From<&[&str]> for Stops {
    fn from(nodes: &[&str]) -> Self {
        Stops::Nodes(nodes.iter().map(|node| node.to_string()).collect())
    }
}

impl<const N: usize> From<[&str; N]> for Stops {
    fn from(nodes: [&str; N]) -> Self {
        Self::from(&nodes[..])
    }
}

impl Stops {
    pub(crate) fn resolve(&self, core: &Core) -> Result<InterruptAt, Error> {
        Ok(match self {
            Stops::Nowhere => InterruptAt::Nowhere,
            Stops::Everywhere => InterruptAt::Everywhere,
            Stops::Nodes(names) => {
                let nodes = names.iter().map(|name| core.node(name));
                InterruptAt::Nodes(nodes.collect::<Result<_, _>>()?)
            }
        })
    }
}
