use std::sync::Arc;

use super::{FieldSpec, Input, State, TaskInput};
use crate::{Error, Update, Value};

/// A state whose fields the graph names, of values of any kind.
#[derive(Clone)]
pub struct Dynamic(TaskInput);

impl Dynamic {
    /// A field's value; [`Value::Null`] while it has none.
    pub fn get(&self, field: &str) -> Value {
        self.0.get(field)
    }

    /// All that the node was given: what was sent, or the fields that have a value, as a map.
    pub fn value(&self) -> Value {
        self.0.value()
    }
}

impl Input for Dynamic {
    fn read(from: &TaskInput) -> Result<Arc<Self>, Error> {
        Ok(Arc::new(Self(from.clone())))
    }

    fn made(from: &TaskInput) -> Option<Self> {
        Some(Self(from.clone()))
    }
}

impl State for Dynamic {
    type Update = Update;

    fn fields() -> Vec<FieldSpec> {
        Vec::new()
    }

    fn into_update(self) -> Update {
        match self.value() {
            Value::Map(map) => (*map).clone().into(),
            _ => Update::new(),
        }
    }

    /// Any version of a state is values by name.
    fn migrate(_version: u32, _stored: &TaskInput) -> Result<Update, Error> {
        Ok(Update::new())
    }
}

impl std::fmt::Debug for Dynamic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dynamic({})", self.value())
    }
}
