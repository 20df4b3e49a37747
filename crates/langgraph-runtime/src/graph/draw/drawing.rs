//! A graph as it is drawn: nodes and edges by name, those of opened graphs behind the name of their
//! node and a colon.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use langgraph_rust_channels::Channel;

use super::discover::{discover, Found};
use crate::graph::{Body, Core, ProgramBody};
use crate::{AnyGraph, END};

#[derive(Default)]
pub(super) struct Drawing {
    /// By the name they have in the whole.
    pub(super) nodes: IndexMap<String, DrawnNode>,
    pub(super) edges: Vec<DrawnEdge>,
}

#[derive(Clone)]
pub(super) struct DrawnNode {
    /// The name in its own graph.
    pub(super) name: Arc<str>,
    pub(super) is_deferred: bool,
}

#[derive(Clone, PartialEq)]
pub(super) struct DrawnEdge {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) is_choice: bool,
    pub(super) label: Option<Arc<str>>,
}

impl Drawing {
    /// A graph, with so many levels of graphs inside it opened.
    pub(super) fn of(graph: &AnyGraph, levels: usize) -> Self {
        let mut drawing = Self::closed(&graph.core);
        if levels == 0 {
            return drawing;
        }
        for (node, program) in graph.core.plan.nodes().iter().zip(&graph.core.programs) {
            if let ProgramBody::Node(Body::Graph(inner, _)) = &program.body {
                drawing.open(&node.name, Self::of(inner, levels - 1));
            }
        }
        drawing
    }

    fn closed(core: &Core) -> Self {
        let found = discover(core);
        let mut drawing = Self::default();
        for (node, entry) in core.plan.nodes().iter().zip(&core.entries) {
            let pattern = &core.plan.channel(*entry).pattern;
            let is_deferred = matches!(pattern, Channel::LastValueAfterFinish(_));
            let drawn = DrawnNode { name: node.name.clone(), is_deferred };
            drawing.nodes.insert(node.name.to_string(), drawn);
        }
        let sources: BTreeSet<&Arc<str>> = found.edges.iter().map(|(from, ..)| from).collect();
        let targets: BTreeSet<&Arc<str>> = found.edges.iter().map(|(_, to, ..)| to).collect();
        let is_last = |to: &&&Arc<str>| !sources.contains(**to) && ****to != *END;
        let last: Vec<&Arc<str>> = targets.iter().filter(is_last).copied().collect();
        let ends = targets.iter().any(|to| ***to == *END);
        for edge in &found.edges {
            drawing.connect(edge);
        }
        for from in &last {
            drawing.connect(&((*from).clone(), END.into(), false, None));
        }
        if let ([], [only], false) = (&last[..], &found.last[..], ends) {
            drawing.connect(&(only.clone(), END.into(), true, None));
        }
        drawing
    }

    /// Draws an edge, unless there is one between the two.
    fn connect(&mut self, (from, to, is_choice, label): &Found) {
        if self.edges.iter().any(|edge| *edge.from == **from && *edge.to == **to) {
            return;
        }
        if **to == *END && !self.nodes.contains_key(END) {
            let end = DrawnNode { name: END.into(), is_deferred: false };
            self.nodes.insert(END.into(), end);
        }
        self.edges.push(DrawnEdge {
            from: from.to_string(),
            to: to.to_string(),
            is_choice: *is_choice,
            label: label.clone().filter(|label| label != to),
        });
    }

    /// Puts a graph in the place of the node `name`.
    fn open(&mut self, name: &str, mut inner: Drawing) {
        let is_between = inner.first(None).is_some() && inner.last(None).is_some();
        if inner.nodes.len() < 2 || !self.nodes.contains_key(name) || !is_between {
            return;
        }
        inner.trim();
        let (Some(first), Some(last)) = (inner.first(None), inner.last(None)) else { return };
        let prefixed = |id: &str| format!("{name}:{id}");
        let (first, last) = (prefixed(first), prefixed(last));
        self.nodes.shift_remove(name);
        for edge in &mut self.edges {
            if edge.from == name {
                edge.from = last.clone();
            }
            if edge.to == name {
                edge.to = first.clone();
            }
        }
        self.nodes.extend(inner.nodes.iter().map(|(id, node)| (prefixed(id), node.clone())));
        self.edges.extend(inner.edges.into_iter().map(|edge| DrawnEdge {
            from: prefixed(&edge.from),
            to: prefixed(&edge.to),
            ..edge
        }));
    }

    /// Leaves out the first and the last node, where one node comes after and before them.
    fn trim(&mut self) {
        let first = self.first(None).map(String::from);
        if let Some(first) = first {
            let count = self.edges.iter().filter(|edge| edge.from == first).count();
            if count == 1 && self.first(Some(&first)).is_some() {
                self.remove(&first);
            }
        }
        let last = self.last(None).map(String::from);
        if let Some(last) = last {
            let count = self.edges.iter().filter(|edge| edge.to == last).count();
            if count == 1 && self.last(Some(&last)).is_some() {
                self.remove(&last);
            }
        }
    }

    fn remove(&mut self, id: &str) {
        self.nodes.shift_remove(id);
        self.edges.retain(|edge| edge.from != id && edge.to != id);
    }

    /// The node that nothing leads to, if it is one alone; `without` another.
    pub(super) fn first(&self, without: Option<&str>) -> Option<&str> {
        let edges = self.edges.iter().filter(|edge| Some(&*edge.from) != without);
        self.alone(edges.map(|edge| &*edge.to).collect(), without)
    }

    /// The node that leads nowhere, if it is one alone; `without` another.
    pub(super) fn last(&self, without: Option<&str>) -> Option<&str> {
        let edges = self.edges.iter().filter(|edge| Some(&*edge.to) != without);
        self.alone(edges.map(|edge| &*edge.from).collect(), without)
    }

    fn alone(&self, others: BTreeSet<&str>, without: Option<&str>) -> Option<&str> {
        let own = |id: &&String| Some(&***id) != without && !others.contains(&***id);
        let mut found = self.nodes.keys().filter(own);
        let first = found.next()?;
        found.next().is_none().then_some(&**first)
    }
}
