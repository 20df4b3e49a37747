//! What derived code calls.

use std::fmt;

use super::{FieldSpec, State, TaskInput};
use crate::{Error, Map, Message, Reducer, Update, Value};

/// A type that a field may have that says nothing of what it holds at first.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` holds nothing that is known before it is written",
    label = "the field's type has no `Default`",
    note = "say what the field holds at first by `#[state(default = ..)]` on it, make it an \
            `Option`, or derive `Default` for the type"
)]
pub trait Initial: Sized {
    /// What it holds at first.
    fn initial() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> Initial for T {
    fn initial() -> Self {
        T::default()
    }
}

/// The type of a field with `#[reducer(add_messages)]`.
#[diagnostic::on_unimplemented(
    message = "`#[reducer(add_messages)]` cannot add messages to `{Self}`",
    label = "the type of a field that is no list of messages",
    note = "make the field a `Vec<Message>`, or name a function by `#[reducer(custom = path)]`"
)]
pub trait Messages {}

impl Messages for Vec<Message> {}

/// `#[reducer(add_messages)]`.
pub fn add_messages<T: Messages>() -> Reducer {
    Reducer::add_messages()
}

/// Shows an update type by what it writes.
///
/// # Errors
///
/// Those of the formatter.
pub fn show(name: &str, update: Update, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut shown = f.debug_struct(name);
    for (field, value) in update.writes() {
        shown.field(field, &format_args!("{value}"));
    }
    shown.finish()
}

/// What `update` writes, by field.
pub fn values(update: Update) -> Value {
    let named = update.writes.into_iter().map(|(name, value)| (name.as_ref().into(), value));
    named.collect::<Map>().into()
}

/// The fields that version `version` of a state had that `Old` comes before.
pub fn fields_of<Old: State>(version: u32) -> Vec<FieldSpec> {
    match version == Old::VERSION {
        true => Old::fields(),
        false => Old::fields_of(version),
    }
}

/// What a thread that was stored as `Old`, or as something older, holds now.
///
/// # Errors
///
/// It cannot be read, or `version` is newer.
pub fn migrate<Old: State, New: State + From<Old>>(
    version: u32,
    stored: &TaskInput,
) -> Result<Update, Error> {
    let old = match version == Old::VERSION {
        true => Old::of(stored)?,
        false if version > Old::VERSION => return Err(unknown_version(version, New::VERSION)),
        false => Old::of(&stored.updated(Old::migrate(version, stored)?))?,
    };
    Ok(New::from(old).into_update())
}

/// The error of a state that knows nothing of the version that a thread was stored with.
pub(crate) fn unknown_version(version: u32, known: u32) -> Error {
    let advice = match version > known {
        true => "it was stored by a newer program",
        false => "name the older type by `#[state(version = .., migrate_from = ..)]`",
    };
    Error::message(format!(
        "the thread was stored with version {version} of the state, and the graph has version \
         {known}: {advice}"
    ))
}
