//! Savers: what keeps the checkpoints of threads.
//!
//! A [`Saver`] stores what it is given and finds it again; which checkpoint is stored when, and after
//! what, is the engine's to say.

mod memory;
mod prune;
mod record;
pub mod wire;

use std::fmt;
use std::sync::Arc;

use langgraph_rust_checkpoint::{SinceSnapshot, Source, Versions, VersionsSeen};
use langgraph_rust_core::{CheckpointId, IdHash, TaskId, Version};
use serde_json::Value as Json;

use crate::{BoxFuture, Error, Map, Value};
pub use memory::Memory;
pub use prune::{Link, Look, Pruning};
pub(crate) use record::{checkpoint_form, history, write_form, write_forms};
pub use record::{from_engine, loaded, pending_write, task_writes};

/// Keeps the checkpoints of threads.
///
/// Calls may come from several runs at once. What a call has answered is stored; what it has not,
/// because its future was dropped, is stored or not, but never in part.
pub trait Saver: fmt::Debug + Send + Sync + 'static {
    /// The checkpoint with the given id, or the newest, with the writes that are pending on it in the
    /// order in which they apply: by the task's path, its id and the write's place.
    fn get<'a>(
        &'a self,
        place: &'a Place,
        id: Option<&'a CheckpointId>,
    ) -> BoxFuture<'a, Result<Option<CheckpointTuple>, Error>>;

    /// The checkpoints that `query` asks for, newest first.
    fn list<'a>(
        &'a self,
        query: &'a ListQuery,
    ) -> BoxFuture<'a, Result<Vec<(Place, CheckpointTuple)>, Error>>;

    /// Stores a checkpoint, together with the writes that come with it: all of it, or nothing.
    fn put<'a>(&'a self, place: &'a Place, put: PutCheckpoint) -> BoxFuture<'a, Result<(), Error>>;

    /// Stores a task's writes on a checkpoint, which may not be there yet. A write is numbered by its
    /// place among them; one that is there already is not replaced, but for those about the task
    /// itself, of which there is one of each kind ([`fixed_place`]): the newest that was stored without
    /// output. Beside output it need not be replaced, since a task that has output is finished.
    fn put_writes<'a>(
        &'a self,
        place: &'a Place,
        writes: PutWrites,
    ) -> BoxFuture<'a, Result<(), Error>>;

    /// Deletes a thread, with its namespaces.
    fn delete_thread<'a>(&'a self, thread: &'a str) -> BoxFuture<'a, Result<(), Error>>;

    /// Copies a thread to another name, with its namespaces. What is there already stays.
    fn copy_thread<'a>(&'a self, from: &'a str, to: &'a str) -> BoxFuture<'a, Result<(), Error>>;

    /// Deletes the checkpoints that threads can do without, and the writes on them: what [`Pruning`]
    /// finds, in each namespace.
    fn prune<'a>(
        &'a self,
        threads: &'a [Arc<str>],
        strategy: Prune,
    ) -> BoxFuture<'a, Result<(), Error>>;

    /// How channels came to the values that they have at the checkpoint `id`, which holds none of
    /// them: for each channel, in the same order, the value of the nearest checkpoint before it that
    /// has one, and the writes since in the order in which they were applied: by the task's path, its
    /// id and the write's place. Writes pending on `id` itself belong to what comes after.
    fn delta_history<'a>(
        &'a self,
        place: &'a Place,
        id: &'a CheckpointId,
        channels: &'a [Arc<str>],
    ) -> BoxFuture<'a, Result<Vec<DeltaHistory>, Error>>;

    /// The version of a channel that follows on `current`.
    fn next_version(&self, current: Option<&Version>) -> Version;
}

/// Which thread, and which graph's part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The thread.
    pub thread: Arc<str>,
    /// The graph's namespace; empty at the root.
    pub namespace: Arc<str>,
}

