use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use langgraph_checkpoint::{task_output, Metadata, PendingWrite, Source};
use langgraph_core::{
    ChannelIndex, CheckpointId, Control, Domain, Durability, Fault, Target, TaskId, Version, Write,
};

use crate::persist::Persistence;
use crate::{
    CheckpointToStore, Effect, Env, Event, Failure, Loaded, Options, Outcome, Plan, Reader, State,
    Task, TaskKey, TaskOutcome, TaskState, TaskWrites, Ticket, WaitReason, WritesToStore,
};

/// One run of a plan. See the crate's documentation for the loop around it.
pub struct Engine<D: Domain> {
    pub(crate) state: State<D>,
    pub(crate) options: Options,
    /// Writes stored, or to be stored, on the current checkpoint.
    pub(crate) pending: Vec<PendingWrite<D>>,
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
    persistence: Persistence<D>,
    metadata: Metadata,
    /// The newest stored checkpoint, and the versions it holds.
    stored: Option<CheckpointId>,
    stored_versions: Vec<Option<Version>>,
    last_saved: Option<CheckpointId>,
    /// Tasks that wrote during this run.
    wrote: Vec<TaskId>,
    drain: bool,
    is_output: Vec<bool>,
}

/// Where a run stands. What a phase needs is in its variant, so that nothing is half done.
enum Phase<D: Domain> {
    /// Between supersteps.
    Ready,
    /// Waiting for the cache's answer.
    Caching,
    /// Tasks are running.
    Stepping(Troubles<D>),
    /// The run is ending; what must be stored is being stored.
    Closing(Outcome<D>),
    Over,
}

/// What tasks of a superstep reported besides writes.
struct Troubles<D: Domain> {
    failure: Option<D::Error>,
    /// An invalid answer: raised after the other tasks have finished.
    late_failure: Option<D::Error>,
    escaped: Option<D::Error>,
    questions: Vec<D::Value>,
    paused: bool,
    cancelled: bool,
}

