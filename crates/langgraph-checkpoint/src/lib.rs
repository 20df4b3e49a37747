//! What a thread looks like at rest: checkpoints, their metadata, and the writes pending on them.
//!
//! The model is the stored format's, name for name; [`wire`] is how values in it are encoded.

mod checkpoint;
mod pending;
pub mod wire;

pub use checkpoint::{Checkpoint, Metadata, SinceSnapshot, Source, Versions, VersionsSeen, FORMAT};
pub use pending::{pending_interrupts, task_output, PendingWrite};
