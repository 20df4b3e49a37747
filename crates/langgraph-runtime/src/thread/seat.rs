//! Which graph's part of a thread a config is for.

use std::sync::Arc;

use langgraph_rust_core::names;

use crate::graph::{Body, ProgramBody};
use crate::saver::{Place, Saver};
use crate::{AnyGraph, Config, Error, Persistence};

/// A graph, and where it keeps a thread.
#[derive(Clone)]
pub(super) struct Seat {
    pub(super) graph: AnyGraph,
    pub(super) saver: Arc<dyn Saver>,
    pub(super) place: Place,
}

impl Seat {
    /// The graph that `config` is for. A namespace that belongs to no node which is a graph, such as
    /// that of a graph which a node calls, is read as if it were the graph's own.
    pub(super) fn of(graph: &AnyGraph, config: &Config) -> Result<Self, Error> {
        let root = Self::root(graph, config)?;
        Ok(root.inner().unwrap_or(root))
    }

    /// The same, for writing, where another graph's fields would do harm.
    pub(super) fn for_update(graph: &AnyGraph, config: &Config) -> Result<Self, Error> {
        let root = Self::root(graph, config)?;
        let missing = || {
            let text = format!(
                "no graph is a node at '{}': its state cannot be updated from here, \
                 only by the graph itself",
                config.namespace
            );
            Error::message(text)
        };
        root.inner().ok_or_else(missing)
    }

    fn root(graph: &AnyGraph, config: &Config) -> Result<Self, Error> {
        let saver = graph.saver.clone().ok_or(Error::NoSaver)?;
        let place = Place { thread: config.thread.clone(), namespace: config.namespace.clone() };
        Ok(Self { graph: graph.clone(), saver, place })
    }

    /// The graph that the namespace belongs to.
    fn inner(&self) -> Option<Self> {
        let mut seat = self.clone();
        let mut kept = Persistence::PerCall;
        let names = node_names(&self.place.namespace);
        for name in &names {
            let (graph, persistence) = graph_of(&seat.graph, name)?;
            if let Some(own) = &graph.saver {
                seat.saver = own.clone();
            }
            (seat.graph, kept) = (graph, persistence);
        }
        if kept == Persistence::PerThread {
            seat.place.namespace = names.join(names::NS_SEP).into();
        }
        Some(seat)
    }

    /// A graph that is a node of this one and keeps the thread in `namespace`.
    pub(super) fn below(&self, graph: &AnyGraph, namespace: String) -> Self {
        Self {
            graph: graph.clone(),
            saver: graph.saver.clone().unwrap_or_else(|| self.saver.clone()),
            place: Place { thread: self.place.thread.clone(), namespace: namespace.into() },
        }
    }
}

/// The nodes that a namespace names, from the outermost; ids of tasks and counts of calls left out.
fn node_names(namespace: &str) -> Vec<&str> {
    let parts = namespace.split(names::NS_SEP).filter(|part| !part.is_empty());
    let is_count = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    parts
        .filter(|part| !is_count(part))
        .map(|part| part.split(names::NS_END).next().unwrap_or(part))
        .collect()
}

/// The graph that is a node.
pub(super) fn graph_of(graph: &AnyGraph, node: &str) -> Option<(AnyGraph, Persistence)> {
    let index = graph.core.plan.node_named(node)?;
    match &graph.core.programs[index.get()].body {
        ProgramBody::Node(Body::Graph(inner, persistence)) => Some((inner.clone(), *persistence)),
        _ => None,
    }
}
