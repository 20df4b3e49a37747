//! What is handed out to be stored, and when.

use std::sync::Arc;

use langgraph_rust_checkpoint::{Metadata, PendingWrite, Source};
use langgraph_rust_core::{CheckpointId, Domain, Fault, Target, TaskId, TaskPath, Version, Write};

use super::{Engine, Phase};
use crate::{CheckpointToStore, Env, Task, TaskKey, TaskState, Ticket, WritesToStore};

impl<D: Domain> Engine<D> {
    pub(super) fn put_task_writes(&mut self, cx: D::Cx<'_>, key: TaskKey) -> Option<Ticket> {
        let ticket = self.store_task_writes(cx, key);
        self.emit_output(key, false);
        ticket
    }

    /// Stores what a task wrote, whether it ran or a cache had it.
    pub(super) fn store_task_writes(&mut self, cx: D::Cx<'_>, key: TaskKey) -> Option<Ticket> {
        if !self.persistence.takes_writes() {
            return None;
        }
        let writes = &self.tasks.get(key)?.writes;
        let copies = writes.iter().map(|write| write.copy(cx)).collect();
        self.put_writes(cx, key, copies)
    }

    pub(super) fn put_writes(
        &mut self,
        cx: D::Cx<'_>,
        key: TaskKey,
        writes: Vec<Write<D>>,
    ) -> Option<Ticket> {
        let task = self.tasks.get(key)?;
        let (id, path) = (self.id_of(task).clone(), task.path.clone());
        let task = self.tasks.get_mut(key)?;
        // Most tasks write once: then there is nothing to look for.
        if std::mem::replace(&mut task.is_pending, true) || self.inherited {
            self.pending.retain(|p| p.task != id);
        }
        self.keep(cx, &id, &writes);
        self.store_writes(id, Some(path), writes)
    }

    /// Takes what a task wrote that is over while others of its superstep still run, to be stored at
    /// once by whoever reported it: the driver may be busy with one of those. The engine is told the
    /// end as of any storing. What the last of them wrote is stored with the checkpoint.
    pub fn take_writes(&mut self) -> Option<WritesToStore<D>> {
        let is_stepping = matches!(self.phase, Phase::Stepping(_));
        let runs_on = |task: &Task<D>| task.state != TaskState::Settled;
        if !is_stepping || !self.tasks.all().iter().any(runs_on) {
            return None;
        }
        self.persistence.take_writes(&mut self.out)
    }

    /// The null task's writes accumulate, but for those of which the newest counts. These go last:
    /// storage numbers a task's other writes by their place.
    pub(crate) fn put_null_writes(&mut self, cx: D::Cx<'_>, writes: Vec<Write<D>>) {
        let is_fixed = |write: &Write<D>| matches!(write.target, Target::Control(control) if control.has_fixed_slot());
        self.pending.retain(|p| !p.task.is_null() || !is_fixed(&p.write));
        let (fixed, ordinary): (Vec<_>, Vec<_>) = writes.into_iter().partition(is_fixed);
        let null = TaskId::from_text(TaskId::NULL);
        let earlier = self.pending.iter().filter(|p| p.task.is_null());
        let mut all: Vec<Write<D>> = earlier.map(|p| p.write.copy(cx)).collect();
        let kept = all.len();
        all.extend(ordinary);
        all.extend(fixed);
        self.keep(cx, &null, &all[kept..]);
        self.store_writes(null, None, all);
    }

    pub(super) fn keep(&mut self, cx: D::Cx<'_>, task: &TaskId, writes: &[Write<D>]) {
        if self.persistence.waits_for_exit() && !self.wrote.contains(task) {
            self.wrote.push(task.clone());
        }
        let copies = writes.iter().map(|write| write.copy(cx));
        self.pending.extend(copies.map(|write| PendingWrite { task: task.clone(), write }));
    }

    pub(super) fn store_writes(
        &mut self,
        task: TaskId,
        path: Option<TaskPath>,
        writes: Vec<Write<D>>,
    ) -> Option<Ticket> {
        self.store_writes_on(self.state.id.clone(), task, path, writes)
    }

    pub(super) fn store_writes_on(
        &mut self,
        checkpoint: CheckpointId,
        task: TaskId,
        path: Option<TaskPath>,
        writes: Vec<Write<D>>,
    ) -> Option<Ticket> {
        if !self.persistence.is_open() {
            return None;
        }
        let ticket = self.persistence.ticket();
        let to_store = WritesToStore { ticket, checkpoint, task, path, writes };
        self.persistence.store_writes(&mut self.out, to_store);
        Some(ticket)
    }

    /// Makes the state a new checkpoint and moves on to the next superstep.
    pub(crate) fn put_checkpoint(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        source: Source,
    ) -> Result<(), Fault<D>> {
        let since_snapshot = self.count_deltas();
        self.metadata = Metadata { source, step: self.step, since_snapshot };
        let left = self.state.move_on(self.step, env.checkpoint_id(self.step));
        self.tasks.leave(left);
        if self.persistence.is_open() {
            self.store_checkpoint(cx, env)?;
        }
        self.step = self.step.saturating_add(1);
        Ok(())
    }

    pub(super) fn store_checkpoint(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
    ) -> Result<(), Fault<D>> {
        let snapshots = self.due_snapshots(cx)?;
        self.take_snapshots(env, &snapshots)?;
        let id = self.state.id.clone();
        let checkpoint = self.state.checkpoint(cx, id, env.now(), &snapshots)?;
        let put = Box::new(CheckpointToStore {
            ticket: self.persistence.ticket(),
            checkpoint,
            metadata: self.metadata.clone(),
            parent: self.stored.replace(self.state.id.clone()),
            new_versions: self.new_versions(),
            writes: Vec::new(),
            is_stub: false,
        });
        self.stored_versions.clone_from(&self.state.versions);
        self.last_saved = Some(self.state.id.clone());
        self.persistence.store_checkpoint(&mut self.out, put);
        Ok(())
    }

    pub(super) fn new_versions(&self) -> Vec<(Arc<str>, Version)> {
        let news = self.state.version_order.iter().filter_map(|index| {
            let version = self.state.versions[index.get()].as_ref()?;
            let before = self.stored_versions[index.get()].as_ref();
            let is_new = version.newer_than(before);
            is_new.then(|| (self.plan().channel(*index).name.clone(), version.clone()))
        });
        news.collect()
    }
}
