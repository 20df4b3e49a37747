use std::collections::BTreeMap;
use std::sync::Arc;

use langgraph_rust_channels::Channel;
use langgraph_rust_core::{ChannelIndex, NodeIndex};
use langgraph_rust_pregel::Plan;

use crate::node::{Body, Choice};
use crate::{Clock, Command, Error, Field, Gotos, Memory, Native, Node, RetryPolicy, State, Value};

/// The place where a graph's input enters.
pub const START: &str = "__start__";
/// Nowhere: where a graph ends.
pub const END: &str = "__end__";

/// A graph of nodes that share a state, under construction.
///
/// See the crate's documentation for an example.
#[derive(Default)]
pub struct StateGraph {
    pub(crate) fields: Vec<(Arc<str>, Field)>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
}

/// What follows on a node, in order of declaration.
pub(crate) enum Edge {
    One { from: Arc<str>, to: Arc<str> },
    Join { from: Vec<Arc<str>>, to: Arc<str> },
    Branch { from: Arc<str>, choice: Box<Choice> },
}

impl StateGraph {
    /// A graph without fields and nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same graph with another field.
    pub fn field(mut self, name: &str, field: Field) -> Self {
        self.fields.push((name.into(), field));
        self
    }

    /// The same graph with another node, which calls `function` with the state and writes what it
    /// returns: an [`Update`](crate::Update), a [`Command`], or `()`.
    pub fn node<R: Into<Command>>(
        self,
        name: &str,
        function: impl Fn(&State<'_>) -> Result<R, Error> + Send + Sync + 'static,
    ) -> Self {
        self.add_node(Node::new(name, function))
    }

    /// The same graph with another node.
    pub fn add_node(mut self, node: Node) -> Self {
        self.nodes.push(node);
        self
    }

    /// The same graph, with `to` running after `from`.
    pub fn edge(mut self, from: &str, to: &str) -> Self {
        self.edges.push(Edge::One { from: from.into(), to: to.into() });
        self
    }

    /// The same graph, with `to` running after all of `from` have run.
    pub fn join(mut self, from: &[&str], to: &str) -> Self {
        let from = from.iter().map(|name| Arc::from(*name)).collect();
        self.edges.push(Edge::Join { from, to: to.into() });
        self
    }

    /// The same graph, where `choice` says what runs after `from`. It sees the state with what
    /// `from` wrote.
    pub fn branch<R: Into<Gotos>>(
        mut self,
        from: &str,
        choice: impl Fn(&State<'_>) -> Result<R, Error> + Send + Sync + 'static,
    ) -> Self {
        let choice = Box::new(move |state: &State<'_>| choice(state).map(Into::into));
        self.edges.push(Edge::Branch { from: from.into(), choice });
        self
    }

    /// The graph, ready to run.
    pub fn compile(self) -> Result<Graph, Error> {
        crate::compile::compile(self)
    }
}

/// A graph ready to run: the engine's plan, and what its nodes do.
pub struct Graph {
    pub(crate) plan: Arc<Plan<Native>>,
    pub(crate) programs: Vec<Program>,
    /// The state's fields: the first channels of the plan.
    pub(crate) fields: Vec<(Arc<str>, ChannelIndex)>,
    pub(crate) field_names: BTreeMap<Arc<str>, ChannelIndex>,
    pub(crate) start: ChannelIndex,
    /// For each node, the channel that starts it.
    pub(crate) entries: Vec<ChannelIndex>,
    pub(crate) saver: Option<Memory>,
    pub(crate) clock: Clock,
}

/// What a node does, and what becomes of it.
pub(crate) struct Program {
    pub(crate) body: ProgramBody,
    pub(crate) exits: Vec<Exit>,
    pub(crate) retry: Option<RetryPolicy>,
}

pub(crate) enum ProgramBody {
    /// Writes the input to the state's fields.
    Start,
    Node(Body),
}

/// What a node writes besides what it returns.
pub(crate) enum Exit {
    Write(ChannelIndex, Value),
    Branch(Box<Choice>),
}

impl Graph {
    /// The same graph, keeping its threads in `saver`.
    pub fn with_saver(mut self, saver: Memory) -> Self {
        self.saver = Some(saver);
        self
    }

    /// The same graph, with another source of ids and times.
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// What the engine knows of the graph.
    pub fn plan(&self) -> &Arc<Plan<Native>> {
        &self.plan
    }

    /// The saver, if the graph has one.
    pub fn saver(&self) -> Option<&Memory> {
        self.saver.as_ref()
    }

    /// The state's fields and their channels, in order of declaration.
    pub fn fields(&self) -> impl Iterator<Item = (&Arc<str>, ChannelIndex)> {
        self.fields.iter().map(|(name, index)| (name, *index))
    }

    pub(crate) fn field(&self, name: &str) -> Option<ChannelIndex> {
        self.field_names.get(name).copied()
    }

    pub(crate) fn node(&self, name: &str) -> Result<NodeIndex, Error> {
        let found = self.plan.node_named(name).filter(|_| name != START);
        found.ok_or_else(|| Error::UnknownNode(name.into()))
    }

    /// The fields that `channel` has a value for.
    pub(crate) fn values<'c>(
        &self,
        channel: impl Fn(ChannelIndex) -> &'c Channel<Native>,
    ) -> crate::Map {
        let read = |(name, index): (&Arc<str>, ChannelIndex)| {
            let value = channel(index).get(()).ok().flatten()?;
            Some((name.clone(), value))
        };
        self.fields().filter_map(read).collect()
    }
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.plan.nodes().iter().map(|node| &*node.name).collect();
        f.debug_struct("Graph").field("nodes", &names).finish_non_exhaustive()
    }
}
