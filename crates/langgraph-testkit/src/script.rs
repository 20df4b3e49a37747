//! The scripted driver: performs a run's effects in the order that a script chooses.

use std::collections::VecDeque;
use std::time::Duration;

use langgraph_rust_core::{Durability, TaskId};
use langgraph_rust_pregel::{Effect, Emits, End, TaskKey, TaskOutcome};
use langgraph_rust_runtime::saver::{ListQuery, Saver};
use langgraph_rust_runtime::{
    block_on, Chunk, Config, Error, Event, Graph, GraphInput, Map, Memory, Native, Output,
    Performing, Place, Run,
};

use crate::Random;

/// How a run is driven.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// In which order tasks report.
    pub order: Order,
    /// When what is to be stored is stored.
    pub storing: Storing,
    /// What happens instead of the rest of the run.
    pub cut: Option<Cut>,
}

/// A run does not go on to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The process dies instead of performing this effect, counted from 0.
    Crash(usize),
    /// The caller cancels the run when it comes to this effect.
    Cancel(usize),
    /// The driver cannot go on when it comes to this effect.
    Fail(usize),
}

/// In which order tasks report.
#[derive(Clone, Debug, Default)]
pub enum Order {
    /// In the order in which they started.
    #[default]
    Started,
    /// The last first.
    Reversed,
    /// As the seed has it, storings in between.
    Shuffled(u64),
}

/// When what is to be stored is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storing {
    /// At once.
    #[default]
    AtOnce,
    /// When nothing else is left to do.
    Late,
}

/// How a scripted run ended.
#[derive(Clone, Debug)]
pub enum ScriptEnd {
    /// As the engine said.
    Finished(Result<Output<Map>, Error>),
    /// In the middle, with what was stored so far.
    Crashed,
}

impl ScriptEnd {
    /// The output of a run that ended well.
    pub fn output(self) -> Option<Output<Map>> {
        match self {
            ScriptEnd::Finished(output) => output.ok(),
            ScriptEnd::Crashed => None,
        }
    }
}

/// Something that happened while a run was driven.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// An effect of the engine's, in words.
    Effect(String),
    /// Something shown to the caller.
    Shown(Event),
}

impl Script {
    /// Runs the graph; `log` hears of everything.
    pub fn run(
        &self,
        graph: &Graph,
        input: impl Into<GraphInput>,
        config: &Config,
        log: &mut dyn FnMut(Line),
    ) -> ScriptEnd {
        let emits = Emits { values: true, updates: true, tasks: true, checkpoints: false };
        match block_on(Run::begin(graph, input, config, emits)) {
            Ok(run) => Driver::new(run, self, log).drive(),
            Err(error) => ScriptEnd::Finished(Err(error)),
        }
    }
}

/// A run, and what of it is under way.
struct Driver<'l> {
    run: Run,
    script: Script,
    random: Random,
    log: &'l mut dyn FnMut(Line),
    tasks: VecDeque<(TaskKey, TaskOutcome<Native>)>,
    storings: VecDeque<Effect<Native>>,
    effects: usize,
}

impl<'l> Driver<'l> {
    fn new(run: Run, script: &Script, log: &'l mut dyn FnMut(Line)) -> Self {
        let seed = match script.order {
            Order::Shuffled(seed) => seed,
            Order::Started | Order::Reversed => 0,
        };
        Self {
            run,
            script: script.clone(),
            random: Random::new(seed),
            log,
            tasks: VecDeque::new(),
            storings: VecDeque::new(),
            effects: 0,
        }
    }

    fn drive(mut self) -> ScriptEnd {
        loop {
            let effect = self.run.poll();
            if let Some(words) = self.words(&effect) {
                (self.log)(Line::Effect(words));
            }
            if !matches!(effect, Effect::Wait(_)) {
                if self.script.cut == Some(Cut::Crash(self.effects)) {
                    return ScriptEnd::Crashed;
                }
                self.end_if_told();
                self.effects += 1;
            }
            self.check_durability(&effect);
            match effect {
                Effect::RunTask { task, attempt, .. } => {
                    let ended = match self.run.perform(task, attempt, Duration::ZERO) {
                        Performing::Ended(ended) => ended,
                        Performing::Running(task) => block_on(task),
                    };
                    let outcome = self.run.conclude(ended);
                    self.tasks.push_back((task, outcome));
                }
                Effect::CancelTask(task) => self.cancel(task),
                Effect::LookUpCache(_) => self.run.nothing_cached(),
                effect @ (Effect::PersistWrites(_) | Effect::PersistCheckpoint(_)) => {
                    match self.script.storing {
                        Storing::AtOnce => self.store(effect),
                        Storing::Late => self.storings.push_back(effect),
                    }
                }
                Effect::Emit(event) => self.show(&event),
                Effect::Wait(reason) => {
                    let acted = self.act();
                    assert!(acted, "the engine waits ({reason:?}) and nothing is under way");
                }
                Effect::Finish(outcome) => return ScriptEnd::Finished(self.run.output(outcome)),
            }
        }
    }

