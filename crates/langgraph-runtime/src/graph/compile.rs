//! From a described graph to a plan: which channels carry control from node to node.

use std::collections::BTreeMap;
use std::sync::Arc;

use langgraph_rust_channels::{
    Barrier, BarrierAfterFinish, Channel, Ephemeral, LastValueAfterFinish, Tasks,
};
use langgraph_rust_core::{names, ChannelIndex, NodeIndex};
use langgraph_rust_pregel::{ChannelSpec, NodeSpec, Plan};

use super::check::check;
use super::{Caching, Core, Declared, Edge, Exit, Layout, Program, ProgramBody};
use crate::cache::node_namespace;
use crate::{Error, FieldSpec, Native, Node, TaskInput, Update, Value, END, START};

/// The version of what a graph stores of its state.
#[derive(Clone, Copy)]
pub(crate) struct StateVersion {
    pub(crate) number: u32,
    /// What a thread that was stored with an older version holds now.
    pub(crate) migrate: fn(u32, &TaskInput) -> Result<Update, Error>,
    /// The fields that an older version had.
    pub(crate) fields_of: fn(u32) -> Vec<FieldSpec>,
}

/// The graph's plan. A field is a channel of its name; a node is started by `branch:to:<node>`,
/// and by `join:<a+b>:<node>` once all of several nodes have run. Input enters by the channel and
/// the hidden node that are both called `__start__`.
pub(super) fn compile(
    fields: Vec<FieldSpec>,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    version: StateVersion,
) -> Result<Core, Error> {
    check(&fields, &nodes, &edges)?;
    let nodes = with_handlers(nodes);
    let mut lowering = Lowering::new(&nodes)?;
    for spec in &fields {
        lowering.channel(spec.name.clone(), spec.field.pattern(&spec.name));
    }
    let start = lowering.channel(START.into(), Channel::Ephemeral(Ephemeral::new(None, true)));
    lowering.start(start);
    // Before the channels between nodes, as in Python: the order is stored.
    lowering.channel(names::TASKS.into(), Channel::Tasks(Tasks::new(Vec::new())));
    for node in &nodes {
        lowering.node(node)?;
    }
    lowering.destinations(&nodes)?;
    for edge in edges {
        lowering.edge(edge)?;
    }
    lowering.finish(fields, nodes, start, version)
}

/// The nodes, each behind the node that handles its errors.
fn with_handlers(nodes: Vec<Node>) -> Vec<Node> {
    let mut all = Vec::with_capacity(nodes.len());
    for mut node in nodes {
        if let Some(handler) = node.take_handler() {
            node.handled_by = Some(handler.name.clone());
            all.push(handler);
        }
        all.push(node);
    }
    all
}

struct Lowering {
    channels: Vec<ChannelSpec<Native>>,
    nodes: Vec<NodeSpec>,
    names: BTreeMap<Arc<str>, usize>,
    deferred: Vec<bool>,
    entries: Vec<ChannelIndex>,
    exits: Vec<Vec<Exit>>,
    declared: Vec<Vec<Declared>>,
}

impl Lowering {
    fn new(nodes: &[Node]) -> Result<Self, Error> {
        let mut names = BTreeMap::from([(Arc::from(START), 0)]);
        for (position, node) in nodes.iter().enumerate() {
            if &*node.name == END || names.insert(node.name.clone(), position + 1).is_some() {
                return Err(Error::Build(format!("Node `{}` already present.", node.name)));
            }
        }
        let deferred = std::iter::once(false).chain(nodes.iter().map(|node| node.deferred));
        Ok(Self {
            deferred: deferred.collect(),
            exits: names.iter().map(|_| Vec::new()).collect(),
            declared: names.iter().map(|_| Vec::new()).collect(),
            names,
            channels: Vec::new(),
            nodes: Vec::new(),
            entries: Vec::new(),
        })
    }

    fn channel(&mut self, name: Arc<str>, pattern: Channel<Native>) -> ChannelIndex {
        self.channels.push(ChannelSpec { name, pattern });
        ChannelIndex::new(self.channels.len() - 1)
    }

    fn start(&mut self, channel: ChannelIndex) {
        let mut spec = NodeSpec::new(START, vec![channel]);
        spec.hidden = true;
        self.entries.push(channel);
        self.nodes.push(spec);
    }

