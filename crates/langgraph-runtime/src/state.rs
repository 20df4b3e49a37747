use std::cell::{Cell, RefCell};

use langgraph_channels::Channel;
use langgraph_core::ChannelIndex;
use langgraph_pregel as pregel;

use crate::{Error, Graph, Map, Native, Value};

/// What a node sees: the state at the start of the superstep, or the value it was sent.
pub struct State<'r> {
    pub(crate) graph: &'r Graph,
    pub(crate) source: Source<'r>,
    pub(crate) dialogue: Option<&'r Dialogue<'r>>,
    pub(crate) failure: Option<Failed<'r>>,
}

/// Where a node's input comes from.
pub(crate) enum Source<'r> {
    /// The channels, with some of them as they are after the node's own writes.
    Channels { state: &'r pregel::State<Native>, fresh: Vec<(ChannelIndex, Value)> },
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

    /// Asks whoever runs the graph. Returns the answer if there is one; otherwise an error that,
    /// passed on with `?`, pauses the run. A resumed node runs from its beginning, and its
    /// questions get the same answers in the same order.
    pub fn interrupt(&self, question: impl Into<Value>) -> Result<Value, Error> {
        let unanswered = || Error::Interrupt(question.into());
        self.dialogue.and_then(Dialogue::next).ok_or_else(unanswered)
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

/// A task's questions and the answers it has got.
pub(crate) struct Dialogue<'r> {
    answers: RefCell<Vec<Value>>,
    asked: Cell<usize>,
    /// The run's single answer, which the first open question takes.
    single: &'r RefCell<Option<Value>>,
}

impl<'r> Dialogue<'r> {
    pub(crate) fn new(answers: Vec<Value>, single: &'r RefCell<Option<Value>>) -> Self {
        Self { answers: RefCell::new(answers), asked: Cell::new(0), single }
    }

    fn next(&self) -> Option<Value> {
        let position = self.asked.replace(self.asked.get() + 1);
        let mut answers = self.answers.borrow_mut();
        if answers.len() <= position {
            answers.push(self.single.borrow_mut().take()?);
        }
        Some(answers[position].clone())
    }

    /// How many questions were answered, and all the answers.
    pub(crate) fn close(self) -> Vec<Value> {
        self.answers.into_inner()
    }
}