impl<D: Domain> Default for Troubles<D> {
    fn default() -> Self {
        Self {
            failure: None,
            late_failure: None,
            escaped: None,
            questions: Vec::new(),
            paused: false,
            cancelled: false,
        }
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
            pending: std::mem::take(&mut loaded.pending),
            replaying: false,
            phase: Phase::Ready,
            tasks: Vec::new(),
            issued: 0,
            settled: 0,
            held_back: Vec::new(),
            out: VecDeque::new(),
            persistence: Persistence::new(),
            metadata: Metadata { source: loaded.source.unwrap_or(Source::Loop), step: loaded.step },
            stored: loaded.stored.then(|| state.id.clone()),
            stored_versions: state.versions.clone(),
            last_saved: Some(state.id.clone()),
            wrote: Vec::new(),
            drain: false,
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

    /// The answers that `task` has received so far.
    pub fn answers(&self, task: &TaskId) -> Option<&D::Value> {
        let mut writes = self.pending.iter();
        let found = writes.find(|p| p.task == *task && p.write.is_control(Control::Resume));
        found.map(|p| &p.write.value)
    }

    /// What to do next.
    pub fn poll(&mut self, cx: D::Cx<'_>, env: &mut dyn Env<D>) -> Effect<D> {
        loop {
            if let Some(effect) = self.out.pop_front() {
                return effect;
            }
            match self.advance(cx, env) {
                Ok(None) => {}
                Ok(Some(reason)) => return Effect::Wait(reason),
                Err(fault) => self.close(cx, env, Outcome::Failed(fault)),
            }
        }
    }

    /// A task is over. Its writes will apply when all tasks of the superstep are.
    pub fn task_finished(&mut self, cx: D::Cx<'_>, key: TaskKey, outcome: TaskOutcome<D>) {
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
        let namespace = &self.options.namespace;
        let mut task = self.state.call_task(namespace, self.step, name, &caller.path, index);
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
        for (key, writes) in found {
            self.tasks[key.position()].writes = writes;
            self.settle(key);
            self.emit_output(key, true);
        }
        if matches!(self.phase, Phase::Caching) {
            self.phase = Phase::Stepping(Troubles::default());
        }
    }

    /// A storing is done.
    pub fn persisted(&mut self, ticket: Ticket) {
        self.persistence.persisted(&mut self.out, ticket);
    }

    /// A storing failed: the run fails with it, and nothing further is stored.
    pub fn persist_failed(&mut self, ticket: Ticket, error: D::Error) {
        self.persistence.abandon(ticket);
        self.out.retain(|effect| {
            !matches!(effect, Effect::PersistWrites(_) | Effect::PersistCheckpoint(_))
        });
        self.options.persists = false;
        match &mut self.phase {
            Phase::Stepping(troubles) => {
                troubles.failure.get_or_insert(error);
                self.stop_tasks();
            }
            Phase::Closing(outcome) => *outcome = Outcome::Failed(Fault::Domain(error)),
            Phase::Over => {}
            phase => *phase = Phase::Closing(Outcome::Failed(Fault::Domain(error))),
        }
    }

    /// Stop before the next superstep, so that the run can be resumed.
    pub fn drain(&mut self) {
        self.drain = true;
    }

    /// Stop now: running tasks are cancelled, and the run ends once they have reported.
    pub fn cancel(&mut self) {
        match &mut self.phase {
            Phase::Stepping(troubles) => {
                troubles.cancelled = true;
                self.stop_tasks();
            }
            Phase::Closing(_) | Phase::Over => {}
            phase => *phase = Phase::Closing(Outcome::Cancelled),
        }
    }

    /// The run cannot go on for a reason of the driver's; ends it with the error.
    pub fn abort(&mut self, error: D::Error) {
        match &mut self.phase {
            Phase::Stepping(troubles) => {
                troubles.failure.get_or_insert(error);
                self.stop_tasks();
            }
            Phase::Closing(_) | Phase::Over => {}
            phase => *phase = Phase::Closing(Outcome::Failed(Fault::Domain(error))),
        }
    }

    // What follows moves the run on.

    fn advance(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
    ) -> Result<Option<WaitReason>, Fault<D>> {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Ready if !self.persistence.allows_step(self.options.durability) => {
                self.phase = Phase::Ready;
                Ok(Some(WaitReason::Persist))
            }
            Phase::Ready => {
                self.begin_step(cx, env)?;
                Ok(None)
            }
            Phase::Caching => {
                self.phase = Phase::Caching;
                Ok(Some(WaitReason::Cache))
            }
            Phase::Stepping(troubles) => self.step_on(cx, env, troubles),
            Phase::Closing(outcome) if self.persistence.is_idle() => {
                self.phase = Phase::Over;
                self.out.push_back(Effect::Finish(outcome));
                Ok(None)
            }
            Phase::Closing(outcome) => {
                self.phase = Phase::Closing(outcome);
                Ok(Some(WaitReason::Persist))
            }
            Phase::Over => Ok(Some(WaitReason::Nothing)),
        }
    }

    fn begin_step(&mut self, cx: D::Cx<'_>, env: &mut dyn Env<D>) -> Result<(), Fault<D>> {
        self.prepare_tasks(cx)?;
        if self.step > self.stop {
            self.close(cx, env, Outcome::OutOfSteps);
            return Ok(());
        }
        if self.tasks.is_empty() {
            self.close(cx, env, Outcome::Done);
            return Ok(());
        }
        if !self.replaying && !self.pending.is_empty() {
            self.hand_back_writes(cx);
        }
        if self.options.interrupt_before.hits(&self.state, &self.tasks) {
            self.close(cx, env, Outcome::Interrupted(Vec::new()));
            return Ok(());
        }
        if self.drain {
            self.close(cx, env, Outcome::Drained);
            return Ok(());
        }
        if self.options.emits.tasks {
            let keys = (0..self.tasks.len() as u32).map(TaskKey).collect();
            self.emit(Event::TasksStarted(keys));
        }
        for position in 0..self.tasks.len() {
            if !self.tasks[position].writes.is_empty() {
                self.emit_output(TaskKey(position as u32), true);
            }
        }
        let cached = self.cached_tasks();
        if cached.is_empty() {
            self.phase = Phase::Stepping(Troubles::default());
        } else {
            self.phase = Phase::Caching;
            self.out.push_back(Effect::LookUpCache(cached));
        }
        Ok(())
    }

    fn prepare_tasks(&mut self, cx: D::Cx<'_>) -> Result<(), Fault<D>> {
        self.tasks = self.state.prepare(cx, &self.options.namespace, self.step)?;
        (self.issued, self.settled) = (0, 0);
        self.held_back.clear();
        if self.options.emits.checkpoints && self.options.persists {
            self.emit(Event::Checkpoint);
        }
        Ok(())
    }

