use serde::{Serialize, Serializer};

use super::record::serialize_packed;
use super::{packed, Packing};

/// A record of something in Python, for a type of one's own that is stored as one: its
/// [`Serialize`] makes this and serializes it. [`encode`](super::encode) writes the record, other
/// formats write the content.
///
/// ```
/// use langgraph_rust_checkpoint::wire::{encode, NamedRecord};
/// use serde::{Serialize, Serializer};
///
/// /// A `uuid.UUID` in Python, a text in JSON.
/// struct Id(String);
///
/// impl Serialize for Id {
///     fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
///         let Id(content) = self;
///         NamedRecord { code: 0, module: "uuid", name: "UUID", content, method: None }
///             .serialize(serializer)
///     }
/// }
///
/// let id = Id("0123456789abcdef0123456789abcdef".into());
/// assert_eq!(encode(&id)?.bytes[..3], [0xc7, 45, 0]); // an extension of 45 bytes with code 0
/// # Ok::<(), langgraph_rust_checkpoint::wire::WireError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NamedRecord<'a, T: ?Sized> {
    /// How the record is to be read; the codes are those of
    /// `docs/contributing/checkpoint-format.md`.
    pub code: u8,
    /// The Python module.
    pub module: &'a str,
    /// The class or function in it.
    pub name: &'a str,
    /// What the thing is made from.
    pub content: &'a T,
    /// The method that makes it, for codes that name one.
    pub method: Option<&'a str>,
}

impl<T: Serialize + ?Sized> Serialize for NamedRecord<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !Packing::is_under_way() {
            return self.content.serialize(serializer);
        }
        let payload = match self.method {
            Some(method) => packed(&(self.module, self.name, self.content, method)),
            None => packed(&(self.module, self.name, self.content)),
        };
        let payload = payload.map_err(serde::ser::Error::custom)?;
        serialize_packed(serializer, self.code as i8, &payload)
    }
}
