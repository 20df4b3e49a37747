use std::sync::{Arc, Mutex, MutexGuard};

use langgraph_rust_channels::Saved;
use langgraph_rust_checkpoint::{history, Checkpoint, MemorySaver};
use langgraph_rust_core::CheckpointId;
use langgraph_rust_pregel::{CheckpointToStore, Loaded, Plan, WritesToStore};

use crate::Native;

/// A handle on threads kept in memory. Copies are handles on the same threads.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<MemorySaver<Native>>>);

impl Memory {
    /// No threads yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The saver itself.
    pub fn lock(&self) -> MutexGuard<'_, MemorySaver<Native>> {
        // A panic while the lock is held cannot leave a thread half stored: each call stores one.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Stores a task's writes.
    pub fn store_writes(&self, place: &Place, writes: WritesToStore<Native>) {
        let WritesToStore { checkpoint, task, path, writes, .. } = writes;
        let path = path.as_ref().map(|path| path.text()).unwrap_or_default();
        let (thread, namespace) = (&place.thread, &place.namespace);
        self.lock().put_writes(thread, namespace, &checkpoint, &task, &path, writes);
    }

    /// Stores a checkpoint, and the writes that go with it.
    pub fn store_checkpoint(&self, place: &Place, put: CheckpointToStore<Native>) {
        let CheckpointToStore { checkpoint, metadata, parent, writes, .. } = put;
        writes.into_iter().for_each(|writes| self.store_writes(place, writes));
        self.lock().put(&place.thread, &place.namespace, checkpoint, metadata, parent);
    }

    /// What a run at `place` starts from: the checkpoint with the given id, or the newest.
    pub(crate) fn load(
        &self,
        plan: &Plan<Native>,
        place: &Place,
        id: Option<&CheckpointId>,
    ) -> Option<Loaded<Native>> {
        let saver = self.lock();
        let stored = saver.get(&place.thread, &place.namespace, id)?;
        let newest = saver.get(&place.thread, &place.namespace, None)?;
        Some(Loaded {
            checkpoint: complete(&saver, plan, place, &stored.checkpoint),
            source: Some(stored.metadata.source),
            step: stored.metadata.step,
            since_snapshot: stored.metadata.since_snapshot.clone(),
            pending: stored.pending(()),
            addressed: id.is_some(),
            superseded: newest.checkpoint.id != stored.checkpoint.id,
            parent: stored.parent.clone(),
            stored: true,
        })
    }
}

/// A stored checkpoint with the histories of the fields whose values it does not hold.
pub(crate) fn complete(
    saver: &MemorySaver<Native>,
    plan: &Plan<Native>,
    place: &Place,
    stored: &Checkpoint<Native>,
) -> Checkpoint<Native> {
    let mut checkpoint = stored.copy(());
    for index in plan.needs_history(stored) {
        let name = &plan.channel(index).name;
        let ancestry = saver.ancestry(&place.thread, &place.namespace);
        let found = history((), &ancestry, &stored.id, name, index);
        checkpoint.channel_values.push((name.clone(), Saved::History(Box::new(found))));
    }
    checkpoint
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memory")
    }
}

/// Which thread, and which graph's part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The thread.
    pub thread: Arc<str>,
    /// The graph's namespace; empty at the root.
    pub namespace: Arc<str>,
}
