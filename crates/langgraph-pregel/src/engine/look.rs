//! What a driver may read of a run.

use std::sync::Arc;

use langgraph_rust_checkpoint::{Metadata, PendingWrite};
use langgraph_rust_core::{ChannelIndex, CheckpointId, Control, Domain, TaskId};

use super::{Engine, Phase};
use crate::{Options, Outcome, Pause, Plan, Task, TaskKey, ThreadState};

impl<D: Domain> Engine<D> {
    /// The plan that runs.
    pub fn plan(&self) -> &Arc<Plan<D>> {
        self.state.plan()
    }

    /// The state as the current superstep sees it.
    pub fn state(&self) -> &ThreadState<D> {
        &self.state
    }

    /// The current superstep, and the one that will not be run any more.
    pub fn steps(&self) -> (i64, i64) {
        (self.step, self.stop)
    }

    /// The run's options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The tasks of the current superstep.
    pub fn tasks(&self) -> &[Task<D>] {
        self.tasks.all()
    }

    /// Their keys, in the same order.
    pub fn keys(&self) -> impl Iterator<Item = TaskKey> + '_ {
        self.tasks.keys()
    }

    /// A task of the current superstep; `None` if it was one of an earlier superstep.
    pub fn task(&self, key: TaskKey) -> Option<&Task<D>> {
        self.tasks.get(key)
    }

    /// The id of a task of the current superstep.
    pub fn id_of<'t>(&self, task: &'t Task<D>) -> &'t TaskId {
        self.tasks.id_of(&self.state, &self.options.namespace, self.step, task)
    }

    /// The namespace of a task of the current superstep: that of what runs within it.
    pub fn namespace_of(&self, task: &Task<D>) -> String {
        task.namespace(&self.options.namespace, self.id_of(task))
    }

    /// Whether a task of the current superstep is not over.
    pub fn has_open_tasks(&mut self) -> bool {
        !self.tasks.all_settled()
    }

    /// Writes pending on the current checkpoint.
    pub fn pending(&self) -> &[PendingWrite<D>] {
        &self.pending
    }

    /// What the run pauses for, once it does.
    pub fn pause(&self) -> Pause {
        self.pause
    }

    /// Whether the channel is part of the run's output.
    pub fn is_output(&self, channel: ChannelIndex) -> bool {
        self.is_output.get(channel.get()).copied().unwrap_or_default()
    }

    /// What the engine says about the current checkpoint.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The stored checkpoint that the current one follows, and the current one if it is stored.
    pub fn stored_checkpoint(&self) -> Option<&CheckpointId> {
        self.stored.as_ref()
    }

    /// The resume value given without an id, which the next interrupt takes.
    pub fn null_resume(&self) -> Option<&D::Value> {
        let mut writes = self.pending.iter();
        let found = writes.find(|p| p.task.is_null() && p.write.is_control(Control::Resume));
        found.map(|p| &p.write.value)
    }

    /// The resume values that `task` has received so far.
    pub fn resume_values(&self, task: &TaskId) -> Option<&D::Value> {
        let mut writes = self.pending.iter();
        let found = writes.find(|p| p.task == *task && p.write.is_control(Control::Resume));
        found.map(|p| &p.write.value)
    }

    /// What `task` was interrupted with when it ran before.
    pub fn interrupted_with(&self, task: &TaskId) -> Option<&D::Value> {
        let mut writes = self.pending.iter();
        let found = writes.find(|p| p.task == *task && p.write.is_control(Control::Interrupt));
        found.map(|p| &p.write.value)
    }

    /// Whether the superstep is cancelled, rather than stopped for a failure.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            &self.phase,
            Phase::Stepping(Some(reports)) if matches!(reports.end, Some(Outcome::Cancelled))
        )
    }
}
