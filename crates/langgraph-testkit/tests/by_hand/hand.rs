//! A driver that does nothing by itself but write down what the engine says.

use std::collections::VecDeque;
use std::sync::Arc;

use langgraph_rust_channels::{Aggregate, Channel, Ephemeral, LastValue};
use langgraph_rust_core::{ChannelIndex, CheckpointId, Durability, Fault, Write};
use langgraph_rust_pregel::{
    ChannelSpec, Effect, Emits, Engine, Loaded, NodeSpec, Options, Outcome, Plan, Resumes,
    RunInput, Start, Surroundings, TaskKey, TaskOutcome,
};
use langgraph_rust_runtime::saver::{self, Saver};
use langgraph_rust_runtime::{block_on, Clock, Error, Memory, Native, Place, Reducer, Value};

pub const DURABILITIES: [Durability; 3] = [Durability::Sync, Durability::Async, Durability::Exit];

/// The names of a graph's nodes and how they are declared. The node `x` is started by a write to
/// the channel `to:x`; all nodes share the channel `list`, which appends, and `one`, which takes one
/// write per superstep.
pub fn plan(nodes: &[&str], adapt: impl Fn(&mut NodeSpec)) -> Arc<Plan<Native>> {
    let list = Aggregate::new((), Arc::new(Reducer::append()));
    let mut channels = vec![ChannelSpec { name: "list".into(), pattern: Channel::Aggregate(list) }];
    let mut specs = Vec::new();
    for name in nodes {
        specs.push(NodeSpec::new(*name, vec![ChannelIndex::new(channels.len())]));
        channels.push(ChannelSpec {
            name: format!("to:{name}").into(),
            pattern: Channel::Ephemeral(Ephemeral::new(None, false)),
        });
    }
    let one = Channel::LastValue(LastValue::new(None));
    channels.push(ChannelSpec { name: "one".into(), pattern: one });
    specs.iter_mut().for_each(adapt);
    Arc::new(Plan::new(channels, specs).unwrap())
}

/// How a run stores.
struct How {
    durability: Durability,
    joins: bool,
    claims: bool,
}

const PLAIN: How = How { durability: Durability::Async, joins: false, claims: false };

/// A run, and what of it is under way.
pub struct Hand {
    pub engine: Engine<Native>,
    pub plan: Arc<Plan<Native>>,
    clock: Clock,
    saver: Memory,
    durability: Durability,
    /// What was given out to be stored, and is not.
    pub unstored: VecDeque<Effect<Native>>,
    pub outcome: Option<Outcome<Native>>,
}

impl Hand {
    /// A run that starts these nodes.
    pub fn begin(plan: &Arc<Plan<Native>>, durability: Durability, nodes: &[&str]) -> Self {
        let input = RunInput::Writes(nodes.iter().map(|node| to(plan, node)).collect());
        Self::start(plan, How { durability, ..PLAIN }, Memory::new(), Clock::counter(), input)
    }

    /// The same, with a storage that takes a checkpoint together with the writes before it.
    pub fn joining(plan: &Arc<Plan<Native>>, durability: Durability, nodes: &[&str]) -> Self {
        let input = RunInput::Writes(nodes.iter().map(|node| to(plan, node)).collect());
        let how = How { durability, joins: true, ..PLAIN };
        Self::start(plan, how, Memory::new(), Clock::counter(), input)
    }

    /// The same, where what is stored first claims the thread.
    pub fn claiming(plan: &Arc<Plan<Native>>, durability: Durability, nodes: &[&str]) -> Self {
        let input = RunInput::Writes(nodes.iter().map(|node| to(plan, node)).collect());
        let how = How { durability, joins: true, claims: true };
        Self::start(plan, how, Memory::new(), Clock::counter(), input)
    }

    /// A run that goes on with what this one stored, and claims the thread with a command.
    pub fn claim_with(&self, write: Write<Native>) -> Self {
        let (saver, clock) = (self.saver.clone(), self.clock.clone());
        let how = How { durability: self.durability, joins: true, claims: true };
        let (writes, resumes, input) = (vec![write], Resumes::Nothing, Vec::new());
        let command = RunInput::Command { writes, resumes, input };
        Self::start(&self.plan, how, saver, clock, command)
    }

    /// A run that goes on with what this one stored.
    pub fn again(&self) -> Self {
        let (saver, clock) = (self.saver.clone(), self.clock.clone());
        let how = How { durability: self.durability, ..PLAIN };
        Self::start(&self.plan, how, saver, clock, RunInput::Nothing)
    }

    fn start(
        plan: &Arc<Plan<Native>>,
        how: How,
        saver: Memory,
        mut clock: Clock,
        input: RunInput<Native>,
    ) -> Self {
        let options = Options {
            persists: true,
            durability: how.durability,
            joins: how.joins,
            claims: how.claims,
            output: vec![ChannelIndex::new(0)],
            emits: Emits { values: true, updates: true, tasks: false, checkpoints: false },
            ..Options::default()
        };
        let loaded = loaded(plan, &saver);
        let surroundings = Surroundings::default();
        let start = Start { plan: plan.clone(), options, loaded, input, surroundings };
        let begun = Engine::start((), &mut clock, start);
        let Ok((engine, _)) = begun else { panic!("the run does not begin") };
        Self {
            engine,
            plan: plan.clone(),
            clock,
            saver,
            durability: how.durability,
            unstored: VecDeque::new(),
            outcome: None,
        }
    }

