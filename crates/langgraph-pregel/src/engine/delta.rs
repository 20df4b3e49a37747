//! Channels that store changes: when their values are stored after all, and where changes are kept
//! that no task of a stored superstep made.

use std::collections::BTreeSet;
use std::sync::Arc;

use langgraph_rust_channels::Channel;
use langgraph_rust_checkpoint::{Checkpoint, Metadata, PendingWrite, SinceSnapshot, Source};
use langgraph_rust_core::{
    ChannelIndex, CheckpointId, Domain, Durability, Fault, TaskId, TaskPath, Write,
};

use super::Engine;
use crate::{CheckpointToStore, Env, Plan};

/// What a run keeps of its delta channels.
pub(crate) struct Deltas<D: Domain> {
    /// What has happened to each since its value was stored.
    since: Vec<(ChannelIndex, SinceSnapshot)>,
    /// Those whose values are to be stored with the next checkpoint, whatever the counts: replaying
    /// what is stored would not give them.
    sealed: BTreeSet<ChannelIndex>,
    /// The tasks that had written to them on the checkpoint that the run started from.
    loaded: Vec<(TaskId, ChannelIndex)>,
    /// Whether it is still open which of these are handed back.
    hands_back: bool,
    /// The checkpoint that the run started from.
    origin: CheckpointId,
    /// Whether that is the thread's newest one: no other can have been built on it.
    is_newest: bool,
    /// With durability `exit`: what has been written since.
    kept: Vec<Kept<D>>,
    /// The first superstep that was committed.
    first_step: Option<i64>,
    /// What the run's command wrote.
    command: Vec<Write<D>>,
}

/// A write to a delta channel that is stored when the run ends.
struct Kept<D: Domain> {
    step: i64,
    task: TaskId,
    path: Option<TaskPath>,
    write: Write<D>,
}

impl<D: Domain> Deltas<D> {
    /// What is kept of the plan's delta channels; `None` if it has none.
    pub(crate) fn new(
        plan: &Plan<D>,
        metadata: &Metadata,
        origin: CheckpointId,
        is_newest: bool,
    ) -> Option<Box<Self>> {
        if plan.deltas().is_empty() {
            return None;
        }
        let count = |index: &ChannelIndex| {
            let name = &plan.channel(*index).name;
            let known = metadata.since_snapshot.iter().find(|(known, _)| known == name);
            (*index, known.map(|(_, since)| *since).unwrap_or_default())
        };
        Some(Box::new(Self {
            since: plan.deltas().iter().map(count).collect(),
            sealed: BTreeSet::new(),
            loaded: Vec::new(),
            hands_back: false,
            origin,
            is_newest,
            kept: Vec::new(),
            first_step: None,
            command: Vec::new(),
        }))
    }

    /// Another superstep is over.
    fn count(&mut self, updated: &[ChannelIndex]) {
        for (index, since) in &mut self.since {
            since.supersteps += 1;
            since.updates += u64::from(updated.contains(index));
        }
    }

    /// The values of these channels are stored.
    fn restart(&mut self, snapshots: &[ChannelIndex]) {
        for (index, since) in &mut self.since {
            if snapshots.contains(index) {
                *since = SinceSnapshot::default();
                self.sealed.remove(index);
            }
        }
    }

    fn described(&self, plan: &Plan<D>) -> Vec<(Arc<str>, SinceSnapshot)> {
        let some = self.since.iter().filter(|(_, since)| *since != SinceSnapshot::default());
        some.map(|(index, since)| (plan.channel(*index).name.clone(), *since)).collect()
    }

    /// Shows what is held, for the garbage collector.
    pub(crate) fn traverse<E>(
        &self,
        visit: &mut impl FnMut(langgraph_rust_core::Held<'_, D>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.kept.iter().try_for_each(|kept| kept.write.traverse(visit))?;
        self.command.iter().try_for_each(|write| write.traverse(visit))
    }
}

/// The delta channels that `writes` overwrite.
pub fn overwritten<D: Domain>(
    cx: D::Cx<'_>,
    plan: &Plan<D>,
    writes: &[Write<D>],
) -> Vec<ChannelIndex> {
    let overwrites = writes.iter().filter_map(|write| {
        let index = plan.delta_target(&write.target)?;
        D::overwrite(cx, &write.value).map(|_| index)
    });
    overwrites.collect()
}

impl<D: Domain> Engine<D> {
    /// A run begins. Writes that are pending on its checkpoint belong to the superstep that comes
    /// after; unless they are handed back to their tasks, this run's is another one.
    pub(crate) fn begin_deltas(&mut self, hands_back: bool) {
        let Some(deltas) = &mut self.deltas else { return };
        let plan = &self.state.plan;
        let to_delta =
            |p: &PendingWrite<D>| Some((p.task.clone(), plan.delta_target(&p.write.target)?));
        let pending: Vec<_> = self.pending.iter().filter_map(to_delta).collect();
        deltas.hands_back = hands_back;
        if !hands_back {
            deltas.sealed.extend(pending.iter().map(|(_, index)| *index));
        }
        deltas.loaded = pending.into_iter().filter(|(task, _)| !task.is_null()).collect();
    }

