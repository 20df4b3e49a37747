use std::sync::Arc;

use langgraph_rust_core::{CheckpointId, Domain, Version};

/// What the engine may ask of the world: nothing but names and times for new things. Given to each
/// call that may need it; a test gives counters.
pub trait Env<D: Domain> {
    /// The version after `current`, which is the newest of all channels'.
    fn next_version(&mut self, current: Option<&Version>) -> Result<Version, D::Error>;

    /// The id of a new checkpoint after superstep `step`. Greater than every one before it.
    fn checkpoint_id(&mut self, step: i64) -> CheckpointId;

    /// The time: UTC, ISO 8601.
    fn now(&mut self) -> Arc<str>;
}
