use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use langgraph_rust_core::{CheckpointId, TaskId, Version};

use super::{
    fixed_place, CheckpointTuple, DeltaHistory, Link, ListQuery, Look, Place, Prune, Pruning,
    PutCheckpoint, PutWrites, Saver, StoredWrite,
};
use crate::{BoxFuture, Error, Value};

/// Keeps threads in memory, as the values that they are. Copies are handles on the same threads.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Threads>>);

#[derive(Default)]
struct Threads {
    namespaces: BTreeMap<Place, BTreeMap<CheckpointId, Stored>>,
}

/// A checkpoint, or what was written on one before it came.
#[derive(Clone, Default)]
struct Stored {
    tuple: Option<CheckpointTuple>,
    /// By task and place.
    writes: BTreeMap<(TaskId, i64), Written>,
}

#[derive(Clone)]
struct Written {
    path: Arc<str>,
    channel: Arc<str>,
    value: Value,
}

impl Memory {
    /// No threads yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn threads(&self) -> MutexGuard<'_, Threads> {
        // A panic while the lock is held cannot leave a thread half stored: each call stores one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Threads {
    fn put_writes(&mut self, place: &Place, put: PutWrites) {
        let replaces = put.replaces();
        let stored = self.namespaces.entry(place.clone()).or_default();
        let stored = stored.entry(put.checkpoint).or_default();
        for (position, (channel, value)) in put.writes.into_iter().enumerate() {
            let place = fixed_place(&channel).unwrap_or(position as i64);
            let key = (put.task.clone(), place);
            if replaces || !stored.writes.contains_key(&key) {
                stored.writes.insert(key, Written { path: put.path.clone(), channel, value });
            }
        }
    }

    fn put(&mut self, place: &Place, put: PutCheckpoint) {
        for writes in put.writes {
            self.put_writes(place, writes);
        }
        let (checkpoint, metadata, parent) = (put.checkpoint, put.metadata, put.parent);
        let id = checkpoint.id.clone();
        let tuple = CheckpointTuple { checkpoint, metadata, parent, pending: Vec::new() };
        let stored = self.namespaces.entry(place.clone()).or_default().entry(id).or_default();
        stored.tuple = Some(tuple);
    }

    fn get(&self, place: &Place, id: Option<&CheckpointId>) -> Option<&Stored> {
        let stored = self.namespaces.get(place)?;
        match id {
            Some(id) => stored.get(id).filter(|stored| stored.tuple.is_some()),
            None => stored.values().rev().find(|stored| stored.tuple.is_some()),
        }
    }

    fn list(&self, query: &ListQuery) -> Vec<(Place, CheckpointTuple)> {
        let is_asked = |place: &&Place| {
            query.thread.as_ref().is_none_or(|thread| place.thread == *thread)
                && query.namespace.as_ref().is_none_or(|namespace| place.namespace == *namespace)
        };
        let places = self.namespaces.keys().filter(is_asked);
        let mut found: Vec<_> = places
            .flat_map(|place| {
                let tuples = self.namespaces[place].values().filter_map(Stored::tuple);
                tuples.map(|tuple| (place.clone(), tuple))
            })
            .filter(|(_, tuple)| {
                query.before.as_ref().is_none_or(|before| tuple.checkpoint.id < *before)
            })
            .filter(|(_, tuple)| query.fits(&tuple.metadata))
            .collect();
        found.sort_by(|a, b| b.1.checkpoint.id.cmp(&a.1.checkpoint.id));
        found.truncate(query.limit.unwrap_or(usize::MAX));
        found
    }

    fn history(&self, place: &Place, id: &CheckpointId, channel: &str) -> DeltaHistory {
        let mut batches = Vec::new();
        let mut seed = None;
        let mut seen = BTreeSet::from([id.clone()]);
        let parent = |id: &CheckpointId| self.get(place, Some(id))?.tuple.as_ref()?.parent.clone();
        let mut at = parent(id);
        while let Some(ancestor) = at {
            // A checkpoint that was stored again under one of its descendants is its own ancestor.
            if !seen.insert(ancestor.clone()) {
                break;
            }
            let Some(stored) = self.get(place, Some(&ancestor)) else { break };
            batches.push(stored.writes_to(channel));
            let tuple = stored.tuple.as_ref();
            let mut values = tuple.into_iter().flat_map(|tuple| &tuple.checkpoint.channel_values);
            seed = values.find(|(name, _)| **name == *channel).map(|(_, value)| value.clone());
            at = if seed.is_none() { parent(&ancestor) } else { None };
        }
        DeltaHistory { seed, writes: batches.into_iter().rev().flatten().collect() }
    }

