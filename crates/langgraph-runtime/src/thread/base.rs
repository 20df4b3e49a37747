//! What a superstep of updates from outside builds on, and how it is stored.

use std::collections::BTreeSet;
use std::sync::Arc;

use langgraph_rust_checkpoint::{PendingWrite, SinceSnapshot, Source, Versions, VersionsSeen};
use langgraph_rust_core::{
    names, ChannelIndex, CheckpointId, IdHash, InvalidUpdate, Target, TaskId, Version, Write,
};
use langgraph_rust_pregel::{Env, Loaded, Options, Prepared, TaskWrites, ThreadState};

use super::engine_form;
use super::look::input_writes;
use super::seat::Seat;
use crate::run::RunClock;
use crate::saver::{
    self, CheckpointMetadata, CheckpointTuple, PutCheckpoint, PutWrites, StoredCheckpoint,
};
use crate::{Config, Error, Native};

/// What a superstep of updates builds on.
pub(super) struct Base<'a> {
    pub(super) seat: &'a Seat,
    pub(super) config: &'a Config,
    /// The checkpoint, unless the thread has none yet.
    pub(super) saved: Option<Saved>,
    /// Its state, which updates are applied to.
    pub(super) state: ThreadState<Native>,
    pub(super) clock: RunClock,
    /// Its number.
    pub(super) step: i64,
    /// Whether the caller chose the checkpoint, and the thread went on after it.
    pub(super) is_superseded: bool,
    /// Fields whose values are to be stored: what is stored of their changes would not give them.
    pub(super) sealed: BTreeSet<ChannelIndex>,
    /// The versions that are stored.
    stored: Vec<Option<Version>>,
}

/// The checkpoint that updates build on.
pub(super) struct Saved {
    /// As the saver has it; the writes on it are in `pending`.
    pub(super) tuple: CheckpointTuple,
    pub(super) pending: Vec<PendingWrite<Native>>,
    /// For fields stored as changes: what has happened since their values were stored.
    since_snapshot: Vec<(Arc<str>, SinceSnapshot)>,
}