    /// What the engine says up to the next wait, or the end. What is to be stored waits.
    pub fn hear(&mut self) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            let effect = self.engine.poll((), &mut self.clock);
            heard.push(self.words(&effect));
            match effect {
                Effect::PersistWrites(_) | Effect::PersistCheckpoint(_) => {
                    self.unstored.push_back(effect);
                }
                Effect::Wait(_) => return heard,
                Effect::Finish(outcome) => {
                    self.outcome = Some(outcome);
                    return heard;
                }
                _ => {}
            }
        }
    }

    /// The same, and stores at once what is to be stored.
    pub fn go(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            all.extend(self.hear());
            if self.unstored.is_empty() {
                return all;
            }
            all.pop();
            self.store();
        }
    }

    /// Stores what is under way.
    pub fn store(&mut self) {
        let place = Place::default();
        for effect in self.unstored.drain(..) {
            match effect {
                Effect::PersistWrites(writes) => {
                    let ticket = writes.ticket;
                    let writes = saver::task_writes(&self.plan, writes);
                    block_on(self.saver.put_writes(&place, writes)).expect("memory takes all");
                    self.engine.persisted(ticket);
                }
                Effect::PersistCheckpoint(put) => {
                    let ticket = put.ticket;
                    let put = saver::from_engine(&self.plan, *put);
                    block_on(self.saver.put(&place, put)).expect("memory takes all");
                    self.engine.persisted(ticket);
                }
                _ => {}
            }
        }
    }

    /// Says that what is under way is stored, and drops it.
    pub fn clear_storage(&mut self) {
        for effect in self.unstored.drain(..) {
            match effect {
                Effect::PersistWrites(writes) => self.engine.persisted(writes.ticket),
                Effect::PersistCheckpoint(put) => self.engine.persisted(put.ticket),
                _ => {}
            }
        }
    }

    /// What is under way, the first of it, cannot be stored.
    pub fn fail_storing(&mut self, error: &str) {
        let ticket = match self.unstored.pop_front() {
            Some(Effect::PersistWrites(writes)) => writes.ticket,
            Some(Effect::PersistCheckpoint(put)) => put.ticket,
            _ => panic!("nothing is being stored"),
        };
        assert!(self.engine.persist_failed(ticket, Error::message(error).into()).is_ok());
    }

    /// The task of a node in the current superstep.
    pub fn key(&self, node: &str) -> TaskKey {
        let mut tasks = self.engine.keys().zip(self.engine.tasks());
        tasks.find(|(_, task)| &*task.name == node).expect("a task of this node").0
    }

    pub fn report(&mut self, node: &str, outcome: TaskOutcome<Native>) {
        self.engine.task_finished((), self.key(node), outcome);
    }

    /// The node finishes with its name appended to the list, and starts others.
    pub fn finish(&mut self, node: &str, next: &[&str]) {
        let mut writes = vec![said(node)];
        writes.extend(next.iter().map(|node| to(&self.plan, node)));
        self.report(node, TaskOutcome::Finished(writes));
    }

    /// The list, as the state has it.
    pub fn list(&self) -> String {
        let list = self.engine.state().read((), ChannelIndex::new(0)).unwrap();
        list.unwrap_or_default().to_string()
    }

    /// How the run ended, in words.
    pub fn ended(&self) -> String {
        match self.outcome.as_ref().expect("the run is over") {
            Outcome::Done => "done".into(),
            Outcome::Cancelled => "cancelled".into(),
            Outcome::Interrupted(_) => "interrupted".into(),
            Outcome::OutOfSteps => "out of steps".into(),
            Outcome::Drained => "drained".into(),
            Outcome::Escaped(error) => format!("escaped: {error}"),
            Outcome::Failed(Fault::Domain(error)) => format!("failed: {error}"),
            Outcome::Failed(Fault::InvalidUpdate(error)) => format!("failed: {}", error.message),
            Outcome::Failed(Fault::MissingHistory(history)) => format!("failed: {history}"),
            Outcome::Failed(Fault::UnfinishedTasks(tasks)) => format!("failed: {tasks}"),
        }
    }

    fn words(&self, effect: &Effect<Native>) -> String {
        let name = |key: &TaskKey| self.engine.task(*key).expect("a task").name.to_string();
        match effect {
            Effect::RunTask { task, .. } => format!("run {}", name(task)),
            Effect::CancelTask(task) => format!("cancel {}", name(task)),
            Effect::LookUpCache(_) => "look up".into(),
            Effect::PersistWrites(_) => "store writes".into(),
            Effect::PersistCheckpoint(put) if put.writes.is_empty() => "store checkpoint".into(),
            Effect::PersistCheckpoint(put) => {
                format!("store checkpoint with the writes of {}", put.writes.len())
            }
            Effect::Emit(event) => format!("show {event:?}").to_lowercase(),
            Effect::Wait(reason) => format!("wait {reason:?}").to_lowercase(),
            Effect::Finish(_) => "finish".into(),
        }
    }
}

/// A write of `text` to the list.
pub fn said(text: &str) -> Write<Native> {
    Write::channel(ChannelIndex::new(0), Value::from(text))
}

/// The write that starts a node.
pub fn to(plan: &Plan<Native>, node: &str) -> Write<Native> {
    let channel = plan.channel_named(&format!("to:{node}")).expect("a node of the plan");
    Write::channel(channel, Value::Null)
}

/// A write to the channel that takes one per superstep.
pub fn only(plan: &Plan<Native>, text: &str) -> Write<Native> {
    let channel = plan.channel_named("one").expect("every plan has it");
    Write::channel(channel, Value::from(text))
}

fn loaded(plan: &Plan<Native>, saver: &Memory) -> Loaded<Native> {
    let found = block_on(saver.get(&Place::default(), None)).expect("memory answers");
    match found {
        Some(found) => saver::loaded(plan, &[], found, false, None).expect("it is as it was"),
        None => Loaded::unbegun(CheckpointId::from_bits(0)),
    }
}
