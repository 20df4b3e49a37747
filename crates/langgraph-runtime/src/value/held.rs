//! Values of types of one's own.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use langgraph_rust_checkpoint::wire::{self, Encoded};
use serde::de::DeserializeOwned;
use serde::Serialize;

use super::Value;
use crate::Error;

/// What a field of a state may hold. Implemented by whatever meets it.
#[diagnostic::on_unimplemented(
    message = "a field cannot hold a `{Self}`",
    label = "the type of a field",
    note = "derive `Clone`, `serde::Serialize` and `serde::Deserialize` for it; it is `Send`, `Sync` and \
            owns what it holds"
)]
pub trait FieldValue: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> FieldValue for T {}

/// A value of a type of one's own, held as it is. Implemented by every [`FieldValue`].
pub trait TypedValue: Any + Send + Sync {
    /// The value as plain values.
    ///
    /// # Errors
    ///
    /// [`Error::Unfit`] if its own `Serialize` fails.
    fn to_value(&self) -> Result<Value, Error>;

    /// The value as it is stored.
    ///
    /// # Errors
    ///
    /// [`Error::Unfit`] if its own `Serialize` fails.
    fn encode(&self) -> Result<Encoded, Error>;

    /// The value, if it is a single number, text, truth value, or nothing; of others no more is
    /// serialized than shows that.
    fn scalar(&self) -> Option<Value>;

    /// The type's name, for errors.
    fn type_name(&self) -> &'static str;

    /// The value itself, to be looked at.
    fn as_any(&self) -> &dyn Any;

    /// The value itself, to be taken.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<T: FieldValue> TypedValue for T {
    fn to_value(&self) -> Result<Value, Error> {
        Value::from_serde(self)
    }

    fn encode(&self) -> Result<Encoded, Error> {
        Ok(wire::encode(self)?)
    }

    fn scalar(&self) -> Option<Value> {
        wire::scalar(self).map(Value::from)
    }

    fn type_name(&self) -> &'static str {
        std::any::type_name::<T>()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl fmt::Debug for dyn TypedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_value() {
            Ok(value) => write!(f, "{}({value})", self.type_name()),
            Err(_) => f.write_str(self.type_name()),
        }
    }
}

impl Value {
    /// A value that holds `value` as it is. What has a plain form in a [`Value`] gets that.
    pub fn typed<T: FieldValue>(value: T) -> Self {
        let any: &dyn Any = &value;
        if let Some(value) = any.downcast_ref::<Value>() {
            return value.clone();
        }
        let plain = any
            .downcast_ref::<String>()
            .map(Value::from)
            .or_else(|| any.downcast_ref::<i64>().map(|number| Value::Int(*number)))
            .or_else(|| any.downcast_ref::<bool>().map(|flag| Value::Bool(*flag)))
            .or_else(|| any.downcast_ref::<f64>().map(|number| Value::Float(*number)));
        plain.unwrap_or_else(|| Value::Typed(Arc::new(value)))
    }

    /// The value as a `T`, without a copy if nobody else holds it.
    ///
    /// # Errors
    ///
    /// [`Error::Unfit`] if it is none, and does not describe one.
    pub fn into_typed<T: FieldValue>(self) -> Result<T, Error> {
        match self {
            Value::Typed(held) if held.as_any().is::<T>() => {
                match held.into_any().downcast::<T>() {
                    Ok(held) => Ok(Arc::try_unwrap(held).unwrap_or_else(|held| (*held).clone())),
                    Err(_) => unreachable!("the type has just been looked at"),
                }
            }
            other => other.to_typed(),
        }
    }

    /// The value as a `T`, copied.
    ///
    /// # Errors
    ///
    /// [`Error::Unfit`] if it is none, and does not describe one.
    pub fn to_typed<T: FieldValue>(&self) -> Result<T, Error> {
        if let Some(value) = self.as_typed::<T>() {
            return Ok(value.clone());
        }
        self.to_serde()
    }

    /// The value as a `T`, if it is held as one.
    pub fn as_typed<T: FieldValue>(&self) -> Option<&T> {
        let any: &dyn Any = match self {
            Value::Typed(held) => held.as_any(),
            Value::Int(number) => number,
            Value::Bool(flag) => flag,
            Value::Float(number) => number,
            _ => return None,
        };
        any.downcast_ref()
    }
}