impl<'a> Base<'a> {
    /// The checkpoint `id` of the thread, or its newest. `is_first`: the caller chose it, rather than
    /// an update before this one.
    pub(super) async fn load(
        seat: &'a Seat,
        config: &'a Config,
        id: Option<&CheckpointId>,
        is_first: bool,
    ) -> Result<Base<'a>, Error> {
        let (core, saver) = (&seat.graph.core, &*seat.saver);
        let found = saver.get(&seat.place, id).await?;
        if let (Some(id), None) = (id, &found) {
            return Err(Error::UnknownCheckpoint {
                thread: seat.place.thread.clone(),
                checkpoint: id.as_str().into(),
            });
        }
        let is_superseded = match (&found, is_first && id.is_some()) {
            (Some(found), true) => {
                let newest = saver.get(&seat.place, None).await?;
                newest.is_some_and(|newest| newest.checkpoint.id != found.checkpoint.id)
            }
            _ => false,
        };
        let mut clock = seat.clock();
        let (saved, state) = match found {
            None => {
                let id = clock.checkpoint_id(-2);
                (None, ThreadState::empty((), core.plan.clone(), id)?)
            }
            Some(tuple) => {
                let loaded = engine_form(core, saver, &seat.place, tuple.clone(), None).await?;
                let Loaded { checkpoint, pending, since_snapshot, .. } = loaded;
                let state = ThreadState::load((), core.plan.clone(), checkpoint)?;
                (Some(Saved { tuple, pending, since_snapshot }), state)
            }
        };
        let version = |position| state.version(ChannelIndex::new(position)).cloned();
        let stored = (0..state.channels().len()).map(version).collect();
        // Pending writes belong to the checkpoint that was made of them, which this one stands beside.
        let pending = saved.iter().filter(|_| is_first).flat_map(|saved| &saved.pending);
        let target = |pending: &PendingWrite<Native>| core.plan.delta_target(&pending.write.target);
        let sealed = pending.filter_map(target).collect();
        let step = saved.as_ref().map_or(-1, |saved| saved.tuple.metadata.step);
        Ok(Base { seat, config, saved, state, clock, step, is_superseded, sealed, stored })
    }

    /// The tasks that would be next.
    pub(super) fn planned(&mut self) -> Result<Vec<Prepared<Native>>, Error> {
        if self.saved.is_none() {
            return Ok(Vec::new());
        }
        self.state.forget_changes();
        Ok(self.state.prepare((), &self.seat.place.namespace, self.step + 1)?)
    }

    /// Applies the pending writes that belong to no task; says what changed.
    pub(super) fn apply_input_writes(&mut self) -> Result<BTreeSet<ChannelIndex>, Error> {
        let null = self.saved.as_ref().map(|saved| input_writes(&saved.pending));
        let null = null.unwrap_or_default();
        if null.is_empty() {
            return Ok(BTreeSet::new());
        }
        self.apply(vec![TaskWrites::of_input(null)])
    }

    /// Applies writes as a superstep does; says what changed.
    pub(super) fn apply(
        &mut self,
        writes: Vec<TaskWrites<Native>>,
    ) -> Result<BTreeSet<ChannelIndex>, Error> {
        self.state.apply((), &mut self.clock, writes)?;
        Ok(self.state.updated().unwrap_or_default().iter().copied().collect())
    }

    /// Stores writes with the checkpoint that they are applied to, where the history looks for
    /// results. Not if the thread has moved past it: it would look as if what came after it had come
    /// from them.
    pub(super) async fn store_writes(
        &mut self,
        task: &TaskId,
        path: String,
        writes: &[Write<Native>],
    ) -> Result<(), Error> {
        let Some(saved) = &self.saved else { return Ok(()) };
        let plan = &self.seat.graph.core.plan;
        if self.is_superseded {
            self.sealed.extend(writes.iter().filter_map(|write| plan.delta_target(&write.target)));
            return Ok(());
        }
        let is_packet = |write: &&Write<Native>| matches!(write.target, Target::Packet(_));
        let checkpoint = saved.tuple.checkpoint.id.clone();
        let kept = writes.iter().filter(|write| !is_packet(write)).map(|write| write.copy(()));
        self.put_writes(checkpoint, task, path, kept.collect()).await
    }

    /// Stores a task's writes on a checkpoint.
    pub(super) async fn put_writes(
        &self,
        checkpoint: CheckpointId,
        task: &TaskId,
        path: String,
        writes: Vec<Write<Native>>,
    ) -> Result<(), Error> {
        let writes = saver::write_forms(&self.seat.graph.core.plan, writes);
        if writes.is_empty() {
            return Ok(());
        }
        let (task, path) = (task.clone(), path.into());
        let writes = PutWrites { checkpoint, task, path, writes };
        self.seat.saver.put_writes(&self.seat.place, writes).await
    }

    /// Stores the state as the next checkpoint, of which `updated` are the channels that were written.
    pub(super) async fn put(
        &mut self,
        source: Source,
        step: i64,
        updated: &BTreeSet<ChannelIndex>,
    ) -> Result<CheckpointId, Error> {
        let core = self.seat.graph.core.clone();
        let (snapshots, since) = self.due(updated)?;
        self.state.bump_snapshots(&mut self.clock, &snapshots, &self.stored)?;
        let (id, now) = (self.clock.checkpoint_id(step), self.clock.now());
        let checkpoint = self.state.checkpoint((), id, now, &snapshots)?;
        let checkpoint = StoredCheckpoint {
            // What changed is not all that is due: a step that was to come is still to come.
            updated_channels: None,
            ..saver::checkpoint_form(&core.plan, checkpoint)
        };
        let metadata = CheckpointMetadata {
            source: Some(source),
            step,
            since_snapshot: since,
            parents: self.parents(),
            extra: core.described(self.config),
        };
        let new_versions = self.new_versions(&checkpoint.channel_versions);
        let parent = self.saved.as_ref().map(|saved| saved.tuple.checkpoint.id.clone());
        self.store(PutCheckpoint { checkpoint, metadata, parent, new_versions, writes: Vec::new() })
            .await
    }

    /// Stores the checkpoint once more, beside itself.
    pub(super) async fn put_copy(&mut self) -> Result<CheckpointId, Error> {
        let Some(saved) = &self.saved else {
            return Err(invalid("Cannot copy a non-existent checkpoint"));
        };
        let tuple = saved.tuple.clone();
        let (id, ts) = (self.clock.checkpoint_id(self.step), self.clock.now());
        let mut extra = self.seat.graph.core.described(self.config);
        // The values are copied as they are stored.
        extra.shift_remove(super::STATE_VERSION);
        let version = tuple.metadata.extra.get(super::STATE_VERSION);
        extra.extend(version.map(|version| (super::STATE_VERSION.into(), version.clone())));
        let metadata = CheckpointMetadata {
            source: Some(Source::Fork),
            step: self.step + 1,
            // The copy has the same values and the same parent.
            since_snapshot: tuple.metadata.since_snapshot.clone(),
            parents: self.parents(),
            extra,
        };
        let checkpoint = StoredCheckpoint {
            id,
            ts,
            task_ids: IdHash::default(),
            updated_channels: None,
            ..tuple.checkpoint
        };
        let (parent, new_versions) = (tuple.parent, Versions::new());
        self.store(PutCheckpoint { checkpoint, metadata, parent, new_versions, writes: Vec::new() })
            .await
    }

    async fn store(&self, put: PutCheckpoint) -> Result<CheckpointId, Error> {
        let id = put.checkpoint.id.clone();
        self.seat.saver.put(&self.seat.place, put).await?;
        Ok(id)
    }

    fn parents(&self) -> Vec<(Arc<str>, Arc<str>)> {
        self.saved.as_ref().map(|saved| saved.tuple.metadata.parents.clone()).unwrap_or_default()
    }

    /// The versions that are newer than the stored ones.
    fn new_versions(&self, versions: &Versions) -> Versions {
        let stored = self.saved.as_ref().map(|saved| &saved.tuple.checkpoint.channel_versions);
        let before = |name: &Arc<str>| {
            let mut known = stored.into_iter().flatten();
            known.find(|(known, _)| known == name).map(|(_, version)| version)
        };
        let is_new = |(name, version): &&(Arc<str>, Version)| version.newer_than(before(name));
        versions.iter().filter(is_new).cloned().collect()
    }

    /// The fields stored as changes whose values are to be stored now, and what is noted of the others.
    #[allow(clippy::type_complexity)] // a pair of lists, used once
    fn due(
        &self,
        updated: &BTreeSet<ChannelIndex>,
    ) -> Result<(Vec<ChannelIndex>, Vec<(Arc<str>, SinceSnapshot)>), Error> {
        let plan = &self.seat.graph.core.plan;
        let known = self.saved.as_ref().map(|saved| &saved.since_snapshot);
        let name = |index: &ChannelIndex| plan.channel(*index).name.clone();
        let count = |index: &ChannelIndex| {
            let mut known = known.into_iter().flatten();
            let found = known.find(|(known, _)| *known == name(index)).map(|(_, since)| *since);
            let mut since = found.unwrap_or_default();
            since.supersteps += 1;
            since.updates += u64::from(updated.contains(index));
            (*index, since)
        };
        let mut since: Vec<_> = plan.deltas().iter().map(count).collect();
        if self.saved.is_none() {
            // There is nothing that changes could be replayed from.
            return Ok((self.state.due_snapshots((), &since, 0)?, Vec::new()));
        }
        let mut due =
            self.state.due_snapshots((), &since, Options::default().snapshot_supersteps)?;
        due.extend(plan.deltas().iter().filter(|index| self.sealed.contains(index)));
        since.retain(|(index, _)| !due.contains(index));
        Ok((due, since.iter().map(|(index, since)| (name(index), *since)).collect()))
    }
}