/// A checkpoint, with what is stored beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointTuple {
    /// The checkpoint.
    pub checkpoint: StoredCheckpoint,
    /// How it came to be.
    pub metadata: CheckpointMetadata,
    /// The checkpoint before it.
    pub parent: Option<CheckpointId>,
    /// What tasks have written on top of it.
    pub pending: Vec<StoredWrite>,
}

/// A thread's state between two supersteps, as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredCheckpoint {
    /// Time-ordered id; the newest checkpoint of a namespace has the greatest.
    pub id: CheckpointId,
    /// When it was made: UTC, ISO 8601.
    pub ts: Arc<str>,
    /// What the ids of its tasks are a hash by: SHA-1 in the format's version 1.
    pub task_ids: IdHash,
    /// What the channels keep, by name, in the forms of the stored format.
    pub channel_values: Vec<(Arc<str>, Value)>,
    /// The channels' versions, in the order in which they were first written.
    pub channel_versions: Versions,
    /// For each node, the versions it has run on.
    pub versions_seen: VersionsSeen,
    /// The channels that the superstep changed, sorted, if known.
    pub updated_channels: Option<Vec<Arc<str>>>,
}

/// How a checkpoint came to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckpointMetadata {
    /// Its source; `None` for the state of a thread before its beginning.
    pub source: Option<Source>,
    /// -1 for the first input, 0 for the first superstep, and so on.
    pub step: i64,
    /// The checkpoints of the runs around, by namespace.
    pub parents: Vec<(Arc<str>, Arc<str>)>,
    /// For fields stored as changes: what has happened since their values were stored.
    pub since_snapshot: Vec<(Arc<str>, SinceSnapshot)>,
    /// What else the run said of itself.
    pub extra: Map,
}

/// A write stored on a checkpoint, not yet applied to it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredWrite {
    /// The task that wrote it, or [`TaskId::NULL`].
    pub task: TaskId,
    /// The channel that it goes to, or one of the reserved names.
    pub channel: Arc<str>,
    /// What it wrote.
    pub value: Value,
}

/// A task's writes, to be stored on a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct PutWrites {
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// The task, or [`TaskId::NULL`].
    pub task: TaskId,
    /// Where the task stood.
    pub path: Arc<str>,
    /// The channels and what was written to them.
    pub writes: Vec<(Arc<str>, Value)>,
}

/// A checkpoint to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct PutCheckpoint {
    /// The checkpoint.
    pub checkpoint: StoredCheckpoint,
    /// How it came to be.
    pub metadata: CheckpointMetadata,
    /// The stored checkpoint before it.
    pub parent: Option<CheckpointId>,
    /// The versions that are new since that one was stored.
    pub new_versions: Versions,
    /// Writes to be stored with it, on earlier checkpoints.
    pub writes: Vec<PutWrites>,
}

/// How a channel came to its value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeltaHistory {
    /// The newest value that is stored, if one is.
    pub seed: Option<Value>,
    /// The writes since.
    pub writes: Vec<Value>,
}

/// Which checkpoints to list.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ListQuery {
    /// Of this thread; `None`: of all.
    pub thread: Option<Arc<str>>,
    /// In this namespace; `None`: in all.
    pub namespace: Option<Arc<str>>,
    /// Older than this one.
    pub before: Option<CheckpointId>,
    /// No more than so many.
    pub limit: Option<usize>,
    /// With these entries in their metadata, compared as JSON; an entry that is nothing is also one
    /// that is not there.
    pub filter: Map,
}

impl ListQuery {
    /// The checkpoints of one namespace of a thread.
    pub fn place(place: &Place) -> Self {
        Self {
            thread: Some(place.thread.clone()),
            namespace: Some(place.namespace.clone()),
            ..Self::default()
        }
    }

    /// Whether a checkpoint's metadata have the entries that are asked for.
    pub fn fits(&self, metadata: &CheckpointMetadata) -> bool {
        if self.filter.is_empty() {
            return true;
        }
        let found = metadata.to_map();
        self.filter.iter().all(|(name, wanted)| {
            Json::from(found.get(name).unwrap_or(&Value::Null)) == Json::from(wanted)
        })
    }
}

