use serde::{Serialize, Serializer};
use serde_bytes::Bytes;

use super::{packed, Packing, StoredValue};

/// What has no type of its own in msgpack: a number that says how it is to be read, and a payload,
/// which for the numbers that the Python packages write is msgpack again.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    code: i8,
    payload: Payload,
}

#[derive(Clone, Debug, PartialEq)]
enum Payload {
    Known(StoredValue),
    Raw(Vec<u8>),
}

/// The codes of records that name something in Python: module, name and what it is made from.
const NAMED: std::ops::RangeInclusive<i8> = 0..=5;

/// The codes whose payload is msgpack.
pub(super) const PACKED: std::ops::RangeInclusive<i8> = 0..=7;

impl Record {
    /// The code of the snapshot of a delta channel: the value itself.
    pub const SNAPSHOT: i8 = 7;

    /// The snapshot of a delta channel.
    pub fn snapshot(value: StoredValue) -> Self {
        Self::known(Self::SNAPSHOT, value)
    }

    /// A record of something in Python, such as code 2, `langgraph.types`, `Interrupt` and a map of
    /// keyword arguments; the codes are those of
    /// `docs/contributing/checkpoint-format.md`.
    pub fn named(code: u8, module: &str, name: &str, content: StoredValue) -> Self {
        let text = |text: &str| StoredValue::Text(text.to_owned());
        Self::known(code as i8, StoredValue::List(vec![text(module), text(name), content]))
    }

    pub(super) fn known(code: i8, payload: StoredValue) -> Self {
        Self { code, payload: Payload::Known(payload) }
    }

    pub(super) fn raw(code: i8, payload: Vec<u8>) -> Self {
        Self { code, payload: Payload::Raw(payload) }
    }

    /// What [`Record::into_parts`] gave.
    pub(super) fn of(code: i8, payload: StoredValue) -> Self {
        match payload {
            StoredValue::Bytes(bytes) if !PACKED.contains(&code) => Self::raw(code, bytes),
            payload => Self::known(code, payload),
        }
    }

    /// How the record is to be read.
    pub fn code(&self) -> i8 {
        self.code
    }

    /// The Python module that it names, if it names one.
    pub fn module(&self) -> Option<&str> {
        self.part(0)?.as_str()
    }

    /// The class or function in that module.
    pub fn name(&self) -> Option<&str> {
        self.part(1)?.as_str()
    }

    /// The method that the record says makes the thing, if it says one.
    pub fn method(&self) -> Option<&str> {
        self.part(3)?.as_str()
    }

    /// What the thing is made from: fields, an argument, a list of arguments; of a snapshot, its
    /// value. `Nil` if that is not known.
    pub fn content(&self) -> &StoredValue {
        match &self.payload {
            Payload::Known(value) if self.code == Self::SNAPSHOT => value,
            Payload::Known(value) => self.part(2).unwrap_or(value),
            Payload::Raw(_) => &StoredValue::Nil,
        }
    }

    /// The same, without a copy; of a record that is not known, its bytes.
    pub fn into_content(self) -> StoredValue {
        match self.payload {
            Payload::Known(StoredValue::List(mut parts)) if is_named(self.code, &parts) => {
                parts.swap_remove(2)
            }
            Payload::Known(value) => value,
            Payload::Raw(bytes) => StoredValue::Bytes(bytes),
        }
    }

    fn part(&self, place: usize) -> Option<&StoredValue> {
        match &self.payload {
            Payload::Known(StoredValue::List(parts)) if is_named(self.code, parts) => {
                parts.get(place)
            }
            _ => None,
        }
    }

    fn encoded(&self) -> Result<Vec<u8>, rmp_serde::encode::Error> {
        match &self.payload {
            Payload::Known(value) => packed(value),
            Payload::Raw(bytes) => Ok(bytes.clone()),
        }
    }

    /// The code and the payload.
    pub(super) fn into_parts(self) -> (StoredValue, StoredValue) {
        let payload = match self.payload {
            Payload::Known(value) => value,
            Payload::Raw(bytes) => StoredValue::Bytes(bytes),
        };
        (StoredValue::Int(self.code.into()), payload)
    }
}

fn is_named(code: i8, parts: &[StoredValue]) -> bool {
    NAMED.contains(&code) && parts.len() > 2
}

/// Writes an extension record.
pub(super) fn serialize_packed<S: Serializer>(
    serializer: S,
    code: i8,
    payload: &[u8],
) -> Result<S::Ok, S::Error> {
    let parts = (code, Bytes::new(payload));
    serializer.serialize_newtype_struct(rmp_serde::MSGPACK_EXT_STRUCT_NAME, &parts)
}

/// By [`encode`](super::encode) as the record that it is, else as its content.
impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.payload {
            _ if Packing::is_under_way() => {
                let payload = self.encoded().map_err(serde::ser::Error::custom)?;
                serialize_packed(serializer, self.code, &payload)
            }
            Payload::Raw(bytes) => serializer.serialize_bytes(bytes),
            Payload::Known(_) => self.content().serialize(serializer),
        }
    }
}
