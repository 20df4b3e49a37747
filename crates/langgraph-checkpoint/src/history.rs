use langgraph_rust_channels::{History, Saved};
use langgraph_rust_core::{ChannelIndex, CheckpointId, Domain};

/// Where a thread's earlier checkpoints are.
pub trait Ancestry<D: Domain> {
    /// The checkpoint before, if there is one.
    fn parent(&self, id: &CheckpointId) -> Option<CheckpointId>;

    /// What a checkpoint holds of a channel.
    fn value(&self, cx: D::Cx<'_>, id: &CheckpointId, channel: &str) -> Option<Saved<D>>;

    /// The writes to a channel that are stored on a checkpoint, in the order in which they were
    /// applied: by task path, task and place.
    fn writes(&self, cx: D::Cx<'_>, id: &CheckpointId, channel: ChannelIndex) -> Vec<D::Value>;
}

/// How a channel that keeps changes came to the value that it has at the checkpoint `id`: up to the
/// nearest checkpoint before it that holds a value, by parents, so that other branches have no part
/// in it. Writes pending on `id` itself belong to what comes after.
pub fn history<D: Domain>(
    cx: D::Cx<'_>,
    ancestry: &impl Ancestry<D>,
    id: &CheckpointId,
    name: &str,
    channel: ChannelIndex,
) -> History<D> {
    let mut batches = Vec::new();
    let mut seed = None;
    let mut at = ancestry.parent(id);
    while let Some(ancestor) = at {
        batches.push(ancestry.writes(cx, &ancestor, channel));
        seed = ancestry.value(cx, &ancestor, name);
        at = if seed.is_none() { ancestry.parent(&ancestor) } else { None };
    }
    History { seed, writes: batches.into_iter().rev().flatten().collect() }
}
