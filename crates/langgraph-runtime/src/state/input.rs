//! What a task runs on, and how a node reads it.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use langgraph_rust_core::ChannelIndex;
use langgraph_rust_pregel as pregel;

use crate::graph::Layout;
use crate::{Error, FieldValue, Map, Native, Update, Value};

/// What a task runs on: the state at the start of the superstep, or what it was sent. Copies share
/// it.
#[derive(Clone, Debug)]
pub struct TaskInput(Option<Arc<Content>>);

#[derive(Debug)]
enum Content {
    Fields(Fields),
    Sent(Value),
}

/// The fields of the state, as they were at the start of a superstep.
#[derive(Debug)]
struct Fields {
    layout: Arc<Layout>,
    /// By position; `None` where a field has no value.
    values: Box<[Option<Value>]>,
    /// The state as a type of one's own, once a node has asked for it.
    state: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl TaskInput {
    /// The fields of the state; `fresh` are values that some of them have by now.
    pub(crate) fn of_state(
        layout: &Arc<Layout>,
        state: &pregel::ThreadState<Native>,
        fresh: Vec<(ChannelIndex, Option<Value>)>,
    ) -> Self {
        let read = |index: usize| state.channel(ChannelIndex::new(index)).get(()).ok().flatten();
        let mut values: Box<[_]> = (0..layout.len()).map(read).collect();
        for (index, value) in fresh {
            if let Some(place) = values.get_mut(index.get()) {
                *place = value;
            }
        }
        let fields = Fields { layout: layout.clone(), values, state: OnceLock::new() };
        Self(Some(Arc::new(Content::Fields(fields))))
    }

    pub(crate) fn sent(value: Value) -> Self {
        Self(Some(Arc::new(Content::Sent(value))))
    }

    /// What a node is given that looks at nothing.
    pub(crate) fn nothing() -> Self {
        Self(None)
    }

    fn content(&self) -> &Content {
        static NOTHING: Content = Content::Sent(Value::Null);
        self.0.as_deref().unwrap_or(&NOTHING)
    }

    /// A field's value; [`Value::Null`] while it has none.
    pub fn get(&self, field: &str) -> Value {
        match self.content() {
            Content::Sent(value) => value.get(field),
            Content::Fields(fields) => {
                let found = fields.layout.position(field);
                found.and_then(|position| fields.values[position].clone()).unwrap_or_default()
            }
        }
    }

    /// All of it: what was sent, or the fields that have a value, as a map.
    pub fn value(&self) -> Value {
        match self.content() {
            Content::Sent(value) => value.clone(),
            Content::Fields(fields) => fields.map().into(),
        }
    }

    /// A field's value as a `T`; the default while it has none.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] if the value is no `T`.
    pub fn field<T: FieldValue + Default>(&self, name: &str) -> Result<T, Error> {
        self.field_or(name, T::default)
    }

    /// A field's value as a `T`; what `default` gives while it has none.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] if the value is no `T`.
    pub fn field_or<T: FieldValue>(
        &self,
        name: &str,
        default: impl FnOnce() -> T,
    ) -> Result<T, Error> {
        let read = |value: &Value| value.to_typed().map_err(|error| error.in_field(&name.into()));
        match self.content() {
            Content::Fields(fields) => {
                let Some(at) = fields.layout.position(name) else {
                    return Err(fields.layout.unknown(name));
                };
                fields.values[at].as_ref().map_or_else(|| Ok(default()), read)
            }
            Content::Sent(value) => match value.entry(name) {
                None => Ok(default()),
                // Nothing is a value for types that can be nothing.
                Some(Value::Null) => Ok(read(&Value::Null).unwrap_or_else(|_| default())),
                Some(value) => read(&value),
            },
        }
    }

    /// The fields by name, those of `update` in place of what there was.
    pub(crate) fn updated(&self, update: Update) -> Self {
        let mut values = match self.value() {
            Value::Map(map) => Arc::unwrap_or_clone(map),
            _ => Map::new(),
        };
        for (name, value) in update.writes {
            values.insert(name.as_ref().into(), value);
        }
        Self::sent(values.into())
    }

    /// What was sent, as a `T`, if something was.
    ///
    /// # Errors
    ///
    /// [`Error::Unfit`] if it is no `T`.
    pub fn sent_as<T: FieldValue>(&self) -> Option<Result<T, Error>> {
        match self.content() {
            Content::Sent(value) => Some(value.to_typed()),
            Content::Fields(_) => None,
        }
    }

    /// The state as a type of one's own, made by `make` for the first who asks in a superstep.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub fn shared<T: Send + Sync + 'static>(
        &self,
        make: impl FnOnce() -> Result<T, Error>,
    ) -> Result<Arc<T>, Error> {
        let Content::Fields(fields) = self.content() else { return self.own(make) };
        let known = || fields.state.get()?.clone().downcast::<T>().ok();
        if let Some(state) = known() {
            return Ok(state);
        }
        let state = Arc::new(make()?);
        // Somebody else may have been first, or asked for another type.
        let _ = fields.state.set(state.clone());
        Ok(state)
    }

    /// What was sent, if it is a `T`; otherwise what `make` makes of it, for this task alone.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub fn own<T: Send + Sync + 'static>(
        &self,
        make: impl FnOnce() -> Result<T, Error>,
    ) -> Result<Arc<T>, Error> {
        if let Content::Sent(Value::Typed(held)) = self.content() {
            if let Ok(sent) = held.clone().into_any().downcast() {
                return Ok(sent);
            }
        }
        make().map(Arc::new)
    }
}

impl Fields {
    fn map(&self) -> Map {
        let named = self.layout.names().zip(&self.values);
        named.filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect()
    }
}

/// What a node's function takes: the state, a part of it, or what a [`Send`](crate::Goto::send) carried.
///
/// For a state, `#[derive(State)]` implements it, for a type of a node's own `#[derive(Input)]`.
pub trait Input: Send + Sync + Sized + 'static {
    /// Whether the node looks at what its task runs on.
    const READS: bool = true;

    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] or [`Error::Unfit`] if it is none.
    fn read(from: &TaskInput) -> Result<Arc<Self>, Error>;

    /// The same by value, of types that cost less to make than to share; `None` for others.
    fn made(_from: &TaskInput) -> Option<Self> {
        None
    }
}

/// What a function that borrows its input is given.
pub(crate) enum Lent<I> {
    Made(I),
    Shared(Arc<I>),
}

impl<I: Input> Lent<I> {
    pub(crate) fn read(from: &TaskInput) -> Result<Self, Error> {
        match I::made(from) {
            Some(input) => Ok(Lent::Made(input)),
            None => I::read(from).map(Lent::Shared),
        }
    }
}

impl<I> std::ops::Deref for Lent<I> {
    type Target = I;

    fn deref(&self) -> &I {
        match self {
            Lent::Made(input) => input,
            Lent::Shared(input) => input,
        }
    }
}

/// For nodes that look at nothing.
impl Input for () {
    const READS: bool = false;

    fn read(_from: &TaskInput) -> Result<Arc<Self>, Error> {
        Ok(Arc::new(()))
    }

    fn made(_from: &TaskInput) -> Option<Self> {
        Some(())
    }
}

/// Whatever there is, as a value.
impl Input for Value {
    fn read(from: &TaskInput) -> Result<Arc<Self>, Error> {
        Ok(Arc::new(from.value()))
    }
}
