//! The state of a graph: its fields, what they do with writes, and how nodes read them.

mod dynamic;
mod field;
mod input;
mod native;
mod reducer;
pub mod reducers;
pub mod support;
mod write;

use std::sync::Arc;

use langgraph_rust_channels::Channel;

use crate::{Error, Update, Value};
pub use dynamic::Dynamic;
pub use field::{Field, FieldSpec};
pub(crate) use input::Lent;
pub use input::{Input, TaskInput};
pub use native::{Native, NoForeign};
pub use reducer::Reducer;
pub use write::{FieldWrite, IntoItems, IntoOptional, Overwrite};

/// A graph's state as a type: a struct with `#[derive(State)]`, or [`Dynamic`].
pub trait State: Input + Clone {
    /// What nodes return: any of the fields.
    type Update: Into<Update> + Send + 'static;

    /// The version of what is stored: raised when fields change so that stored threads must be
    /// migrated.
    const VERSION: u32 = 1;

    /// The fields that the type has; of [`Dynamic`] none, since the graph names them.
    fn fields() -> Vec<FieldSpec>;

    /// The state as an input says it, or as a thread has it.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] if a value is of another type than its field.
    fn of(input: &TaskInput) -> Result<Self, Error> {
        Self::read(input)
            .map(|state| Arc::try_unwrap(state).unwrap_or_else(|state| (*state).clone()))
    }

    /// All fields, written.
    fn into_update(self) -> Update;

    /// What a thread that was stored with an older version holds now; by name, in what the fields hold.
    ///
    /// # Errors
    ///
    /// [`Error::Message`] if the version is not known.
    fn migrate(version: u32, _stored: &TaskInput) -> Result<Update, Error> {
        Err(support::unknown_version(version, Self::VERSION))
    }

    /// The fields that an older version had; none if that is not known.
    fn fields_of(_version: u32) -> Vec<FieldSpec> {
        Vec::new()
    }
}

/// What a channel of the native domain reads as: reading cannot fail there.
pub(crate) fn read(channel: &Channel<Native>) -> Value {
    channel.get(()).ok().flatten().unwrap_or_default()
}
