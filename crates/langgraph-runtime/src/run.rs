//! One run of a graph: the engine and what surrounds it. Which task when, is the driver's.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use langgraph_rust_checkpoint::pending_interrupts;
use langgraph_rust_core::Control;
use langgraph_rust_pregel::{
    self as pregel, Effect, Emits, End, Engine, Env, Loaded, Options, Outcome, Start, StartError,
    Started, Surroundings, TaskKey, TaskOutcome, Ticket,
};

use crate::command::Resume;
use crate::event::{state_update, Interrupt};
use crate::{
    Chunk, Clock, Command, Config, Error, Event, Graph, Input, Map, Memory, Native, Output, Place,
    Status, Value,
};

/// A run under way, to be driven: poll it, do what it says, tell it what came of it.
///
/// [`Graph::invoke`] and [`Graph::stream`] drive runs on the calling thread; this is for drivers
/// of another kind.
pub struct Run<'g> {
    pub(crate) graph: &'g Graph,
    pub(crate) config: Config,
    pub(crate) place: Place,
    pub(crate) saver: Option<Memory>,
    pub(crate) engine: Engine<Native>,
    clock: Clock,
    pub(crate) started: Started,
    pub(crate) resume_values: ResumeValues,
}

/// The resume values that the run was given.
#[derive(Clone, Default)]
pub(crate) struct ResumeValues {
    pub(crate) single: Rc<RefCell<Option<Value>>>,
    pub(crate) by_id: Arc<BTreeMap<Arc<str>, Value>>,
}

/// What a run that is a task of another run inherits from it.
pub(crate) struct Inherited {
    pub(crate) place: Place,
    pub(crate) saver: Option<Memory>,
    pub(crate) resume_values: ResumeValues,
    pub(crate) resuming: bool,
    pub(crate) emits: Emits,
}

impl<'g> Run<'g> {
    /// Begins a run. `emits` are the events that somebody listens for.
    pub fn begin(
        graph: &'g Graph,
        input: Input,
        config: &Config,
        emits: Emits,
    ) -> Result<Self, Error> {
        let place = Place { thread: config.thread.clone(), namespace: "".into() };
        let inherited = Inherited {
            place,
            saver: graph.saver.clone(),
            resume_values: ResumeValues::default(),
            resuming: false,
            emits,
        };
        Self::start(graph, input, config, inherited, None)
    }

    pub(crate) fn start(
        graph: &'g Graph,
        input: Input,
        config: &Config,
        inherited: Inherited,
        around: Option<Surroundings>,
    ) -> Result<Self, Error> {
        let Inherited { place, saver, mut resume_values, emits, .. } = inherited;
        let mut clock = graph.clock.clone();
        let stored =
            saver.as_ref().and_then(|s| s.load(&graph.plan, &place, config.checkpoint.as_ref()));
        let loaded = stored.unwrap_or_else(|| Loaded::unbegun(clock.checkpoint_id(-2)));
        if let Input::Command(Command { resume: Some(resume), .. }) = &input {
            match resume {
                Resume::Single(value) => {
                    if pending_interrupts(&loaded.pending).count() > 1 {
                        return Err(Error::AmbiguousResume);
                    }
                    resume_values.single = Rc::new(RefCell::new(Some(value.clone())));
                }
                Resume::ById(by_id) => resume_values.by_id = Arc::new(by_id.clone()),
            }
        }
        let options = Options {
            namespace: place.namespace.clone(),
            nested: around.is_some(),
            persists: saver.is_some(),
            durability: config.durability,
            joins: config.joins,
            stores_success: false,
            output: graph.fields().map(|(_, index)| index).collect(),
            recursion_limit: config.recursion_limit,
            interrupt_before: config.interrupt_before.resolve(graph)?,
            interrupt_after: config.interrupt_after.resolve(graph)?,
            emits,
            ..Options::default()
        };
        let start = Start {
            plan: graph.plan.clone(),
            options,
            loaded,
            input: graph.engine_input(input)?,
            surroundings: around.unwrap_or_default(),
        };
        let (engine, started) =
            Engine::start((), &mut clock, start).map_err(|error| match error {
                StartError::EmptyInput => Error::EmptyInput,
                StartError::EmptyCommand => Error::EmptyCommand,
                StartError::Fault(fault) => fault.into(),
            })?;
        let config = config.clone();
        Ok(Self { graph, config, place, saver, engine, clock, started, resume_values })
    }

