//! What is wrong with a described graph, found before anything is made of it: each error names what it
//! is about, and what to do.

use std::collections::BTreeSet;
use std::sync::Arc;

use langgraph_rust_core::names;

use super::Edge;
use crate::{Error, FieldSpec, Node, END, START};

/// Names that mean something to what is stored, or to who updates a thread.
const RESERVED: [&str; 11] = [
    START,
    END,
    names::INPUT,
    names::INTERRUPT,
    names::RESUME,
    names::ERROR,
    names::ERROR_SOURCE_NODE,
    names::NO_WRITES,
    names::SNAPSHOT_BUMPS,
    names::TASKS,
    crate::COPY,
];

/// Checks the fields, the nodes and the edges of a graph.
pub(super) fn check(fields: &[FieldSpec], nodes: &[Node], edges: &[Edge]) -> Result<(), Error> {
    check_fields(fields)?;
    check_nodes(nodes)?;
    let known = Known(nodes.iter().map(|node| node.name.clone()).collect());
    for node in nodes {
        for to in &node.destinations {
            known.is_target(to, || format!("as a destination of the node '{}'", node.name))?;
        }
    }
    for edge in edges {
        check_edge(&known, edge)?;
    }
    let begins = |edge: &Edge| match edge {
        Edge::One { from, .. } | Edge::Branch { from, .. } => **from == *START,
        Edge::Join { .. } => false,
    };
    match edges.iter().any(begins) {
        true => Ok(()),
        false => refuse(
            "Graph must have an entrypoint: add at least one edge from START to another node"
                .into(),
        ),
    }
}

fn refuse(text: String) -> Result<(), Error> {
    Err(Error::Build(text))
}

fn check_fields(fields: &[FieldSpec]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for FieldSpec { name, .. } in fields {
        if !seen.insert(name) {
            return refuse(format!(
                "the field '{name}' is there twice: leave one out, or give it another name"
            ));
        }
        if RESERVED.contains(&&**name) {
            return refuse(format!("the field '{name}' has a reserved name: give it another"));
        }
        if let Some(prefix) = ["branch:to:", "join:"].iter().find(|it| name.starts_with(**it)) {
            return refuse(format!(
                "the field '{name}' begins with '{prefix}', as what starts nodes does: give it \
                 another name"
            ));
        }
    }
    Ok(())
}

fn check_nodes(nodes: &[Node]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for Node { name, .. } in nodes {
        if RESERVED.contains(&&**name) {
            return refuse(format!("the node '{name}' has a reserved name: give it another"));
        }
        if name.is_empty() {
            return refuse("a node has the empty name: give it another".into());
        }
        let separator = [names::NS_SEP, names::NS_END].into_iter().find(|it| name.contains(*it));
        if let Some(separator) = separator {
            return refuse(format!(
                "the node '{name}' has a '{separator}' in its name, by which the names of graphs \
                 within graphs are joined: use another sign"
            ));
        }
        if !seen.insert(name) {
            return refuse(format!(
                "Node `{name}` already present: give one of the two another name"
            ));
        }
    }
    Ok(())
}

fn check_edge(known: &Known, edge: &Edge) -> Result<(), Error> {
    match edge {
        Edge::One { from, to } => {
            known.is_source(from, || format!("an edge to '{to}'"))?;
            known.is_target(to, || format!("in an edge from '{from}'"))
        }
        Edge::Join { from, to } => {
            if from.is_empty() {
                return refuse(format!(
                    "the join before '{to}' waits for no node: name those that it is to wait for"
                ));
            }
            for name in from {
                if **name == *START {
                    return refuse(format!(
                        "the join before '{to}' waits for START, which is no node: use \
                         `edge(START, \"{to}\")`"
                    ));
                }
                known.is_source(name, || format!("the join before '{to}'"))?;
            }
            known.is_target(to, || format!("in a join after '{}'", from.join("', '")))
        }
        Edge::Branch { from, to, .. } => {
            known.is_source(from, || "a branch".into())?;
            for (_, to) in to {
                known.is_target(to, || format!("in a branch after '{from}'"))?;
            }
            Ok(())
        }
    }
}

/// The names of the graph's nodes.
struct Known(Vec<Arc<str>>);

impl Known {
    /// Whether something may begin at a node.
    fn is_source(&self, name: &Arc<str>, what: impl Fn() -> String) -> Result<(), Error> {
        if **name == *END {
            return refuse(format!("{} begins at END, after which there is nothing", what()));
        }
        if **name == *START || self.0.contains(name) {
            return Ok(());
        }
        let what = what();
        refuse(format!(
            "Found edge starting at unknown node '{name}': {what} begins there; {}",
            self.nodes(name)
        ))
    }

    /// Whether something may lead to a node.
    fn is_target(&self, name: &Arc<str>, place: impl Fn() -> String) -> Result<(), Error> {
        if **name == *START {
            return refuse(format!(
                "START is a target {}, but nothing leads there: name a node",
                place()
            ));
        }
        if **name == *END || self.0.contains(name) {
            return Ok(());
        }
        let place = place();
        refuse(format!("Found edge ending at unknown node `{name}`, {place}; {}", self.nodes(name)))
    }

    fn nodes(&self, name: &str) -> String {
        format!("add a node '{name}', or name one of: {}", self.0.join(", "))
    }
}
