use std::sync::Arc;

use langgraph_rust_channels::{
    Aggregate, AnyValue, Channel, Delta, Ephemeral, LastValue, Topic, Untracked,
};

use crate::{Error, FieldValue, Native, Reducer, Value};

/// What a field of the state does with the writes of a superstep.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Field {
    /// Keeps the last value; takes one write per superstep.
    Last,
    /// Keeps one of several equal writes; empty after a superstep without one.
    Any,
    /// Folds writes into its value.
    Reduce(Reducer),
    /// The same, but stores what is written to it, and its value only after so many supersteps that
    /// wrote to it: for values that grow. Folding writes one after another must give the same as
    /// folding any of them first.
    Delta(Reducer, u64),
    /// The writes of the last superstep, as a list.
    Topic,
    /// The writes of all supersteps, as a list.
    Log,
    /// Holds a value for one superstep.
    Ephemeral,
    /// Keeps the last value during a run and is never stored.
    Untracked,
}

impl Field {
    /// A field that adds up numbers.
    pub fn sum() -> Self {
        Field::Reduce(Reducer::sum())
    }

    /// A list that grows by what is written: a list's items, or a value by itself.
    pub fn append() -> Self {
        Field::Reduce(Reducer::append())
    }

    fn reducer(&self) -> Option<&Reducer> {
        match self {
            Field::Reduce(reducer) | Field::Delta(reducer, _) => Some(reducer),
            _ => None,
        }
    }

    /// The channel of a field called `name`.
    pub(crate) fn pattern(&self, name: &Arc<str>) -> Channel<Native> {
        match self.clone() {
            Field::Last => Channel::LastValue(LastValue::new(None)),
            Field::Any => Channel::AnyValue(AnyValue::new(None)),
            Field::Reduce(reducer) => {
                Channel::Aggregate(Aggregate::new((), Arc::new(reducer.of(name))))
            }
            Field::Delta(reducer, frequency) => {
                Channel::Delta(Delta::new((), Arc::new(reducer.of(name)), frequency))
            }
            Field::Topic => Channel::Topic(Topic::new(Vec::new(), false)),
            Field::Log => Channel::Topic(Topic::new(Vec::new(), true)),
            Field::Ephemeral => Channel::Ephemeral(Ephemeral::new(None, true)),
            Field::Untracked => Channel::Untracked(Untracked::new(None, true)),
        }
    }
}

/// A field of a state: its name, what it does with writes, and what it holds.
#[derive(Clone, Debug)]
pub struct FieldSpec {
    pub(crate) name: Arc<str>,
    pub(crate) field: Field,
    pub(crate) holds: Option<Holds>,
}

/// The type of a field's values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holds {
    /// Whether a value is held as the type.
    is: fn(&Value) -> bool,
    /// Makes a value of the type of any that describes one.
    read: fn(Value) -> Result<Value, Error>,
}

impl FieldSpec {
    /// A field that holds any value.
    pub fn any(name: &str, field: Field) -> Self {
        Self { name: name.into(), field, holds: None }
    }

    /// A field that holds values of a type.
    pub fn of<T: FieldValue>(name: &str, field: Field) -> Self {
        let by_type = |value: Value| value.into_typed::<T>().map(Value::typed);
        let holds = Holds {
            is: |value| value.as_typed::<T>().is_some(),
            read: field.reducer().and_then(Reducer::reader).unwrap_or(by_type),
        };
        Self { name: name.into(), field, holds: Some(holds) }
    }

    pub(crate) fn reducer(&self) -> Option<&Reducer> {
        self.field.reducer()
    }

    /// The value as the field holds it.
    pub(crate) fn read(&self, value: Value) -> Result<Value, Error> {
        let Some(holds) = &self.holds else { return Ok(value) };
        let read = match value {
            Value::Overwrite(inner) if (holds.is)(&inner) => Ok(Value::Overwrite(inner)),
            Value::Overwrite(inner) => {
                (holds.read)(Arc::unwrap_or_clone(inner)).map(Value::overwrite)
            }
            value if (holds.is)(&value) => Ok(value),
            other => (holds.read)(other),
        };
        read.map_err(|error| error.in_field(&self.name))
    }
}