    fn cached_tasks(&self) -> Vec<TaskKey> {
        let is_cached = |task: &Task<D>| {
            task.state == TaskState::Waiting
                && task.node.is_some_and(|node| self.plan().node(node).cached)
        };
        let positions = self.tasks.iter().enumerate().filter(|(_, task)| is_cached(task));
        positions.map(|(position, _)| TaskKey(position as u32)).collect()
    }

    /// Tasks that finished in an earlier run are given their stored writes; the handlers of tasks
    /// that failed there run in their place.
    fn hand_back_writes(&mut self, cx: D::Cx<'_>) {
        for task in &mut self.tasks {
            task.writes = task_output(&self.pending, &task.id).map(|w| w.copy(cx)).collect();
            if !task.writes.is_empty() {
                task.state = TaskState::Settled;
            }
        }
        for position in 0..self.tasks.len() {
            let id = self.tasks[position].id.clone();
            let stored = |kind| {
                let mut writes = self.pending.iter();
                writes.find(|p| p.task == id && p.write.is_control(kind)).map(|p| p.write.copy(cx))
            };
            if let (Some(_), Some(error)) = (stored(Control::ErrorSource), stored(Control::Error)) {
                if self.schedule_handler(cx, TaskKey(position as u32), None) {
                    self.tasks[position].writes.push(error);
                    self.tasks[position].state = TaskState::Settled;
                }
            }
        }
    }

    fn step_on(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        troubles: Troubles<D>,
    ) -> Result<Option<WaitReason>, Fault<D>> {
        self.issue_tasks();
        if !self.all_settled() {
            self.phase = Phase::Stepping(troubles);
            return Ok(self.out.is_empty().then_some(WaitReason::Tasks));
        }
        let Troubles { failure, late_failure, escaped, questions, paused, cancelled } = troubles;
        if let Some(error) = failure.or(late_failure) {
            self.close(cx, env, Outcome::Failed(Fault::Domain(error)));
        } else if cancelled {
            self.close(cx, env, Outcome::Cancelled);
        } else if let Some(error) = escaped {
            self.close(cx, env, Outcome::Escaped(error));
        } else if paused {
            self.close(cx, env, Outcome::Interrupted(questions));
        } else {
            self.commit(cx, env)?;
        }
        Ok(None)
    }

    /// Gives out the tasks that are new since the last time, and those whose wait is over.
    fn issue_tasks(&mut self) {
        let fresh = self.issued as u32..self.tasks.len() as u32;
        self.issued = self.tasks.len();
        let mut candidates = std::mem::take(&mut self.held_back);
        candidates.extend(fresh.map(TaskKey));
        for key in candidates {
            let task = &mut self.tasks[key.position()];
            if task.state != TaskState::Waiting {
                continue;
            }
            if task.after.is_some_and(|ticket| !self.persistence.is_stored(ticket)) {
                self.held_back.push(key);
                continue;
            }
            task.state = TaskState::Running;
            task.attempts += 1;
            let attempt = task.attempts;
            self.out.push_back(Effect::RunTask { task: key, attempt, delay: Duration::ZERO });
        }
    }

    /// Whether every task is over. Tasks are looked at once: none becomes unsettled again.
    fn all_settled(&mut self) -> bool {
        let open = self.tasks[self.settled..].iter();
        self.settled += open.take_while(|task| task.state == TaskState::Settled).count();
        self.settled == self.tasks.len()
    }

    fn commit(&mut self, cx: D::Cx<'_>, env: &mut dyn Env<D>) -> Result<(), Fault<D>> {
        let stops_after = self.options.interrupt_after.clone();
        let wrote_output = self.apply_tasks(cx, env)?;
        if wrote_output && self.output_changed() {
            self.emit_values();
        }
        self.pending.clear();
        self.replaying = false;
        self.put_checkpoint(cx, env, Source::Loop)?;
        if stops_after.hits(&self.state, &self.tasks) {
            self.prepare_tasks(cx)?;
            self.close(cx, env, Outcome::Interrupted(Vec::new()));
            return Ok(());
        }
        self.phase = Phase::Ready;
        Ok(())
    }

