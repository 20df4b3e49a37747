//! What a driver tells a run: each says what has happened.

use std::sync::Arc;
use std::time::Duration;

use langgraph_rust_checkpoint::{task_output, PendingWrite};
use langgraph_rust_core::{Control, Domain, Fault, Write};

use super::{Engine, Phase};
use crate::{Effect, End, Outcome, RunEvent, Task, TaskKey, TaskOutcome, TaskState, Ticket};

impl<D: Domain> Engine<D> {
    /// A task is over. Its writes will apply when all tasks of the superstep are. A report on a
    /// task that the run no longer waits for changes nothing.
    pub fn task_finished(&mut self, cx: D::Cx<'_>, key: TaskKey, outcome: TaskOutcome<D>) {
        let is_awaited = self.task(key).is_some_and(|task| task.state == TaskState::Running);
        if !is_awaited || !matches!(self.phase, Phase::Stepping(_)) {
            return;
        }
        match outcome {
            TaskOutcome::Finished(writes) => self.finished(cx, key, writes),
            TaskOutcome::Interrupted { value, resume_values } => {
                self.tasks.settle(key);
                match value {
                    Some(value) => self.interrupted(cx, key, value, resume_values),
                    None => self.reports().paused = true,
                }
            }
            TaskOutcome::Failed(failure) => self.failed(cx, key, failure),
            TaskOutcome::Escaped(error) => {
                self.tasks.settle(key);
                self.reports().escaped.get_or_insert(error);
            }
            TaskOutcome::Cancelled(error) => self.cancelled(cx, key, error),
        }
    }

    /// A running task asks for another task in the same superstep: its `index`-th. If the new task
    /// has writes already, it ran before and is not run again; the others are running from here
    /// on. `None` if the superstep of the asking task is over.
    pub fn task_requested(
        &mut self,
        cx: D::Cx<'_>,
        parent: TaskKey,
        name: Arc<str>,
        index: usize,
    ) -> Option<TaskKey> {
        let caller = self.task(parent).filter(|_| matches!(self.phase, Phase::Stepping(_)))?;
        let scope: Arc<str> = self.namespace_of(caller).into();
        let mut task = self.state.call_task(&scope, self.step, name, &caller.path, index);
        task.scope = Some(scope);
        let id = self.id_of(&task);
        let known = self.tasks.all().iter().position(|known| self.id_of(known) == id);
        if let Some(position) = known {
            return Some(self.tasks.key(position));
        }
        if !self.replaying {
            task.writes = task_output(&self.pending, id).map(|w| w.copy(cx)).collect();
        }
        task.attempts = 1;
        task.state = if task.writes.is_empty() { TaskState::Running } else { TaskState::Settled };
        let key = self.tasks.push(task);
        if self.options.emits.tasks {
            self.emit(RunEvent::TasksStarted(vec![key]));
        }
        Some(key)
    }

    /// Whoever called the called task `key` does not want its result any more: it is cancelled,
    /// which is no failure.
    pub fn call_cancelled(&mut self, key: TaskKey) {
        let is_running = |task: &Task<D>| task.state == TaskState::Running && task.is_call();
        if matches!(self.phase, Phase::Stepping(_)) && self.task(key).is_some_and(is_running) {
            self.stop_task(key);
        }
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

    /// Takes the cancellation of `task` out of the line, likewise; returns whether there was one.
    pub fn take_cancellation(&mut self, key: TaskKey) -> bool {
        let is_it = |effect: &Effect<D>| matches!(effect, Effect::CancelTask(task) if *task == key);
        let position = self.out.iter().position(is_it);
        position.is_some_and(|position| self.out.remove(position).is_some())
    }

    /// Takes [`Engine::null_resume`] for a task: it resumes nothing else, nor is it kept for later.
    pub fn take_null_resume(&mut self) -> Option<D::Value> {
        let is_null_resume =
            |p: &PendingWrite<D>| p.task.is_null() && p.write.is_control(Control::Resume);
        let position = self.pending.iter().position(is_null_resume)?;
        Some(self.pending.remove(position).write.value)
    }

    /// A part of a running task has used these resume values, all that it was given so far. They are
    /// kept under an id of the part's own ([`TaskId::of_part`](langgraph_rust_core::TaskId::of_part)), for
    /// when the task runs again.
    pub fn part_resumed(&mut self, cx: D::Cx<'_>, key: TaskKey, part: &str, values: D::Value) {
        let is_running = |task: &&Task<D>| task.state == TaskState::Running;
        let Some(task) = self.task(key).filter(is_running) else { return };
        let (id, path) = (self.id_of(task).of_part(part), task.path.clone());
        let writes = vec![Write::control(Control::Resume, values)];
        self.pending.retain(|p| p.task != id);
        self.keep(cx, &id, &writes);
        if self.persistence.takes_writes() {
            self.store_writes(id, Some(path), writes);
        }
    }

    /// The cache's answer: the writes it has for the tasks it was asked about, or for a called task.
    pub fn cache_answered(&mut self, cx: D::Cx<'_>, found: Vec<(TaskKey, Vec<Write<D>>)>) {
        if !matches!(self.phase, Phase::Caching | Phase::Stepping(_)) {
            // The run did not wait for it.
            return;
        }
        for (key, writes) in found {
            let Some(task) = self.tasks.get_mut(key) else { continue };
            if task.state != TaskState::Settled {
                task.writes = writes;
                task.state = TaskState::Settled;
                self.store_task_writes(cx, key);
                self.emit_output(key, true);
            }
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

    /// Nobody waits for the run any more, and others may have gone on with its thread: it is to end
    /// as [`Engine::end`] says, and nothing further of it is stored, at exit neither.
    pub fn abandon(&mut self, error: D::Error) -> Result<(), End<D>> {
        self.persistence.stop(&mut self.out);
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
            Phase::Stepping(reports) => {
                let end = &mut reports.get_or_insert_default().end;
                if end.is_some() {
                    return Err(reason);
                }
                *end = Some(reason.into());
            }
            Phase::Ready | Phase::Caching => self.phase = Phase::Ending(reason.into()),
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
}