    fn copy(&mut self, from: &str, to: &str) {
        let copies: Vec<_> = self
            .namespaces
            .iter()
            .filter(|(place, _)| *place.thread == *from)
            .map(|(place, stored)| (Place { thread: to.into(), ..place.clone() }, stored.clone()))
            .collect();
        for (place, copied) in copies {
            let namespace = self.namespaces.entry(place).or_default();
            for (id, copied) in copied {
                let stored = namespace.entry(id).or_default();
                stored.tuple = stored.tuple.take().or(copied.tuple);
                for (key, write) in copied.writes {
                    stored.writes.entry(key).or_insert(write);
                }
            }
        }
    }

    fn prune(&mut self, thread: &str, strategy: Prune) {
        if strategy == Prune::Delete {
            self.namespaces.retain(|place, _| *place.thread != *thread);
            return;
        }
        for (_, stored) in self.namespaces.iter_mut().filter(|(place, _)| *place.thread == *thread)
        {
            let tuples = stored.values().filter_map(|stored| stored.tuple.as_ref());
            let mut pruning = Pruning::new(tuples.map(Link::from));
            while let Some(asked) = pruning.asks() {
                let tuple = stored.get(asked).and_then(|stored| stored.tuple.as_ref());
                pruning.answer(tuple.map(Look::from).unwrap_or_default());
            }
            for id in pruning.superfluous() {
                stored.remove(&id);
            }
        }
    }
}

impl Stored {
    fn tuple(&self) -> Option<CheckpointTuple> {
        let pending = self.applied().into_iter().map(|(task, written)| StoredWrite {
            task: task.clone(),
            channel: written.channel.clone(),
            value: written.value.clone(),
        });
        Some(CheckpointTuple { pending: pending.collect(), ..self.tuple.clone()? })
    }

    /// The writes, in the order in which they apply.
    fn applied(&self) -> Vec<(&TaskId, &Written)> {
        let mut found: Vec<_> = self.writes.iter().collect();
        found.sort_by_key(|(key, written)| (&written.path, *key));
        found.into_iter().map(|((task, _), written)| (task, written)).collect()
    }

    fn writes_to(&self, channel: &str) -> Vec<Value> {
        let found = self.applied().into_iter().filter(|(_, written)| *written.channel == *channel);
        found.map(|(_, written)| written.value.clone()).collect()
    }
}

fn ready<'a, T: Send + 'a>(answer: T) -> BoxFuture<'a, Result<T, Error>> {
    Box::pin(std::future::ready(Ok(answer)))
}

impl Saver for Memory {
    fn get<'a>(
        &'a self,
        place: &'a Place,
        id: Option<&'a CheckpointId>,
    ) -> BoxFuture<'a, Result<Option<CheckpointTuple>, Error>> {
        ready(self.threads().get(place, id).and_then(Stored::tuple))
    }

    fn list<'a>(
        &'a self,
        query: &'a ListQuery,
    ) -> BoxFuture<'a, Result<Vec<(Place, CheckpointTuple)>, Error>> {
        ready(self.threads().list(query))
    }

    fn put<'a>(&'a self, place: &'a Place, put: PutCheckpoint) -> BoxFuture<'a, Result<(), Error>> {
        self.threads().put(place, put);
        ready(())
    }

    fn put_writes<'a>(
        &'a self,
        place: &'a Place,
        writes: PutWrites,
    ) -> BoxFuture<'a, Result<(), Error>> {
        self.threads().put_writes(place, writes);
        ready(())
    }

    fn delete_thread<'a>(&'a self, thread: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        self.threads().prune(thread, Prune::Delete);
        ready(())
    }

    fn copy_thread<'a>(&'a self, from: &'a str, to: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        self.threads().copy(from, to);
        ready(())
    }

    fn prune<'a>(
        &'a self,
        threads: &'a [Arc<str>],
        strategy: Prune,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let mut stored = self.threads();
        threads.iter().for_each(|thread| stored.prune(thread, strategy));
        ready(())
    }

    fn delta_history<'a>(
        &'a self,
        place: &'a Place,
        id: &'a CheckpointId,
        channels: &'a [Arc<str>],
    ) -> BoxFuture<'a, Result<Vec<DeltaHistory>, Error>> {
        let stored = self.threads();
        ready(channels.iter().map(|channel| stored.history(place, id, channel)).collect())
    }

    fn next_version(&self, current: Option<&Version>) -> Version {
        match current {
            Some(Version::Int(number)) => Version::Int(number + 1),
            _ => Version::Int(1),
        }
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memory")
    }
}
