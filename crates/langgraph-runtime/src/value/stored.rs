//! Values and what is stored of them.

use std::sync::Arc;

use langgraph_rust_checkpoint::wire::{self, StoredValue};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Map, Value};
use crate::Error;

impl Value {
    /// Anything that serde can write, as a plain value.
    ///
    /// # Errors
    ///
    /// [`Error::Unfit`] if its own `Serialize` fails.
    pub fn from_serde<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        let encoded = wire::encode(value)?;
        Ok(Value::from(wire::decode::<StoredValue>(&encoded.kind, &encoded.bytes)?))
    }

    /// The value as a type that serde can read.
    ///
    /// # Errors
    ///
    /// [`Error::Unfit`] if the value does not describe a `T`.
    pub fn to_serde<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Ok(T::deserialize(StoredValue::try_from(self)?)?)
    }

    /// The value without types of one's own: lists have items, structs are maps.
    ///
    /// # Errors
    ///
    /// [`Error::Unfit`] if a type's own `Serialize` fails.
    pub fn plain(&self) -> Result<Value, Error> {
        Ok(match self {
            Value::Typed(held) => held.to_value()?,
            Value::List(items) => {
                Value::List(Arc::new(items.iter().map(Value::plain).collect::<Result<_, _>>()?))
            }
            Value::Map(map) => {
                let plain = map.iter().map(|(name, value)| Ok((name.clone(), value.plain()?)));
                Value::Map(Arc::new(plain.collect::<Result<Map, Error>>()?))
            }
            Value::Overwrite(inner) => Value::Overwrite(Arc::new(inner.plain()?)),
            other => other.clone(),
        })
    }
}

impl Value {
    /// What graphs themselves know of records; others stay as they are.
    fn from_record(record: wire::Record) -> Self {
        if record.code() == wire::Record::SNAPSHOT {
            return Value::Snapshot(Arc::new(record.content().into()));
        }
        if record.module() != Some("langgraph.types") {
            return Value::Stored(Arc::new(StoredValue::Record(Box::new(record))));
        }
        match (record.name(), record.content()) {
            (Some("Send"), StoredValue::List(parts)) => {
                if let [StoredValue::Text(node), content, ..] = &parts[..] {
                    return Value::Send(Arc::new((node.as_str().into(), content.into())));
                }
            }
            (Some("Overwrite"), content) => {
                if let Some(value) = content.get("value") {
                    return Value::Overwrite(Arc::new(value.into()));
                }
            }
            _ => {}
        }
        Value::Stored(Arc::new(StoredValue::Record(Box::new(record))))
    }
}

impl From<StoredValue> for Value {
    fn from(stored: StoredValue) -> Self {
        match stored {
            StoredValue::Nil => Value::Null,
            StoredValue::Bool(flag) => Value::Bool(flag),
            StoredValue::Int(number) => Value::Int(number),
            StoredValue::Float(number) => Value::Float(number),
            StoredValue::Text(text) => Value::Text(text.into()),
            StoredValue::Bytes(bytes) => Value::Bytes(bytes.into()),
            StoredValue::List(items) => Value::list(items),
            StoredValue::Map(entries) if entries.iter().all(|(key, _)| key.as_str().is_some()) => {
                let named = entries.into_iter().map(|(key, value)| {
                    (Arc::from(key.as_str().unwrap_or_default()), Value::from(value))
                });
                Value::Map(Arc::new(named.collect()))
            }
            StoredValue::Record(record) => Value::from_record(*record),
            other => Value::Stored(Arc::new(other)),
        }
    }
}

impl From<&StoredValue> for Value {
    fn from(stored: &StoredValue) -> Self {
        stored.clone().into()
    }
}

impl TryFrom<&Value> for StoredValue {
    type Error = Error;

    fn try_from(value: &Value) -> Result<Self, Error> {
        Ok(match value {
            Value::Null => StoredValue::Nil,
            Value::Bool(flag) => StoredValue::Bool(*flag),
            Value::Int(number) => StoredValue::Int(*number),
            Value::Float(number) => StoredValue::Float(*number),
            Value::Text(text) => StoredValue::Text(text.as_ref().into()),
            Value::Bytes(bytes) => StoredValue::Bytes(bytes.to_vec()),
            Value::List(items) => {
                let items = items.iter().map(StoredValue::try_from);
                StoredValue::List(items.collect::<Result<_, _>>()?)
            }
            Value::Map(map) => {
                let entry = |(name, value): (&Arc<str>, &Value)| {
                    Ok((StoredValue::Text(name.as_ref().into()), StoredValue::try_from(value)?))
                };
                StoredValue::Map(map.iter().map(entry).collect::<Result<_, Error>>()?)
            }
            Value::Stored(stored) => (**stored).clone(),
            Value::Typed(held) => StoredValue::try_from(&held.to_value()?)?,
            Value::Send(send) => {
                let node = StoredValue::Text(send.0.as_ref().into());
                let content = StoredValue::List(vec![node, StoredValue::try_from(&send.1)?]);
                let record = wire::Record::named(1, "langgraph.types", "Send", content);
                StoredValue::Record(Box::new(record))
            }
            Value::Snapshot(inner) => {
                let record = wire::Record::snapshot(StoredValue::try_from(&**inner)?);
                StoredValue::Record(Box::new(record))
            }
            Value::Overwrite(inner) => {
                let inner = StoredValue::try_from(&**inner)?;
                let text = |text: &str| StoredValue::Text(text.to_owned());
                let kind = (text("type"), text("__overwrite__"));
                let arguments = StoredValue::Map(vec![(text("value"), inner), kind]);
                let record = wire::Record::named(2, "langgraph.types", "Overwrite", arguments);
                StoredValue::Record(Box::new(record))
            }
        })
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::Float(number) => serializer.serialize_f64(*number),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Value::List(items) => serializer.collect_seq(items.iter()),
            Value::Map(map) => {
                serializer.collect_map(map.iter().map(|(name, value)| (name.as_ref(), value)))
            }
            Value::Stored(stored) => stored.serialize(serializer),
            other => {
                let stored = StoredValue::try_from(other).map_err(serde::ser::Error::custom)?;
                stored.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StoredValue::deserialize(deserializer).map(Value::from)
    }
}
