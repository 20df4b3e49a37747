use std::sync::Arc;

use langgraph_rust_checkpoint::{Checkpoint, Metadata};
use langgraph_rust_core::{CheckpointId, Domain, Fault, TaskId, TaskPath, Version, Write};

use crate::{TaskKey, Ticket};

/// What a driver is to do next.
pub enum Effect<D: Domain> {
    /// Run the task and report by `task_finished`. `delay` is how long to wait first, before the
    /// attempt numbered `attempt` (1 for the first).
    RunTask {
        /// The task.
        task: TaskKey,
        /// Which attempt this is.
        attempt: u32,
        /// The wait before it.
        delay: std::time::Duration,
    },
    /// Stop the task if that is possible, and report what became of it all the same.
    CancelTask(TaskKey),
    /// Look for stored results of these tasks and report by `cache_answered`.
    LookUpCache(Vec<TaskKey>),
    /// Store a task's writes and report by `persisted` or `persist_failed`.
    PersistWrites(WritesToStore<D>),
    /// Store a checkpoint and report by `persisted` or `persist_failed`.
    PersistCheckpoint(Box<CheckpointToStore<D>>),
    /// Show an event to whoever listens.
    Emit(RunEvent),
    /// Nothing to do until an input arrives.
    Wait(WaitReason),
    /// The run is over. Polling again gives `Wait(Nothing)`.
    Finish(Outcome<D>),
}

/// Writes to be stored on a checkpoint.
pub struct WritesToStore<D: Domain> {
    /// What to report by.
    pub ticket: Ticket,
    /// The checkpoint they are pending on.
    pub checkpoint: CheckpointId,
    /// The task that wrote.
    pub task: TaskId,
    /// Where the task stood, or `None` for the null task and for tasks no longer known.
    pub path: Option<TaskPath>,
    /// The writes.
    pub writes: Vec<Write<D>>,
}

/// A checkpoint to be stored.
pub struct CheckpointToStore<D: Domain> {
    /// What to report by.
    pub ticket: Ticket,
    /// The checkpoint.
    pub checkpoint: Checkpoint<D>,
    /// How it came to be.
    pub metadata: Metadata,
    /// The stored checkpoint before it.
    pub parent: Option<CheckpointId>,
    /// The versions that are new since that one was stored.
    pub new_versions: Vec<(Arc<str>, Version)>,
    /// Writes to be stored in the same step, all or nothing: those of the last tasks of the superstep
    /// that it ends. Only with [`Options::joins`](crate::Options::joins).
    pub writes: Vec<WritesToStore<D>>,
    /// Whether it is the state of a thread before its beginning, and only there for the writes that
    /// are stored on it: then its metadata is the step alone.
    pub is_stub: bool,
}

/// Something that happened. The values are the engine's, to be read before the next input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunEvent {
    /// A superstep's tasks are known, and with them the state that it starts from.
    Checkpoint,
    /// Tasks start.
    TasksStarted(Vec<TaskKey>),
    /// A task wrote; `cached` if it did so before, and is not run again.
    TaskOutput {
        /// The task.
        task: TaskKey,
        /// Whether the writes come from storage or a cache.
        cached: bool,
    },
    /// A task was interrupted; see `Task::interrupt`.
    TaskInterrupted(TaskKey),
    /// The output changed.
    Values,
    /// The run stops at a node where it was told to.
    StaticInterrupt,
}

/// Why there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitReason {
    /// Tasks are running.
    Tasks,
    /// A cache look-up is under way.
    Cache,
    /// Something must be stored first.
    Persist,
    /// The run is over.
    Nothing,
}

/// Why a run is to end before it is done.
pub enum End<D: Domain> {
    /// Nobody wants the rest: it was cancelled, or its caller closed the stream.
    Cancelled,
    /// The driver cannot go on.
    Failed(D::Error),
}

/// How a run ended.
pub enum Outcome<D: Domain> {
    /// Nothing was left to do.
    Done,
    /// It pauses: the tasks' interrupts, none for a static interrupt.
    Interrupted(Vec<D::Value>),
    /// It needed more supersteps than it was allowed.
    OutOfSteps,
    /// It was asked to stop, and can be resumed.
    Drained,
    /// It was cancelled.
    Cancelled,
    /// A task left the graph; the driver passes its error on.
    Escaped(D::Error),
    /// A task, a reducer or the storage failed.
    Failed(Fault<D>),
}

impl<D: Domain> Outcome<D> {
    /// Whether the run ended for a reason that came up, rather than by itself.
    pub(crate) fn has_reason(&self) -> bool {
        matches!(self, Outcome::Cancelled | Outcome::Escaped(_) | Outcome::Failed(_))
    }
}

impl<D: Domain> From<End<D>> for Outcome<D> {
    fn from(end: End<D>) -> Self {
        match end {
            End::Cancelled => Outcome::Cancelled,
            End::Failed(error) => Outcome::Failed(Fault::Domain(error)),
        }
    }
}
