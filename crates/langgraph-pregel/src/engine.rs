mod close;
mod report;
mod step;
mod store;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use langgraph_checkpoint::{task_output, Metadata, PendingWrite, Source};
use langgraph_core::{ChannelIndex, CheckpointId, Control, Domain, Fault, TaskId, Version, Write};

use crate::persist::Persistence;
use crate::{
    Effect, End, Env, Event, Loaded, Options, Outcome, Pause, Plan, State, Task, TaskKey,
    TaskOutcome, TaskState, Ticket,
};

/// One run of a plan. See the crate's documentation for the loop around it.
pub struct Engine<D: Domain> {
    pub(crate) state: State<D>,
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
    tasks: Vec<Task<D>>,
    /// How many tasks have been looked at for giving out.
    issued: usize,
    /// How many tasks, from the first on, are known to be over.
    settled: usize,
    /// Tasks that wait for something to be stored.
    held_back: Vec<TaskKey>,
    out: VecDeque<Effect<D>>,
    /// Events that are shown once what they show is stored, with [`Durability::Sync`].
    unshown: VecDeque<Event>,
    persistence: Persistence<D>,
    metadata: Metadata,
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
    Stepping(Option<Box<Troubles<D>>>),
    /// The run is to end between supersteps; nothing has been done for that yet.
    Ending(End<D>),
    /// The run is ending; what must be stored is being stored.
    Closing(Outcome<D>),
    Over,
}

/// What tasks of a superstep reported besides writes.
struct Troubles<D: Domain> {
    /// Why the superstep does not go on: a task that failed, or a reason from outside.
    end: Option<End<D>>,
    /// An invalid answer: raised after the other tasks have finished.
    late_failure: Option<D::Error>,
    escaped: Option<D::Error>,
    questions: Vec<D::Value>,
    paused: bool,
}

impl<D: Domain> Default for Troubles<D> {
    fn default() -> Self {
        Self { end: None, late_failure: None, escaped: None, questions: Vec::new(), paused: false }
    }
}

