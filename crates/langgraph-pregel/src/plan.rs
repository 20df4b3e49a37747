use std::collections::BTreeMap;
use std::sync::Arc;

use langgraph_rust_channels::{Channel, Tasks};
use langgraph_rust_checkpoint::Checkpoint;
use langgraph_rust_core::{
    names, ChannelIndex, Control, Domain, NodeIndex, PacketTarget, Target, TaskPath, Write,
};

/// A channel of a plan: its name and its kind, in the empty state.
pub struct ChannelSpec<D: Domain> {
    /// The channel's name, unique in the plan.
    pub name: Arc<str>,
    /// The pattern that live channels are made from.
    pub pattern: Channel<D>,
}

/// What the engine must know of a node. What the node *does* is the driver's.
pub struct NodeSpec {
    /// The node's name, unique in the plan.
    pub name: Arc<str>,
    /// The channels whose new versions start the node.
    pub triggers: Vec<ChannelIndex>,
    /// A channel without which the node cannot be given its input.
    pub requires: Option<ChannelIndex>,
    /// Whether the node does anything at all.
    pub runs: bool,
    /// Hidden nodes do not show in streams, and `*` does not interrupt at them.
    pub hidden: bool,
    /// Whether the node's results may be taken from a cache.
    pub cached: bool,
    /// The node that handles this node's errors.
    pub error_handler: Option<NodeIndex>,
    trigger_names: Vec<Arc<str>>,
    /// What the ids of the node's triggered tasks end with.
    id_tail: String,
}

impl NodeSpec {
    /// A node that runs when one of `triggers` has a new version.
    pub fn new(name: impl Into<Arc<str>>, triggers: Vec<ChannelIndex>) -> Self {
        Self {
            name: name.into(),
            triggers,
            requires: None,
            runs: true,
            hidden: false,
            cached: false,
            error_handler: None,
            trigger_names: Vec::new(),
            id_tail: String::new(),
        }
    }

    /// The names of the triggers, sorted: part of the ids of the node's tasks.
    pub fn trigger_names(&self) -> &[Arc<str>] {
        &self.trigger_names
    }

    pub(crate) fn id_tail(&self) -> &str {
        &self.id_tail
    }

    fn name_triggers<D: Domain>(&mut self, channels: &[ChannelSpec<D>]) -> Result<(), PlanError> {
        let name = |trigger: &ChannelIndex| Some(channels.get(trigger.get())?.name.clone());
        let unknown = || PlanError::UnknownTrigger(self.name.clone());
        let names: Option<Vec<_>> = self.triggers.iter().map(name).collect();
        self.requires.as_ref().map_or(Ok(()), |index| name(index).map(drop).ok_or_else(unknown))?;
        self.trigger_names = names.ok_or_else(unknown)?;
        self.trigger_names.sort();
        self.id_tail = format!("{}{}{}", self.name, names::PULL, self.trigger_names.concat());
        Ok(())
    }
}

/// A graph, complete and immutable: what channels there are and which of them start which nodes.
pub struct Plan<D: Domain> {
    parts: Arc<Parts<D>>,
    deltas: Vec<ChannelIndex>,
}

/// What plans share that differ only in how channels are stored.
struct Parts<D: Domain> {
    channels: Vec<ChannelSpec<D>>,
    nodes: Vec<NodeSpec>,
    channel_names: BTreeMap<Arc<str>, ChannelIndex>,
    node_names: BTreeMap<Arc<str>, NodeIndex>,
    tasks: ChannelIndex,
    triggered: Vec<Vec<NodeIndex>>,
    ranks: Vec<u32>,
    foreign: Vec<ChannelIndex>,
    finishers: Vec<ChannelIndex>,
    reduced: Vec<ChannelIndex>,
}

/// Why a plan could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// Two channels have the same name.
    DuplicateChannel(Arc<str>),
    /// Two nodes have the same name.
    DuplicateNode(Arc<str>),
    /// A node depends on a channel that is none of the plan's.
    UnknownTrigger(Arc<str>),
    /// A node's errors are handled by a node that is none of the plan's.
    UnknownHandler(Arc<str>),
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PlanError::DuplicateChannel(name) => write!(f, "channel '{name}' is declared twice"),
            PlanError::DuplicateNode(name) => write!(f, "node '{name}' is declared twice"),
            PlanError::UnknownTrigger(name) => {
                write!(f, "node '{name}' depends on a channel that the plan does not have")
            }
            PlanError::UnknownHandler(name) => {
                write!(f, "the errors of node '{name}' go to a node that the plan does not have")
            }
        }
    }
}

impl std::error::Error for PlanError {}

