use std::sync::Arc;

use langgraph_rust_channels::{Channel, Saved};
use langgraph_rust_checkpoint::Checkpoint;
use langgraph_rust_core::{
    ChannelIndex, CheckpointId, Domain, Fault, IdHash, MissingHistory, NodeIndex, TaskPath,
    Version, Write,
};

use crate::apply::Changes;
use crate::scratch::Groups;
use crate::seen::Seen;
use crate::{Plan, Reader, Task};

/// A thread's state between supersteps, live: channels, their versions, and who has seen which.
///
/// The engine owns one while it runs; state access (reading and updating a thread from outside)
/// uses one by itself.
pub struct ThreadState<D: Domain> {
    pub(crate) plan: Arc<Plan<D>>,
    pub(crate) id: CheckpointId,
    /// What the ids of its tasks are a hash by.
    pub(crate) task_ids: IdHash,
    pub(crate) channels: Vec<Channel<D>>,
    pub(crate) versions: Vec<Option<Version>>,
    /// The channels that have a version, in the order in which they got it.
    pub(crate) version_order: Vec<ChannelIndex>,
    /// Versions of channels that the plan no longer has.
    pub(crate) stray_versions: Vec<(Arc<str>, Version)>,
    pub(crate) newest: Option<Version>,
    pub(crate) seen: Seen,
    /// What the last superstep changed, if known.
    pub(crate) updated: Option<Vec<ChannelIndex>>,
    /// Transient channels that may hold something.
    pub(crate) live: Vec<ChannelIndex>,
    /// Channels that store their values, but whose value here was rebuilt from changes: it is not
    /// stored under the version that they have.
    pub(crate) rebuilt: Vec<ChannelIndex>,
    /// What the writes being applied have changed so far.
    pub(crate) changes: Changes,
    pub(crate) groups: Groups<D>,
}

/// The writes of one task, to be applied.
pub struct TaskWrites<D: Domain> {
    /// Who wrote.
    pub reader: Reader,
    /// Where the task stood; writes apply in this order.
    pub path: TaskPath,
    /// The channels that started the task; empty for one started by a packet.
    pub triggers: Vec<ChannelIndex>,
    /// What it wrote.
    pub writes: Vec<Write<D>>,
}

impl<D: Domain> TaskWrites<D> {
    /// Writes of a task of `plan`.
    pub fn of_task(plan: &Plan<D>, task: &Task<D>, writes: Vec<Write<D>>) -> Self {
        Self {
            reader: task.reader(),
            path: task.path.clone(),
            triggers: plan.triggers(&task.path, task.node).to_vec(),
            writes,
        }
    }

    /// Writes that come from no task: the graph's input, or an update of its state.
    pub fn of_input(writes: Vec<Write<D>>) -> Self {
        Self { reader: Reader::Input, path: TaskPath::Input, triggers: Vec::new(), writes }
    }
}

impl<D: Domain> ThreadState<D> {
    /// The state of a thread that has not begun.
    pub fn empty(cx: D::Cx<'_>, plan: Arc<Plan<D>>, id: CheckpointId) -> Result<Self, Fault<D>> {
        let mut channels = Vec::with_capacity(plan.channels().len());
        for spec in plan.channels() {
            channels.push(spec.pattern.restore(cx, &spec.name, None)?);
        }
        Ok(Self::assemble(plan, id, channels))
    }

    /// The state that a checkpoint describes. Values of channels that the plan does not have are
    /// dropped; their versions are kept. The checkpoint must hold the values of the channels that
    /// [`Plan::needs_history`] names.
    pub fn load(
        cx: D::Cx<'_>,
        plan: Arc<Plan<D>>,
        checkpoint: Checkpoint<D>,
    ) -> Result<Self, Fault<D>> {
        let missing = plan.needs_history(&checkpoint);
        if !missing.is_empty() {
            let names = missing.iter().map(|index| plan.channel(*index).name.clone()).collect();
            return Err(MissingHistory { names }.into());
        }
        let mut stored: Vec<Option<Saved<D>>> =
            std::iter::repeat_with(|| None).take(plan.channels().len()).collect();
        for (name, saved) in checkpoint.channel_values {
            if let Some(index) = plan.channel_named(&name) {
                stored[index.get()] = Some(saved);
            }
        }
        let mut channels = Vec::with_capacity(stored.len());
        let mut rebuilt = Vec::new();
        for (spec, saved) in plan.channels().iter().zip(stored) {
            let index = ChannelIndex::new(channels.len());
            if matches!(saved, Some(Saved::History(_))) && !plan.deltas().contains(&index) {
                rebuilt.push(index);
            }
            channels.push(spec.pattern.restore(cx, &spec.name, saved)?);
        }
        let mut state = Self::assemble(plan, checkpoint.id, channels);
        state.rebuilt = rebuilt;
        state.task_ids = checkpoint.task_ids;
        state.seen = Seen::load(&state.plan, checkpoint.versions_seen);
        for (name, version) in checkpoint.channel_versions {
            state.load_version(name, version);
        }
        state.live = state.transient_channels();
        state.updated = checkpoint
            .updated_channels
            .map(|names| names.iter().filter_map(|name| state.plan.channel_named(name)).collect());
        Ok(state)
    }

