use std::sync::{Arc, Mutex, MutexGuard};

use langgraph_checkpoint::MemorySaver;
use langgraph_core::CheckpointId;
use langgraph_pregel::{CheckpointToStore, Loaded, WritesToStore};

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
        let WritesToStore { checkpoint, task, writes, .. } = writes;
        self.lock().put_writes(&place.thread, &place.namespace, &checkpoint, &task, writes);
    }

    /// Stores a checkpoint.
    pub fn store_checkpoint(&self, place: &Place, put: CheckpointToStore<Native>) {
        let CheckpointToStore { checkpoint, metadata, parent, .. } = put;
        self.lock().put(&place.thread, &place.namespace, checkpoint, metadata, parent);
    }

    /// What a run at `place` starts from: the checkpoint with the given id, or the newest.
    pub(crate) fn load(&self, place: &Place, id: Option<&CheckpointId>) -> Option<Loaded<Native>> {
        let saver = self.lock();
        let stored = saver.get(&place.thread, &place.namespace, id)?;
        let newest = saver.get(&place.thread, &place.namespace, None)?;
        Some(Loaded {
            checkpoint: stored.checkpoint.copy(()),
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
