use std::collections::btree_map::{BTreeMap, Entry};
use std::sync::Arc;

use langgraph_core::{CheckpointId, Control, Domain, Target, TaskId, Write};

use crate::{Checkpoint, Metadata, PendingWrite};

/// A saver that keeps the checkpoints of many threads in memory, as native values.
///
/// It follows the rules that every saver follows: an ordinary write never replaces one already
/// stored at its place, a write about the task itself replaces the former of its kind.
pub struct MemorySaver<D: Domain> {
    namespaces: BTreeMap<(String, String), BTreeMap<CheckpointId, StoredCheckpoint<D>>>,
}

/// A checkpoint as a saver holds it.
pub struct StoredCheckpoint<D: Domain> {
    /// The checkpoint.
    pub checkpoint: Arc<Checkpoint<D>>,
    /// What the engine said about it.
    pub metadata: Metadata,
    /// The checkpoint before it.
    pub parent: Option<CheckpointId>,
    /// The writes pending on it, by task and place.
    pub writes: Vec<(TaskId, i64, Write<D>)>,
    /// Where each task's write at each place is among them.
    positions: BTreeMap<(TaskId, i64), usize>,
}

impl<D: Domain> Default for MemorySaver<D> {
    fn default() -> Self {
        Self { namespaces: BTreeMap::new() }
    }
}

impl<D: Domain> MemorySaver<D> {
    /// Stores a checkpoint of `namespace` in `thread`.
    pub fn put(
        &mut self,
        thread: &str,
        namespace: &str,
        checkpoint: Checkpoint<D>,
        metadata: Metadata,
        parent: Option<CheckpointId>,
    ) {
        let stored = StoredCheckpoint {
            metadata,
            parent,
            writes: Vec::new(),
            positions: BTreeMap::new(),
            checkpoint: Arc::new(checkpoint),
        };
        self.namespaces
            .entry((thread.into(), namespace.into()))
            .or_default()
            .insert(stored.checkpoint.id.clone(), stored);
    }

    /// Stores the writes of a task on a checkpoint. Writes on an unknown checkpoint are dropped.
    pub fn put_writes(
        &mut self,
        thread: &str,
        namespace: &str,
        checkpoint: &CheckpointId,
        task: &TaskId,
        writes: Vec<Write<D>>,
    ) {
        let key = (thread.to_string(), namespace.to_string());
        let Some(stored) = self.namespaces.get_mut(&key).and_then(|ns| ns.get_mut(checkpoint))
        else {
            return;
        };
        for (position, write) in writes.into_iter().enumerate() {
            let place = fixed_place(&write.target).unwrap_or(position as i64);
            match stored.positions.entry((task.clone(), place)) {
                Entry::Occupied(found) if place < 0 => stored.writes[*found.get()].2 = write,
                Entry::Occupied(_) => {}
                Entry::Vacant(free) => {
                    free.insert(stored.writes.len());
                    stored.writes.push((task.clone(), place, write));
                }
            }
        }
    }

    /// The checkpoint with the given id, or the newest.
    pub fn get(
        &self,
        thread: &str,
        namespace: &str,
        id: Option<&CheckpointId>,
    ) -> Option<&StoredCheckpoint<D>> {
        let stored = self.namespaces.get(&(thread.to_string(), namespace.to_string()))?;
        match id {
            Some(id) => stored.get(id),
            None => stored.values().next_back(),
        }
    }

    /// The checkpoints of a namespace, newest first.
    pub fn list(
        &self,
        thread: &str,
        namespace: &str,
    ) -> impl Iterator<Item = &StoredCheckpoint<D>> {
        self.namespaces
            .get(&(thread.to_string(), namespace.to_string()))
            .into_iter()
            .flat_map(|stored| stored.values().rev())
    }
}

impl<D: Domain> StoredCheckpoint<D> {
    /// The pending writes, copied for a run that continues here.
    pub fn pending(&self, cx: D::Cx<'_>) -> Vec<PendingWrite<D>> {
        self.writes
            .iter()
            .map(|(task, _, write)| PendingWrite { task: task.clone(), write: write.copy(cx) })
            .collect()
    }
}

/// The place that writes of this kind always take, as the stored format numbers it.
fn fixed_place(target: &Target) -> Option<i64> {
    match target {
        Target::Control(Control::Error) => Some(-1),
        Target::Control(Control::Interrupt) => Some(-3),
        Target::Control(Control::Resume) => Some(-4),
        _ => None,
    }
}
