//! Graphs: described by fields, nodes and edges, and ready to run.

mod check;
mod command;
mod compile;
mod draw;
mod function;
mod layout;
mod node;

use std::marker::PhantomData;
use std::sync::Arc;

use langgraph_rust_core::{ChannelIndex, NodeIndex};
use langgraph_rust_pregel::Plan;

use crate::cache::{Cache, CacheNamespace, CachePolicy};
use crate::saver::Saver;
use crate::{Clock, Dynamic, Error, Native, NodeError, State, Store, TaskInput, Value};
pub(crate) use command::Resume;
pub use command::{Command, Goto, Gotos, Update};
pub use function::{shape, BoxFuture, Function, NodeFunction, NodeResult};
pub(crate) use function::{Call, Invocation, Returned};
pub(crate) use layout::Layout;
pub(crate) use node::Body;
pub use node::{Node, Persistence, RetryPolicy};

/// The place where a graph's input enters.
pub const START: &str = "__start__";
/// Nowhere: where a graph ends.
pub const END: &str = "__end__";

pub(crate) type Choice = dyn Fn(&TaskInput) -> Result<Gotos, NodeError> + Send + Sync;

/// A graph of nodes that share a state, under construction.
///
/// `S` is the state: a struct with `#[derive(State)]`, or [`Dynamic`], whose fields are named by
/// [`StateGraph::field`]. See the crate's documentation for an example.
pub struct StateGraph<S = Dynamic> {
    pub(crate) fields: Vec<crate::FieldSpec>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
    state: PhantomData<fn() -> S>,
}

/// What follows on a node, in order of declaration.
pub(crate) enum Edge {
    One { from: Arc<str>, to: Arc<str> },
    Join { from: Vec<Arc<str>>, to: Arc<str> },
    Branch { from: Arc<str>, choice: Box<Choice>, to: Vec<(Arc<str>, Arc<str>)> },
}

impl StateGraph<Dynamic> {
    /// The same graph with another field.
    pub fn field(mut self, name: &str, field: crate::Field) -> Self {
        self.fields.push(crate::FieldSpec::any(name, field));
        self
    }
}

impl<S: State> StateGraph<S> {
    /// A graph without nodes.
    pub fn new() -> Self {
        let fields = S::fields();
        Self { fields, nodes: Vec::new(), edges: Vec::new(), state: PhantomData }
    }

    /// The same graph with another node, which calls `function` and writes what it returns. See
    /// [`NodeFunction`] for the shapes that it may have.
    pub fn node<Shape>(self, name: &str, function: impl NodeFunction<Shape>) -> Self {
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
        self,
        from: &str,
        choice: impl Fn(&S) -> NodeResult<R> + Send + Sync + 'static,
    ) -> Self {
        self.add_branch(from, choice, Vec::new())
    }

    /// The same, where `choice` says one of `to`: so that they can be drawn, and a mistake is found
    /// when the graph is compiled. What [`Goto::send`] sends may go to other nodes as well.
    pub fn branch_to<R: Into<Gotos>>(
        self,
        from: &str,
        choice: impl Fn(&S) -> NodeResult<R> + Send + Sync + 'static,
        to: &[&str],
    ) -> Self {
        let to = to.iter().map(|name| (Arc::from(*name), Arc::from(*name))).collect();
        self.add_branch(from, choice, to)
    }

    /// The same, where `choice` says one of the labels in `to`, each of which stands for a node
    /// (upstream's `path_map`). Drawings show the labels.
    pub fn branch_labelled<R: Into<Gotos>>(
        self,
        from: &str,
        choice: impl Fn(&S) -> NodeResult<R> + Send + Sync + 'static,
        to: &[(&str, &str)],
    ) -> Self {
        let to = to.iter().map(|(label, name)| (Arc::from(*label), Arc::from(*name))).collect();
        self.add_branch(from, choice, to)
    }

