//! What a run and its tasks share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use langgraph_rust_pregel::Emits;
use tokio::sync::mpsc::UnboundedSender;

use crate::cache::Cache;
use crate::graph::Core;
use crate::saver::{self, CheckpointMetadata, Place, Saver};
use crate::{AnyGraph, Chunk, Config, Map, Modes, Store, Value};

/// What a run and its tasks share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) graph: AnyGraph,
    pub(crate) config: Config,
    pub(crate) place: Place,
    pub(crate) saver: Option<Arc<dyn Saver>>,
    pub(crate) cache: Option<Arc<dyn Cache>>,
    pub(crate) store: Option<Arc<dyn Store>>,
    pub(crate) resume_values: ResumeValues,
    /// Whether the run resumes its thread.
    pub(crate) resuming: bool,
    pub(crate) emits: Emits,
    /// Who sees what happens.
    pub(crate) sink: Option<Sink>,
    /// The checkpoints of the runs around, by namespace.
    pub(crate) parents: Vec<(Arc<str>, Arc<str>)>,
}

/// Who sees what happens in a run.
#[derive(Clone)]
pub(crate) struct Sink {
    pub(crate) modes: Modes,
    pub(crate) chunks: UnboundedSender<Chunk>,
}

/// The resume values that the run was given.
#[derive(Clone, Default)]
pub(crate) struct ResumeValues {
    /// The one without an id, which the first open interrupt takes.
    single: Option<Arc<Mutex<Option<Value>>>>,
    pub(crate) by_id: Arc<BTreeMap<Arc<str>, Value>>,
}

impl ResumeValues {
    pub(crate) fn give(&mut self, value: Value) {
        self.single = Some(Arc::new(Mutex::new(Some(value))));
    }

    pub(crate) fn has_single(&self) -> bool {
        self.single.is_some()
    }

    pub(crate) fn take(&self) -> Option<Value> {
        self.single.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether a task has taken the one without an id.
    pub(crate) fn is_taken(&self) -> bool {
        let taken = |single: &Arc<Mutex<Option<Value>>>| {
            single.lock().unwrap_or_else(PoisonError::into_inner).is_none()
        };
        self.single.as_ref().is_some_and(taken)
    }
}

impl Shared {
    /// What a run shares that is no task of another.
    pub(crate) fn root(graph: AnyGraph, config: &Config, emits: Emits, sink: Option<Sink>) -> Self {
        let mut config = config.clone();
        if !config.namespace.is_empty() {
            // A checkpoint of a graph inside this one is none of its own.
            (config.namespace, config.checkpoint) = ("".into(), None);
        }
        Self {
            place: Place { thread: config.thread.clone(), namespace: "".into() },
            saver: graph.saver.clone(),
            cache: graph.cache.clone(),
            store: graph.store.clone(),
            config,
            resume_values: ResumeValues::default(),
            resuming: false,
            emits,
            sink,
            parents: Vec::new(),
            graph,
        }
    }

    /// Shows a chunk to whoever listens.
    pub(crate) fn show(&self, chunk: Chunk) {
        if let Some(sink) = &self.sink {
            if chunk.namespace.is_empty() || sink.modes.subgraphs {
                // Nobody is there any more to see it.
                let _ = sink.chunks.send(chunk);
            }
        }
    }

    /// Adds what the run says of itself to what is stored with a checkpoint.
    pub(crate) fn describe(&self, metadata: &mut CheckpointMetadata) {
        if metadata.source.is_some() {
            metadata.parents = self.parents.clone();
        }
        metadata.extra = self.graph.core.described(&self.config);
    }
}

impl Core {
    /// What a run or an update says of itself.
    pub(crate) fn described(&self, config: &Config) -> Map {
        let own = config.metadata.iter().filter(|(name, _)| saver::is_kept(name));
        let mut extra: Map = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        if self.version.number > 1 {
            let number = i64::from(self.version.number);
            extra.insert(crate::thread::STATE_VERSION.into(), number.into());
        }
        extra
    }
}
