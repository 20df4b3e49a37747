//! One run of a graph: the engine, and how its tasks are performed. Which task when, is the
//! driver's.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use langgraph_checkpoint::pending_interrupts;
use langgraph_core::{interrupt_id, names, ChannelIndex, Control, Target, Write};
use langgraph_pregel::{
    self as pregel, Effect, Emits, Engine, Failure, Options, Outcome, Retry, StartError, Started,
    Surroundings, Task, TaskKey, TaskOutcome, Ticket,
};

use crate::command::Resume;
use crate::event::{state_update, Interrupt};
use crate::graph::{Exit, Program, ProgramBody};
use crate::memory::unbegun;
use crate::node::{Body, Choice};
use crate::state::{Dialogue, Failed, Source};
use crate::{
    Chunk, Clock, Command, Config, Error, Event, Goto, Graph, Input, Map, Memory, Native, Output,
    Place, State, Status, Update, Value, END,
};

/// A run under way, to be driven: poll it, do what it says, tell it what came of it.
///
/// [`Graph::invoke`] and [`Graph::stream`] drive runs on the calling thread; this is for drivers
/// of another kind.
pub struct Run<'g> {
    graph: &'g Graph,
    config: Config,
    place: Place,
    saver: Option<Memory>,
    engine: Engine<Native>,
    clock: Clock,
    started: Started,
    answers: Answers,
}

/// The answers that the run was given.
#[derive(Clone, Default)]
struct Answers {
    single: Rc<RefCell<Option<Value>>>,
    by_id: Arc<BTreeMap<Arc<str>, Value>>,
}

