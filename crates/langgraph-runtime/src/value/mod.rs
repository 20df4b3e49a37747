//! What a graph's fields hold: plain values, values of types of one's own, and what others stored.

mod convert;
mod held;
mod json;
mod show;
mod stored;

use std::sync::Arc;

use indexmap::IndexMap;
use langgraph_rust_checkpoint::wire::StoredValue;

use crate::Error;
pub use held::{FieldValue, TypedValue};

/// Values by name, in the order in which they were put there: a state, an input, an output.
pub type Map = IndexMap<Arc<str>, Value>;

/// A value of a graph's field. Copies share what they hold.
///
/// # What Python stored
///
/// What msgpack has no type for is stored as a record: the Python class and what makes one of it.
/// Such a value is [`Value::Stored`], and is written back as it was. A type of one's own reads what the
/// thing is made from, as does [`Value::content`]:
///
/// | in Python | reads as |
/// |---|---|
/// | `datetime` | text in ISO 8601: a `String`, or a type for it that serde reads from text |
/// | `date` | a list: year, month, day |
/// | `time` | a map: `hour`, `minute`, `second`, `microsecond`, `tzinfo`, `fold` |
/// | `UUID` | text, 32 hexadecimal digits without hyphens |
/// | `Decimal`, IP addresses | text |
/// | `set`, `frozenset`, `deque` | a list, of sets in any order: a `Vec`, a `BTreeSet` |
/// | `tuple` | a list; it comes back to Python as one, too |
/// | `timedelta` | a list: days, seconds, microseconds |
/// | `Path` | a list of its parts |
/// | an `Enum` | the member's value |
/// | a named tuple, a dataclass, a pydantic model | a map of the fields, as a struct reads them |
/// | a message of langchain's | a [`Message`](crate::Message), or a map of the fields |
///
/// Written from Rust are lists, maps and texts, but for [`Message`](crate::Message)s; to write another
/// class of Python's, keep the value that was read.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Value {
    /// Nothing; also what a field reads as before it is written.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Text(Arc<str>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// Values in order.
    List(Arc<Vec<Value>>),
    /// Values by name.
    Map(Arc<Map>),
    /// What has no other form here, as it is stored: a message, a date, a map whose keys are no texts.
    Stored(Arc<StoredValue>),
    /// A value of a type of one's own.
    Typed(Arc<dyn TypedValue>),
    /// A value on its way to a node (`Send`).
    Send(Arc<(Arc<str>, Value)>),
    /// The value of a field that is mostly stored as changes.
    Snapshot(Arc<Value>),
    /// Written to a field with a reducer, replaces its value instead of being folded into it.
    Overwrite(Arc<Value>),
}

impl Value {
    /// A list of anything that makes values.
    pub fn list<T: Into<Value>>(items: impl IntoIterator<Item = T>) -> Self {
        Value::List(Arc::new(items.into_iter().map(Into::into).collect()))
    }

    /// A value that replaces what a field with a reducer holds.
    pub fn overwrite(value: impl Into<Value>) -> Self {
        Value::Overwrite(Arc::new(value.into()))
    }

    /// Whether there is nothing.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The truth value, or an error that says what there is instead.
    ///
    /// # Errors
    ///
    /// [`Error::Unfit`] if it is none, as for the other kinds below.
    pub fn bool(&self) -> Result<bool, Error> {
        match self {
            Value::Bool(flag) => Ok(*flag),
            other => Err(other.is_no("truth value")),
        }
    }

    /// The whole number, or an error.
    pub fn int(&self) -> Result<i64, Error> {
        match self {
            Value::Int(number) => Ok(*number),
            other => Err(other.is_no("whole number")),
        }
    }

    /// The number, whole or not, or an error.
    pub fn float(&self) -> Result<f64, Error> {
        match self {
            Value::Float(number) => Ok(*number),
            Value::Int(number) => Ok(*number as f64),
            other => Err(other.is_no("number")),
        }
    }

    /// The text, or an error. That of a date, say, is what Python makes it from.
    pub fn text(&self) -> Result<&str, Error> {
        match self {
            Value::Text(text) => Ok(text),
            Value::Stored(stored) => match &**stored {
                StoredValue::Record(record) => {
                    record.content().as_str().ok_or_else(|| self.is_no("text"))
                }
                _ => Err(self.is_no("text")),
            },
            other => Err(other.is_no("text")),
        }
    }

    /// What a thing is made from that Python stored, see above; other values as they are.
    pub fn content(&self) -> Value {
        match self {
            Value::Stored(stored) => match &**stored {
                StoredValue::Record(record) => record.content().into(),
                _ => self.clone(),
            },
            other => other.clone(),
        }
    }

    /// The items of the list, or an error. Nothing is the empty list. A list of a type of one's own
    /// has none before [`Value::plain`].
    pub fn items(&self) -> Result<&[Value], Error> {
        match self {
            Value::List(items) => Ok(items),
            Value::Null => Ok(&[]),
            other => Err(other.is_no("list")),
        }
    }

    /// The value's entry `name`; nothing if it has none, or is no map.
    pub fn get(&self, name: &str) -> Value {
        self.entry(name).unwrap_or_default()
    }

    /// The value's entry `name`, if it has one.
    pub(crate) fn entry(&self, name: &str) -> Option<Value> {
        match self {
            Value::Map(map) => map.get(name).cloned(),
            Value::Stored(stored) => stored.get(name).map(Value::from),
            Value::Typed(held) => held.to_value().ok()?.entry(name),
            _ => None,
        }
    }

    fn is_no(&self, wanted: &'static str) -> Error {
        Error::Unfit(format!("{self} is no {wanted}"))
    }
}

/// Equal are values that are stored as the same; of maps, the order of entries does not count.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            (Value::Stored(a), Value::Stored(b)) => a == b,
            (Value::Send(a), Value::Send(b)) => a == b,
            (Value::Snapshot(a), Value::Snapshot(b)) => a == b,
            (Value::Overwrite(a), Value::Overwrite(b)) => a == b,
            (Value::Typed(a), Value::Typed(b)) if Arc::ptr_eq(a, b) => true,
            (Value::Typed(a), other) | (other, Value::Typed(a)) => match (a.to_value(), other) {
                (Ok(a), Value::Typed(b)) => b.to_value().is_ok_and(|b| a == b),
                (Ok(a), b) => a == *b,
                (Err(_), _) => false,
            },
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_show_as_json() {
        let value = Value::from([
            ("list", Value::list([1, 2])),
            ("text", Value::from("say \"hi\"\n")),
            ("float", Value::from(2.0)),
            ("none", Value::Null),
        ]);
        assert_eq!(
            value.to_string(),
            r#"{"list": [1, 2], "text": "say \"hi\"\n", "float": 2.0, "none": null}"#
        );
    }

    #[test]
    fn the_wrong_kind_is_an_error_that_shows_the_value() {
        assert_eq!(Value::from("a").int().unwrap_err().to_string(), "\"a\" is no whole number");
        assert_eq!(Value::from(3).float().unwrap(), 3.0);
        assert!(Value::Null.items().unwrap().is_empty());
    }
}
