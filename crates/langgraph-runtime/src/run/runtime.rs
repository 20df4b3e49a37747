use std::any::Any;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use langgraph_rust_core::TaskId;
use langgraph_rust_pregel::Surroundings;
use serde::de::DeserializeOwned;

use super::{Shared, Sink};
use crate::saver::Place;
use crate::{
    AnyGraph, Chunk, Config, Error, Event, Graph, GraphInput, NodeError, NodeResult, Output, State,
    Store, Value,
};

/// What a node may ask of the run that it is part of. Copies ask the same.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    node: Arc<str>,
    task: TaskId,
    namespace: String,
    attempt: u32,
    failure: Option<Failed>,
    scratchpad: Mutex<Scratchpad>,
    /// How many graphs the node has called.
    calls: AtomicU32,
    /// The id of the checkpoint that the task runs on.
    checkpoint: Arc<str>,
}

/// How far a task is with its interrupts, and the resume values it has got.
struct Scratchpad {
    values: Vec<Value>,
    passed: usize,
    /// Whether the task has ended. Who goes on nevertheless, on a thread of its own, gets no values that
    /// others wait for.
    is_over: bool,
}

/// The failure that an error handler handles.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// The node that failed.
    pub node: Arc<str>,
    /// Its error, as text.
    pub error: Arc<str>,
}

/// What a task is, for those that ask.
pub(super) struct Asking {
    pub(super) node: Arc<str>,
    pub(super) task: TaskId,
    pub(super) namespace: String,
    pub(super) attempt: u32,
    pub(super) failure: Option<Failed>,
    /// The resume values that it has got before.
    pub(super) earlier: Vec<Value>,
    /// The id of the checkpoint that it runs on.
    pub(super) checkpoint: Arc<str>,
}

impl Runtime {
    pub(super) fn new(shared: Arc<Shared>, asking: Asking) -> Self {
        let Asking { node, task, namespace, attempt, failure, earlier, checkpoint } = asking;
        let scratchpad = Mutex::new(Scratchpad { values: earlier, passed: 0, is_over: false });
        let calls = AtomicU32::new(0);
        Self(Arc::new(Inner {
            shared,
            node,
            task,
            namespace,
            attempt,
            failure,
            scratchpad,
            calls,
            checkpoint,
        }))
    }

    /// Stops the node with `value`, for whoever runs the graph. Returns the resume value if there is
    /// one.
    ///
    /// # Errors
    ///
    /// What, passed on with `?`, pauses the run. A resumed node runs from its beginning, and its
    /// interrupts get the same resume values in the same order.
    pub fn interrupt(&self, value: impl Into<Value>) -> NodeResult<Value> {
        let mut scratchpad = self.0.scratchpad.lock().unwrap_or_else(PoisonError::into_inner);
        if scratchpad.is_over {
            return Err(Error::Cancelled.into());
        }
        let position = scratchpad.passed;
        scratchpad.passed += 1;
        if scratchpad.values.len() <= position {
            match self.0.shared.resume_values.take() {
                Some(answer) => scratchpad.values.push(answer),
                None => return Err(NodeError::interrupt(value.into())),
            }
        }
        Ok(scratchpad.values[position].clone())
    }

    /// The same, with an answer of a type. An answer that is none is not kept, so that the thread can be
    /// resumed with another one.
    ///
    /// # Errors
    ///
    /// What pauses the run; or the answer is no `T`.
    pub fn interrupt_for<T: DeserializeOwned>(&self, value: impl Into<Value>) -> NodeResult<T> {
        let question = value.into();
        let answer = self.interrupt(question.clone())?;
        answer.to_serde().map_err(|error| {
            let mut scratchpad = self.0.scratchpad.lock().unwrap_or_else(PoisonError::into_inner);
            scratchpad.passed -= 1;
            let kept = scratchpad.passed;
            scratchpad.values.truncate(kept);
            Error::Unfit(format!("the answer {answer} to {question} does not fit: {error}")).into()
        })
    }

    /// The failure, in a node that handles errors.
    pub fn failure(&self) -> Option<&Failed> {
        self.0.failure.as_ref()
    }