    /// Applies the tasks' writes; tells whether any went to an output channel.
    fn apply_tasks(&mut self, cx: D::Cx<'_>, env: &mut dyn Env<D>) -> Result<bool, Fault<D>> {
        let mut wrote_output = false;
        let mut applied = Vec::with_capacity(self.tasks.len());
        for position in 0..self.tasks.len() {
            let writes = std::mem::take(&mut self.tasks[position].writes);
            wrote_output |= writes.iter().any(
                |write| matches!(write.target, Target::Channel(index) if self.is_output[index.get()]),
            );
            let task = &self.tasks[position];
            applied.push(TaskWrites {
                reader: reader(task),
                path: task.path.clone(),
                triggers: self.triggers(task),
                writes,
            });
        }
        self.state.apply(cx, env, applied)?;
        Ok(wrote_output)
    }

    pub(crate) fn task_writes(&self, task: Task<D>, writes: Vec<Write<D>>) -> TaskWrites<D> {
        TaskWrites {
            reader: reader(&task),
            triggers: self.triggers(&task),
            path: task.path,
            writes,
        }
    }

    /// The channels that started the task: none for one that a packet or a call started.
    fn triggers(&self, task: &Task<D>) -> Vec<ChannelIndex> {
        match (&task.path, task.node) {
            (langgraph_core::TaskPath::Pull(_), Some(node)) => {
                self.plan().node(node).triggers.clone()
            }
            _ => Vec::new(),
        }
    }

    fn output_changed(&self) -> bool {
        let updated = self.state.updated().unwrap_or_default();
        updated.iter().any(|index| self.is_output[index.get()])
    }

    // Tasks' reports.

    fn finished(&mut self, cx: D::Cx<'_>, key: TaskKey, mut writes: Vec<Write<D>>) {
        if !writes.iter().any(Write::is_output) {
            writes.push(Write::control(Control::NoWrites, D::unit(cx)));
        }
        self.tasks[key.position()].writes = writes;
        self.settle(key);
        self.put_task_writes(cx, key);
    }

    fn asked(&mut self, cx: D::Cx<'_>, key: TaskKey, value: D::Value, answered: Vec<Write<D>>) {
        let task = &mut self.tasks[key.position()];
        task.question = Some(D::copy(cx, &value));
        let called = matches!(task.path, langgraph_core::TaskPath::Call { .. });
        let mut writes = vec![Write::control(Control::Interrupt, D::copy(cx, &value))];
        writes.extend(answered);
        self.put_writes(cx, key, writes);
        if called {
            // The caller is told, and asks in its own name.
            return;
        }
        self.emit(Event::TaskAsked(key));
        let troubles = self.troubles();
        troubles.paused = true;
        troubles.questions.push(value);
    }

    fn failed(&mut self, cx: D::Cx<'_>, key: TaskKey, failure: Failure<D>) {
        let task = &mut self.tasks[key.position()];
        if let Some(retry) = failure.retry.filter(|retry| task.attempts < retry.max_attempts) {
            let delay = retry.delay.after(task.attempts, retry.jitter);
            task.attempts += 1;
            let attempt = task.attempts;
            self.out.push_back(Effect::RunTask { task: key, attempt, delay });
            return;
        }
        let handler = task.node.and_then(|node| self.state.plan.node(node).error_handler);
        let called = matches!(task.path, langgraph_core::TaskPath::Call { .. });
        task.writes = failure.writes;
        task.writes.push(Write::control(Control::Error, failure.value));
        if handler.is_some() {
            let name = D::name(cx, &task.name);
            task.writes.push(Write::control(Control::ErrorSource, name));
        }
        self.settle(key);
        let ticket = self.put_task_writes(cx, key);
        if handler.is_some() && self.schedule_handler(cx, key, ticket) || called {
            return;
        }
        let troubles = self.troubles();
        if failure.spares_others {
            troubles.late_failure.get_or_insert(failure.error);
        } else {
            troubles.failure.get_or_insert(failure.error);
            self.stop_tasks();
        }
    }

    /// Adds the task that handles the failure of `key`; it runs once `after` is stored.
    fn schedule_handler(&mut self, cx: D::Cx<'_>, key: TaskKey, after: Option<Ticket>) -> bool {
        let failed = &self.tasks[key.position()];
        let Some(node) = failed.node.and_then(|node| self.state.plan.node(node).error_handler)
        else {
            return false;
        };
        let namespace = &self.options.namespace;
        let mut task = self.state.handler_task(cx, namespace, self.step, node, failed);
        task.handles = Some(key);
        task.after = after;
        if !self.replaying {
            task.writes = task_output(&self.pending, &task.id).map(|w| w.copy(cx)).collect();
            if !task.writes.is_empty() {
                task.state = TaskState::Settled;
            }
        }
        self.tasks.push(task);
        true
    }