/// The versions that nodes have really read: a version that stands for no write, but for a value
/// being stored, is left out, or put back to the one that was read before it.
pub(super) fn versions_read(seen: &VersionsSeen) -> Vec<(Arc<str>, Vec<Version>)> {
    let of = |name: &str| seen.iter().find(|(known, _)| **known == *name);
    let marks = of(names::SNAPSHOT_BUMPS).map(|(_, marks)| &marks[..]).unwrap_or_default();
    let mark = |node: &str, separator: &str, channel: &str| {
        let name = format!("{node}{separator}{channel}");
        marks.iter().find(|(known, _)| **known == *name).map(|(_, version)| version)
    };
    let read = |node: &str, (channel, version): &(Arc<str>, Version)| match mark(
        node,
        names::NS_SEP,
        channel,
    ) == Some(version)
    {
        false => Some(version.clone()),
        true => mark(node, names::NS_END, channel).cloned(),
    };
    seen.iter()
        .filter(|(node, _)| **node != *names::SNAPSHOT_BUMPS)
        .map(|(node, versions)| {
            (node.clone(), versions.iter().filter_map(|entry| read(node, entry)).collect())
        })
        .collect()
}

pub(super) fn invalid(text: impl Into<String>) -> Error {
    Error::InvalidUpdate(InvalidUpdate::new(text.into()))
}
