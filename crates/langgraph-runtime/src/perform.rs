//! How a run's tasks are performed: what a node is given, and what becomes of what it returns.

use std::collections::BTreeMap;

use langgraph_rust_core::{interrupt_id, ChannelIndex, Control, Target, Write};
use langgraph_rust_pregel::{Failure, Outcome, Retry, Surroundings, Task, TaskKey, TaskOutcome};

use crate::event::Interrupt;
use crate::graph::{Exit, Program, ProgramBody};
use crate::node::{Body, Choice};
use crate::run::Inherited;
use crate::state::{Failed, Scratchpad, Source};
use crate::{
    Chunk, Command, Config, Error, Goto, Graph, Input, Native, Place, Run, State, Update, Value,
};

impl Run<'_> {
    /// Performs a task. Nothing changes by it until its outcome is reported. A node that is a
    /// graph runs to its end, and its events go to `sink`.
    pub fn perform(&self, key: TaskKey, sink: &mut dyn FnMut(Chunk)) -> TaskOutcome<Native> {
        let task = self.engine.task(key);
        let Some((task, node)) = task.and_then(|task| Some((task, task.node?))) else {
            let error = Error::message("no node of the current superstep");
            return failed(error, Vec::new(), None);
        };
        if self.is_root() && self.engine.null_resume().is_none() {
            // A resume value is for the superstep that the run resumes, whether it is taken or not.
            self.resume_values.single.take();
        }
        let program = &self.graph.programs[node.get()];
        let earlier = self.resume_values_of(task);
        let scratchpad = Scratchpad::new(earlier, &self.resume_values.single);
        let result = self.call(program, task, &scratchpad, sink);
        let values = scratchpad.close();
        let resumed = || match values.is_empty() {
            true => Vec::new(),
            false => vec![Write::control(Control::Resume, Value::list(values.iter().cloned()))],
        };
        match result {
            Ok(mut writes) => {
                writes.extend(resumed());
                TaskOutcome::Finished(writes)
            }
            Err(Error::Interrupt(value)) => {
                let id = interrupt_id(&task.namespace(&self.place.namespace), values.len()).into();
                let value = Some(Interrupt::pack(&[Interrupt { id, value }]));
                TaskOutcome::Interrupted { value, resume_values: resumed() }
            }
            Err(Error::Paused(interrupts)) => {
                let all: Vec<_> = interrupts.iter().flat_map(Interrupt::unpack).collect();
                let value = (!all.is_empty()).then(|| Interrupt::pack(&all));
                TaskOutcome::Interrupted { value, resume_values: resumed() }
            }
            Err(error @ Error::Parent(_)) => TaskOutcome::Escaped(error),
            Err(error) => failed(error, resumed(), program.retry.map(retry)),
        }
    }

    fn call(
        &self,
        program: &Program,
        task: &Task<Native>,
        scratchpad: &Scratchpad<'_>,
        sink: &mut dyn FnMut(Chunk),
    ) -> Result<Vec<Write<Native>>, Error> {
        let state = State {
            graph: self.graph,
            source: self.source(task),
            scratchpad: Some(scratchpad),
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
        let failed = self.engine.task(task.handles?)?;
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
        let namespace = task.namespace(&self.place.namespace).into();
        let inherited = Inherited {
            place: Place { thread: self.place.thread.clone(), namespace },
            saver: graph.saver.clone().or_else(|| self.saver.clone()),
            resume_values: self.resume_values.clone(),
            resuming: self.started.resuming,
            emits: self.engine.options().emits,
        };
        let around = Surroundings { resuming: Some(inherited.resuming), ..Default::default() };
        let input = Input::Update(common(graph, state.input()));
        let mut run = Run::start(graph, input, &config, inherited, Some(around))?;
        match crate::drive::drive(&mut run, sink) {
            Outcome::Interrupted(interrupts) => Err(Error::Paused(interrupts)),
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
        let state = State { graph: self.graph, source, scratchpad: None, failure: None };
        Ok(choice(&state)?.0)
    }

    fn resume_values_of(&self, task: &Task<Native>) -> Vec<Value> {
        let stored = self.engine.resume_values(&task.id).and_then(|value| value.items().ok());
        let mut values = stored.map(<[Value]>::to_vec).unwrap_or_default();
        if !self.resume_values.by_id.is_empty() {
            let id = interrupt_id(&task.namespace(&self.place.namespace), values.len());
            values.extend(self.resume_values.by_id.get(&*id).cloned());
        }
        values
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
    TaskOutcome::Failed(Failure {
        error,
        value,
        writes,
        retry,
        is_final: false,
        spares_others: false,
    })
}

fn retry(policy: crate::RetryPolicy) -> Retry {
    Retry {
        max_attempts: policy.max_attempts,
        delay: policy.delay,
        jitter: std::time::Duration::ZERO,
    }
}
