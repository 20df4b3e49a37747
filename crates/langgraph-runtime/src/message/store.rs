//! Messages as serde has them, and as values.

use langgraph_rust_checkpoint::wire::{NamedRecord, StoredValue};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Inner, Message};
use crate::Value;

/// The fields, as a map.
struct Fields<'a>(&'a Inner);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.0.fields.iter().map(|(name, value)| (name.as_ref(), value));
        serializer.collect_map(fields)
    }
}

/// In a checkpoint the record that Python writes, elsewhere a map of the fields.
impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let class = &self.0.class;
        let record = NamedRecord {
            code: class.code(),
            module: class.module(),
            name: class.name(),
            content: &Fields(&self.0),
            method: class.method(),
        };
        record.serialize(serializer)
    }
}

/// Reads every form that a message has.
impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::from(StoredValue::deserialize(deserializer)?);
        Message::try_from(value).map_err(serde::de::Error::custom)
    }
}

impl From<Message> for Value {
    fn from(message: Message) -> Self {
        Value::typed(message)
    }
}
