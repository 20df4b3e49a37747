mod close;
mod delta;
mod inputs;
mod look;
mod report;
mod step;
mod store;
mod traverse;

use std::collections::VecDeque;

use langgraph_rust_checkpoint::{Metadata, PendingWrite};
use langgraph_rust_core::{CheckpointId, Domain, TaskId, Version};

pub use delta::overwritten;
pub(crate) use delta::Deltas;

use crate::persist::Persistence;
use crate::superstep::Superstep;
use crate::{Effect, Env, Options, Outcome, Pause, RunEvent, TaskKey, ThreadState};

/// One run of a plan. See the crate's documentation for the loop around it.
///
/// In order of use:
///
/// - [`start`](Self::start) begins a run.
/// - [`poll`](Self::poll) says what to do next, until it says `Wait` or `Finish`.
/// - What a driver tells the engine. Each input says what has happened, and is harmless if it comes
///   late:
///   - [`task_finished`](Self::task_finished): a task is over, whichever way.
///   - [`task_requested`](Self::task_requested), [`call_cancelled`](Self::call_cancelled): a running
///     task called another, or does not want its result any more.
///   - [`cache_answered`](Self::cache_answered): what a cache has.
///   - [`persisted`](Self::persisted), [`persist_failed`](Self::persist_failed): what became of a
///     storing.
///   - [`drain`](Self::drain), [`end`](Self::end), [`abandon`](Self::abandon): the run is to stop
///     before the next superstep, or now, or has been given up by whoever it is a part of.
///   - [`take_attempt`](Self::take_attempt), [`take_cancellation`](Self::take_cancellation),
///     [`take_null_resume`](Self::take_null_resume): a driver has taken something for a task that
///     cannot wait for the next poll.
/// - What a driver may read, between any two of these:
///   - the graph and the run: [`plan`](Self::plan), [`options`](Self::options),
///     [`steps`](Self::steps), [`metadata`](Self::metadata), [`pause`](Self::pause),
///     [`is_cancelled`](Self::is_cancelled), [`stored_checkpoint`](Self::stored_checkpoint);
///   - the tasks of the current superstep: [`keys`](Self::keys), [`task`](Self::task),
///     [`tasks`](Self::tasks);
///   - values: [`state`](Self::state), [`is_output`](Self::is_output), [`pending`](Self::pending),
///     [`null_resume`](Self::null_resume), [`resume_values`](Self::resume_values), and for the
///     garbage collector [`traverse`](Self::traverse).
pub struct Engine<D: Domain> {
    pub(crate) state: ThreadState<D>,
    pub(crate) options: Options,
    /// Writes stored, or to be stored, on the current checkpoint.
    pub(crate) pending: Vec<PendingWrite<D>>,
    /// Some of them come from an earlier run.
    inherited: bool,
    /// Finished tasks run again instead of being given their stored writes.
    pub(crate) replaying: bool,
    pub(crate) step: i64,
    stop: i64,
    phase: Phase<D>,
    tasks: Superstep<D>,
    out: VecDeque<Effect<D>>,
    /// Events that are shown once what they show is stored, with [`Durability::Sync`].
    unshown: VecDeque<RunEvent>,
    persistence: Persistence<D>,
    metadata: Metadata,
    pub(crate) deltas: Option<Box<Deltas<D>>>,
    /// The newest stored checkpoint, and the versions it holds.
    stored: Option<CheckpointId>,
    stored_versions: Vec<Option<Version>>,
    last_saved: Option<CheckpointId>,
    /// Tasks that wrote during this superstep, with [`Durability::Exit`].
    wrote: Vec<TaskId>,
    drain: bool,
    pause: Pause,
    is_output: Vec<bool>,
}

/// Where a run stands. What a phase needs is in its variant, so that nothing is half done.
enum Phase<D: Domain> {
    /// Between supersteps.
    Ready,
    /// Waiting for the cache's answer.
    Caching,
    /// Tasks are running; what they reported besides writes, if any did.
    Stepping(Option<Box<Reports<D>>>),
    /// The run is to end between supersteps; nothing has been done for that yet.
    Ending(Outcome<D>),
    /// The run is ending; what must be stored is being stored.
    Closing(Outcome<D>),
    Over,
}

