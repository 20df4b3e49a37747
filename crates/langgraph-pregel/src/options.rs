use std::sync::Arc;

use langgraph_rust_checkpoint::{Checkpoint, PendingWrite, SinceSnapshot, Source};
use langgraph_rust_core::{ChannelIndex, CheckpointId, Domain, Durability};

use crate::InterruptAt;

/// How a run is to go.
pub struct Options {
    /// The graph's namespace; empty at the root.
    pub namespace: Arc<str>,
    /// Whether the run is part of another run's task.
    pub nested: bool,
    /// Whether checkpoints and writes are stored at all.
    pub persists: bool,
    /// When checkpoints are stored.
    pub durability: Durability,
    /// Whether the storage takes a checkpoint together with the writes before it, all or nothing.
    pub joins: bool,
    /// Whether what a run stores first claims its thread: it is waited for before any task begins,
    /// whatever the durability.
    pub claims: bool,
    /// With [`Durability::Exit`], whether a nested run that succeeds is stored too.
    pub stores_success: bool,
    /// The channels that make up the run's output.
    pub output: Vec<ChannelIndex>,
    /// How many supersteps the run may take.
    pub recursion_limit: u64,
    /// The nodes to stop before.
    pub interrupt_before: InterruptAt,
    /// The nodes to stop after.
    pub interrupt_after: InterruptAt,
    /// The events somebody listens for.
    pub emits: Emits,
    /// After how many supersteps the values of delta channels are stored, however few wrote to them.
    pub snapshot_supersteps: u64,
}

/// A run at the root that stores nothing, stops nowhere and shows nothing.
impl Default for Options {
    fn default() -> Self {
        Self {
            namespace: "".into(),
            nested: false,
            persists: false,
            durability: Durability::Async,
            joins: false,
            claims: false,
            stores_success: false,
            output: Vec::new(),
            recursion_limit: 10_007,
            interrupt_before: InterruptAt::Nowhere,
            interrupt_after: InterruptAt::Nowhere,
            emits: Emits::default(),
            snapshot_supersteps: 5_000,
        }
    }
}

/// The events somebody listens for; the others are not made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Emits {
    /// The output after each superstep that changed it.
    pub values: bool,
    /// What each task wrote.
    pub updates: bool,
    /// That tasks start, and what becomes of them.
    pub tasks: bool,
    /// The state after each superstep.
    pub checkpoints: bool,
}

/// A stored checkpoint that a run starts from.
pub struct Loaded<D: Domain> {
    /// The checkpoint.
    pub checkpoint: Checkpoint<D>,
    /// How it came to be, if storage tells.
    pub source: Option<Source>,
    /// The superstep it was made after.
    pub step: i64,
    /// What had happened to delta channels since their values were stored.
    pub since_snapshot: Vec<(Arc<str>, SinceSnapshot)>,
    /// The writes stored on it.
    pub pending: Vec<PendingWrite<D>>,
    /// Whether the run asked for this checkpoint, rather than for the thread's newest.
    pub addressed: bool,
    /// Whether the thread has moved past it, so that it may have children.
    pub superseded: bool,
    /// The stored checkpoint before it, if there is one.
    pub parent: Option<CheckpointId>,
    /// Whether it was really stored; otherwise it stands for a thread that has not begun.
    pub stored: bool,
}

impl<D: Domain> Loaded<D> {
    /// What a run starts from on a thread that has not begun.
    pub fn unbegun(id: CheckpointId) -> Self {
        Self {
            checkpoint: Checkpoint::empty(id),
            source: None,
            step: -2,
            since_snapshot: Vec::new(),
            pending: Vec::new(),
            addressed: false,
            superseded: false,
            parent: None,
            stored: false,
        }
    }
}