    fn assemble(plan: Arc<Plan<D>>, id: CheckpointId, channels: Vec<Channel<D>>) -> Self {
        let count = channels.len();
        Self {
            seen: Seen::new(plan.nodes().len()),
            live: plan.foreign().to_vec(),
            groups: Groups::new(count, plan.tasks_channel()),
            plan,
            id,
            task_ids: IdHash::default(),
            channels,
            versions: std::iter::repeat_with(|| None).take(count).collect(),
            version_order: Vec::new(),
            stray_versions: Vec::new(),
            newest: None,
            updated: None,
            rebuilt: Vec::new(),
            changes: Changes::new(count),
        }
    }

    fn load_version(&mut self, name: Arc<str>, version: Version) {
        if self.newest.as_ref().is_none_or(|newest| version.newer_than(Some(newest))) {
            self.newest = Some(version.clone());
        }
        match self.plan.channel_named(&name) {
            Some(index) => self.set_version(index, version),
            None => self.stray_versions.push((name, version)),
        }
    }

    fn transient_channels(&self) -> Vec<ChannelIndex> {
        let transient = |position: &usize| self.channels[*position].is_transient();
        (0..self.channels.len()).filter(transient).map(ChannelIndex::new).collect()
    }

    /// The plan that the state belongs to.
    pub fn plan(&self) -> &Arc<Plan<D>> {
        &self.plan
    }

    /// The checkpoint that the state is, or began as.
    pub fn checkpoint_id(&self) -> &CheckpointId {
        &self.id
    }

    /// All channels, by index.
    pub fn channels(&self) -> &[Channel<D>] {
        &self.channels
    }

    /// A live channel.
    pub fn channel(&self, index: ChannelIndex) -> &Channel<D> {
        &self.channels[index.get()]
    }

    /// What a channel reads as, or `None` while it is empty.
    pub fn read(&self, cx: D::Cx<'_>, index: ChannelIndex) -> Result<Option<D::Value>, Fault<D>> {
        self.channels[index.get()].get(cx)
    }

    /// What a channel would read as after `writes`, the state left as it is.
    pub fn read_with(
        &self,
        cx: D::Cx<'_>,
        index: ChannelIndex,
        writes: Vec<D::Value>,
    ) -> Result<Option<D::Value>, Fault<D>> {
        let channel = self.channel(index);
        if writes.is_empty() && !channel.is_transient() {
            return channel.get(cx);
        }
        let mut copy = channel.duplicate(cx)?;
        copy.update(cx, &self.plan.channel(index).name, writes)?;
        copy.get(cx)
    }

    /// Whether any channel has ever been written.
    pub fn has_begun(&self) -> bool {
        self.newest.is_some()
    }

    /// The channels that the last applied writes changed, if known.
    pub fn updated(&self) -> Option<&[ChannelIndex]> {
        self.updated.as_deref()
    }

    /// Leaves it open what the last applied writes changed: every node may be triggered, and
    /// [`ThreadState::prepare`] goes by order of declaration, as a reader from outside expects.
    pub fn forget_changes(&mut self) {
        self.updated = None;
    }

    /// A channel's version.
    pub fn version(&self, index: ChannelIndex) -> Option<&Version> {
        self.versions[index.get()].as_ref()
    }

    /// All versions by name, in stored order.
    pub fn all_versions(&self) -> Vec<(Arc<str>, Version)> {
        let known = self.version_order.iter().filter_map(|index| {
            let version = self.versions[index.get()].clone()?;
            Some((self.plan.channel(*index).name.clone(), version))
        });
        known.chain(self.stray_versions.iter().cloned()).collect()
    }

    /// The version of `channel` that `node` last ran on.
    pub fn seen(&self, node: NodeIndex, channel: ChannelIndex) -> Option<&Version> {
        self.seen.by_node(node, channel)
    }

    pub(crate) fn set_version(&mut self, index: ChannelIndex, version: Version) {
        if self.versions[index.get()].is_none() {
            self.version_order.push(index);
        }
        self.versions[index.get()] = Some(version);
    }

    /// Notes that static interrupts have seen the state as it is.
    pub fn pass_interrupts(&mut self) {
        let channels = self.plan.channels().iter().zip(&self.versions);
        let versions = channels.filter_map(|(channel, version)| {
            let version = version.clone()?;
            Some((channel.name.clone(), version))
        });
        let versions = versions.collect();
        self.seen.set_interrupt(versions);
    }

    /// The checkpoint that describes the state, under a new name, with the values of the delta
    /// channels `snapshots`.
    pub fn checkpoint(
        &self,
        cx: D::Cx<'_>,
        id: CheckpointId,
        ts: Arc<str>,
        snapshots: &[ChannelIndex],
    ) -> Result<Checkpoint<D>, Fault<D>> {
        let mut channel_values = Vec::new();
        for (position, channel) in self.channels.iter().enumerate() {
            if self.versions[position].is_none() {
                continue;
            }
            let index = ChannelIndex::new(position);
            let saved = match self.plan.deltas().contains(&index) {
                true if snapshots.contains(&index) => channel.snapshot(cx),
                true => None,
                false => channel.checkpoint(cx)?,
            };
            if let Some(saved) = saved {
                channel_values.push((self.plan.channels()[position].name.clone(), saved));
            }
        }
        Ok(Checkpoint {
            id,
            ts,
            task_ids: IdHash::default(),
            channel_values,
            channel_versions: self.all_versions(),
            versions_seen: self.seen.store(&self.plan),
            updated_channels: self.updated.as_ref().map(|updated| {
                let mut names: Vec<_> =
                    updated.iter().map(|index| self.plan.channel(*index).name.clone()).collect();
                names.sort();
                names
            }),
        })
    }
}
