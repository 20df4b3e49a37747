//! What a run and its tasks share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use langgraph_rust_pregel::Emits;
use tokio::sync::mpsc::UnboundedSender;

use crate::saver::{Metadata, Place, Saver};
use crate::{AnyGraph, Chunk, Config, Modes, Value};

/// What a run and its tasks share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) graph: AnyGraph,
    pub(crate) config: Config,
    pub(crate) place: Place,
    pub(crate) saver: Option<Arc<dyn Saver>>,
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
}

impl Shared {
    /// What a run shares that is no task of another.
    pub(crate) fn root(graph: AnyGraph, config: &Config, emits: Emits, sink: Option<Sink>) -> Self {
        Self {
            place: Place { thread: config.thread.clone(), namespace: "".into() },
            saver: graph.saver.clone(),
            config: config.clone(),
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
    pub(crate) fn describe(&self, metadata: &mut Metadata) {
        if metadata.source.is_none() {
            return;
        }
        metadata.parents = self.parents.clone();
        metadata.extra = self.config.metadata.clone();
        let version = self.graph.core.version.number;
        if version > 1 {
            metadata.extra.insert(crate::thread::STATE_VERSION.into(), i64::from(version).into());
        }
    }
}