    fn settle(&mut self, key: TaskKey) {
        self.tasks[key.position()].state = TaskState::Settled;
    }

    fn troubles(&mut self) -> &mut Troubles<D> {
        if !matches!(self.phase, Phase::Stepping(_)) {
            self.phase = Phase::Stepping(Troubles::default());
        }
        match &mut self.phase {
            Phase::Stepping(troubles) => troubles,
            _ => unreachable!("the phase was just set"),
        }
    }

    /// Tasks that have not started never will; those that run are cancelled.
    fn stop_tasks(&mut self) {
        let mut unstarted = Vec::new();
        self.out.retain(|effect| match effect {
            Effect::RunTask { task, .. } => {
                unstarted.push(*task);
                false
            }
            _ => true,
        });
        for (position, task) in self.tasks.iter_mut().enumerate() {
            let key = TaskKey(position as u32);
            match task.state {
                TaskState::Running if !unstarted.contains(&key) => {
                    self.out.push_back(Effect::CancelTask(key));
                }
                TaskState::Running | TaskState::Waiting => task.state = TaskState::Settled,
                TaskState::Settled => {}
            }
        }
    }

    // Storing.

    fn put_task_writes(&mut self, cx: D::Cx<'_>, key: TaskKey) -> Option<Ticket> {
        let mut ticket = None;
        if self.options.persists {
            let writes = &self.tasks[key.position()].writes;
            let copies = writes.iter().map(|write| write.copy(cx)).collect();
            ticket = self.put_writes(cx, key, copies);
        }
        self.emit_output(key, false);
        ticket
    }

    fn put_writes(&mut self, cx: D::Cx<'_>, key: TaskKey, writes: Vec<Write<D>>) -> Option<Ticket> {
        let task = &self.tasks[key.position()];
        let (id, path) = (task.id.clone(), task.path.clone());
        self.pending.retain(|p| p.task != id);
        self.keep(cx, &id, &writes);
        self.store_writes(id, Some(path), writes)
    }

    /// The null task's writes accumulate, but for those of which the newest counts. These go last:
    /// storage numbers a task's other writes by their place.
    pub(crate) fn put_null_writes(&mut self, cx: D::Cx<'_>, writes: Vec<Write<D>>) {
        let is_fixed = |write: &Write<D>| matches!(write.target, Target::Control(control) if control.has_fixed_slot());
        self.pending.retain(|p| !p.task.is_null() || !is_fixed(&p.write));
        let (fixed, ordinary): (Vec<_>, Vec<_>) = writes.into_iter().partition(is_fixed);
        let null = TaskId::from_text(TaskId::NULL);
        let earlier = self.pending.iter().filter(|p| p.task.is_null());
        let mut all: Vec<Write<D>> = earlier.map(|p| p.write.copy(cx)).collect();
        let kept = all.len();
        all.extend(ordinary);
        all.extend(fixed);
        self.keep(cx, &null, &all[kept..]);
        self.store_writes(null, None, all);
    }

    fn keep(&mut self, cx: D::Cx<'_>, task: &TaskId, writes: &[Write<D>]) {
        if !self.wrote.contains(task) && self.options.durability == Durability::Exit {
            self.wrote.push(task.clone());
        }
        let copies = writes.iter().map(|write| write.copy(cx));
        self.pending.extend(copies.map(|write| PendingWrite { task: task.clone(), write }));
    }

    fn store_writes(
        &mut self,
        task: TaskId,
        path: Option<langgraph_core::TaskPath>,
        writes: Vec<Write<D>>,
    ) -> Option<Ticket> {
        if !self.options.persists || self.options.durability == Durability::Exit {
            return None;
        }
        let ticket = self.persistence.ticket();
        let checkpoint = self.state.id.clone();
        let to_store = WritesToStore { ticket, checkpoint, task, path, writes };
        self.persistence.store_writes(&mut self.out, to_store);
        Some(ticket)
    }

    /// Makes the state a new checkpoint and moves on to the next superstep.
    pub(crate) fn put_checkpoint(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        source: Source,
    ) -> Result<(), Fault<D>> {
        self.metadata = Metadata { source, step: self.step };
        self.state.id = env.checkpoint_id(self.step);
        if self.options.persists && self.options.durability != Durability::Exit {
            self.store_checkpoint(cx, env)?;
        }
        self.step += 1;
        Ok(())
    }

