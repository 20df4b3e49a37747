use std::fmt;
use std::sync::{Arc, OnceLock};

use sha1::{Digest, Sha1};
use xxhash_rust::xxh3::xxh3_128;

use crate::names::{INPUT, INTERRUPT, NS_SEP};

/// Names a task within its thread: a UUID in text form, a pure function of where the task stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(Text);

impl TaskId {
    /// Stored with writes that belong to no task: input given as a command, and a resume value
    /// that names no interrupt.
    pub const NULL: &'static str = "00000000-0000-0000-0000-000000000000";

    /// An id read from storage.
    pub fn from_text(text: &str) -> Self {
        Self(Text::new(text))
    }

    /// The id of the task that `parts` describe, in the checkpoint `checkpoint`: the first 128 bits
    /// of the hash of the checkpoint id's bytes followed by the parts.
    pub fn derive(hash: IdHash, checkpoint: &CheckpointId, parts: &[&str]) -> Self {
        if hash == IdHash::Sha1 {
            return Self::derive_sha1(checkpoint, parts);
        }
        let mut bytes = [0; 256];
        let mut length = checkpoint.bytes.len();
        bytes[..length].copy_from_slice(&checkpoint.bytes);
        for part in parts.iter().filter(|part| !part.is_empty()) {
            let end = length + part.len();
            let Some(slot) = bytes.get_mut(length..end) else {
                return Self::derive_long(checkpoint, parts);
            };
            slot.copy_from_slice(part.as_bytes());
            length = end;
        }
        Self(Text::Uuid(spell(xxh3_128(&bytes[..length]))))
    }