    fn add_branch<R: Into<Gotos>>(
        mut self,
        from: &str,
        choice: impl Fn(&S) -> NodeResult<R> + Send + Sync + 'static,
        to: Vec<(Arc<str>, Arc<str>)>,
    ) -> Self {
        let (from, labels) = (Arc::<str>::from(from), to.clone());
        let node = from.clone();
        let choice = Box::new(move |input: &TaskInput| {
            let chosen: Gotos = choice(&*crate::state::Lent::<S>::read(input)?)?.into();
            match labels.is_empty() {
                true => Ok(chosen),
                false => chosen.by_labels(&labels, &node).map_err(NodeError::from),
            }
        });
        self.edges.push(Edge::Branch { from, choice, to });
        self
    }

    /// The graph, ready to run.
    ///
    /// # Errors
    ///
    /// [`Error::Build`] if edges lead nowhere, names are given twice or are reserved, or nothing
    /// begins.
    pub fn compile(self) -> Result<Graph<S>, Error> {
        let (fields, nodes, edges) = (self.fields, self.nodes, self.edges);
        let version = compile::StateVersion {
            number: S::VERSION,
            migrate: S::migrate,
            fields_of: S::fields_of,
        };
        let core = compile::compile(fields, nodes, edges, version)?;
        let (core, clock) = (Arc::new(core), Clock::default());
        let any = AnyGraph { core, saver: None, cache: None, store: None, clock };
        Ok(Graph { any, state: PhantomData })
    }
}

impl<S: State> Default for StateGraph<S> {
    fn default() -> Self {
        Self::new()
    }
}

/// A graph ready to run. Copies share it.
pub struct Graph<S = Dynamic> {
    pub(crate) any: AnyGraph,
    state: PhantomData<fn() -> S>,
}

/// A graph ready to run, whatever its state is.
#[derive(Clone)]
pub struct AnyGraph {
    pub(crate) core: Arc<Core>,
    pub(crate) saver: Option<Arc<dyn Saver>>,
    pub(crate) cache: Option<Arc<dyn Cache>>,
    pub(crate) store: Option<Arc<dyn Store>>,
    pub(crate) clock: Clock,
}

/// The engine's plan, and what the nodes do.
pub(crate) struct Core {
    pub(crate) plan: Arc<Plan<Native>>,
    pub(crate) programs: Vec<Program>,
    /// The state's fields: the first channels of the plan.
    pub(crate) layout: Arc<Layout>,
    pub(crate) start: ChannelIndex,
    /// For each node, the channel that starts it.
    pub(crate) entries: Vec<ChannelIndex>,
    pub(crate) version: compile::StateVersion,
}

/// What a node does, and what becomes of it.
pub(crate) struct Program {
    pub(crate) body: ProgramBody,
    pub(crate) exits: Vec<Exit>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) timeout: Option<std::time::Duration>,
    pub(crate) cache: Option<Caching>,
    /// Where its branches and commands may lead.
    pub(crate) declared: Vec<Declared>,
}

/// Where a branch or a command may lead.
pub(crate) struct Declared {
    /// What a branch calls it.
    pub(crate) label: Option<Arc<str>>,
    /// The channel that starts the node; `None` for the end.
    pub(crate) to: Option<ChannelIndex>,
}

/// How what a node wrote is kept in a cache.
pub(crate) struct Caching {
    pub(crate) policy: CachePolicy,
    pub(crate) namespace: CacheNamespace,
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

impl<S> Graph<S> {
    /// The same graph, keeping its threads in `saver`.
    pub fn with_saver(mut self, saver: impl Saver) -> Self {
        self.any.saver = Some(Arc::new(saver));
        self
    }

    /// The same, with a saver that others have, too.
    pub fn with_shared_saver(mut self, saver: Arc<dyn Saver>) -> Self {
        self.any.saver = Some(saver);
        self
    }

