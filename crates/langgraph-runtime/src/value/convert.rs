//! Plain values from Rust's own types.

use std::sync::Arc;

use super::{Map, Value};

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
    usize => |number| i64::try_from(number).map_or(Value::Float(number as f64), Value::Int),
    &String => |text: &String| Value::Text(text.as_str().into()),
    &Arc<str> => |text: &Arc<str>| Value::Text(text.clone()),
    &Value => |value: &Value| value.clone(),
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
