use std::sync::Arc;

use langgraph_rust_checkpoint::Versions;
use langgraph_rust_core::{names, ChannelIndex, Domain, NodeIndex, Version};
use smallvec::SmallVec;

use crate::Plan;

/// Whoever has run on versions of channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A node of the plan.
    Node(NodeIndex),
    /// The graph's input.
    Input,
    /// The static interrupts.
    Interrupt,
    /// A called task, or a node that the plan no longer has.
    Other(Arc<str>),
}

/// The versions of its triggers that a node last ran on. Most nodes have one trigger.
type Known = SmallVec<[(ChannelIndex, Version); 1]>;

/// The versions that each node last ran on, dense for the plan's nodes: a node reads only its few
/// triggers, so that a superstep costs what its tasks cost, whatever the size of the graph.
pub(crate) struct Seen {
    nodes: Vec<Option<Known>>,
    interrupt: Option<Versions>,
    others: Vec<(Arc<str>, Versions)>,
    /// The order in which readers first appeared, which storage keeps.
    order: Vec<Reader>,
}

/// What noting some readers is about to change, as it was.
pub(crate) struct SeenBefore {
    nodes: Vec<(NodeIndex, Option<Known>)>,
    readers: usize,
}

impl Seen {
    pub(crate) fn new(nodes: usize) -> Self {
        Self {
            nodes: std::iter::repeat_with(|| None).take(nodes).collect(),
            interrupt: None,
            others: Vec::new(),
            order: Vec::new(),
        }
    }

    pub(crate) fn load<D: Domain>(plan: &Plan<D>, stored: Vec<(Arc<str>, Versions)>) -> Self {
        let mut seen = Self::new(plan.nodes().len());
        for (name, versions) in stored {
            match plan.node_named(&name) {
                Some(node) => seen.load_node(plan, node, name, versions),
                None if &*name == names::INTERRUPT => {
                    seen.interrupt = Some(versions);
                    seen.order.push(Reader::Interrupt);
                }
                None if &*name == names::INPUT && versions.is_empty() => {
                    seen.order.push(Reader::Input);
                }
                None => {
                    seen.order.push(Reader::Other(name.clone()));
                    seen.others.push((name, versions));
                }
            }
        }
        seen
    }

    fn load_node<D: Domain>(
        &mut self,
        plan: &Plan<D>,
        node: NodeIndex,
        name: Arc<str>,
        versions: Versions,
    ) {
        let mut known = Known::new();
        let mut rest = Vec::new();
        for (channel, version) in versions {
            match plan.channel_named(&channel) {
                Some(index) => known.push((index, version)),
                None => rest.push((channel, version)),
            }
        }
        self.nodes[node.get()] = Some(known);
        self.order.push(Reader::Node(node));
        if !rest.is_empty() {
            self.others.push((name, rest));
        }
    }

    /// The version of `channel` that `node` last ran on.
    pub(crate) fn by_node(&self, node: NodeIndex, channel: ChannelIndex) -> Option<&Version> {
        let versions = self.nodes[node.get()].as_ref()?;
        versions.iter().find(|(index, _)| *index == channel).map(|(_, version)| version)
    }

    /// Whether `node` has ever run.
    pub(crate) fn has_run(&self, node: NodeIndex) -> bool {
        self.nodes[node.get()].is_some()
    }

    /// Notes that the reader ran; a node is then given the versions it ran on.
    pub(crate) fn note(&mut self, reader: &Reader) {
        match reader {
            Reader::Node(node) => {
                if self.nodes[node.get()].is_none() {
                    self.nodes[node.get()] = Some(Known::new());
                    self.order.push(reader.clone());
                }
            }
            other => {
                if !self.order.contains(other) && !self.knows_input_by_name(other) {
                    self.order.push(other.clone());
                }
            }
        }
    }

    /// Whether `reader` is the input, and that has an entry with versions.
    fn knows_input_by_name(&self, reader: &Reader) -> bool {
        *reader == Reader::Input && self.others.iter().any(|(name, _)| &**name == names::INPUT)
    }

    pub(crate) fn set(&mut self, node: NodeIndex, channel: ChannelIndex, version: Version) {
        let versions = self.nodes[node.get()].get_or_insert_default();
        match versions.iter_mut().find(|(index, _)| *index == channel) {
            Some((_, seen)) => *seen = version,
            None => versions.push((channel, version)),
        }
    }

    /// Remembers what noting `readers` can change.
    pub(crate) fn before<'r>(&self, readers: impl Iterator<Item = &'r Reader>) -> SeenBefore {
        let nodes = readers.filter_map(|reader| match reader {
            Reader::Node(node) => Some((*node, self.nodes[node.get()].clone())),
            Reader::Input | Reader::Interrupt | Reader::Other(_) => None,
        });
        SeenBefore { nodes: nodes.collect(), readers: self.order.len() }
    }

    /// Is again as it was.
    pub(crate) fn take_back(&mut self, before: SeenBefore) {
        for (node, known) in before.nodes {
            self.nodes[node.get()] = known;
        }
        self.order.truncate(before.readers);
    }

    pub(crate) fn interrupt(&self) -> Option<&[(Arc<str>, Version)]> {
        self.interrupt.as_deref()
    }

    /// Notes that static interrupts have seen `versions`.
    pub(crate) fn set_interrupt(&mut self, versions: Versions) {
        self.note(&Reader::Interrupt);
        let seen = self.interrupt.get_or_insert_default();
        for (name, version) in versions {
            match seen.iter_mut().find(|(known, _)| *known == name) {
                Some((_, old)) => *old = version,
                None => seen.push((name, version)),
            }
        }
    }

    /// The stored form.
    pub(crate) fn store<D: Domain>(&self, plan: &Plan<D>) -> Vec<(Arc<str>, Versions)> {
        self.order.iter().map(|reader| self.store_reader(plan, reader)).collect()
    }

    fn store_reader<D: Domain>(&self, plan: &Plan<D>, reader: &Reader) -> (Arc<str>, Versions) {
        let rest = |name: &str| {
            let found = self.others.iter().find(|(other, _)| &**other == name);
            found.map(|(_, versions)| versions.clone()).unwrap_or_default()
        };
        match reader {
            Reader::Node(node) => {
                let name = plan.node(*node).name.clone();
                let known = self.nodes[node.get()].as_deref().unwrap_or_default();
                let named = |(index, version): &(ChannelIndex, Version)| {
                    (plan.channel(*index).name.clone(), version.clone())
                };
                let mut versions: Vec<_> = known.iter().map(named).collect();
                if !self.others.is_empty() {
                    versions.extend(rest(&name));
                }
                (name, versions)
            }
            Reader::Input => (names::INPUT.into(), Vec::new()),
            Reader::Interrupt => {
                (names::INTERRUPT.into(), self.interrupt.clone().unwrap_or_default())
            }
            Reader::Other(name) => (name.clone(), rest(name)),
        }
    }
}