    /// What a command writes is stored by the fork that the run begins with.
    pub(crate) fn carry_deltas(&mut self, carried: &[Write<D>]) {
        let Some(deltas) = &mut self.deltas else { return };
        let plan = &self.state.plan;
        deltas.sealed.extend(carried.iter().filter_map(|write| plan.delta_target(&write.target)));
    }

    /// What a command writes is stored under the null task.
    pub(crate) fn keep_command(&mut self, cx: D::Cx<'_>, writes: &[Write<D>]) {
        let Some(deltas) = &mut self.deltas else { return };
        if self.persistence.waits_for_exit() {
            let plan = &self.state.plan;
            let own = writes.iter().filter(|write| plan.delta_target(&write.target).is_some());
            deltas.command.extend(own.map(|write| write.copy(cx)));
        }
    }

    /// Sees to it that the run's input can be replayed: as writes on the checkpoint that the run
    /// starts from, if that is the newest, and else as values on the next one.
    pub(crate) fn keep_input(&mut self, cx: D::Cx<'_>, given: &[Write<D>]) {
        let Some(deltas) = &mut self.deltas else { return };
        let plan = self.state.plan.clone();
        deltas.sealed.extend(overwritten(cx, &plan, given));
        let own = given.iter().filter(|write| plan.delta_target(&write.target).is_some());
        let own: Vec<Write<D>> = own.map(|write| write.copy(cx)).collect();
        if self.persistence.waits_for_exit() {
            let (step, task) = (self.step, TaskId::from_text(TaskId::NULL));
            let kept = own.into_iter();
            let keep = |write| Kept { step, task: task.clone(), path: None, write };
            deltas.kept.extend(kept.map(keep));
        } else if own.is_empty() {
        } else if self.stored.is_some() && deltas.is_newest {
            let task = TaskId::for_input(&self.state.id);
            self.keep(cx, &task, &own);
            self.store_writes(task, None, own);
        } else {
            let targets = own.iter().filter_map(|write| plan.delta_target(&write.target));
            deltas.sealed.extend(targets);
        }
    }

    /// A superstep's tasks are over: what they overwrite is to be stored whole, and what was not
    /// handed back to any of them is not theirs.
    pub(super) fn seal_deltas(&mut self, cx: D::Cx<'_>) {
        let Some(deltas) = &mut self.deltas else { return };
        let plan = &self.state.plan;
        for task in self.tasks.all() {
            deltas.sealed.extend(overwritten(cx, plan, &task.writes));
        }
        if std::mem::take(&mut deltas.hands_back) {
            let (state, namespace) = (&self.state, &self.options.namespace);
            let id_of = |task| self.tasks.id_of(state, namespace, self.step, task);
            let known = |id: &TaskId| self.tasks.all().iter().any(|task| id_of(task) == id);
            let lost = deltas.loaded.iter().filter(|(task, _)| !known(task));
            deltas.sealed.extend(lost.map(|(_, index)| *index));
        }
    }

    /// With durability `exit`: remembers what the superstep wrote to delta channels.
    pub(super) fn keep_deltas(&mut self, cx: D::Cx<'_>) {
        let Some(deltas) = &mut self.deltas else { return };
        if !self.persistence.waits_for_exit() {
            return;
        }
        let step = self.step;
        let is_first = deltas.first_step.is_none();
        if is_first {
            deltas.first_step = Some(step);
            let task = TaskId::from_text(TaskId::NULL);
            for write in std::mem::take(&mut deltas.command) {
                deltas.kept.push(Kept { step, task: task.clone(), path: None, write });
            }
        }
        let plan = &self.state.plan;
        let (state, namespace) = (&self.state, &self.options.namespace);
        let id_of = |task| self.tasks.id_of(state, namespace, step, task);
        for PendingWrite { task, write } in &self.pending {
            let Some(index) = plan.delta_target(&write.target) else { continue };
            let is_stored = task.is_null()
                || deltas.loaded.iter().any(|(known, channel)| known == task && *channel == index);
            if is_first && is_stored {
                continue;
            }
            let known = self.tasks.all().iter().find(|known| id_of(known) == task);
            let path = known.map(|task| task.path.clone());
            deltas.kept.push(Kept { step, task: task.clone(), path, write: write.copy(cx) });
        }
    }

    /// Another superstep is over; what is to be said of its delta channels.
    pub(super) fn count_deltas(&mut self) -> Vec<(Arc<str>, SinceSnapshot)> {
        let Some(deltas) = &mut self.deltas else { return Vec::new() };
        deltas.count(self.state.updated().unwrap_or_default());
        deltas.described(&self.state.plan)
    }

