use std::sync::{Arc, OnceLock};

use langgraph_rust_checkpoint::{Versions, VersionsSeen};
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
#[derive(Clone, Default)]
struct Known {
    versions: SmallVec<[(ChannelIndex, Version); 1]>,
    /// Their stored form, once it was asked for: most nodes have not run since the last checkpoint.
    stored: OnceLock<Arc<Versions>>,
}

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

    pub(crate) fn load<D: Domain>(plan: &Plan<D>, stored: VersionsSeen) -> Self {
        let mut seen = Self::new(plan.nodes().len());
        for (name, versions) in stored {
            let versions = Arc::unwrap_or_clone(versions);
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
        let mut known = Known::default();
        let mut rest = Vec::new();
        for (channel, version) in versions {
            match plan.channel_named(&channel) {
                Some(index) => known.versions.push((index, version)),
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
        let known = self.nodes[node.get()].as_ref()?;
        known.versions.iter().find(|(index, _)| *index == channel).map(|(_, version)| version)
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
                    self.nodes[node.get()] = Some(Known::default());
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
        let known = self.nodes[node.get()].get_or_insert_default();
        known.stored.take();
        match known.versions.iter_mut().find(|(index, _)| *index == channel) {
            Some((_, seen)) => *seen = version,
            None => known.versions.push((channel, version)),
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
    pub(crate) fn store<D: Domain>(&self, plan: &Plan<D>) -> VersionsSeen {
        self.order.iter().map(|reader| self.store_reader(plan, reader)).collect()
    }

    fn store_reader<D: Domain>(
        &self,
        plan: &Plan<D>,
        reader: &Reader,
    ) -> (Arc<str>, Arc<Versions>) {
        let rest = |name: &str| {
            let found = self.others.iter().find(|(other, _)| &**other == name);
            found.map(|(_, versions)| versions.clone()).unwrap_or_default()
        };
        match reader {
            Reader::Node(node) => {
                let name = plan.node(*node).name.clone();
                let Some(known) = &self.nodes[node.get()] else { return (name, Arc::default()) };
                let stored = known.stored.get_or_init(|| {
                    let named = |(index, version): &(ChannelIndex, Version)| {
                        (plan.channel(*index).name.clone(), version.clone())
                    };
                    let mut versions: Vec<_> = known.versions.iter().map(named).collect();
                    versions.extend(rest(&name));
                    Arc::new(versions)
                });
                (name, stored.clone())
            }
            Reader::Input => (names::INPUT.into(), Arc::default()),
            Reader::Interrupt => {
                (names::INTERRUPT.into(), Arc::new(self.interrupt.clone().unwrap_or_default()))
            }
            Reader::Other(name) => (name.clone(), Arc::new(rest(name))),
        }
    }
}
