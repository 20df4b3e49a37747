use std::sync::Arc;

use langgraph_rust_channels::Saved;
use langgraph_rust_core::{CheckpointId, Domain, Held, IdHash, Version};

/// Versions by channel.
pub type Versions = Vec<(Arc<str>, Version)>;

/// For each node, by name, the versions it has run on. Those of nodes that have not run since the last
/// checkpoint are shared with that.
pub type VersionsSeen = Vec<(Arc<str>, Arc<Versions>)>;

/// The format version that new checkpoints carry.
pub const FORMAT: u32 = 4;

/// A thread's state between two supersteps.
///
/// Channels appear by name and may be unknown to the plan that reads them: graphs change while
/// their threads live on.
pub struct Checkpoint<D: Domain> {
    /// Time-ordered id; the newest checkpoint of a namespace has the greatest.
    pub id: CheckpointId,
    /// When it was made: UTC, ISO 8601.
    pub ts: Arc<str>,
    /// What the ids of the tasks that start from it are a hash by.
    pub task_ids: IdHash,
    /// What the channels keep.
    pub channel_values: Vec<(Arc<str>, Saved<D>)>,
    /// The channels' versions, in the order in which they were first written.
    pub channel_versions: Versions,
    /// For each node, the versions it has run on.
    pub versions_seen: VersionsSeen,
    /// The channels that the last superstep changed, sorted, if known.
    pub updated_channels: Option<Vec<Arc<str>>>,
}

impl<D: Domain> Checkpoint<D> {
    /// The state of a thread that has not begun.
    pub fn empty(id: CheckpointId) -> Self {
        Self {
            id,
            ts: "".into(),
            task_ids: IdHash::default(),
            channel_values: Vec::new(),
            channel_versions: Vec::new(),
            versions_seen: Vec::new(),
            updated_channels: None,
        }
    }

    /// Shows what is held, for the garbage collector.
    pub fn traverse<E>(
        &self,
        visit: &mut impl FnMut(Held<'_, D>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.channel_values.iter().try_for_each(|(_, saved)| saved.traverse(visit))
    }

    /// A copy, for a run that continues here.
    pub fn copy(&self, cx: D::Cx<'_>) -> Self {
        let copy = |(name, saved): &(Arc<str>, Saved<D>)| (name.clone(), saved.copy(cx));
        Self {
            id: self.id.clone(),
            ts: self.ts.clone(),
            task_ids: self.task_ids,
            channel_values: self.channel_values.iter().map(copy).collect(),
            channel_versions: self.channel_versions.clone(),
            versions_seen: self.versions_seen.clone(),
            updated_channels: self.updated_channels.clone(),
        }
    }
}

/// How a checkpoint came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The graph's input was applied.
    Input,
    /// A superstep ended.
    Loop,
    /// The state was written from outside.
    Update,
    /// A run began at an older checkpoint.
    Fork,
}

impl Source {
    /// The name that storage uses.
    pub fn name(self) -> &'static str {
        match self {
            Source::Input => "input",
            Source::Loop => "loop",
            Source::Update => "update",
            Source::Fork => "fork",
        }
    }

    /// The source with the given name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Source::Input, Source::Loop, Source::Update, Source::Fork]
            .into_iter()
            .find(|source| source.name() == name)
    }
}

/// What the engine says about a checkpoint; the driver adds parents and run metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// How the checkpoint came to be.
    pub source: Source,
    /// -1 for the first input, 0 for the first superstep, and so on.
    pub step: i64,
    /// For delta channels: what has happened since their values were stored, unless that is nothing.
    pub since_snapshot: Vec<(Arc<str>, SinceSnapshot)>,
}

impl Metadata {
    /// The metadata of a checkpoint of a graph without delta channels.
    pub fn new(source: Source, step: i64) -> Self {
        Self { source, step, since_snapshot: Vec::new() }
    }
}

/// What has happened to a delta channel since its value was stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SinceSnapshot {
    /// How many supersteps wrote to it.
    pub updates: u64,
    /// How many supersteps there were.
    pub supersteps: u64,
}