impl PutWrites {
    /// Whether these writes take the place of those that are there already: all of them are about the
    /// task itself. Of a task that has an output, too, nobody asks how it came there, and what is
    /// there stays, as upstream has it.
    pub fn replaces(&self) -> bool {
        self.writes.iter().all(|(channel, _)| fixed_place(channel).is_some())
    }
}

/// What of a thread to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prune {
    /// The newest checkpoint of each namespace, and what it needs to be read.
    KeepLatest,
    /// Nothing.
    Delete,
}

/// The place that writes to a reserved channel always take; `None` for others.
pub fn fixed_place(channel: &str) -> Option<i64> {
    match channel {
        langgraph_rust_core::names::ERROR => Some(-1),
        langgraph_rust_core::names::INTERRUPT => Some(-3),
        langgraph_rust_core::names::RESUME => Some(-4),
        _ => None,
    }
}

/// Whether something that a run says of itself is stored with its checkpoints: not if it says where
/// the run is, which has places of its own.
pub(crate) fn is_kept(name: &str) -> bool {
    const PLACES: [&str; 9] = [
        "thread_id",
        "checkpoint_id",
        "checkpoint_ns",
        "checkpoint_map",
        "langgraph_step",
        "langgraph_node",
        "langgraph_triggers",
        "langgraph_path",
        "langgraph_checkpoint_ns",
    ];
    !name.starts_with("__") && !PLACES.contains(&name)
}

impl CheckpointMetadata {
    /// All of it by name, as it is stored and filtered by. What the run said of itself comes last, and
    /// takes no name of the rest.
    pub fn to_map(&self) -> Map {
        let mut map = Map::new();
        if let Some(source) = self.source {
            map.insert("source".into(), source.name().into());
        }
        map.insert("step".into(), self.step.into());
        // A stub says nothing else of itself.
        if self.source.is_some() {
            let parents = self.parents.iter().map(|(ns, id)| (ns.clone(), Value::from(id)));
            map.insert("parents".into(), parents.collect::<Map>().into());
        }
        if !self.since_snapshot.is_empty() {
            let counts = self.since_snapshot.iter().map(|(name, since)| {
                let pair = [since.updates, since.supersteps].map(|count| Value::from(count as i64));
                (name.clone(), Value::list(pair))
            });
            map.insert(SINCE_SNAPSHOT.into(), counts.collect::<Map>().into());
        }
        for (name, value) in &self.extra {
            map.entry(name.clone()).or_insert_with(|| value.clone());
        }
        map
    }

    /// What [`CheckpointMetadata::to_map`] gave, or another implementation stored.
    pub fn from_map(mut map: Map) -> Self {
        let named = |value: &Value| match value {
            Value::Map(map) => (**map).clone(),
            _ => Map::new(),
        };
        let source = map.shift_remove("source").unwrap_or_default();
        let step = map.shift_remove("step").unwrap_or_default();
        let parents = map.shift_remove("parents").unwrap_or_default();
        let counts = map.shift_remove(SINCE_SNAPSHOT).unwrap_or_default();
        let since = |(name, pair): (Arc<str>, Value)| {
            let count = |at: usize| pair.items().ok()?.get(at)?.int().ok();
            let count = |at| count(at).unwrap_or_default() as u64;
            (name, SinceSnapshot { updates: count(0), supersteps: count(1) })
        };
        Self {
            source: source.text().ok().and_then(Source::from_name),
            step: step.int().unwrap_or(-2),
            parents: named(&parents)
                .into_iter()
                .map(|(ns, id)| (ns, id.text().unwrap_or_default().into()))
                .collect(),
            since_snapshot: named(&counts).into_iter().map(since).collect(),
            extra: map,
        }
    }
}

const SINCE_SNAPSHOT: &str = "counters_since_delta_snapshot";