/// What a run that is a task of another run inherits from it.
struct Inherited {
    place: Place,
    saver: Option<Memory>,
    answers: Answers,
    resuming: bool,
    emits: Emits,
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
            answers: Answers::default(),
            resuming: false,
            emits,
        };
        Self::start(graph, input, config, inherited, None)
    }

    fn start(
        graph: &'g Graph,
        input: Input,
        config: &Config,
        inherited: Inherited,
        around: Option<Surroundings>,
    ) -> Result<Self, Error> {
        let Inherited { place, saver, mut answers, emits, .. } = inherited;
        let mut clock = graph.clock.clone();
        let stored = saver.as_ref().and_then(|s| s.load(&place, config.checkpoint.as_ref()));
        let (loaded, parent) = stored.unwrap_or_else(|| (unbegun(&mut clock), None));
        if let Input::Command(Command { resume: Some(resume), .. }) = &input {
            match resume {
                Resume::Single(answer) => {
                    if pending_interrupts(&loaded.pending).count() > 1 {
                        return Err(Error::AmbiguousAnswer);
                    }
                    answers.single = Rc::new(RefCell::new(Some(answer.clone())));
                }
                Resume::ById(by_id) => answers.by_id = Arc::new(by_id.clone()),
            }
        }
        let options = Options {
            namespace: place.namespace.clone(),
            nested: around.is_some(),
            persists: saver.is_some(),
            durability: config.durability,
            stores_success: false,
            output: graph.fields().map(|(_, index)| index).collect(),
            recursion_limit: config.recursion_limit,
            interrupt_before: config.interrupt_before.resolve(graph)?,
            interrupt_after: config.interrupt_after.resolve(graph)?,
            emits,
        };
        let input = graph.engine_input(input)?;
        let surroundings = around.unwrap_or_default();
        let plan = graph.plan.clone();
        let (engine, started) =
            Engine::start((), &mut clock, plan, options, loaded, parent, input, surroundings)
                .map_err(|error| match error {
                    StartError::EmptyInput => Error::EmptyInput,
                    StartError::EmptyCommand => Error::EmptyCommand,
                    StartError::Fault(fault) => fault.into(),
                })?;
        let config = config.clone();
        Ok(Self { graph, config, place, saver, engine, clock, started, answers })
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

    /// Nothing is cached: the tasks asked about must run.
    pub fn nothing_cached(&mut self) {
        self.engine.cache_answered((), Vec::new());
    }

    /// Stop before the next superstep, so that the run can be resumed.
    pub fn drain(&mut self) {
        self.engine.drain();
    }

    /// Stop now.
    pub fn cancel(&mut self) {
        self.engine.cancel();
    }

    /// Tells the engine how a task ended.
    pub fn report(&mut self, task: TaskKey, outcome: TaskOutcome<Native>) {
        self.engine.task_finished((), task, outcome);
    }

    /// Performs a task. Nothing changes by it until its outcome is reported. A node that is a
    /// graph runs to its end, and its events go to `sink`.
    pub fn perform(&self, key: TaskKey, sink: &mut dyn FnMut(Chunk)) -> TaskOutcome<Native> {
        let task = self.engine.task(key);
        let Some(node) = task.node else {
            let error = Error::message("a Rust graph has no called functions");
            return failed(error, Vec::new(), None);
        };
        if self.is_root() && self.engine.single_answer().is_none() {
            // An answer is for the superstep that the run resumes, whether it is taken or not.
            self.answers.single.take();
        }
        let program = &self.graph.programs[node.get()];
        let earlier = self.answers_of(task);
        let dialogue = Dialogue::new(earlier, &self.answers.single);
        let result = self.call(program, task, &dialogue, sink);
        let answers = dialogue.close();
        let answered = || match answers.is_empty() {
            true => Vec::new(),
            false => vec![Write::control(Control::Resume, Value::list(answers.iter().cloned()))],
        };
        match result {
            Ok(mut writes) => {
                writes.extend(answered());
                TaskOutcome::Finished(writes)
            }
            Err(Error::Interrupt(value)) => {
                let id = interrupt_id(&self.namespace_of(task), answers.len()).into();
                let value = Some(Interrupt::pack(&[Interrupt { id, value }]));
                TaskOutcome::Interrupted { value, answered: answered() }
            }
            Err(Error::Paused(questions)) => {
                let all: Vec<_> = questions.iter().flat_map(Interrupt::unpack).collect();
                let value = (!all.is_empty()).then(|| Interrupt::pack(&all));
                TaskOutcome::Interrupted { value, answered: answered() }
            }
            Err(error @ Error::Parent(_)) => TaskOutcome::Escaped(error),
            Err(error) => failed(error, answered(), program.retry.map(retry)),
        }
    }

    /// The event as somebody outside sees it.
    pub fn show(&self, event: &pregel::Event) -> Option<Chunk> {
        let name = |key: &TaskKey| self.engine.task(*key).name.clone();
        let event = match event {
            pregel::Event::Checkpoint => return None,
            pregel::Event::TasksStarted(keys) => {
                let visible: Vec<_> = keys.iter().filter(|key| !self.is_hidden(**key)).collect();
                if visible.is_empty() {
                    return None;
                }
                Event::Started(visible.into_iter().map(name).collect())
            }
            pregel::Event::TaskOutput { task, cached } => {
                let writes = &self.engine.task(*task).writes;
                let is_failure = writes.iter().any(|write| write.is_control(Control::Error));
                if is_failure {
                    return None;
                }
                let update = state_update(self.graph, writes);
                Event::Update { node: name(task), update, cached: *cached }
            }
            pregel::Event::TaskAsked(task) => {
                let question = self.engine.task(*task).question.as_ref();
                let interrupts = question.map(Interrupt::unpack).unwrap_or_default();
                Event::Asked { node: name(task), interrupts }
            }
            pregel::Event::Values => Event::Values(self.values()),
            pregel::Event::StaticInterrupt => Event::Stopped,
        };
        Some(Chunk { namespace: self.place.namespace.clone(), event })
    }

    fn is_root(&self) -> bool {
        !self.engine.options().nested
    }

    fn is_hidden(&self, key: TaskKey) -> bool {
        let node = self.engine.task(key).node;
        node.is_some_and(|node| self.graph.plan.node(node).hidden)
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
            Outcome::Interrupted(questions) => {
                Status::Interrupted(questions.iter().flat_map(Interrupt::unpack).collect())
            }
            Outcome::OutOfSteps => return Err(Error::RecursionLimit(self.config.recursion_limit)),
            Outcome::Cancelled => return Err(Error::Cancelled),
            Outcome::Escaped(error) => return Err(error),
            Outcome::Failed(fault) => return Err(fault.into()),
        };
        Ok(Output { values: self.values(), status })
    }

    // What follows performs tasks.

    fn call(
        &self,
        program: &Program,
        task: &Task<Native>,
        dialogue: &Dialogue<'_>,
        sink: &mut dyn FnMut(Chunk),
    ) -> Result<Vec<Write<Native>>, Error> {
        let state = State {
            graph: self.graph,
            source: self.source(task),
            dialogue: Some(dialogue),
            failure: self.failure(task),
        };
        let command = match &program.body {
            ProgramBody::Start => self.start_command(),
            ProgramBody::Node(Body::Function(function)) => function(&state)?,
            ProgramBody::Node(Body::Graph(graph)) => self.call_graph(graph, task, &state, sink)?,
        };
        self.writes(program, command)
    }

    fn source<'r>(&'r self, task: &'r Task<Native>) -> Source<'r> {
        match &task.packet {
            Some(value) => Source::Sent(value),
            None => Source::Channels { state: self.engine.state(), fresh: Vec::new() },
        }
    }

    fn failure<'r>(&'r self, task: &Task<Native>) -> Option<Failed<'r>> {
        let failed = self.engine.task(task.handles?);
        let mut writes = failed.writes.iter();
        let error = writes.find(|write| write.is_control(Control::Error))?;
        Some(Failed { node: &failed.name, error: &error.value })
    }

    fn start_command(&self) -> Command {
        let input = crate::state::read(self.engine.state().channel(self.graph.start));
        match input {
            Value::Map(map) => Update::from((*map).clone()).into(),
            _ => Command::new(),
        }
    }

    /// Runs a graph that is a node: with the fields that both graphs have.
    fn call_graph(
        &self,
        graph: &Graph,
        task: &Task<Native>,
        state: &State<'_>,
        sink: &mut dyn FnMut(Chunk),
    ) -> Result<Command, Error> {
        let config = Config {
            checkpoint: None,
            interrupt_before: crate::Stops::Nowhere,
            interrupt_after: crate::Stops::Nowhere,
            ..self.config.clone()
        };
        let namespace = self.namespace_of(task).into();
        let inherited = Inherited {
            place: Place { thread: self.place.thread.clone(), namespace },
            saver: graph.saver.clone().or_else(|| self.saver.clone()),
            answers: self.answers.clone(),
            resuming: self.started.resuming,
            emits: self.engine.options().emits,
        };
        let around = Surroundings { resuming: Some(inherited.resuming), ..Default::default() };
        let input = Input::Update(common(graph, state.input()));
        let mut run = Run::start(graph, input, &config, inherited, Some(around))?;
        match crate::drive::drive(&mut run, sink) {
            Outcome::Interrupted(questions) => Err(Error::Paused(questions)),
            Outcome::Drained => Err(Error::Paused(Vec::new())),
            Outcome::Escaped(Error::Parent(command)) => {
                Ok(Command { is_for_parent: false, ..*command })
            }
            outcome => Ok(common(self.graph, run.output(outcome)?.values.into()).into()),
        }
    }

    fn writes(&self, program: &Program, command: Command) -> Result<Vec<Write<Native>>, Error> {
        if command.is_for_parent {
            return Err(Error::Parent(Box::new(command)));
        }
        let mut writes = Vec::with_capacity(command.update.writes.len() + program.exits.len());
        for (name, value) in command.update.writes {
            let field = self.graph.field(&name);
            let index = field.ok_or_else(|| Error::UnknownField(name.to_string()))?;
            writes.push(Write::channel(index, value));
        }
        for goto in command.goto {
            writes.extend(self.graph.goto(goto)?);
        }
        for exit in &program.exits {
            match exit {
                Exit::Write(index, value) => writes.push(Write::channel(*index, value.clone())),
                Exit::Branch(choice) => {
                    for goto in self.choose(choice, &writes)? {
                        writes.extend(self.graph.goto(goto)?);
                    }
                }
            }
        }
        Ok(writes)
    }

    fn choose(&self, choice: &Choice, writes: &[Write<Native>]) -> Result<Vec<Goto>, Error> {
        let mut written: BTreeMap<ChannelIndex, Vec<Value>> = BTreeMap::new();
        for write in writes {
            if let Target::Channel(index) = write.target {
                written.entry(index).or_default().push(write.value.clone());
            }
        }
        let state = self.engine.state();
        let mut fresh = Vec::with_capacity(written.len());
        for (index, values) in written {
            fresh.push((index, state.read_with((), index, values)?.unwrap_or_default()));
        }
        let source = Source::Channels { state, fresh };
        let state = State { graph: self.graph, source, dialogue: None, failure: None };
        Ok(choice(&state)?.0)
    }

    fn answers_of(&self, task: &Task<Native>) -> Vec<Value> {
        let stored = self.engine.answers(&task.id).and_then(|value| value.items().ok());
        let mut answers = stored.map(<[Value]>::to_vec).unwrap_or_default();
        if !self.answers.by_id.is_empty() {
            let id = interrupt_id(&self.namespace_of(task), answers.len());
            answers.extend(self.answers.by_id.get(&*id).cloned());
        }
        answers
    }

    fn namespace_of(&self, task: &Task<Native>) -> String {
        let own = format!("{}{}{}", task.name, names::NS_END, task.id);
        match &*self.place.namespace {
            "" => own,
            outer => format!("{outer}{}{own}", names::NS_SEP),
        }
    }
}

