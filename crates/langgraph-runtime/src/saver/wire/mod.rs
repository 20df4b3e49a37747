//! What savers for databases write: the bytes that LangGraph's own write for the same.
//!
//! A value is a kind and bytes, as in [`langgraph_rust_checkpoint::wire`]. A checkpoint with the
//! values of its channels in it is such a value too ([`encode_checkpoint`]), its metadata are JSON
//! ([`metadata_json`]), and versions are text ([`next_version`]). Or a checkpoint is JSON with single
//! values in it, and the others are stored beside it ([`divide`]).
//!
//! Checkpoints of older formats are read. Two things of theirs are left out: packets for the next
//! superstep that format 3 and older kept as writes on the parent, and the renaming of channels that
//! format 2 and older called after edges.

mod checkpoint;
mod divided;
mod metadata;
mod value;

use std::hash::{BuildHasher, RandomState};

use langgraph_rust_core::Version;

pub use checkpoint::{decode_checkpoint, encode_checkpoint};
pub use divided::{checkpoint_from_json, divide, version_text, Divided, OwnRow};
pub use langgraph_rust_checkpoint::wire::Encoded;
pub use metadata::{metadata_from_json, metadata_json};
pub use value::{decode, encode};

/// The version that follows on `current`: its number plus one in 32 digits, and a fraction drawn at
/// random, so that versions sort as text and those of two branches of a thread differ.
pub fn next_version(current: Option<&Version>) -> Version {
    let number = match current {
        None => 0,
        Some(Version::Int(number)) => *number,
        Some(Version::Float(number)) => *number as i64,
        Some(Version::Text(text)) => {
            let whole = text.split('.').next().unwrap_or_default();
            whole.parse().unwrap_or_default()
        }
    };
    // Hashers are seeded by the system, and each differently.
    let bits = RandomState::new().hash_one(0_u8) >> 11;
    let fraction = bits as f64 / (1_u64 << 53) as f64;
    Version::Text(format!("{:032}.{fraction:016}", number.saturating_add(1)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_with_chance_behind() {
        let text = |version: &Version| match version {
            Version::Text(text) => text.to_string(),
            other => panic!("{other:?} is no text"),
        };
        let first = next_version(None);
        assert!(text(&first).starts_with("00000000000000000000000000000001.0."), "{first:?}");
        let (a, b) = (next_version(Some(&first)), next_version(Some(&first)));
        assert!(text(&a).starts_with("00000000000000000000000000000002."));
        assert_ne!(a, b);
        assert!(a > first && b > first);
        let of_int = next_version(Some(&Version::Int(41)));
        assert!(text(&of_int).starts_with("00000000000000000000000000000042."));
    }
}