impl<D: Domain> Plan<D> {
    /// A plan of `channels` and `nodes`; node triggers index `channels`. The tasks channel is
    /// added unless it is among them.
    pub fn new(
        mut channels: Vec<ChannelSpec<D>>,
        mut nodes: Vec<NodeSpec>,
    ) -> Result<Self, PlanError> {
        if !channels.iter().any(|channel| &*channel.name == names::TASKS) {
            let pattern = Channel::Tasks(Tasks::new(Vec::new()));
            channels.push(ChannelSpec { name: names::TASKS.into(), pattern });
        }
        let channel_names =
            positions(channels.iter().map(|channel| &channel.name), ChannelIndex::new)
                .map_err(PlanError::DuplicateChannel)?;
        let node_names = positions(nodes.iter().map(|node| &node.name), NodeIndex::new)
            .map_err(PlanError::DuplicateNode)?;
        nodes.iter_mut().try_for_each(|node| node.name_triggers(&channels))?;
        let handled = |node: &&NodeSpec| node.error_handler.is_some_and(|h| h.get() >= nodes.len());
        if let Some(node) = nodes.iter().find(handled) {
            return Err(PlanError::UnknownHandler(node.name.clone()));
        }
        let mut triggered = vec![Vec::new(); channels.len()];
        for (position, node) in nodes.iter().enumerate() {
            for trigger in &node.triggers {
                triggered[trigger.get()].push(NodeIndex::new(position));
            }
        }
        let mut ranks = vec![0; nodes.len()];
        for (rank, index) in node_names.values().enumerate() {
            ranks[index.get()] = rank as u32;
        }
        let select = |wanted: fn(&Channel<D>) -> bool| {
            let positions = channels.iter().enumerate().filter(|(_, c)| wanted(&c.pattern));
            positions.map(|(position, _)| ChannelIndex::new(position)).collect()
        };
        let deltas = select(|channel| matches!(channel, Channel::Delta(_)));
        let parts = Parts {
            foreign: select(|channel| matches!(channel, Channel::Foreign(_))),
            finishers: select(Channel::hears_finish),
            reduced: select(|channel| matches!(channel, Channel::Aggregate(_) | Channel::Delta(_))),
            tasks: channel_names[names::TASKS],
            channels,
            nodes,
            channel_names,
            node_names,
            triggered,
            ranks,
        };
        Ok(Self { parts: Arc::new(parts), deltas })
    }

    /// The same graph, with the given reducer's channels stored as changes, too. Their reducers must
    /// give the same for one write after another as for all at once, whenever that is done.
    pub fn storing_changes_of(&self, chosen: &[ChannelIndex]) -> Self {
        let is_plain =
            |index: &&ChannelIndex| matches!(self.channel(**index).pattern, Channel::Aggregate(_));
        let mut deltas = self.deltas.clone();
        deltas.extend(chosen.iter().filter(is_plain));
        deltas.sort_unstable();
        deltas.dedup();
        Self { parts: self.parts.clone(), deltas }
    }

    /// The channels, in order of declaration.
    pub fn channels(&self) -> &[ChannelSpec<D>] {
        &self.parts.channels
    }

    /// The nodes, in order of declaration.
    pub fn nodes(&self) -> &[NodeSpec] {
        &self.parts.nodes
    }

    /// A channel's declaration.
    pub fn channel(&self, index: ChannelIndex) -> &ChannelSpec<D> {
        &self.parts.channels[index.get()]
    }

    /// A node's declaration.
    pub fn node(&self, index: NodeIndex) -> &NodeSpec {
        &self.parts.nodes[index.get()]
    }

    /// The channel with the given name.
    pub fn channel_named(&self, name: &str) -> Option<ChannelIndex> {
        self.parts.channel_names.get(name).copied()
    }

    /// The node with the given name.
    pub fn node_named(&self, name: &str) -> Option<NodeIndex> {
        self.parts.node_names.get(name).copied()
    }

    /// The channels that have been written by the time of `checkpoint`, but whose values it does not
    /// hold: those with a reducer. Such a channel keeps a value ever after its first write, so it
    /// was stored as changes to an earlier value, and its history must be replayed. Other kinds may
    /// well be empty after a write: they are consumed, last for one superstep or are not stored.
    pub fn needs_history(&self, checkpoint: &Checkpoint<D>) -> Vec<ChannelIndex> {
        if checkpoint.channel_versions.is_empty() {
            return Vec::new();
        }
        let named = |name: &Arc<str>| self.channel_named(name);
        let mut holds = vec![false; self.parts.channels.len()];
        for index in checkpoint.channel_values.iter().filter_map(|(name, _)| named(name)) {
            holds[index.get()] = true;
        }
        let written = checkpoint.channel_versions.iter().filter_map(|(name, _)| named(name));
        let has_reducer = |index: &ChannelIndex| self.parts.reduced.contains(index);
        let mut needy: Vec<_> =
            written.filter(|index| !holds[index.get()] && has_reducer(index)).collect();
        needy.sort_unstable();
        needy
    }

