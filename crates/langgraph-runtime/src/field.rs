use std::sync::Arc;

use langgraph_rust_channels::{
    Aggregate, AnyValue, Channel, Delta, Ephemeral, LastValue, Topic, Untracked,
};

use crate::{Error, Native, Value};

/// What a field of the state does with the writes of a superstep.
#[derive(Clone, Debug)]
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

    pub(crate) fn pattern(self) -> Channel<Native> {
        match self {
            Field::Last => Channel::LastValue(LastValue::new(None)),
            Field::Any => Channel::AnyValue(AnyValue::new(None)),
            Field::Reduce(reducer) => Channel::Aggregate(Aggregate::new((), Arc::new(reducer))),
            Field::Delta(reducer, frequency) => {
                Channel::Delta(Delta::new((), Arc::new(reducer), frequency))
            }
            Field::Topic => Channel::Topic(Topic::new(Vec::new(), false)),
            Field::Log => Channel::Topic(Topic::new(Vec::new(), true)),
            Field::Ephemeral => Channel::Ephemeral(Ephemeral::new(None, true)),
            Field::Untracked => Channel::Untracked(Untracked::new(None, true)),
        }
    }
}

type Fold = dyn Fn(Value, Value) -> Result<Value, Error> + Send + Sync;

/// Folds a write into the value of a field.
#[derive(Clone)]
pub struct Reducer {
    initial: Option<Value>,
    fold: Arc<Fold>,
}

impl Reducer {
    /// A reducer for a field that starts from its first write.
    pub fn new(
        fold: impl Fn(Value, Value) -> Result<Value, Error> + Send + Sync + 'static,
    ) -> Self {
        Self { initial: None, fold: Arc::new(fold) }
    }

    /// The same reducer for a field that starts from `value`.
    pub fn starting_from(self, value: impl Into<Value>) -> Self {
        Self { initial: Some(value.into()), ..self }
    }

    /// Adds numbers, from 0.
    pub fn sum() -> Self {
        Self::new(|left, right| match (&left, &right) {
            (Value::Int(a), Value::Int(b)) => Ok(Value::Int(a + b)),
            _ => Ok(Value::Float(left.float()? + right.float()?)),
        })
        .starting_from(0)
    }

    /// Appends a list's items, or a value by itself, to a list.
    pub fn append() -> Self {
        Self::new(|left, right| {
            let mut list = match left {
                Value::List(items) => items,
                other => return Err(Error::message(format!("{other} is no list"))),
            };
            let items = Arc::make_mut(&mut list);
            match right {
                Value::List(more) => items.extend(more.iter().cloned()),
                value => items.push(value),
            }
            Ok(Value::List(list))
        })
        .starting_from(Value::List(Arc::new(Vec::new())))
    }

    pub(crate) fn initial(&self) -> Option<&Value> {
        self.initial.as_ref()
    }

    pub(crate) fn fold(&self, left: Value, write: Value) -> Result<Value, Error> {
        (self.fold)(left, write)
    }
}

impl std::fmt::Debug for Reducer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reducer").field("initial", &self.initial).finish_non_exhaustive()
    }
}
