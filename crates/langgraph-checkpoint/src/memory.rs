use std::collections::btree_map::{BTreeMap, Entry};
use std::sync::Arc;

use langgraph_rust_channels::Saved;
use langgraph_rust_core::{ChannelIndex, CheckpointId, Control, Domain, Target, TaskId, Write};

use crate::{Ancestry, Checkpoint, Metadata, PendingWrite};

/// A saver that keeps the checkpoints of many threads in memory, as native values.
///
/// It follows the rules that every saver follows: an ordinary write never replaces one already
/// stored at its place, a write about the task itself replaces the former of its kind.
pub struct MemorySaver<D: Domain> {
    namespaces: BTreeMap<(String, String), BTreeMap<CheckpointId, StoredCheckpoint<D>>>,
    /// Writes on checkpoints that are not there yet: a run stores them while it stores those.
    early: BTreeMap<(String, String, CheckpointId), Writes<D>>,
}

/// A checkpoint as a saver holds it.
pub struct StoredCheckpoint<D: Domain> {
    /// The checkpoint.
    pub checkpoint: Arc<Checkpoint<D>>,
    /// What the engine said about it.
    pub metadata: Metadata,
    /// The checkpoint before it.
    pub parent: Option<CheckpointId>,
    /// The writes pending on it.
    writes: Writes<D>,
}

/// Writes pending on a checkpoint.
struct Writes<D: Domain> {
    /// The writes, by task and place.
    all: Vec<(TaskId, i64, Write<D>)>,
    /// Where each task stood, as text.
    paths: BTreeMap<TaskId, Arc<str>>,
    /// Where each task's write at each place is among them.
    positions: BTreeMap<(TaskId, i64), usize>,
}

impl<D: Domain> Default for Writes<D> {
    fn default() -> Self {
        Self { all: Vec::new(), paths: BTreeMap::new(), positions: BTreeMap::new() }
    }
}

impl<D: Domain> Default for MemorySaver<D> {
    fn default() -> Self {
        Self { namespaces: BTreeMap::new(), early: BTreeMap::new() }
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
        let place = (thread.to_string(), namespace.to_string(), checkpoint.id.clone());
        let writes = self.early.remove(&place).unwrap_or_default();
        let (thread, namespace, id) = place;
        let stored =
            StoredCheckpoint { metadata, parent, writes, checkpoint: Arc::new(checkpoint) };
        self.namespaces.entry((thread, namespace)).or_default().insert(id, stored);
    }

    /// Stores the writes of a task, which stood at `path`, on a checkpoint. They may come before it.
    pub fn put_writes(
        &mut self,
        thread: &str,
        namespace: &str,
        checkpoint: &CheckpointId,
        task: &TaskId,
        path: &str,
        writes: Vec<Write<D>>,
    ) {
        let key = (thread.to_string(), namespace.to_string());
        let stored = self.namespaces.get_mut(&key).and_then(|ns| ns.get_mut(checkpoint));
        let kept = match stored {
            Some(stored) => &mut stored.writes,
            None => self.early.entry((key.0, key.1, checkpoint.clone())).or_default(),
        };
        kept.add(task, path, writes);
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

    /// A namespace of a thread, to look up what its checkpoints have before them.
    pub fn ancestry(&self, thread: &str, namespace: &str) -> impl Ancestry<D> + '_ {
        Lineage(self.namespaces.get(&(thread.to_string(), namespace.to_string())))
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

impl<D: Domain> Writes<D> {
    fn add(&mut self, task: &TaskId, path: &str, writes: Vec<Write<D>>) {
        self.paths.insert(task.clone(), path.into());
        for (position, write) in writes.into_iter().enumerate() {
            let place = fixed_place(&write.target).unwrap_or(position as i64);
            match self.positions.entry((task.clone(), place)) {
                Entry::Occupied(found) if place < 0 => self.all[*found.get()].2 = write,
                Entry::Occupied(_) => {}
                Entry::Vacant(free) => {
                    free.insert(self.all.len());
                    self.all.push((task.clone(), place, write));
                }
            }
        }
    }
}

impl<D: Domain> StoredCheckpoint<D> {
    /// The pending writes, copied for a run that continues here.
    pub fn pending(&self, cx: D::Cx<'_>) -> Vec<PendingWrite<D>> {
        self.writes
            .all
            .iter()
            .map(|(task, _, write)| PendingWrite { task: task.clone(), write: write.copy(cx) })
            .collect()
    }
}

/// The checkpoints of one namespace.
struct Lineage<'s, D: Domain>(Option<&'s BTreeMap<CheckpointId, StoredCheckpoint<D>>>);

impl<D: Domain> Lineage<'_, D> {
    fn get(&self, id: &CheckpointId) -> Option<&StoredCheckpoint<D>> {
        self.0.and_then(|stored| stored.get(id))
    }
}

impl<D: Domain> Ancestry<D> for Lineage<'_, D> {
    fn parent(&self, id: &CheckpointId) -> Option<CheckpointId> {
        self.get(id)?.parent.clone().filter(|parent| self.get(parent).is_some())
    }

    fn value(&self, cx: D::Cx<'_>, id: &CheckpointId, channel: &str) -> Option<Saved<D>> {
        let values = &self.get(id)?.checkpoint.channel_values;
        values.iter().find(|(name, _)| &**name == channel).map(|(_, saved)| saved.copy(cx))
    }

    fn writes(&self, cx: D::Cx<'_>, id: &CheckpointId, channel: ChannelIndex) -> Vec<D::Value> {
        let Some(stored) = self.get(id) else { return Vec::new() };
        let own =
            |(_, _, write): &&(TaskId, i64, Write<D>)| write.target == Target::Channel(channel);
        let mut found: Vec<_> = stored.writes.all.iter().filter(own).collect();
        let path = |task: &TaskId| stored.writes.paths.get(task);
        found.sort_by(|a, b| (path(&a.0), &a.0, a.1).cmp(&(path(&b.0), &b.0, b.1)));
        found.into_iter().map(|(_, _, write)| D::copy(cx, &write.value)).collect()
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
