use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{forward_to_deserialize_any, Serialize, Serializer};

use super::read::{Reader, ANY};
use super::{Record, WireError};

/// Anything that can be stored.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // each variant is what its name says
pub enum StoredValue {
    Nil,
    Bool(bool),
    Int(i64),
    /// A whole number that is larger than an `i64` can be.
    Unsigned(u64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<StoredValue>),
    /// In the order in which they are stored. Keys may be of any kind.
    Map(Vec<(StoredValue, StoredValue)>),
    /// What has no type of its own.
    Record(Box<Record>),
}

impl StoredValue {
    /// The value of the entry `name`, if this is a map, or a record with fields, that has one.
    pub fn get(&self, name: &str) -> Option<&StoredValue> {
        let entries = match self {
            StoredValue::Map(entries) => entries,
            StoredValue::Record(record) => return record.content().get(name),
            _ => return None,
        };
        let named = |key: &StoredValue| matches!(key, StoredValue::Text(text) if text == name);
        entries.iter().find(|(key, _)| named(key)).map(|(_, value)| value)
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            StoredValue::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Serialize for StoredValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            StoredValue::Nil => serializer.serialize_unit(),
            StoredValue::Bool(value) => serializer.serialize_bool(*value),
            StoredValue::Int(value) => serializer.serialize_i64(*value),
            StoredValue::Unsigned(value) => serializer.serialize_u64(*value),
            StoredValue::Float(value) => serializer.serialize_f64(*value),
            StoredValue::Text(value) => serializer.serialize_str(value),
            StoredValue::Bytes(value) => serializer.serialize_bytes(value),
            StoredValue::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            StoredValue::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
            StoredValue::Record(record) => record.serialize(serializer),
        }
    }
}

/// Reads the value as something else; of a record, its content.
impl<'de> Deserializer<'de> for StoredValue {
    type Error = WireError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        match self {
            StoredValue::Nil => visitor.visit_unit(),
            StoredValue::Bool(value) => visitor.visit_bool(value),
            StoredValue::Int(value) => visitor.visit_i64(value),
            StoredValue::Unsigned(value) => visitor.visit_u64(value),
            StoredValue::Float(value) => visitor.visit_f64(value),
            StoredValue::Text(value) => visitor.visit_string(value),
            StoredValue::Bytes(value) => visitor.visit_byte_buf(value),
            StoredValue::List(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter())),
            StoredValue::Map(entries) => {
                visitor.visit_map(MapDeserializer::new(entries.into_iter()))
            }
            StoredValue::Record(record) => record.into_content().deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        match self {
            StoredValue::Nil => visitor.visit_none(),
            some => visitor.visit_some(some),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, WireError> {
        match self {
            // Only a `StoredValue` asks by this name, and wants the record itself: see `Reader`.
            StoredValue::Record(record) if name == ANY => {
                let (code, payload) = record.into_parts();
                let parts = MapDeserializer::new(std::iter::once((code, payload)));
                visitor.visit_enum(MapAccessDeserializer::new(parts))
            }
            value if name == ANY => value.deserialize_any(visitor),
            value => visitor.visit_newtype_struct(value),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, WireError> {
        match self {
            StoredValue::Text(variant) => visitor.visit_enum(variant.into_deserializer()),
            StoredValue::Map(entries) => {
                let entries = MapDeserializer::new(entries.into_iter());
                visitor.visit_enum(MapAccessDeserializer::new(entries))
            }
            StoredValue::Record(record) => {
                record.into_content().deserialize_enum(_name, _variants, visitor)
            }
            _ => Err(WireError::Unfit("a variant is a text, or a map with one entry".to_owned())),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl IntoDeserializer<'_, WireError> for StoredValue {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A value of any format that describes itself; from [`decode`](super::decode) with its records.
impl<'de> Deserialize<'de> for StoredValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reader::of_any().deserialize(deserializer)
    }
}
