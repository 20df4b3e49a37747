use std::fmt;
use std::sync::Arc;

use xxhash_rust::xxh3::{xxh3_128, Xxh3};

use crate::names::NS_SEP;

/// Names a task within its thread: a UUID in text form, a pure function of where the task stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(Arc<str>);

impl TaskId {
    /// Stored with writes that belong to no task: input given as a command, and single answers.
    pub const NULL: &'static str = "00000000-0000-0000-0000-000000000000";

    /// An id read from storage.
    pub fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    /// The id of the task that `parts` describe, in the checkpoint `checkpoint`: the 128-bit XXH3
    /// of the checkpoint id's bytes followed by the parts.
    pub fn derive(checkpoint: &CheckpointId, parts: &[&str]) -> Self {
        let mut hash = Xxh3::new();
        hash.update(&checkpoint.bytes());
        for part in parts {
            hash.update(part.as_bytes());
        }
        Self(uuid_digits(hash.digest128()).as_str().into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is [`TaskId::NULL`].
    pub fn is_null(&self) -> bool {
        &*self.0 == Self::NULL
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a checkpoint: a time-ordered UUID in text form, so that the newest is the greatest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckpointId(Arc<str>);

impl CheckpointId {
    /// The id that is spelled by these bits, as a UUID.
    pub fn from_bits(bits: u128) -> Self {
        Self(uuid_text(bits).as_str().into())
    }

    /// An id in text form, as storage holds it.
    pub fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 16 bytes that the text spells in hexadecimal; digits that are missing count as zero.
    fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0u8; 16];
        let digits = self.0.bytes().filter_map(|c| (c as char).to_digit(16));
        for (position, digit) in digits.take(32).enumerate() {
            bytes[position / 2] |= (digit as u8) << (4 * (1 - position % 2));
        }
        bytes
    }
}

/// The id of a task's question, once it has got `answered` answers. `namespace` is the task's: the
/// graph's namespace, the node's name and the task's id.
pub fn interrupt_id(namespace: &str, answered: usize) -> String {
    let hash = match answered {
        0 => xxh3_128(namespace.as_bytes()),
        answered => xxh3_128(format!("{namespace}{NS_SEP}{answered}").as_bytes()),
    };
    format!("{hash:032x}")
}

/// `bits` in the 8-4-4-4-12 form of a UUID.
pub fn uuid_text(bits: u128) -> String {
    uuid_digits(bits).as_str().to_owned()
}

fn uuid_digits(bits: u128) -> UuidText {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut shift = 128;
    for (position, slot) in text.iter_mut().enumerate() {
        if !matches!(position, 8 | 13 | 18 | 23) {
            shift -= 4;
            *slot = DIGITS[(bits >> shift) as usize & 0xf];
        }
    }
    UuidText(text)
}

struct UuidText([u8; 36]);

impl UuidText {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits and dashes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_spelled_as_uuids() {
        assert_eq!(
            uuid_text(0x0123456789abcdef_fedcba9876543210),
            "01234567-89ab-cdef-fedc-ba9876543210"
        );
    }

    #[test]
    fn bytes_follow_the_text() {
        let id = CheckpointId::from_text("01020304-0506-0708-090a-0b0c0d0e0f10");
        assert_eq!(id.bytes(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    }
}
