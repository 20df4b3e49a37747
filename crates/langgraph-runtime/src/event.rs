use std::sync::Arc;

use langgraph_rust_core::{ChannelIndex, Target, Write};

use crate::{Error, Graph, Map, Native, Update, Value};

/// Something that a run shows, and where it happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// The graph's namespace; empty at the root.
    pub namespace: Arc<str>,
    /// What happened.
    pub event: Event,
}

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Tasks of a superstep start; the names of their nodes.
    Started(Vec<Arc<str>>),
    /// A node finished, having written this to the state.
    Update {
        /// The node.
        node: Arc<str>,
        /// What it wrote.
        update: Update,
        /// Whether it ran earlier, and its stored writes are used.
        cached: bool,
    },
    /// A node is interrupted.
    Interrupted {
        /// The node.
        node: Arc<str>,
        /// Its interrupts: more than one if the node is a graph.
        interrupts: Vec<Interrupt>,
    },
    /// The state changed to this.
    Values(Map),
    /// The run stops at a node where it was told to.
    Stopped,
}

/// What a node stopped with, to go on once it is resumed.
#[derive(Clone, Debug, PartialEq)]
pub struct Interrupt {
    /// What a resume value is addressed by.
    pub id: Arc<str>,
    /// What the node told whoever runs the graph.
    pub value: Value,
}

impl Interrupt {
    /// Interrupts at rest: a list of maps.
    pub(crate) fn pack(interrupts: &[Interrupt]) -> Value {
        Value::list(interrupts.iter().map(|interrupt| {
            Value::from([
                ("id", Value::Text(interrupt.id.clone())),
                ("value", interrupt.value.clone()),
            ])
        }))
    }

    pub(crate) fn unpack(value: &Value) -> Vec<Interrupt> {
        let of = |item: &Value| Interrupt {
            id: item.get("id").text().unwrap_or_default().into(),
            value: item.get("value"),
        };
        value.items().unwrap_or_default().iter().map(of).collect()
    }
}

/// How a run ended, and with what.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The state.
    pub values: Map,
    /// How the run ended.
    pub status: Status,
}

/// How a run ended that did not fail.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// Nothing was left to do.
    Done,
    /// Nodes wait to be resumed, or, without any interrupt, the run stopped where it was told to.
    Interrupted(Vec<Interrupt>),
    /// It was asked to stop, and can be resumed.
    Drained,
}

impl Output {
    /// A field's value; [`Value::Null`] if it has none.
    pub fn get(&self, field: &str) -> Value {
        self.values.get(field).cloned().unwrap_or_default()
    }

    /// The interrupts that the run waits with.
    pub fn interrupts(&self) -> &[Interrupt] {
        match &self.status {
            Status::Interrupted(interrupts) => interrupts,
            Status::Done | Status::Drained => &[],
        }
    }
}

/// The part of `writes` that went to the state.
pub(crate) fn state_update(graph: &Graph, writes: &[Write<Native>]) -> Update {
    let name_of = |index: ChannelIndex| {
        let mut fields = graph.fields();
        fields.find(|(_, field)| *field == index).map(|(name, _)| name.clone())
    };
    let to_field = |write: &Write<Native>| match write.target {
        Target::Channel(index) => Some((name_of(index)?, write.value.clone())),
        _ => None,
    };
    Update { writes: writes.iter().filter_map(to_field).collect() }
}

impl Update {
    /// What is written, in order.
    pub fn writes(&self) -> &[(Arc<str>, Value)] {
        &self.writes
    }
}

/// The error of a run that did not end in an [`Output`].
pub(crate) fn unexpected(status: &str) -> Error {
    Error::message(format!("the run ended unexpectedly: {status}"))
}