    /// What to do next.
    pub fn poll(&mut self) -> Effect<Native> {
        self.engine.poll((), &mut self.clock)
    }

    /// The engine, to look at.
    pub fn engine(&self) -> &Engine<Native> {
        &self.engine
    }

    /// The graph that runs.
    pub fn graph(&self) -> &'g Graph {
        self.graph
    }

    /// Where the run's checkpoints are.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Stores what an effect says and tells the engine. Other effects are not for here.
    pub fn store(&mut self, effect: Effect<Native>) {
        let Some(saver) = self.saver.clone() else { return };
        match effect {
            Effect::PersistWrites(writes) => {
                let ticket = writes.ticket;
                saver.store_writes(&self.place, writes);
                self.stored(ticket);
            }
            Effect::PersistCheckpoint(put) => {
                let ticket = put.ticket;
                saver.store_checkpoint(&self.place, *put);
                self.stored(ticket);
            }
            _ => {}
        }
    }

    /// A storing is done.
    pub fn stored(&mut self, ticket: Ticket) {
        self.engine.persisted(ticket);
    }

    /// A storing failed: the run fails with the error, and nothing further is stored. Gives the
    /// error back if the run was ending for another reason.
    pub fn storing_failed(&mut self, ticket: Ticket, error: Error) -> Result<(), End<Native>> {
        self.engine.persist_failed(ticket, error)
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
    pub fn end(&mut self, reason: End<Native>) -> Result<(), End<Native>> {
        self.engine.end(reason)
    }

    /// Tells the engine how a task ended.
    pub fn report(&mut self, task: TaskKey, outcome: TaskOutcome<Native>) {
        self.engine.task_finished((), task, outcome);
    }

    /// The event as somebody outside sees it.
    pub fn show(&self, event: &pregel::RunEvent) -> Option<Chunk> {
        let event = match event {
            pregel::RunEvent::Checkpoint => return None,
            pregel::RunEvent::TasksStarted(keys) => Event::Started(self.visible_names(keys)?),
            pregel::RunEvent::TaskOutput { task, cached } => {
                let task = self.engine.task(*task)?;
                if task.writes.iter().any(|write| write.is_control(Control::Error)) {
                    return None;
                }
                let update = state_update(self.graph, &task.writes);
                Event::Update { node: task.name.clone(), update, cached: *cached }
            }
            pregel::RunEvent::TaskInterrupted(task) => {
                let task = self.engine.task(*task)?;
                let interrupts = task.interrupt.as_ref().map(Interrupt::unpack).unwrap_or_default();
                Event::Interrupted { node: task.name.clone(), interrupts }
            }
            pregel::RunEvent::Values => Event::Values(self.values()),
            pregel::RunEvent::StaticInterrupt => Event::Stopped,
        };
        Some(Chunk { namespace: self.place.namespace.clone(), event })
    }

    /// The names of the tasks that are not hidden; `None` if all are.
    fn visible_names(&self, keys: &[TaskKey]) -> Option<Vec<Arc<str>>> {
        let tasks = keys.iter().filter_map(|key| self.engine.task(*key));
        let is_hidden = |task: &&pregel::Task<Native>| {
            task.node.is_some_and(|node| self.graph.plan.node(node).hidden)
        };
        let names: Vec<_> =
            tasks.filter(|task| !is_hidden(task)).map(|task| task.name.clone()).collect();
        (!names.is_empty()).then_some(names)
    }

    pub(crate) fn is_root(&self) -> bool {
        !self.engine.options().nested
    }

    /// The state, field by field.
    pub fn values(&self) -> Map {
        self.graph.values(|index| self.engine.state().channel(index))
    }

    /// What the caller is given at the end.
    pub fn output(&self, outcome: Outcome<Native>) -> Result<Output, Error> {
        let status = match outcome {
            Outcome::Done => Status::Done,
            Outcome::Drained => Status::Drained,
            Outcome::Interrupted(interrupts) => {
                Status::Interrupted(interrupts.iter().flat_map(Interrupt::unpack).collect())
            }
            Outcome::OutOfSteps => return Err(Error::RecursionLimit(self.config.recursion_limit)),
            Outcome::Cancelled => return Err(Error::Cancelled),
            Outcome::Escaped(error) => return Err(error),
            Outcome::Failed(fault) => return Err(fault.into()),
        };
        Ok(Output { values: self.values(), status })
    }
}
