//! One run of a graph: the engine and what surrounds it. Which task when, is the driver's.

mod cached;
mod clock;
mod conclude;
mod config;
mod control;
mod event;
mod input;
mod perform;
mod runtime;
mod shared;
mod show;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use langgraph_rust_checkpoint::pending_interrupts;
use langgraph_rust_core::{names, Control};
use langgraph_rust_pregel::{
    Effect, Emits, End, Engine, Loaded, Options, Outcome, Start, StartError, Surroundings, TaskKey,
    TaskOutcome, Ticket,
};

use crate::cache::CacheKey;
use crate::graph::Resume;
use crate::saver::{self, Place};
use crate::{AnyGraph, Error, Map, Native, NodeError, TaskInput, Value};
pub use clock::Clock;
pub use config::{Config, Stops};
pub use control::RunControl;
pub(crate) use control::{CANCEL, DRAIN};
pub use event::{Chunk, Event, Interrupt, Mode, Modes, Output, Status};
pub use input::GraphInput;
pub(crate) use perform::graph_namespace;
pub use perform::{Begun, Ended, Performing};
pub use runtime::{Failed, Runtime};
pub(crate) use shared::{Shared, Sink};
pub(crate) use show::state_update;

/// A run under way, to be driven: poll it, do what it says, tell it what came of it.
///
/// [`Graph::invoke`](crate::Graph::invoke) and [`Graph::stream`](crate::Graph::stream) drive runs;
/// this is for drivers of another kind.
pub struct Run {
    pub(crate) shared: Arc<Shared>,
    pub(crate) engine: Engine<Native>,
    clock: RunClock,
    /// What the tasks of a superstep run on, once one of them has asked.
    input: Option<(i64, TaskInput)>,
    /// Where a cache is to keep what tasks of the superstep write, and for how long.
    slots: Vec<(TaskKey, CacheKey, Option<Duration>)>,
    /// The resume values that a failed attempt had taken, for the next one.
    retried: BTreeMap<TaskKey, Vec<Value>>,
}

/// Ids and times from the graph's clock, versions from its saver.
pub(crate) struct RunClock {
    pub(crate) clock: Clock,
    pub(crate) saver: Option<Arc<dyn saver::Saver>>,
}

impl Run {
    /// Begins a run. `emits` are the events that somebody listens for.
    ///
    /// # Errors
    ///
    /// The thread cannot be loaded, or the input does not fit it.
    pub async fn begin(
        graph: impl Into<AnyGraph>,
        input: impl Into<GraphInput>,
        config: &Config,
        emits: Emits,
    ) -> Result<Self, Error> {
        let shared = Shared::root(graph.into(), config, emits, None);
        Self::start(shared, input.into(), None).await
    }

    pub(crate) async fn start(
        mut shared: Shared,
        input: GraphInput,
        around: Option<Surroundings>,
    ) -> Result<Self, Error> {
        let graph = shared.graph.clone();
        let (core, config) = (&graph.core, &shared.config);
        let is_root = around.is_none();
        let resume = match &input {
            GraphInput::Command(command) => command.resume.as_ref(),
            _ => None,
        };
        match &shared.saver {
            None if resume.is_some() && is_root => return Err(Error::NoSaver),
            Some(_) if shared.place.thread.is_empty() => return Err(Error::NoThread),
            _ => {}
        }
        let mut clock = RunClock { clock: graph.clock.clone(), saver: shared.saver.clone() };
        let loaded = match &shared.saver {
            Some(saver) => {
                let id = config.checkpoint.as_ref();
                crate::thread::load(core, &**saver, &shared.place, id).await?
            }
            None => None,
        };
        let loaded = loaded.unwrap_or_else(|| {
            use langgraph_rust_pregel::Env;
            Loaded::unbegun(clock.checkpoint_id(-2))
        });
        let is_answer = matches!(resume, Some(Resume::Single(_)));
        if is_answer && pending_interrupts(&loaded.pending).count() > 1 {
            return Err(Error::AmbiguousResume);
        }
        if let Some(Resume::ById(by_id)) = resume {
            shared.resume_values.by_id = Arc::new(by_id.clone());
        }
        let options = Options {
            namespace: shared.place.namespace.clone(),
            nested: !is_root,
            persists: shared.saver.is_some(),
            durability: config.durability,
            joins: config.joins,
            // Savers of this crate do not look who writes.
            claims: false,
            // One that begins anew each time has no state that anybody asks for.
            stores_success: !shared.place.namespace.contains(names::NS_END),
            output: core.outputs().collect(),
            recursion_limit: config.recursion_limit,
            interrupt_before: config.interrupt_before.resolve(core)?,
            interrupt_after: config.interrupt_after.resolve(core)?,
            emits: shared.emits,
            ..Options::default()
        };
        let start = Start {
            plan: core.plan.clone(),
            options,
            loaded,
            input: core.engine_input(input)?,
            surroundings: around.unwrap_or_default(),
        };
        let (engine, started) =
            Engine::start((), &mut clock, start).map_err(|error| match error {
                StartError::EmptyInput => Error::EmptyInput { thread: shared.place.thread.clone() },
                StartError::EmptyCommand => Error::EmptyCommand,
                StartError::Fault(fault) => fault.into(),
            })?;
        shared.resuming = started.resuming;
        // Without an id; maybe of an earlier run, in which no task came to take it or to be over.
        if let Some(value) = engine.null_resume().filter(|_| is_answer || is_root) {
            shared.resume_values.give(value.clone());
        }
        let (input, slots, retried) = (None, Vec::new(), BTreeMap::new());
        Ok(Self { shared: Arc::new(shared), engine, clock, input, slots, retried })
    }

