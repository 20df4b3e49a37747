use std::cell::{Cell, RefCell};

use langgraph_rust_channels::Channel;
use langgraph_rust_core::ChannelIndex;
use langgraph_rust_pregel as pregel;

use crate::{Error, Graph, Map, Native, Value};

/// What a node sees: the state at the start of the superstep, or the value it was sent.
pub struct State<'r> {
    pub(crate) graph: &'r Graph,
    pub(crate) source: Source<'r>,
    pub(crate) scratchpad: Option<&'r Scratchpad<'r>>,
    pub(crate) failure: Option<Failed<'r>>,
}

/// Where a node's input comes from.
pub(crate) enum Source<'r> {
    /// The channels, with some of them as they are after the node's own writes.
    Channels { state: &'r pregel::ThreadState<Native>, fresh: Vec<(ChannelIndex, Value)> },
    /// What was sent.
    Sent(&'r Value),
}

/// The failure that an error handler handles.
#[derive(Clone, Copy, Debug)]
pub struct Failed<'r> {
    /// The node that failed.
    pub node: &'r str,
    /// Its error, as text.
    pub error: &'r Value,
}

impl State<'_> {
    /// A field's value; [`Value::Null`] while it has none.
    pub fn get(&self, field: &str) -> Value {
        match &self.source {
            Source::Sent(value) => value.get(field),
            Source::Channels { state, fresh } => {
                let Some(index) = self.graph.field(field) else { return Value::Null };
                match fresh.iter().find(|(known, _)| *known == index) {
                    Some((_, value)) => value.clone(),
                    None => read(state.channel(index)),
                }
            }
        }
    }

    /// All that the node was given: what was sent, or the fields that have a value, as a map.
    pub fn input(&self) -> Value {
        match &self.source {
            Source::Sent(value) => (*value).clone(),
            Source::Channels { .. } => self.fields().into(),
        }
    }

    /// The fields that have a value.
    fn fields(&self) -> Map {
        let named = self.graph.fields().map(|(name, _)| (name.clone(), self.get(name)));
        named.filter(|(_, value)| !value.is_null()).collect()
    }

    /// Stops the node with `value`, for whoever runs the graph. Returns the resume value if there is one; otherwise an error that,
    /// passed on with `?`, pauses the run. A resumed node runs from its beginning, and its
    /// interrupts get the same resume values in the same order.
    pub fn interrupt(&self, value: impl Into<Value>) -> Result<Value, Error> {
        let open = || Error::Interrupt(value.into());
        self.scratchpad.and_then(Scratchpad::next).ok_or_else(open)
    }

    /// The failure, in a node that handles errors.
    pub fn failure(&self) -> Option<Failed<'_>> {
        self.failure
    }
}

/// What a channel of the native domain reads as: reading cannot fail there.
pub(crate) fn read(channel: &Channel<Native>) -> Value {
    channel.get(()).ok().flatten().unwrap_or_default()
}

/// How far a task is with its interrupts, and the resume values it has got.
pub(crate) struct Scratchpad<'r> {
    values: RefCell<Vec<Value>>,
    passed: Cell<usize>,
    /// The run's resume value without an id, which the first open interrupt takes.
    single: &'r RefCell<Option<Value>>,
}

impl<'r> Scratchpad<'r> {
    pub(crate) fn new(values: Vec<Value>, single: &'r RefCell<Option<Value>>) -> Self {
        Self { values: RefCell::new(values), passed: Cell::new(0), single }
    }

    fn next(&self) -> Option<Value> {
        let position = self.passed.replace(self.passed.get() + 1);
        let mut values = self.values.borrow_mut();
        if values.len() <= position {
            values.push(self.single.borrow_mut().take()?);
        }
        Some(values[position].clone())
    }

    /// All the resume values.
    pub(crate) fn close(self) -> Vec<Value> {
        self.values.into_inner()
    }
}
