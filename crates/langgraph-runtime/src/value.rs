use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::Error;

/// Values by name: a state, an input, an output.
pub type Map = BTreeMap<Arc<str>, Value>;

/// A value of a Rust graph. Copies share what they hold.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// Values in order.
    List(Arc<Vec<Value>>),
    /// Values by name.
    Map(Arc<Map>),
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
        *self == Value::Null
    }

    /// The truth value, or an error that says what there is instead.
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

    /// The text, or an error.
    pub fn text(&self) -> Result<&str, Error> {
        match self {
            Value::Text(text) => Ok(text),
            other => Err(other.is_no("text")),
        }
    }

    /// The items of the list, or an error. Nothing is the empty list.
    pub fn items(&self) -> Result<&[Value], Error> {
        match self {
            Value::List(items) => Ok(items),
            Value::Null => Ok(&[]),
            other => Err(other.is_no("list")),
        }
    }

    /// The value's entry `name`; nothing if it has none, or is no map.
    pub fn get(&self, name: &str) -> Value {
        match self {
            Value::Map(map) => map.get(name).cloned().unwrap_or_default(),
            _ => Value::Null,
        }
    }

    fn is_no(&self, wanted: &str) -> Error {
        Error::message(format!("{self} is no {wanted}"))
    }
}

/// JSON; an overwrite shows as `Overwrite(...)`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(flag) => write!(f, "{flag}"),
            Value::Int(number) => write!(f, "{number}"),
            Value::Float(number) => write!(f, "{number:?}"),
            Value::Text(text) => write_text(f, text),
            Value::List(items) => {
                f.write_str("[")?;
                for (position, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if position > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            Value::Map(map) => write_map(f, map),
            Value::Overwrite(value) => write!(f, "Overwrite({value})"),
        }
    }
}

fn write_map(f: &mut fmt::Formatter<'_>, map: &Map) -> fmt::Result {
    f.write_str("{")?;
    for (position, (name, value)) in map.iter().enumerate() {
        f.write_str(if position > 0 { ", " } else { "" })?;
        write_text(f, name)?;
        write!(f, ": {value}")?;
    }
    f.write_str("}")
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            c if c.is_control() => write!(f, "\\u{:04x}", c as u32)?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

macro_rules! from {
    ($($source:ty => $make:expr),* $(,)?) => {
        $(impl From<$source> for Value {
            fn from(value: $source) -> Self {
                $make(value)
            }
        })*
    };
}

from! {
    bool => Value::Bool,
    i64 => Value::Int,
    i32 => |number| Value::Int(i64::from(number)),
    u32 => |number| Value::Int(i64::from(number)),
    f64 => Value::Float,
    &str => |text: &str| Value::Text(text.into()),
    String => |text: String| Value::Text(text.into()),
    Arc<str> => Value::Text,
    Map => |map| Value::Map(Arc::new(map)),
    () => |()| Value::Null,
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Value::list(items)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map(Into::into).unwrap_or_default()
    }
}

impl<const N: usize> From<[(&str, Value); N]> for Value {
    fn from(entries: [(&str, Value); N]) -> Self {
        let entries = entries.into_iter().map(|(name, value)| (Arc::from(name), value));
        Value::Map(Arc::new(entries.collect()))
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
            r#"{"float": 2.0, "list": [1, 2], "none": null, "text": "say \"hi\"\n"}"#
        );
    }

    #[test]
    fn the_wrong_kind_is_an_error_that_shows_the_value() {
        assert_eq!(Value::from("a").int().unwrap_err().to_string(), "\"a\" is no whole number");
        assert_eq!(Value::from(3).float().unwrap(), 3.0);
        assert!(Value::Null.items().unwrap().is_empty());
    }
}