    #[cold]
    fn derive_sha1(checkpoint: &CheckpointId, parts: &[&str]) -> Self {
        let mut hash = Sha1::new_with_prefix(checkpoint.bytes);
        parts.iter().for_each(|part| hash.update(part));
        let digest: [u8; 20] = hash.finalize().into();
        let bits = digest[..16].iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte));
        Self(Text::Uuid(spell(bits)))
    }

    /// [`TaskId::derive`], for parts that do not fit in place.
    #[cold]
    fn derive_long(checkpoint: &CheckpointId, parts: &[&str]) -> Self {
        let mut bytes = checkpoint.bytes.to_vec();
        parts.iter().for_each(|part| bytes.extend_from_slice(part.as_bytes()));
        Self(Text::Uuid(spell(xxh3_128(&bytes))))
    }

    /// The id under which a part of the task keeps its resume values: a part that asks for itself,
    /// such as one of several tool calls. No task has it, so that others pass over what is kept.
    pub fn of_part(&self, part: &str) -> Self {
        let bits = xxh3_128(format!("{self}{NS_SEP}{part}").as_bytes());
        Self(Text::Uuid(spell(bits)))
    }

    /// The id under which a checkpoint keeps the input of the run that starts from it: the UUID,
    /// version 5, of that name in the checkpoint's own.
    pub fn for_input(checkpoint: &CheckpointId) -> Self {
        Self::named(checkpoint, INPUT)
    }

    /// The id of an update from outside that stands for no task, the one at `position` in its
    /// superstep: one each, since savers keep a single write per task and place.
    pub fn for_update(checkpoint: &CheckpointId, position: usize) -> Self {
        match position {
            0 => Self::named(checkpoint, INTERRUPT),
            more => Self::named(checkpoint, &format!("{INTERRUPT}:{more}")),
        }
    }

    /// The UUID, version 5, of a name in the checkpoint's own.
    fn named(checkpoint: &CheckpointId, name: &str) -> Self {
        let mut hash = Sha1::new_with_prefix(checkpoint.bytes);
        hash.update(name);
        let digest: [u8; 20] = hash.finalize().into();
        let bits = digest[..16].iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte));
        let version = 0xf << 76 | 0x3 << 62;
        Self(Text::Uuid(spell(bits & !version | 0x5 << 76 | 0x2 << 62)))
    }

    /// The task's id on the checkpoint that its run started from, for what it wrote in superstep
    /// `step`: with durability `exit` that is kept there. Ids sort by the superstep; `is_later` for
    /// one after the checkpoint's own, which sort after all others.
    pub fn at_exit(&self, step: i64, is_later: bool) -> Self {
        let text = self.as_str().to_lowercase();
        let parts: Vec<&str> = text.split('-').collect();
        let part = |index: usize| parts.get(index).copied().unwrap_or_default();
        let id = if is_later {
            let (high, low) = (step >> 16, step & 0xffff);
            format!("ffffffff-{high:04x}-{low:04x}-{}-{}", part(3), part(4))
        } else {
            format!("{step:08}-{}-{}-{}-{}", part(1), part(2), part(3), part(4))
        };
        // Readers take the null task's writes for the checkpoint's own.
        match id == Self::NULL {
            true => Self(Text::new(&format!("{step:08}-0000-0000-0000-000000000001"))),
            false => Self(Text::new(&id)),
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether this is [`TaskId::NULL`].
    pub fn is_null(&self) -> bool {
        self.0.bytes() == Self::NULL.as_bytes()
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What task ids are a hash by. A checkpoint's format decides that for the tasks that start from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdHash {
    /// SHA-1, in checkpoints of format 1.
    Sha1,
    /// XXH3, since format 2.
    #[default]
    Xxh3,
}

/// Names a checkpoint: a time-ordered UUID in text form, so that the newest is the greatest.
#[derive(Clone)]
pub struct CheckpointId {
    /// The 16 bytes that the text spells.
    bytes: [u8; 16],
    /// Spelled for the first who asks, if the bytes were first: every superstep makes an id.
    text: OnceLock<Box<Text>>,
}

impl CheckpointId {
    /// The id that is spelled by these bits, as a UUID.
    pub fn from_bits(bits: u128) -> Self {
        Self { bytes: bits.to_be_bytes(), text: OnceLock::new() }
    }

    /// An id in text form, as storage holds it. What is no hexadecimal digit spells nothing, and
    /// digits that are missing count as zero.
    pub fn from_text(text: &str) -> Self {
        let mut bytes = [0u8; 16];
        let digits = text.bytes().filter_map(|c| (c as char).to_digit(16));
        for (position, digit) in digits.take(32).enumerate() {
            bytes[position / 2] |= (digit as u8) << (4 * (1 - position % 2));
        }
        Self { bytes, text: Box::new(Text::new(text)).into() }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.text().as_str()
    }

    fn text(&self) -> &Text {
        self.text.get_or_init(|| Box::new(Text::Uuid(spell(u128::from_be_bytes(self.bytes)))))
    }
}

/// Ids are equal, and in order, as their texts are.
impl PartialEq for CheckpointId {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for CheckpointId {}

impl Ord for CheckpointId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text().cmp(other.text())
    }
}

impl PartialOrd for CheckpointId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl std::hash::Hash for CheckpointId {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text().hash(state);
    }
}

impl fmt::Debug for CheckpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CheckpointId").field(&self.as_str()).finish()
    }
}

/// The id of a task's interrupt, once the task has been resumed `resumed` times. `namespace` is the task's: the
/// graph's namespace, the node's name and the task's id.
pub fn interrupt_id(namespace: &str, resumed: usize) -> String {
    let hash = match resumed {
        0 => xxh3_128(namespace.as_bytes()),
        resumed => xxh3_128(format!("{namespace}{NS_SEP}{resumed}").as_bytes()),
    };
    format!("{hash:032x}")
}

/// `bits` in the 8-4-4-4-12 form of a UUID.
pub fn uuid_text(bits: u128) -> String {
    spell(bits).iter().map(|byte| char::from(*byte)).collect()
}

/// An id's text. Ids are made for every task, so a UUID is held in place.
#[derive(Clone)]
enum Text {
    /// 36 ASCII characters.
    Uuid([u8; UUID]),
    Other(Arc<str>),
}