/// What tasks of a superstep reported besides writes.
struct Reports<D: Domain> {
    /// Why the superstep does not go on: a task that failed, or a reason from outside.
    end: Option<Outcome<D>>,
    /// Whether that is a failure that nobody may miss.
    is_final: bool,
    /// An invalid resume value: raised after the other tasks have finished.
    late_failure: Option<D::Error>,
    escaped: Option<D::Error>,
    interrupts: Vec<D::Value>,
    paused: bool,
}

impl<D: Domain> Default for Reports<D> {
    fn default() -> Self {
        Self {
            end: None,
            is_final: false,
            late_failure: None,
            escaped: None,
            interrupts: Vec::new(),
            paused: false,
        }
    }
}

impl<D: Domain> Engine<D> {
    pub(crate) fn assemble(
        state: ThreadState<D>,
        options: Options,
        pending: Vec<PendingWrite<D>>,
        metadata: Metadata,
        stored: bool,
    ) -> Self {
        let step = metadata.step.saturating_add(1);
        let mut is_output = vec![false; state.plan().channels().len()];
        for index in &options.output {
            if let Some(is_output) = is_output.get_mut(index.get()) {
                *is_output = true;
            }
        }
        Self {
            stop: step.saturating_add_unsigned(options.recursion_limit).saturating_add(1),
            step,
            inherited: !pending.is_empty(),
            pending,
            replaying: false,
            phase: Phase::Ready,
            tasks: Superstep::new(),
            out: VecDeque::new(),
            unshown: VecDeque::new(),
            persistence: Persistence::new(&options),
            deltas: None,
            metadata,
            stored: stored.then(|| state.id.clone()),
            stored_versions: state.versions.clone(),
            last_saved: Some(state.id.clone()),
            wrote: Vec::new(),
            drain: false,
            pause: Pause::default(),
            is_output,
            state,
            options,
        }
    }

    /// What to do next.
    pub fn poll(&mut self, cx: D::Cx<'_>, env: &mut dyn Env<D>) -> Effect<D> {
        loop {
            if let Some(effect) = self.next_effect() {
                return effect;
            }
            if let Some(effect) = self.only_task() {
                return effect;
            }
            match self.advance(cx, env) {
                Ok(None) => {}
                // What might have gone with a checkpoint goes alone: there is something to wait for.
                Ok(Some(_)) if self.persistence.give_out(&mut self.out) => {}
                Ok(Some(reason)) => return Effect::Wait(reason),
                Err(fault) => self.close(cx, env, Outcome::Failed(fault)),
            }
        }
    }

    /// The next thing to do. With [`Durability::Sync`] nobody sees what a crash could undo: events
    /// stay behind until all is stored, and let everything else pass.
    fn next_effect(&mut self) -> Option<Effect<D>> {
        if !self.persistence.hides_events() {
            let earlier = self.unshown.pop_front().map(Effect::Emit);
            return earlier.or_else(|| self.out.pop_front());
        }
        loop {
            match self.out.pop_front()? {
                Effect::Emit(event) => self.unshown.push_back(event),
                effect => return Some(effect),
            }
        }
    }

    pub(crate) fn emit(&mut self, event: RunEvent) {
        if !self.persistence.never_shows() {
            self.out.push_back(Effect::Emit(event));
        }
    }

    /// What was to be shown once it is stored never will be.
    fn drop_hidden_events(&mut self) {
        if self.persistence.never_shows() {
            self.unshown.clear();
            self.out.retain(|effect| !matches!(effect, Effect::Emit(_)));
        }
    }

    fn emit_output(&mut self, key: TaskKey, cached: bool) {
        let emits = self.options.emits;
        let node = self.task(key).and_then(|task| task.node);
        let hidden = node.is_some_and(|node| self.state.plan.node(node).hidden);
        if (emits.updates || emits.tasks) && !hidden {
            self.emit(RunEvent::TaskOutput { task: key, cached });
        }
    }
}