    fn node(&mut self, node: &Node) -> Result<(), Error> {
        let pattern = match node.deferred {
            true => Channel::LastValueAfterFinish(LastValueAfterFinish::new(None, false)),
            false => Channel::Ephemeral(Ephemeral::new(None, false)),
        };
        let entry = self.channel(format!("branch:to:{}", node.name).into(), pattern);
        let mut spec = NodeSpec::new(node.name.clone(), vec![entry]);
        spec.cached = node.cache.is_some();
        if let Some(handler) = &node.handled_by {
            spec.error_handler = Some(NodeIndex::new(self.target(handler)?));
        }
        self.entries.push(entry);
        self.nodes.push(spec);
        Ok(())
    }

    fn edge(&mut self, edge: Edge) -> Result<(), Error> {
        match edge {
            Edge::One { from, to } => {
                let from = self.source(&from)?;
                if &*to != END {
                    let entry = self.entries[self.target(&to)?];
                    self.exits[from].push(Exit::Write(entry, Value::Null));
                }
            }
            Edge::Join { from, to } if &*to != END => self.join(from, &to)?,
            Edge::Join { from, .. } => {
                from.iter().try_for_each(|name| self.source(name).map(drop))?;
            }
            Edge::Branch { from, choice, to } => {
                let from = self.source(&from)?;
                for (label, to) in to {
                    let declared = Declared { label: Some(label), to: self.entry(&to)? };
                    self.declared[from].push(declared);
                }
                self.exits[from].push(Exit::Branch(choice));
            }
        }
        Ok(())
    }

    fn join(&mut self, from: Vec<Arc<str>>, to: &str) -> Result<(), Error> {
        let target = self.target(to)?;
        let names: Arc<[String]> = from.iter().map(|name| name.to_string()).collect();
        let channel = format!("join:{}:{to}", names.join("+"));
        let barrier = Barrier::new(names);
        let pattern = match self.deferred[target] {
            true => Channel::BarrierAfterFinish(BarrierAfterFinish::new(barrier, false)),
            false => Channel::Barrier(barrier),
        };
        let index = self.channel(channel.into(), pattern);
        self.nodes[target].triggers.push(index);
        for name in from {
            let source = self.source(&name)?;
            self.exits[source].push(Exit::Write(index, Value::Text(name)));
        }
        Ok(())
    }

    /// Where the commands of nodes may lead.
    fn destinations(&mut self, nodes: &[Node]) -> Result<(), Error> {
        for (position, node) in nodes.iter().enumerate() {
            for to in &node.destinations {
                let declared = Declared { label: None, to: self.entry(to)? };
                self.declared[position + 1].push(declared);
            }
        }
        Ok(())
    }

    /// The channel that starts a node; `None` for the end.
    fn entry(&self, name: &str) -> Result<Option<ChannelIndex>, Error> {
        match name {
            END => Ok(None),
            name => Ok(Some(self.entries[self.target(name)?])),
        }
    }

    fn source(&self, name: &str) -> Result<usize, Error> {
        self.names
            .get(name)
            .copied()
            .ok_or_else(|| Error::Build(format!("Found edge starting at unknown node '{name}'")))
    }

    fn target(&self, name: &str) -> Result<usize, Error> {
        let found = self.names.get(name).copied().filter(|position| *position > 0);
        found.ok_or_else(|| Error::Build(format!("Found edge ending at unknown node `{name}`")))
    }

    fn finish(
        self,
        fields: Vec<FieldSpec>,
        nodes: Vec<Node>,
        start: ChannelIndex,
        version: StateVersion,
    ) -> Result<Core, Error> {
        let (mut exits, mut declared) = (self.exits.into_iter(), self.declared.into_iter());
        let mut programs = vec![Program {
            body: ProgramBody::Start,
            exits: exits.next().unwrap_or_default(),
            retry: None,
            timeout: None,
            cache: None,
            declared: declared.next().unwrap_or_default(),
        }];
        programs.extend(nodes.into_iter().zip(exits.zip(declared)).map(|(node, exits)| {
            let (exits, declared) = exits;
            let namespace = node_namespace(node.code(), &node.name);
            Program {
                exits,
                declared,
                retry: node.retry,
                timeout: node.timeout,
                cache: node.cache.map(|policy| Caching { policy, namespace }),
                body: ProgramBody::Node(node.body),
            }
        }));
        Ok(Core {
            plan: Arc::new(Plan::new(self.channels, self.nodes)?),
            programs,
            layout: Arc::new(Layout::new(fields)),
            start,
            entries: self.entries,
            version,
        })
    }
}