impl<D: Domain> Engine<D> {
    pub(crate) fn assemble(state: State<D>, options: Options, loaded: &mut Loaded<D>) -> Self {
        let step = loaded.step + 1;
        let mut is_output = vec![false; state.plan().channels().len()];
        for index in &options.output {
            is_output[index.get()] = true;
        }
        Self {
            stop: step.saturating_add_unsigned(options.recursion_limit).saturating_add(1),
            step,
            inherited: !loaded.pending.is_empty(),
            pending: std::mem::take(&mut loaded.pending),
            replaying: false,
            phase: Phase::Ready,
            tasks: Vec::new(),
            issued: 0,
            settled: 0,
            held_back: Vec::new(),
            out: VecDeque::new(),
            unshown: VecDeque::new(),
            persistence: Persistence::new(&options),
            metadata: Metadata { source: loaded.source.unwrap_or(Source::Loop), step: loaded.step },
            stored: loaded.stored.then(|| state.id.clone()),
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

    /// The plan that runs.
    pub fn plan(&self) -> &Arc<Plan<D>> {
        self.state.plan()
    }

    /// The state as the current superstep sees it.
    pub fn state(&self) -> &State<D> {
        &self.state
    }

    /// The current superstep, and the one that will not be run any more.
    pub fn steps(&self) -> (i64, i64) {
        (self.step, self.stop)
    }

    /// The run's options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The tasks of the current superstep.
    pub fn tasks(&self) -> &[Task<D>] {
        &self.tasks
    }

    /// A task of the current superstep.
    pub fn task(&self, key: TaskKey) -> &Task<D> {
        &self.tasks[key.position()]
    }

    /// Writes pending on the current checkpoint.
    pub fn pending(&self) -> &[PendingWrite<D>] {
        &self.pending
    }

    /// What the run pauses for, once it does.
    pub fn pause(&self) -> Pause {
        self.pause
    }

    /// Whether the channel is part of the run's output.
    pub fn is_output(&self, channel: ChannelIndex) -> bool {
        self.is_output[channel.get()]
    }

    /// What the engine says about the current checkpoint.
    pub fn metadata(&self) -> Metadata {
        self.metadata
    }

    /// The stored checkpoint that the current one follows, and the current one if it is stored.
    pub fn stored_checkpoint(&self) -> Option<&CheckpointId> {
        self.stored.as_ref()
    }

    /// The answer given without an id, which the next question takes.
    pub fn single_answer(&self) -> Option<&D::Value> {
        let mut writes = self.pending.iter();
        let found = writes.find(|p| p.task.is_null() && p.write.is_control(Control::Resume));
        found.map(|p| &p.write.value)
    }

    /// Takes that answer: it answers nothing else, nor is it kept for later.
    pub fn take_single_answer(&mut self) -> Option<D::Value> {
        let is_answer =
            |p: &PendingWrite<D>| p.task.is_null() && p.write.is_control(Control::Resume);
        let position = self.pending.iter().position(is_answer)?;
        Some(self.pending.remove(position).write.value)
    }

    /// The answers that `task` has received so far.
    pub fn answers(&self, task: &TaskId) -> Option<&D::Value> {
        let mut writes = self.pending.iter();
        let found = writes.find(|p| p.task == *task && p.write.is_control(Control::Resume));
        found.map(|p| &p.write.value)
    }

    /// What to do next.
    pub fn poll(&mut self, cx: D::Cx<'_>, env: &mut dyn Env<D>) -> Effect<D> {
        loop {
            if let Some(effect) = self.next_effect() {
                return effect;
            }
            match self.advance(cx, env) {
                Ok(None) => {}
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

    /// A task is over. Its writes will apply when all tasks of the superstep are.
    pub fn task_finished(&mut self, cx: D::Cx<'_>, key: TaskKey, outcome: TaskOutcome<D>) {
        if self.tasks.get(key.position()).is_none_or(|task| task.state == TaskState::Settled) {
            // The run has gone on without the task: it was counted as cancelled before.
            return;
        }
        match outcome {
            TaskOutcome::Finished(writes) => self.finished(cx, key, writes),
            TaskOutcome::Interrupted { value, answered } => {
                self.settle(key);
                match value {
                    Some(value) => self.asked(cx, key, value, answered),
                    None => self.troubles().paused = true,
                }
            }
            TaskOutcome::Failed(failure) => self.failed(cx, key, failure),
            TaskOutcome::Escaped(error) => {
                self.settle(key);
                self.troubles().escaped.get_or_insert(error);
            }
            TaskOutcome::Cancelled(error) => {
                self.settle(key);
                if let Some(error) = error {
                    self.tasks[key.position()].writes.push(Write::control(Control::Error, error));
                    self.put_task_writes(cx, key);
                }
            }
        }
    }

    /// A running task asks for another task in the same superstep: its `index`-th. If the new task
    /// has writes already, it ran before and is not run again.
    pub fn task_requested(
        &mut self,
        cx: D::Cx<'_>,
        parent: TaskKey,
        name: Arc<str>,
        index: usize,
    ) -> TaskKey {
        let caller = &self.tasks[parent.position()];
        let scope: Arc<str> = caller.namespace(&self.options.namespace).into();
        let mut task = self.state.call_task(&scope, self.step, name, &caller.path, index);
        task.scope = Some(scope);
        let found = self.tasks.iter().position(|known| known.id == task.id);
        if let Some(position) = found {
            return TaskKey(position as u32);
        }
        if !self.replaying {
            task.writes = task_output(&self.pending, &task.id).map(|w| w.copy(cx)).collect();
        }
        task.attempts = 1;
        task.state = if task.writes.is_empty() { TaskState::Running } else { TaskState::Settled };
        self.tasks.push(task);
        let key = TaskKey(self.tasks.len() as u32 - 1);
        if self.options.emits.tasks {
            self.emit(Event::TasksStarted(vec![key]));
        }
        key
    }

    /// Takes the next attempt of `task` out of the line, for a driver that is not polling because it
    /// waits for the task; returns the wait before the attempt.
    pub fn take_attempt(&mut self, key: TaskKey) -> Option<Duration> {
        let position = self
            .out
            .iter()
            .position(|effect| matches!(effect, Effect::RunTask { task, .. } if *task == key))?;
        match self.out.remove(position) {
            Some(Effect::RunTask { delay, .. }) => Some(delay),
            _ => None,
        }
    }

    /// The cache's answer: the writes it has for the tasks it was asked about.
    pub fn cache_answered(&mut self, _cx: D::Cx<'_>, found: Vec<(TaskKey, Vec<Write<D>>)>) {
        if !matches!(self.phase, Phase::Caching | Phase::Stepping(_)) {
            // The run did not wait for it.
            return;
        }
        for (key, writes) in found {
            self.tasks[key.position()].writes = writes;
            self.settle(key);
            self.emit_output(key, true);
        }
        if matches!(self.phase, Phase::Caching) {
            self.phase = Phase::Stepping(None);
        }
    }

    /// A storing is done.
    pub fn persisted(&mut self, ticket: Ticket) {
        self.persistence.persisted(&mut self.out, ticket);
    }

    /// A storing failed: nothing further is stored, and the run ends as if [`Engine::end`] had been
    /// told so.
    pub fn persist_failed(&mut self, ticket: Ticket, error: D::Error) -> Result<(), End<D>> {
        self.persistence.fail(&mut self.out, ticket);
        self.drop_hidden_events();
        self.end(End::Failed(error))
    }

    /// Stop before the next superstep, so that the run can be resumed.
    pub fn drain(&mut self) {
        self.drain = true;
    }

    /// The run is to end now. Running tasks are cancelled, and it ends once they have reported;
    /// what durability `exit` stores at the end is stored.
    ///
    /// The first reason is the one that counts. A later one changes nothing and is given back, for
    /// a driver that must know: one that fails again while the run ends may give up. A run that has
    /// come to its end by itself, and is only being stored, still fails if it is told so.
    pub fn end(&mut self, reason: End<D>) -> Result<(), End<D>> {
        match &mut self.phase {
            Phase::Stepping(troubles) => {
                let end = &mut troubles.get_or_insert_default().end;
                if end.is_some() {
                    return Err(reason);
                }
                *end = Some(reason);
            }
            Phase::Ready | Phase::Caching => self.phase = Phase::Ending(reason),
            Phase::Closing(outcome) => match reason {
                End::Failed(error) if !outcome.has_reason() => {
                    *outcome = Outcome::Failed(Fault::Domain(error));
                    return Ok(());
                }
                reason => return Err(reason),
            },
            Phase::Ending(_) | Phase::Over => return Err(reason),
        }
        self.stop_tasks();
        Ok(())
    }

    /// Whether the superstep is cancelled, rather than stopped for a failure.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            &self.phase,
            Phase::Stepping(Some(troubles)) if matches!(troubles.end, Some(End::Cancelled))
        )
    }

    pub(crate) fn emit(&mut self, event: Event) {
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
        let hidden = self.task(key).node.is_some_and(|node| self.state.plan.node(node).hidden);
        if (emits.updates || emits.tasks) && !hidden {
            self.emit(Event::TaskOutput { task: key, cached });
        }
    }
}