impl Graph {
    /// Where a write that leads to `goto` goes; nowhere for the end.
    pub(crate) fn goto(&self, goto: Goto) -> Result<Option<Write<Native>>, Error> {
        Ok(match goto {
            Goto::Node(name) if &*name == END => None,
            Goto::Node(name) => {
                let entry = self.entries[self.node(&name)?.get()];
                Some(Write::channel(entry, Value::Null))
            }
            Goto::Send { node, value } => {
                self.node(&node)?;
                Some(Write::packet(self.plan.packet_target(&node), value))
            }
        })
    }

    /// What the engine is given for an input.
    fn engine_input(&self, input: Input) -> Result<pregel::Input<Native>, Error> {
        Ok(match input {
            Input::Nothing => pregel::Input::Nothing,
            Input::Update(update) => {
                let map: Map = update.writes.into_iter().collect();
                pregel::Input::Writes(vec![Write::channel(self.start, map.into())])
            }
            Input::Command(command) => {
                let mut writes = Vec::new();
                for goto in command.goto {
                    writes.extend(self.goto(goto)?);
                }
                let by_id = matches!(command.resume, Some(Resume::ById(_)));
                let answers = command.resume.is_some();
                if let Some(Resume::Single(answer)) = command.resume {
                    writes.push(Write::control(Control::Resume, answer));
                }
                for (name, value) in command.update.writes {
                    let field = self.field(&name);
                    let index = field.ok_or_else(|| Error::UnknownField(name.to_string()))?;
                    writes.push(Write::channel(index, value));
                }
                pregel::Input::Command { writes, answers, by_id }
            }
        })
    }
}

/// The entries of `values` that are fields of `graph`.
fn common(graph: &Graph, values: Value) -> Update {
    let Value::Map(map) = values else { return Update::new() };
    let known = map.iter().filter(|(name, _)| graph.field(name).is_some());
    Update { writes: known.map(|(name, value)| (name.clone(), value.clone())).collect() }
}

fn failed(error: Error, writes: Vec<Write<Native>>, retry: Option<Retry>) -> TaskOutcome<Native> {
    let value = Value::from(error.to_string());
    TaskOutcome::Failed(Failure { error, value, writes, retry, spares_others: false })
}

fn retry(policy: crate::RetryPolicy) -> Retry {
    Retry {
        max_attempts: policy.max_attempts,
        delay: policy.delay,
        jitter: std::time::Duration::ZERO,
    }
}
