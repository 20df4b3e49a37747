use std::sync::Arc;

use langgraph_rust_checkpoint::wire::{Record, StoredValue};
use langgraph_rust_core::names;
use langgraph_rust_pregel::Emits;
use serde::Serialize;

use crate::{Dynamic, Error, Map, State, TaskInput, Update, Value};

/// Something that a run shows, and where it happened. As JSON it has the entries of its event, of which
/// `type` is the name, and `namespace`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chunk {
    /// The graph's namespace; empty at the root.
    pub namespace: Arc<str>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

impl Chunk {
    /// The nodes that are the graphs around, from the outermost; none at the root.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        let parts = self.namespace.split(names::NS_SEP).filter(|part| !part.is_empty());
        parts.filter_map(|part| part.split(names::NS_END).next())
    }
}

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// Tasks of a superstep start.
    Started {
        /// The names of their nodes.
        nodes: Vec<Arc<str>>,
    },
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
    /// The state changed.
    Values {
        /// What it is now.
        values: Map,
    },
    /// The run stops at a node where it was told to.
    Stopped,
    /// What a node said while it ran, by [`Runtime::write`](crate::Runtime::write).
    Custom {
        /// The node.
        node: Arc<str>,
        /// What it said.
        value: Value,
    },
    /// A superstep begins from this checkpoint.
    Checkpoint {
        /// Its id.
        id: Arc<str>,
        /// -1 for the input, 0 for the first superstep, and so on.
        step: i64,
        /// The state.
        values: Map,
        /// The nodes that run next.
        next: Vec<Arc<str>>,
    },
}

/// A kind of events that a stream may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// The state after each superstep: [`Event::Values`].
    Values,
    /// What each node wrote: [`Event::Update`], [`Event::Interrupted`], [`Event::Stopped`].
    Updates,
    /// What nodes say by [`Runtime::write`](crate::Runtime::write): [`Event::Custom`].
    Custom,
    /// That nodes start: [`Event::Started`].
    Tasks,
    /// The checkpoint that each superstep begins from: [`Event::Checkpoint`].
    Checkpoints,
}

/// The kinds of events that a stream has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    pub(crate) values: bool,
    pub(crate) updates: bool,
    pub(crate) custom: bool,
    pub(crate) tasks: bool,
    pub(crate) checkpoints: bool,
    pub(crate) subgraphs: bool,
}

impl Modes {
    /// All kinds.
    pub fn all() -> Self {
        [Mode::Values, Mode::Updates, Mode::Custom, Mode::Tasks, Mode::Checkpoints].into()
    }

    /// The same kinds, from graphs inside the graph as well.
    pub fn with_subgraphs(mut self) -> Self {
        self.subgraphs = true;
        self
    }

    fn with(mut self, mode: Mode) -> Self {
        match mode {
            Mode::Values => self.values = true,
            Mode::Updates => self.updates = true,
            Mode::Custom => self.custom = true,
            Mode::Tasks => self.tasks = true,
            Mode::Checkpoints => self.checkpoints = true,
        }
        self
    }

    pub(crate) fn emits(self) -> Emits {
        Emits {
            values: self.values,
            updates: self.updates,
            tasks: self.tasks,
            checkpoints: self.checkpoints,
        }
    }
}

impl From<Mode> for Modes {
    fn from(mode: Mode) -> Self {
        Modes::default().with(mode)
    }
}

impl<const N: usize> From<[Mode; N]> for Modes {
    fn from(modes: [Mode; N]) -> Self {
        modes.into_iter().fold(Modes::default(), Modes::with)
    }
}

/// What a node stopped with, to go on once it is resumed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Interrupt {
    /// What a resume value is addressed by.
    pub id: Arc<str>,
    /// What the node told whoever runs the graph.
    pub value: Value,
}

impl Interrupt {
    /// Interrupts at rest, as Python keeps them.
    pub(crate) fn pack(interrupts: &[Interrupt]) -> Result<Value, Error> {
        let one = |interrupt: &Interrupt| {
            let text = |text: &str| StoredValue::Text(text.to_owned());
            let fields = StoredValue::Map(vec![
                (text("value"), StoredValue::try_from(&interrupt.value)?),
                (text("id"), text(&interrupt.id)),
                (text("response_schema"), StoredValue::Nil),
            ]);
            let record = Record::named(2, "langgraph.types", "Interrupt", fields);
            Ok(Value::Stored(Arc::new(StoredValue::Record(Box::new(record)))))
        };
        Ok(Value::List(Arc::new(interrupts.iter().map(one).collect::<Result<_, Error>>()?)))
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
pub struct Output<S = Map> {
    /// The state.
    pub state: S,
    /// How the run ended.
    pub status: Status,
}

/// How a run ended that did not fail.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// Nothing was left to do.
    Done,
    /// Nodes wait to be resumed, or, without any interrupt, the run stopped where it was told to.
    Interrupted(Vec<Interrupt>),
    /// It was asked to stop, and can be resumed.
    Drained,
}

impl<S> Output<S> {
    /// Whether nothing was left to do.
    pub fn is_done(&self) -> bool {
        matches!(self.status, Status::Done)
    }

    /// The interrupts that the run waits with.
    pub fn interrupts(&self) -> &[Interrupt] {
        match &self.status {
            Status::Interrupted(interrupts) => interrupts,
            Status::Done | Status::Drained => &[],
        }
    }
}

impl Output<Map> {
    /// A field's value; [`Value::Null`] if it has none.
    pub fn get(&self, field: &str) -> Value {
        self.state.get(field).cloned().unwrap_or_default()
    }

    /// The same, with the state as a type.
    pub(crate) fn typed<S: State>(self) -> Result<Output<S>, Error> {
        let state = S::of(&TaskInput::sent(self.state.into()))?;
        Ok(Output { state, status: self.status })
    }
}

impl Output<Dynamic> {
    /// A field's value; [`Value::Null`] if it has none.
    pub fn get(&self, field: &str) -> Value {
        self.state.get(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saver::wire::{decode, encode};

    #[test]
    fn interrupts_are_stored_as_pythons_and_come_back() {
        let id = "7a2779c04d6cd47c207710dd6de4f2d0";
        let interrupt = Interrupt { id: id.into(), value: Value::from([("q", "?".into())]) };
        let python =
            b"\x91\xc7]\x02\x93\xaflanggraph.types\xa9Interrupt\x83\xa5value\x81\xa1q\xa1?\
            \xa2id\xd9 7a2779c04d6cd47c207710dd6de4f2d0\xafresponse_schema\xc0";
        let packed = Interrupt::pack(std::slice::from_ref(&interrupt)).unwrap();
        assert_eq!(encode(&packed).unwrap().bytes, python);
        assert_eq!(Interrupt::unpack(&decode("msgpack", python).unwrap()), [interrupt]);
    }
}
