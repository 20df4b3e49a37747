//! Values, read from msgpack or from whatever serde can read.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use serde_bytes::ByteBuf;

use super::record::{Record, PACKED};
use super::{StoredValue, WireError};

/// How deep values may nest, those in records included.
const DEEPEST: usize = 500;

/// Reads one value, which must be all there is.
pub(super) fn value(bytes: &[u8]) -> Result<StoredValue, WireError> {
    within(bytes, DEEPEST).map_err(WireError::Broken)
}

fn within(mut bytes: &[u8], left: usize) -> Result<StoredValue, String> {
    let mut reader = rmp_serde::Deserializer::new(&mut bytes);
    reader.set_max_depth(left + 2);
    let read = Reader { left, is_packed: true }.deserialize(&mut reader);
    let value = read.map_err(|error| error.to_string())?;
    match bytes.len() {
        0 => Ok(value),
        rest => Err(format!("{rest} bytes too many")),
    }
}

/// What a [`StoredValue`] asks a deserializer for.
pub(super) const ANY: &str = "$langgraph::StoredValue";

/// Reads a value of any kind.
#[derive(Clone, Copy)]
pub(super) struct Reader {
    /// How many levels are left.
    left: usize,
    /// Whether it comes from msgpack.
    is_packed: bool,
}

impl Reader {
    /// Reads from any format that describes itself.
    pub(super) fn of_any() -> Self {
        Self { left: DEEPEST, is_packed: false }
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => Err(E::custom(format!("values nest deeper than {DEEPEST} levels"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = StoredValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<StoredValue, D::Error> {
        match self.is_packed {
            true => deserializer.deserialize_any(self),
            false => deserializer.deserialize_newtype_struct(ANY, self),
        }
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = StoredValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<StoredValue, E> {
        Ok(StoredValue::Nil)
    }

    fn visit_bool<E>(self, value: bool) -> Result<StoredValue, E> {
        Ok(StoredValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<StoredValue, E> {
        Ok(StoredValue::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<StoredValue, E> {
        Ok(i64::try_from(value).map_or(StoredValue::Unsigned(value), StoredValue::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<StoredValue, E> {
        Ok(StoredValue::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<StoredValue, E> {
        Ok(StoredValue::Text(value.to_owned()))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<StoredValue, E> {
        Ok(StoredValue::Bytes(value.to_vec()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<StoredValue, A::Error> {
        let deeper = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(deeper)? {
            list.push(item);
        }
        Ok(StoredValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<StoredValue, A::Error> {
        let deeper = self.deeper()?;
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry_seed(deeper, deeper)? {
            map.push(entry);
        }
        Ok(StoredValue::Map(map))
    }

    fn visit_none<E>(self) -> Result<StoredValue, E> {
        Ok(StoredValue::Nil)
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<StoredValue, D::Error> {
        self.deserialize(value)
    }

    /// From msgpack an extension record; else what there is.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<StoredValue, D::Error> {
        if !self.is_packed {
            return inner.deserialize_any(self);
        }
        let deeper = self.deeper()?;
        let (code, payload): (i8, ByteBuf) = Deserialize::deserialize(inner)?;
        let record = match PACKED.contains(&code) {
            true => {
                let payload = within(&payload, deeper.left).map_err(serde::de::Error::custom)?;
                Record::known(code, payload)
            }
            false => Record::raw(code, payload.into_vec()),
        };
        Ok(StoredValue::Record(Box::new(record)))
    }

    /// A record, from a value; in no other format does an enum need no name.
    fn visit_enum<A: EnumAccess<'de>>(self, record: A) -> Result<StoredValue, A::Error> {
        let (code, payload) = record.variant::<i8>()?;
        let payload = payload.newtype_variant_seed(self.deeper()?)?;
        Ok(StoredValue::Record(Box::new(Record::of(code, payload))))
    }
}