    /// The same graph, keeping what nodes wrote in `cache`, of those that say so by [`Node::cache`].
    /// Graphs that are nodes keep theirs there as well, unless they have one of their own.
    pub fn with_cache(self, cache: impl Cache) -> Self {
        self.with_shared_cache(Arc::new(cache))
    }

    /// The same, with a cache that others have, too.
    pub fn with_shared_cache(mut self, cache: Arc<dyn Cache>) -> Self {
        self.any.cache = Some(cache);
        self
    }

    /// The same graph, whose nodes reach `store` by [`Runtime::store`](crate::Runtime::store). So do
    /// those of graphs that are nodes, unless these have one of their own.
    pub fn with_store(self, store: impl Store) -> Self {
        self.with_shared_store(Arc::new(store))
    }

    /// The same, with a store that others have, too.
    pub fn with_shared_store(mut self, store: Arc<dyn Store>) -> Self {
        self.any.store = Some(store);
        self
    }

    /// Forgets what the graph's nodes wrote, or those of them that `nodes` names.
    ///
    /// # Errors
    ///
    /// [`Error::NoCache`], [`Error::UnknownNode`], or the cache failed.
    pub async fn clear_cache(&self, nodes: Option<&[&str]>) -> Result<(), Error> {
        let cache = self.any.cache.clone().ok_or(Error::NoCache)?;
        let core = &self.any.core;
        let chosen = match nodes {
            None => core.programs.iter().collect::<Vec<_>>(),
            Some(names) => {
                let program = |name: &&str| Ok(&core.programs[core.node(name)?.get()]);
                names.iter().map(program).collect::<Result<_, Error>>()?
            }
        };
        let cached = chosen.into_iter().filter_map(|program| program.cache.as_ref());
        let namespaces: Vec<_> = cached.map(|caching| caching.namespace.clone()).collect();
        cache.clear(Some(&namespaces)).await
    }

    /// The same graph, with another source of ids and times.
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.any.clock = clock;
        self
    }

    /// What the engine knows of the graph.
    pub fn plan(&self) -> &Arc<Plan<Native>> {
        &self.any.core.plan
    }

    /// The saver, if the graph has one.
    pub fn saver(&self) -> Option<&Arc<dyn Saver>> {
        self.any.saver.as_ref()
    }
}

impl<S> Clone for Graph<S> {
    fn clone(&self) -> Self {
        Self { any: self.any.clone(), state: PhantomData }
    }
}

impl<S> From<Graph<S>> for AnyGraph {
    fn from(graph: Graph<S>) -> Self {
        graph.any
    }
}

impl<S> From<&Graph<S>> for AnyGraph {
    fn from(graph: &Graph<S>) -> Self {
        graph.any.clone()
    }
}

impl Core {
    pub(crate) fn node(&self, name: &str) -> Result<NodeIndex, Error> {
        let found = self.plan.node_named(name).filter(|_| name != START);
        found.ok_or_else(|| self.unknown_node(name))
    }

    pub(crate) fn unknown_node(&self, name: &str) -> Error {
        let nodes = self.plan.nodes().iter().filter(|node| !node.hidden);
        Error::UnknownNode {
            name: name.into(),
            known: nodes.map(|node| node.name.clone()).collect(),
        }
    }

    /// The write that an update makes to one field.
    pub(crate) fn field_write(
        &self,
        name: &str,
        value: Value,
    ) -> Result<(ChannelIndex, Value), Error> {
        let found = self.layout.position(name);
        let position = found.ok_or_else(|| self.layout.unknown(name))?;
        Ok((ChannelIndex::new(position), self.layout.spec(position).read(value)?))
    }
}

impl<S> std::fmt::Debug for Graph<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.any.fmt(f)
    }
}

impl std::fmt::Debug for AnyGraph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.core.plan.nodes().iter().map(|node| &*node.name).collect();
        f.debug_struct("Graph").field("nodes", &names).finish_non_exhaustive()
    }
}