    /// What to do next.
    pub fn poll(&mut self) -> Effect<Native> {
        if self.input.is_some() && !self.engine.has_open_tasks() {
            // Reducers change in place what nobody else holds.
            self.input = None;
        }
        self.engine.poll((), &mut self.clock)
    }

    /// The engine, to look at.
    pub fn engine(&self) -> &Engine<Native> {
        &self.engine
    }

    /// The graph that runs.
    pub fn graph(&self) -> &AnyGraph {
        &self.shared.graph
    }

    /// Where the run's checkpoints are.
    pub fn place(&self) -> &Place {
        &self.shared.place
    }

    /// Stores what an effect says; tell the engine by [`Run::stored`] or [`Run::storing_failed`].
    /// `None` for other effects, and without a saver.
    pub fn storing(
        &self,
        effect: Effect<Native>,
    ) -> Option<(Ticket, crate::BoxFuture<'static, Result<(), Error>>)> {
        let shared = self.shared.clone();
        let saver = shared.saver.clone()?;
        let plan = &shared.graph.core.plan;
        match effect {
            Effect::PersistWrites(writes) => {
                let ticket = writes.ticket;
                let writes = saver::task_writes(plan, writes);
                let put = async move { saver.put_writes(&shared.place, writes).await };
                Some((ticket, Box::pin(put)))
            }
            Effect::PersistCheckpoint(put) => {
                let ticket = put.ticket;
                let mut put = saver::from_engine(plan, *put);
                shared.describe(&mut put.metadata);
                let put = async move { saver.put(&shared.place, put).await };
                Some((ticket, Box::pin(put)))
            }
            _ => None,
        }
    }

    /// A storing is done.
    pub fn stored(&mut self, ticket: Ticket) {
        self.engine.persisted(ticket);
    }

    /// A storing failed: the run fails with the error, and nothing further is stored. Gives the
    /// error back if the run was ending for another reason.
    ///
    /// # Errors
    ///
    /// The run was ending already.
    pub fn storing_failed(&mut self, ticket: Ticket, error: Error) -> Result<(), End<Native>> {
        self.engine.persist_failed(ticket, error.into())
    }

    /// Nothing is cached: the tasks asked about must run.
    pub fn nothing_cached(&mut self) {
        self.engine.cache_answered((), Vec::new());
    }

    /// Stop before the next superstep, so that the run can be resumed.
    pub fn drain(&mut self) {
        self.engine.drain();
    }

    /// The run is to end now; gives the reason back if it was ending for another.
    ///
    /// # Errors
    ///
    /// The run was ending already.
    pub fn end(&mut self, reason: End<Native>) -> Result<(), End<Native>> {
        self.engine.end(reason)
    }

    /// Tells the engine how a task ended.
    pub fn report(&mut self, task: TaskKey, outcome: TaskOutcome<Native>) {
        if self.is_root() && self.shared.resume_values.is_taken() {
            // What a task has taken resumes nothing else, nor is it stored for later.
            self.engine.take_null_resume();
        }
        if let TaskOutcome::Failed(failure) = &outcome {
            let taken = failure.writes.iter().find(|write| write.is_control(Control::Resume));
            if let Some(values) = taken.and_then(|write| write.value.items().ok()) {
                self.retried.insert(task, values.to_vec());
            }
        }
        self.engine.task_finished((), task, outcome);
    }

    pub(crate) fn is_root(&self) -> bool {
        !self.engine.options().nested
    }

    /// What tasks that no packet started run on.
    pub(crate) fn state_input(&mut self) -> TaskInput {
        let step = self.engine.steps().0;
        match &self.input {
            Some((known, input)) if *known == step => input.clone(),
            _ => {
                let layout = &self.shared.graph.core.layout;
                let input = TaskInput::of_state(layout, self.engine.state(), Vec::new());
                self.input = Some((step, input.clone()));
                input
            }
        }
    }

    /// The state, field by field.
    pub fn values(&self) -> Map {
        self.shared.graph.core.values(|index| self.engine.state().channel(index))
    }

    /// What the caller is given at the end.
    ///
    /// # Errors
    ///
    /// The run failed.
    pub fn output(&self, outcome: Outcome<Native>) -> Result<Output, Error> {
        let status = match outcome {
            Outcome::Done => Status::Done,
            Outcome::Drained => Status::Drained,
            Outcome::Interrupted(interrupts) => {
                Status::Interrupted(interrupts.iter().flat_map(Interrupt::unpack).collect())
            }
            Outcome::OutOfSteps => {
                return Err(Error::RecursionLimit(self.shared.config.recursion_limit));
            }
            Outcome::Cancelled => return Err(Error::Cancelled),
            Outcome::Escaped(error) => return Err(error.into()),
            Outcome::Failed(fault) => return Err(fault.into()),
        };
        Ok(Output { state: self.values(), status })
    }
}

impl langgraph_rust_pregel::Env<Native> for RunClock {
    fn next_version(
        &mut self,
        current: Option<&langgraph_rust_core::Version>,
    ) -> Result<langgraph_rust_core::Version, NodeError> {
        match &self.saver {
            Some(saver) => Ok(saver.next_version(current)),
            None => self.clock.next_version(current),
        }
    }

    fn checkpoint_id(&mut self, step: i64) -> langgraph_rust_core::CheckpointId {
        self.clock.checkpoint_id(step)
    }

    fn now(&mut self) -> Arc<str> {
        self.clock.now()
    }
}

/// The resume values of a task, as they are stored.
pub(crate) fn listed(values: &[Value]) -> Value {
    Value::list(values.iter().cloned())
}