    /// The channel that packets go to.
    pub fn tasks_channel(&self) -> ChannelIndex {
        self.parts.tasks
    }

    /// Where a write to `name` goes. Packets are not among them: for the tasks channel the
    /// driver must look at the value and use [`Plan::packet_target`].
    pub fn target(&self, name: &str) -> Target {
        match name {
            names::NO_WRITES => Target::Control(Control::NoWrites),
            names::RETURN => Target::Control(Control::Return),
            names::RESUME => Target::Control(Control::Resume),
            names::INTERRUPT => Target::Control(Control::Interrupt),
            names::ERROR => Target::Control(Control::Error),
            names::ERROR_SOURCE_NODE => Target::Control(Control::ErrorSource),
            name => match self.channel_named(name) {
                Some(index) => Target::Channel(index),
                None => Target::Unknown(name.into()),
            },
        }
    }

    /// Where a packet for the node `name` goes.
    pub fn packet_target(&self, name: &str) -> PacketTarget {
        match self.node_named(name) {
            Some(index) => PacketTarget::Node(index),
            None => PacketTarget::Unknown(name.into()),
        }
    }

    /// The name under which storage keeps writes to `target`.
    pub fn target_name<'a>(&'a self, target: &'a Target) -> &'a str {
        match target {
            Target::Channel(index) => &self.channel(*index).name,
            Target::Packet(_) => names::TASKS,
            Target::Unknown(name) => name,
            Target::Control(Control::NoWrites) => names::NO_WRITES,
            Target::Control(Control::Return) => names::RETURN,
            Target::Control(Control::Resume) => names::RESUME,
            Target::Control(Control::Interrupt) => names::INTERRUPT,
            Target::Control(Control::Error) => names::ERROR,
            Target::Control(Control::ErrorSource) => names::ERROR_SOURCE_NODE,
        }
    }

    /// The channels that started a task at `path`: none for one that a packet or a call started.
    pub fn triggers(&self, path: &TaskPath, node: Option<NodeIndex>) -> &[ChannelIndex] {
        match (path, node) {
            (TaskPath::Pull(_), Some(node)) => &self.node(node).triggers,
            _ => &[],
        }
    }

    /// The nodes that a new version of the channel starts.
    pub(crate) fn triggered_by(&self, channel: ChannelIndex) -> &[NodeIndex] {
        &self.parts.triggered[channel.get()]
    }

    /// The node's place among all nodes sorted by name.
    pub(crate) fn rank(&self, node: NodeIndex) -> u32 {
        self.parts.ranks[node.get()]
    }

    /// Channels that must be told of every superstep.
    pub(crate) fn foreign(&self) -> &[ChannelIndex] {
        &self.parts.foreign
    }

    /// The channels with a reducer.
    pub fn reduced(&self) -> &[ChannelIndex] {
        &self.parts.reduced
    }

    /// The channels that are stored as changes, with a value only now and then.
    pub fn deltas(&self) -> &[ChannelIndex] {
        &self.deltas
    }

    /// The delta channel that a write goes to, if it goes to one.
    pub fn delta_target(&self, target: &Target) -> Option<ChannelIndex> {
        match target {
            Target::Channel(index) => self.deltas.contains(index).then_some(*index),
            _ => None,
        }
    }

    /// Makes writes to delta channels complete, before they are stored, applied or cached.
    pub fn admit(&self, cx: D::Cx<'_>, writes: &mut Vec<Write<D>>) -> Result<(), D::Error> {
        if self.deltas.is_empty() {
            return Ok(());
        }
        let admitted = std::mem::take(writes).into_iter().map(|write| {
            let Some(index) = self.delta_target(&write.target) else { return Ok(write) };
            let reducer = match &self.channel(index).pattern {
                Channel::Delta(channel) => channel.reducer(),
                Channel::Aggregate(channel) => channel.reducer(),
                _ => return Ok(write),
            };
            let value = D::admit(cx, reducer, write.value)?;
            Ok(Write { target: write.target, value })
        });
        *writes = admitted.collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Channels that must be told that the run is about to end.
    pub(crate) fn finishers(&self) -> &[ChannelIndex] {
        &self.parts.finishers
    }
}

/// Where each name stands, or the first name that stands twice.
fn positions<'n, I>(
    names: impl Iterator<Item = &'n Arc<str>>,
    index: fn(usize) -> I,
) -> Result<BTreeMap<Arc<str>, I>, Arc<str>> {
    let mut found = BTreeMap::new();
    for (position, name) in names.enumerate() {
        if found.insert(name.clone(), index(position)).is_some() {
            return Err(name.clone());
        }
    }
    Ok(found)
}