/// The length of a UUID in text form.
const UUID: usize = 36;

impl Text {
    fn new(text: &str) -> Self {
        match <[u8; UUID]>::try_from(text.as_bytes()) {
            Ok(bytes) if bytes.is_ascii() => Text::Uuid(bytes),
            _ => Text::Other(text.into()),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Text::Uuid(bytes) => bytes,
            Text::Other(text) => text.as_bytes(),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Text::Uuid(bytes) => std::str::from_utf8(bytes).expect("ASCII is UTF-8"),
            Text::Other(text) => text,
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Text {}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bytes().cmp(other.bytes())
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl std::hash::Hash for Text {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// `bits` in the 8-4-4-4-12 form of a UUID.
fn spell(bits: u128) -> [u8; UUID] {
    const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    let mut text = [b'-'; UUID];
    for (byte, place) in bits.to_be_bytes().into_iter().zip(PLACES) {
        text[place..place + 2].copy_from_slice(&HEX[usize::from(byte)]);
    }
    text
}

/// Each byte in two hexadecimal digits.
const HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = [digits[byte >> 4], digits[byte & 0xf]];
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_spelled_as_uuids() {
        let text = "01234567-89ab-cdef-fedc-ba9876543210";
        let bits = 0x0123456789abcdef_fedcba9876543210;
        assert_eq!(CheckpointId::from_bits(bits).as_str(), text);
        assert_eq!(CheckpointId::from_text(text), CheckpointId::from_bits(bits));
        assert_eq!(uuid_text(bits), text);
    }

    #[test]
    fn bytes_follow_the_text() {
        let id = CheckpointId::from_text("01020304-0506-0708-090a-0b0c0d0e0f10");
        assert_eq!(id.bytes, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
        let odd = CheckpointId::from_text("no uuid");
        assert_eq!(odd.as_str(), "no uuid");
        assert_eq!(odd.bytes[0], 0xd0);
    }

    #[test]
    fn ids_go_by_their_text() {
        let texts = ["", "00000000-0000-0000-0000-000000000001", "1", "\u{e9} of any length"];
        for a in texts {
            for b in texts {
                let (x, y) = (TaskId::from_text(a), TaskId::from_text(b));
                assert_eq!(x.cmp(&y), a.cmp(b));
                assert_eq!(x == y, a == b);
            }
        }
        assert!(TaskId::from_text(TaskId::NULL).is_null());
    }

    #[test]
    fn task_ids_of_format_1_are_the_head_of_a_sha_1() {
        let checkpoint = CheckpointId::from_bits(0x61_62_63);
        // SHA-1 of thirteen zero bytes and "abcnode".
        let id = TaskId::derive(IdHash::Sha1, &checkpoint, &["no", "de"]);
        let expected = Sha1::digest(b"\0\0\0\0\0\0\0\0\0\0\0\0\0abcnode");
        let head: String = expected[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(id.as_str().replace('-', ""), head);
    }

    #[test]
    fn a_task_id_is_the_hash_of_its_place() {
        let checkpoint = CheckpointId::from_bits(1);
        let id = TaskId::derive(
            IdHash::Xxh3,
            &checkpoint,
            &["node", "1", "node", "__pregel_pull", "trigger"],
        );
        let mut bytes = 1u128.to_be_bytes().to_vec();
        bytes.extend_from_slice(b"node1node__pregel_pulltrigger");
        assert_eq!(id.as_str(), uuid_text(xxh3_128(&bytes)));
        let long = "trigger".repeat(100);
        let whole = TaskId::derive(IdHash::Xxh3, &checkpoint, &[&long, &long]);
        let parts: Vec<&str> = std::iter::repeat_n("trigger", 200).collect();
        assert_eq!(whole, TaskId::derive(IdHash::Xxh3, &checkpoint, &parts));
    }
}
