use std::borrow::Cow;
use std::sync::Arc;

use langgraph_rust_core::{Domain, Fault, ForeignChannel};

use crate::{NodeError, Reducer, Value};

/// The domain of [`Value`]s: nothing is needed to touch them.
#[derive(Clone, Copy, Debug)]
pub struct Native;

impl Domain for Native {
    type Value = Value;
    type Cx<'a> = ();
    type Error = NodeError;
    type Reducer = Reducer;
    type Foreign = NoForeign;

    fn copy((): (), value: &Value) -> Value {
        value.clone()
    }

    fn held((): (), value: &mut Option<Value>) -> Option<Value> {
        value.take()
    }

    fn initial((): (), reducer: &Reducer) -> Option<Value> {
        reducer.initial().cloned()
    }

    fn reduce(
        (): (),
        reducer: &Reducer,
        left: Value,
        writes: Vec<Value>,
    ) -> Result<Value, NodeError> {
        writes.into_iter().try_fold(left, |left, write| reducer.fold(left, write))
    }

    fn overwrite((): (), value: &Value) -> Option<Value> {
        match value {
            Value::Overwrite(inner) => Some((**inner).clone()),
            _ => None,
        }
    }

    fn admit((): (), reducer: &Reducer, value: Value) -> Result<Value, NodeError> {
        reducer.admit(value)
    }

    fn label<'v>((): (), value: &'v Value) -> Option<Cow<'v, str>> {
        value.text().ok().map(Cow::Borrowed)
    }

    fn show((): (), value: &Value) -> String {
        value.to_string()
    }

    fn is_unit((): (), value: &Value) -> bool {
        value.is_null()
    }

    fn unit((): ()) -> Value {
        Value::Null
    }

    fn name((): (), name: &str) -> Value {
        Value::from(name)
    }

    fn list((): (), values: Vec<Value>) -> Value {
        Value::List(Arc::new(values))
    }

    fn items((): (), value: &Value) -> Option<Vec<Value>> {
        match value {
            Value::List(items) => Some(items.to_vec()),
            _ => None,
        }
    }
}

/// Rust graphs have the kinds of channels that the engine knows.
#[derive(Clone, Copy, Debug)]
pub enum NoForeign {}

impl ForeignChannel<Native> for NoForeign {
    fn get(&self, (): ()) -> Result<Option<Value>, NodeError> {
        match *self {}
    }

    fn is_available(&self, (): ()) -> Result<bool, NodeError> {
        match *self {}
    }

    fn update(&mut self, (): (), _values: Vec<Value>) -> Result<bool, Fault<Native>> {
        match *self {}
    }

    fn consume(&mut self, (): ()) -> Result<bool, NodeError> {
        match *self {}
    }

    fn finish(&mut self, (): ()) -> Result<bool, NodeError> {
        match *self {}
    }

    fn checkpoint(&self, (): ()) -> Result<Option<Value>, NodeError> {
        match *self {}
    }

    fn restore(&self, (): (), _stored: Option<Value>) -> Result<Self, NodeError> {
        match *self {}
    }

    fn duplicate(&self, (): ()) -> Result<Self, NodeError> {
        match *self {}
    }
}