    fn store_checkpoint(&mut self, cx: D::Cx<'_>, env: &mut dyn Env<D>) -> Result<(), Fault<D>> {
        let checkpoint = self.state.checkpoint(cx, self.state.id.clone(), env.now())?;
        let put = Box::new(CheckpointToStore {
            ticket: self.persistence.ticket(),
            checkpoint,
            metadata: self.metadata,
            parent: self.stored.replace(self.state.id.clone()),
            new_versions: self.new_versions(),
        });
        self.stored_versions.clone_from(&self.state.versions);
        self.last_saved = Some(self.state.id.clone());
        self.persistence.store_checkpoint(&mut self.out, put);
        Ok(())
    }

    fn new_versions(&self) -> Vec<(Arc<str>, Version)> {
        let news = self.state.version_order.iter().filter_map(|index| {
            let version = self.state.versions[index.get()].as_ref()?;
            let before = self.stored_versions[index.get()].as_ref();
            let is_new = version.newer_than(before);
            is_new.then(|| (self.plan().channel(*index).name.clone(), version.clone()))
        });
        news.collect()
    }

    // The end.

    fn close(&mut self, cx: D::Cx<'_>, env: &mut dyn Env<D>, outcome: Outcome<D>) {
        if let Err(fault) = self.store_at_exit(cx, env, &outcome) {
            self.phase = Phase::Closing(Outcome::Failed(fault));
            return;
        }
        if let (Outcome::Interrupted(questions), false) = (&outcome, self.options.nested) {
            let is_static = questions.is_empty();
            if let Err(fault) = self.show_finished_tasks(cx, env) {
                self.phase = Phase::Closing(Outcome::Failed(fault));
                return;
            }
            if is_static {
                self.emit(Event::StaticInterrupt);
            }
        }
        self.phase = Phase::Closing(outcome);
    }

    /// The values at an interrupt include what the finished tasks wrote.
    fn show_finished_tasks(&mut self, cx: D::Cx<'_>, env: &mut dyn Env<D>) -> Result<(), Fault<D>> {
        let any_wrote = self.tasks.iter().any(|task| !task.writes.is_empty());
        if any_wrote && !self.pending.is_empty() {
            let wrote_output = self.apply_tasks(cx, env)?;
            if wrote_output && self.output_changed() {
                self.emit_values();
            }
        }
        Ok(())
    }

    /// With [`Durability::Exit`]: the last checkpoint, and what the tasks on it wrote. A nested
    /// run that succeeds leaves this to the run around it.
    fn store_at_exit(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        outcome: &Outcome<D>,
    ) -> Result<(), Fault<D>> {
        let options = &self.options;
        let is_wanted = !options.nested
            || options.stores_success
            || !matches!(outcome, Outcome::Done | Outcome::OutOfSteps | Outcome::Drained);
        if options.durability != Durability::Exit || !options.persists || !is_wanted {
            return Ok(());
        }
        if self.last_saved.as_ref() != Some(&self.state.id) {
            self.store_checkpoint(cx, env)?;
        }
        // From here on writes are stored as they come.
        self.options.durability = Durability::Sync;
        for task in std::mem::take(&mut self.wrote) {
            let known = self.tasks.iter().find(|known| known.id == task);
            let path = known.map(|known| known.path.clone());
            let of_task = self.pending.iter().filter(|p| p.task == task);
            let writes: Vec<_> = of_task.map(|p| p.write.copy(cx)).collect();
            if !writes.is_empty() {
                self.store_writes(task, path, writes);
            }
        }
        Ok(())
    }

    // Events.

    pub(crate) fn emit(&mut self, event: Event) {
        self.out.push_back(Effect::Emit(event));
    }

    fn emit_output(&mut self, key: TaskKey, cached: bool) {
        let emits = self.options.emits;
        let hidden = self.task(key).node.is_some_and(|node| self.state.plan.node(node).hidden);
        if (emits.updates || emits.tasks) && !hidden {
            self.emit(Event::TaskOutput { task: key, cached });
        }
    }
}

fn reader<D: Domain>(task: &Task<D>) -> Reader {
    match task.node {
        Some(node) => Reader::Node(node),
        None => Reader::Other(task.name.clone()),
    }
}
