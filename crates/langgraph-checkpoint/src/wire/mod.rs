//! Encoded values as bytes: what the Python packages write, for values that serde knows.
//!
//! A stored value is a kind and bytes. Kinds are `null` (no bytes), `bytes` and `bytearray` (as they
//! are) and `msgpack`, in which whatever has no type of its own is an extension record: see
//! `docs/contributing/checkpoint-format.md`.
//!
//! ```
//! use langgraph_rust_checkpoint::wire::{decode, encode};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct Ticket {
//!     text: String,
//!     tries: u32,
//! }
//!
//! let ticket = Ticket { text: "it broke".into(), tries: 2 };
//! let stored = encode(&ticket)?;
//! assert_eq!(stored.kind, "msgpack"); // Python reads a dict
//! assert_eq!(decode::<Ticket>(&stored.kind, &stored.bytes)?, ticket);
//! # Ok::<(), langgraph_rust_checkpoint::wire::WireError>(())
//! ```
//!
//! Of a record, reading into a type of one's own takes the fields: a message that Python stored reads
//! as a struct with `type`, `content` and `id`. [`StoredValue`] reads anything, and writes back the same
//! bytes. In other formats, such as JSON, a record is written as its content. A type of one's own is
//! written as a record by [`NamedRecord`].

mod named;
mod read;
mod record;
mod scalar;
mod value;

use std::cell::Cell;

use serde::de::DeserializeOwned;
use serde::Serialize;

pub use named::NamedRecord;
pub use record::Record;
pub use scalar::scalar;
pub use value::StoredValue;

/// A value as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// How the bytes are to be read.
    pub kind: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Why a value cannot be written, or bytes cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The value, or its type, does not go with the bytes.
    #[error("{0}")]
    Unfit(String),
    /// The bytes are no msgpack.
    #[error("the stored bytes are broken: {0}")]
    Broken(String),
    /// The kind is none that is known here.
    #[error(
        "a stored value of kind '{0}' cannot be read; known are null, bytes, bytearray, msgpack"
    )]
    UnknownKind(String),
}

impl serde::de::Error for WireError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        WireError::Unfit(message.to_string())
    }
}

/// Encodes a value. Structs are maps by field name, as Python's dicts are.
///
/// # Errors
///
/// The value's own [`Serialize`] fails, or something in it is too long for msgpack.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Encoded, WireError> {
    let _packing = Packing::begin();
    let mut bytes = packed(value).map_err(|error| WireError::Unfit(error.to_string()))?;
    let (kind, bytes) = match rmp::Marker::from_u8(bytes[0]) {
        rmp::Marker::Null => ("null", Vec::new()),
        rmp::Marker::Bin8 => ("bytes", bytes.split_off(2)),
        rmp::Marker::Bin16 => ("bytes", bytes.split_off(3)),
        rmp::Marker::Bin32 => ("bytes", bytes.split_off(5)),
        _ => ("msgpack", bytes),
    };
    Ok(Encoded { kind: kind.to_owned(), bytes })
}

fn packed<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, rmp_serde::encode::Error> {
    let mut bytes = Vec::new();
    let mut serializer =
        rmp_serde::Serializer::new(&mut bytes).with_struct_map().with_human_readable();
    value.serialize(&mut serializer)?;
    Ok(bytes)
}

thread_local! {
    static IS_PACKING: Cell<bool> = const { Cell::new(false) };
}

/// Lives while this thread encodes. A value that is written differently in msgpack than elsewhere has no
/// other way to know: serde tells it only whether people can read the format, and other crates'
/// types, such as dates, are to be texts in both.
struct Packing {
    was_packing: bool,
}

impl Packing {
    fn begin() -> Self {
        Self { was_packing: IS_PACKING.replace(true) }
    }

    /// Whether this thread encodes.
    fn is_under_way() -> bool {
        IS_PACKING.get()
    }
}

impl Drop for Packing {
    fn drop(&mut self) {
        IS_PACKING.set(self.was_packing);
    }
}

/// Decodes a value.
///
/// Nothing is larger in memory than its bytes warrant, and no code is called that they name.
///
/// # Errors
///
/// The bytes are broken, nest deeper than 500 levels, or do not describe a `T`.
pub fn decode<T: DeserializeOwned>(kind: &str, bytes: &[u8]) -> Result<T, WireError> {
    let value = match kind {
        "null" => StoredValue::Nil,
        "bytes" | "bytearray" => StoredValue::Bytes(bytes.to_vec()),
        "msgpack" => read::value(bytes)?,
        _ => return Err(WireError::UnknownKind(kind.to_owned())),
    };
    T::deserialize(value)
}
