use std::sync::Arc;

use langgraph_rust_core::{CheckpointId, TaskId};

use crate::saver::{CheckpointMetadata, Place};
use crate::{Config, Error, Interrupt, Map, State, TaskInput, Update, Value};

/// A thread at one of its checkpoints.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The thread, and which graph's part of it.
    pub place: Place,
    /// The checkpoint.
    pub id: CheckpointId,
    /// The checkpoint before it.
    pub parent: Option<CheckpointId>,
    /// How the checkpoint came to be.
    pub metadata: CheckpointMetadata,
    /// When it was made: UTC, ISO 8601.
    pub created_at: Arc<str>,
    /// The state.
    pub values: Map,
    /// The nodes that run next.
    pub next: Vec<Arc<str>>,
    /// Their tasks, finished ones included.
    pub tasks: Vec<SnapshotTask>,
}

/// A task of the superstep that follows on a checkpoint.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SnapshotTask {
    /// The task's id.
    pub id: TaskId,
    /// The node's name.
    pub name: Arc<str>,
    /// The error that it failed with, as text.
    pub error: Option<Value>,
    /// What it was interrupted with.
    pub interrupts: Vec<Interrupt>,
    /// What it wrote to the state, if it finished.
    pub result: Option<Update>,
    /// If the node is a graph, where that keeps its checkpoints.
    pub graph: Option<Place>,
    /// How the graph that is the node stands, if that was asked for and it has begun.
    pub state: Option<Box<Snapshot>>,
}

impl Snapshot {
    /// The state as a type.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] if a value is of another type than its field.
    pub fn state<S: State>(&self) -> Result<S, Error> {
        S::of(&TaskInput::sent(self.values.clone().into()))
    }

    /// A field's value; [`Value::Null`] if it has none.
    pub fn get(&self, field: &str) -> Value {
        self.values.get(field).cloned().unwrap_or_default()
    }

    /// The interrupts of its tasks.
    pub fn interrupts(&self) -> impl Iterator<Item = &Interrupt> {
        self.tasks.iter().flat_map(|task| &task.interrupts)
    }

    /// The config that names the checkpoint: to go on from there, to look at it, or to update it.
    pub fn config(&self) -> Config {
        self.place.config().checkpoint(&self.id)
    }

    /// The config that names the checkpoint before it.
    pub fn parent_config(&self) -> Option<Config> {
        self.parent.as_ref().map(|parent| self.place.config().checkpoint(parent))
    }
}

impl Place {
    /// The config for this part of the thread.
    pub fn config(&self) -> Config {
        Config::thread(&self.thread).namespace(&self.namespace)
    }
}