    fn store(&mut self, effect: Effect<Native>) {
        if let Some((ticket, storing)) = self.run.storing(effect) {
            match block_on(storing) {
                Ok(()) => self.run.stored(ticket),
                Err(error) => {
                    // The first reason to end counts.
                    let _ = self.run.storing_failed(ticket, error);
                }
            }
        }
    }

    fn end_if_told(&mut self) {
        let reason = match self.script.cut {
            Some(Cut::Cancel(at)) if at == self.effects => End::Cancelled,
            Some(Cut::Fail(at)) if at == self.effects => {
                End::Failed(Error::message("the driver broke").into())
            }
            _ => return,
        };
        // A run that has come to its end by itself is not cancelled any more.
        let _ = self.run.end(reason);
    }

    /// What a task did, it did, and it reports in its turn; in a shuffled run, it may have been
    /// stopped before.
    fn cancel(&mut self, key: TaskKey) {
        let is_stopped = matches!(self.script.order, Order::Shuffled(_)) && self.random.once_in(2);
        let task = self.tasks.iter_mut().find(|(task, _)| *task == key && is_stopped);
        if let Some((_, outcome)) = task {
            *outcome = TaskOutcome::Cancelled(None);
        }
    }

    /// A checkpoint is stored after everything that it depends on; with [`Durability::Sync`],
    /// tasks run after the checkpoint that they depend on, and what is shown is stored.
    fn check_durability(&self, effect: &Effect<Native>) {
        let is_checkpoint =
            |effect: &Effect<Native>| matches!(effect, Effect::PersistCheckpoint(_));
        if is_checkpoint(effect) {
            assert!(self.storings.is_empty(), "a checkpoint overtakes what it depends on");
        }
        let is_sync = self.run.engine().options().durability == Durability::Sync;
        if is_sync && matches!(effect, Effect::RunTask { .. }) {
            assert!(!self.storings.iter().any(is_checkpoint), "a task overtakes its checkpoint");
        }
        if is_sync && matches!(effect, Effect::Emit(_)) {
            assert!(self.storings.is_empty(), "an event shows what is not stored");
        }
    }

    fn show(&mut self, event: &langgraph_rust_pregel::RunEvent) {
        if let Some(Chunk { event, .. }) = self.run.show(event) {
            (self.log)(Line::Shown(event));
        }
    }

    /// Lets one thing happen: a task reports, or something is stored.
    fn act(&mut self) -> bool {
        let shuffled = matches!(self.script.order, Order::Shuffled(_));
        let stores = match (self.tasks.is_empty(), self.storings.is_empty()) {
            (true, true) => return false,
            (false, false) => shuffled && self.random.below(2) == 0,
            (no_task, _) => no_task,
        };
        let count = if stores { self.storings.len() } else { self.tasks.len() };
        let chosen = match self.script.order {
            Order::Started => 0,
            // Storings are independent of each other, or the engine would hold them back.
            Order::Reversed => count - 1,
            Order::Shuffled(_) => self.random.below(count as u64) as usize,
        };
        if stores {
            if let Some(effect) = self.storings.remove(chosen) {
                self.store(effect);
            }
        } else if let Some((task, outcome)) = self.tasks.remove(chosen) {
            self.run.report(task, outcome);
        }
        true
    }

    fn words(&self, effect: &Effect<Native>) -> Option<String> {
        let task =
            |key: TaskKey| self.run.engine().task(key).map_or("?".into(), |t| t.name.clone());
        Some(match effect {
            Effect::RunTask { task: key, attempt, .. } => {
                format!("run {} attempt {attempt}", task(*key))
            }
            Effect::CancelTask(key) => format!("cancel {}", task(*key)),
            Effect::LookUpCache(_) => "look up cache".into(),
            Effect::PersistWrites(writes) => {
                format!("store writes of {}", self.name_of(&writes.task))
            }
            Effect::PersistCheckpoint(put) => {
                let metadata = &put.metadata;
                format!("store checkpoint {} {}", metadata.step, metadata.source.name())
            }
            Effect::Wait(reason) => format!("wait {reason:?}").to_lowercase(),
            Effect::Emit(_) | Effect::Finish(_) => return None,
        })
    }

    fn name_of(&self, id: &TaskId) -> String {
        let engine = self.run.engine();
        let mut tasks = engine.tasks().iter();
        match tasks.find(|task| engine.id_of(task) == id) {
            Some(task) => task.name.to_string(),
            None if id.is_null() => "the caller".into(),
            None => "an earlier task".into(),
        }
    }
}

/// The saver's threads as text, to compare: every checkpoint with its ids, versions and values.
pub fn dump(saver: &Memory, place: &Place) -> Result<String, Error> {
    let found = block_on(saver.list(&ListQuery::place(place)))?;
    let lines = found.iter().map(|(_, stored)| {
        let checkpoint = &stored.checkpoint;
        format!(
            "{} {:?} {:?} {:?} {:?}\n",
            checkpoint.id.as_str(),
            stored.metadata,
            checkpoint.channel_versions,
            checkpoint.versions_seen,
            checkpoint.updated_channels,
        )
    });
    Ok(lines.collect())
}
