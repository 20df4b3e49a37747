//! Threads from outside: how one stands, and how it came there.

mod load;
mod migrate;

use std::sync::Arc;

use langgraph_rust_checkpoint::{task_output, PendingWrite};
use langgraph_rust_core::{CheckpointId, Control};
use langgraph_rust_pregel::{self as pregel, Loaded, Task, TaskWrites};

use crate::saver::{CheckpointMetadata, CheckpointTuple, ListQuery, Place, Saver};
use crate::{Config, Error, Graph, Interrupt, Map, Native, State, TaskInput, Value};
pub(crate) use load::{engine_form, load};
pub(crate) use migrate::STATE_VERSION;

/// A thread at one of its checkpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The checkpoint.
    pub id: CheckpointId,
    /// The checkpoint before it.
    pub parent: Option<CheckpointId>,
    /// How the checkpoint came to be.
    pub metadata: CheckpointMetadata,
    /// The state.
    pub values: Map,
    /// The nodes that run next.
    pub next: Vec<Arc<str>>,
    /// Their tasks, finished ones included.
    pub tasks: Vec<SnapshotTask>,
}

/// A task of the superstep that follows on a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotTask {
    /// The node's name.
    pub name: Arc<str>,
    /// The error that it failed with, as text.
    pub error: Option<Value>,
    /// What it was interrupted with.
    pub interrupts: Vec<Interrupt>,
}

/// Whether a snapshot includes what has happened since its checkpoint.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    /// Where the thread stands: with what finished tasks wrote, without interrupts that were resumed from.
    Live,
    /// The checkpoint as it is.
    Record,
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
}

impl<S> Graph<S> {
    fn place(&self, config: &Config) -> Result<(Arc<dyn Saver>, Place), Error> {
        let saver = self.any.saver.clone().ok_or(Error::NoSaver)?;
        Ok((saver, Place { thread: config.thread.clone(), namespace: "".into() }))
    }

    /// How the thread stands, or stood at the checkpoint that `config` names; `None` if there is
    /// no such thread or checkpoint.
    ///
    /// # Errors
    ///
    /// The graph has no saver, or what is stored does not fit it.
    pub async fn state(&self, config: &Config) -> Result<Option<Snapshot>, Error> {
        let (saver, place) = self.place(config)?;
        let view = if config.checkpoint.is_some() { View::Record } else { View::Live };
        match saver.get(&place, config.checkpoint.as_ref()).await? {
            Some(found) => Ok(Some(self.snapshot(&*saver, &place, found, view).await?)),
            None => Ok(None),
        }
    }

    /// The thread's checkpoints, newest first.
    ///
    /// # Errors
    ///
    /// The graph has no saver, or what is stored does not fit it.
    pub async fn history(&self, config: &Config) -> Result<Vec<Snapshot>, Error> {
        let (saver, place) = self.place(config)?;
        let found = saver.list(&ListQuery::place(&place)).await?;
        let mut history = Vec::with_capacity(found.len());
        for (place, found) in found {
            history.push(self.snapshot(&*saver, &place, found, View::Record).await?);
        }
        Ok(history)
    }

    async fn snapshot(
        &self,
        saver: &dyn Saver,
        place: &Place,
        found: CheckpointTuple,
        view: View,
    ) -> Result<Snapshot, Error> {
        let core = &self.any.core;
        let (id, parent) = (found.checkpoint.id.clone(), found.parent.clone());
        let metadata = found.metadata.clone();
        let Loaded { checkpoint, pending, .. } =
            engine_form(core, saver, place, found, None).await?;
        let mut state = pregel::ThreadState::load((), core.plan.clone(), checkpoint)?;
        state.forget_changes();
        let mut tasks = state.prepare((), &place.namespace, metadata.step + 1)?;
        let mut clock = self.any.clock.clone();
        let null = pending.iter().filter(|p| p.task.is_null()).map(|p| p.write.copy(()));
        let null: Vec<_> = null.collect();
        if !null.is_empty() {
            state.apply((), &mut clock, vec![TaskWrites::of_input(null)])?;
        }
        if view == View::Live {
            let finished = self.finished(&mut tasks, &pending);
            if !finished.is_empty() {
                state.apply((), &mut clock, finished)?;
            }
        }
        let waits = |task: &&Task<Native>| task.writes.is_empty();
        Ok(Snapshot {
            id,
            parent,
            metadata,
            values: core.values(|index| state.channel(index)),
            next: tasks.iter().filter(waits).map(|task| task.name.clone()).collect(),
            tasks: tasks.iter().map(|task| snapshot_task(task, &pending, view)).collect(),
        })
    }

    /// Gives finished tasks their stored writes; returns the writes as they apply.
    fn finished(
        &self,
        tasks: &mut [Task<Native>],
        pending: &[PendingWrite<Native>],
    ) -> Vec<TaskWrites<Native>> {
        let mut finished = Vec::new();
        for task in tasks {
            let copies = task_output(pending, &task.id).map(|write| write.copy(()));
            task.writes = copies.collect();
            if !task.writes.is_empty() {
                let writes = task.writes.iter().map(|write| write.copy(())).collect();
                finished.push(TaskWrites::of_task(self.plan(), task, writes));
            }
        }
        finished
    }
}

fn snapshot_task(
    task: &Task<Native>,
    pending: &[PendingWrite<Native>],
    view: View,
) -> SnapshotTask {
    let find = |kind| {
        let mut writes = pending.iter();
        writes.find(|p| p.task == task.id && p.write.is_control(kind)).map(|p| &p.write.value)
    };
    let is_resumed = view == View::Live && !task.writes.is_empty();
    let interrupt = find(Control::Interrupt).filter(|_| !is_resumed);
    SnapshotTask {
        name: task.name.clone(),
        error: find(Control::Error).cloned(),
        interrupts: interrupt.map(Interrupt::unpack).unwrap_or_default(),
    }
}