    /// Says something to whoever streams the run in the mode [`Custom`](crate::Mode::Custom).
    pub fn write(&self, value: impl Into<Value>) {
        let is_heard = |sink: &&Sink| sink.modes.custom;
        if self.0.shared.sink.as_ref().filter(is_heard).is_some() {
            let namespace = self.0.shared.place.namespace.clone();
            let event = Event::Custom { node: self.0.node.clone(), value: value.into() };
            self.0.shared.show(Chunk { namespace, event });
        }
    }

    /// What the run was given by [`Config::context`].
    ///
    /// # Errors
    ///
    /// [`Error::NoContext`] if it was given nothing, or nothing of this type.
    pub fn context<C: Any + Send + Sync>(&self) -> Result<Arc<C>, Error> {
        let given = self.0.shared.config.context.clone();
        let found = given.and_then(|context| context.downcast().ok());
        found.ok_or_else(|| Error::NoContext(std::any::type_name::<C>()))
    }

    /// The graph's store, or that of the graph around.
    ///
    /// # Errors
    ///
    /// [`Error::NoStore`] if there is none.
    pub fn store(&self) -> Result<Arc<dyn Store>, Error> {
        self.0.shared.store.clone().ok_or(Error::NoStore)
    }

    /// The run's config.
    pub fn config(&self) -> &Config {
        &self.0.shared.config
    }

    /// The node's name.
    pub fn node(&self) -> &str {
        &self.0.node
    }

    /// The task's id: the same when the task runs again.
    pub fn task(&self) -> &TaskId {
        &self.0.task
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// Runs a graph as part of the node. It stores in the same thread, and when it is interrupted, the
    /// node is: when it runs again, so does this call, and goes on where it stood.
    ///
    /// # Errors
    ///
    /// The graph failed; or what pauses the run.
    pub async fn invoke<S: State>(
        &self,
        graph: &Graph<S>,
        input: impl Into<GraphInput>,
    ) -> NodeResult<Output<S>> {
        let calls = self.0.calls.fetch_add(1, Ordering::Relaxed);
        let namespace = match calls {
            0 => self.0.namespace.clone(),
            more => format!("{}{}{more}", self.0.namespace, langgraph_rust_core::names::NS_SEP),
        };
        let around = &self.0.shared;
        let parent = (around.place.namespace.clone(), self.0.checkpoint.clone());
        let shared = nested(around, graph.into(), namespace, parent);
        let output = super::perform::call_graph(shared, input.into()).await?;
        Ok(output.typed()?)
    }

    /// The task has ended: all the resume values that it has got, and how many of its interrupts had
    /// one.
    pub(super) fn over(&self) -> (Vec<Value>, usize) {
        let mut scratchpad = self.0.scratchpad.lock().unwrap_or_else(PoisonError::into_inner);
        scratchpad.is_over = true;
        (scratchpad.values.clone(), scratchpad.passed.min(scratchpad.values.len()))
    }
}

/// What a run shares that is part of a task of another run.
pub(super) fn nested(
    around: &Shared,
    graph: AnyGraph,
    namespace: String,
    parent: (Arc<str>, Arc<str>),
) -> Shared {
    let mut parents = around.parents.clone();
    parents.push(parent);
    Shared {
        config: Config {
            checkpoint: None,
            interrupt_before: crate::Stops::Nowhere,
            interrupt_after: crate::Stops::Nowhere,
            ..around.config.clone()
        },
        place: Place { thread: around.place.thread.clone(), namespace: namespace.into() },
        saver: graph.saver.clone().or_else(|| around.saver.clone()),
        cache: graph.cache.clone().or_else(|| around.cache.clone()),
        store: graph.store.clone().or_else(|| around.store.clone()),
        resume_values: around.resume_values.clone(),
        resuming: around.resuming,
        emits: around.emits,
        sink: around.sink.clone(),
        parents,
        graph,
    }
}

/// What a run that is part of a task is told of the run around it.
pub(super) fn surroundings(shared: &Shared) -> Surroundings {
    Surroundings { resuming: Some(shared.resuming), ..Surroundings::default() }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime")
            .field("node", &self.0.node)
            .field("task", &self.0.task)
            .field("attempt", &self.0.attempt)
            .finish_non_exhaustive()
    }
}