    /// The delta channels whose values are to be stored now.
    pub(super) fn due_snapshots(&self, cx: D::Cx<'_>) -> Result<Vec<ChannelIndex>, Fault<D>> {
        let Some(deltas) = &self.deltas else { return Ok(Vec::new()) };
        let mut due = deltas.sealed.clone();
        due.extend(self.state.due_snapshots(
            cx,
            &deltas.since,
            self.options.snapshot_supersteps,
        )?);
        if matches!(self.options.durability, Durability::Exit) {
            due.extend(self.changed_lists(cx)?);
        }
        Ok(due.into_iter().collect())
    }

    /// The channels with plain reducers that are stored as changes, and have changed. With durability
    /// `exit` their values are stored: what a run wrote would be on the checkpoint that it started
    /// from, where another run from there may write beside it, for both to be replayed.
    fn changed_lists(&self, cx: D::Cx<'_>) -> Result<Vec<ChannelIndex>, Fault<D>> {
        let mut changed = Vec::new();
        for index in self.plan().deltas() {
            let channel = self.state.channel(*index);
            let stored = self.stored_versions.get(index.get()).and_then(Option::as_ref);
            if matches!(channel, Channel::Aggregate(_))
                && self.state.version(*index) != stored
                && channel.is_available(cx)?
            {
                changed.push(*index);
            }
        }
        Ok(changed)
    }

    /// The values of these channels are part of the next checkpoint.
    pub(super) fn take_snapshots(
        &mut self,
        env: &mut dyn Env<D>,
        snapshots: &[ChannelIndex],
    ) -> Result<(), Fault<D>> {
        self.state.bump_snapshots(env, snapshots, &self.stored_versions)?;
        let Some(deltas) = &mut self.deltas else { return Ok(()) };
        deltas.restart(snapshots);
        self.metadata.since_snapshot = deltas.described(&self.state.plan);
        Ok(())
    }

    /// The run ends: stores what it wrote to delta channels, on the checkpoint that it started from,
    /// but for the channels whose values are stored with the last one. A new thread gets a
    /// checkpoint for that, of the state before its beginning.
    pub(super) fn store_kept_deltas(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
    ) -> Result<(), Fault<D>> {
        let Some(deltas) = &mut self.deltas else { return Ok(()) };
        let plan = self.state.plan.clone();
        let kept = std::mem::take(&mut deltas.kept);
        let target = |kept: &Kept<D>| plan.delta_target(&kept.write.target);
        if self.stored.is_some() && !deltas.is_newest {
            deltas.sealed.extend(kept.iter().filter_map(target));
        }
        let (origin, first_step) = (deltas.origin.clone(), deltas.first_step);
        let snapshots = self.due_snapshots(cx)?;
        let mut groups: Vec<(TaskId, Option<TaskPath>, Vec<Write<D>>)> = Vec::new();
        for kept in kept {
            if target(&kept).is_none_or(|index| snapshots.contains(&index)) {
                continue;
            }
            let Kept { step, task, path, write } = kept;
            let is_own = task.is_null() || Some(step) == first_step;
            let path = match is_own {
                true => path,
                false => Some(TaskPath::AtExit { step, path: path.map(Arc::new) }),
            };
            let task = task.at_exit(step, !is_own);
            match groups.iter_mut().find(|(id, at, _)| *id == task && *at == path) {
                Some((_, _, writes)) => writes.push(write),
                None => groups.push((task, path, vec![write])),
            }
        }
        if groups.is_empty() {
            return Ok(());
        }
        if self.stored.is_none() {
            self.store_stub(env, origin.clone());
        }
        for (task, path, writes) in groups {
            self.store_writes_on(origin.clone(), task, path, writes);
        }
        Ok(())
    }

    /// The state of a thread before its beginning, for writes to be stored on.
    fn store_stub(&mut self, env: &mut dyn Env<D>, id: CheckpointId) {
        let checkpoint = Checkpoint { ts: env.now(), ..Checkpoint::empty(id.clone()) };
        let put = Box::new(CheckpointToStore {
            ticket: self.persistence.ticket(),
            checkpoint,
            metadata: Metadata::new(Source::Input, -2),
            parent: None,
            new_versions: Vec::new(),
            writes: Vec::new(),
            is_stub: true,
        });
        self.stored = Some(id);
        self.persistence.store_checkpoint(&mut self.out, put);
    }

    /// Makes writes complete before they are stored, applied or cached.
    pub(crate) fn admit(&self, cx: D::Cx<'_>, writes: &mut Vec<Write<D>>) -> Result<(), D::Error> {
        if self.deltas.is_none() {
            return Ok(());
        }
        self.state.plan.admit(cx, writes)
    }
}
