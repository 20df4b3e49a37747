//! The blocking driver: performs the engine's effects on the calling thread, one after another.

use std::time::Duration;

use langgraph_rust_pregel::{Effect, Emits, Outcome};

use crate::{Chunk, Config, Error, Graph, Input, Native, Output, Run};

impl Graph {
    /// Runs the graph until it ends, fails or waits to be resumed.
    pub fn invoke(&self, input: impl Into<Input>, config: &Config) -> Result<Output, Error> {
        let mut run = Run::begin(self, input.into(), config, Emits::default())?;
        let outcome = drive(&mut run, &mut |_| {});
        run.output(outcome)
    }

    /// Runs the graph and shows what happens to `sink`.
    pub fn stream(
        &self,
        input: impl Into<Input>,
        config: &Config,
        mut sink: impl FnMut(Chunk),
    ) -> Result<Output, Error> {
        let emits = Emits { values: true, updates: true, tasks: true, checkpoints: false };
        let mut run = Run::begin(self, input.into(), config, emits)?;
        let outcome = drive(&mut run, &mut sink);
        run.output(outcome)
    }
}

/// Drives a run to its end. The engine decides; this acts.
pub(crate) fn drive(run: &mut Run<'_>, sink: &mut dyn FnMut(Chunk)) -> Outcome<Native> {
    loop {
        match run.poll() {
            Effect::RunTask { task, delay, .. } => {
                wait(delay);
                let outcome = run.perform(task, sink);
                run.report(task, outcome);
            }
            // A task reports before anything else happens, so there is none to cancel.
            Effect::CancelTask(_) => {}
            Effect::LookUpCache(_) => run.nothing_cached(),
            effect @ (Effect::PersistWrites(_) | Effect::PersistCheckpoint(_)) => run.store(effect),
            Effect::Emit(event) => run.show(&event).into_iter().for_each(&mut *sink),
            // Nothing is ever under way while the engine is polled.
            Effect::Wait(reason) => {
                let error = crate::event::unexpected(&format!("{reason:?}"));
                return Outcome::Escaped(error);
            }
            Effect::Finish(outcome) => return outcome,
        }
    }
}

#[allow(clippy::disallowed_methods)] // waiting is this driver's business
fn wait(delay: Duration) {
    if !delay.is_zero() {
        std::thread::sleep(delay);
    }
}
