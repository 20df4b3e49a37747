//! What becomes of what tasks report.

use langgraph_rust_checkpoint::task_output;
use std::sync::Arc;

use langgraph_rust_core::{Control, Domain, Fault, UnfinishedTasks, Write};

use super::{Engine, Phase, Reports};
use crate::{Effect, Failure, Outcome, RunEvent, TaskKey, TaskState, Ticket};

impl<D: Domain> Engine<D> {
    pub(super) fn finished(&mut self, cx: D::Cx<'_>, key: TaskKey, mut writes: Vec<Write<D>>) {
        if let Err(error) = self.admit(cx, &mut writes) {
            self.tasks.settle(key);
            return self.fail(error, false);
        }
        if !writes.iter().any(Write::is_output) {
            writes.push(Write::control(Control::NoWrites, D::unit(cx)));
        }
        self.settle_with(cx, key, writes);
    }

    /// The task is over, with these writes.
    fn settle_with(
        &mut self,
        cx: D::Cx<'_>,
        key: TaskKey,
        writes: Vec<Write<D>>,
    ) -> Option<Ticket> {
        let task = self.tasks.get_mut(key)?;
        task.writes = writes;
        task.state = TaskState::Settled;
        self.put_task_writes(cx, key)
    }

    pub(super) fn interrupted(
        &mut self,
        cx: D::Cx<'_>,
        key: TaskKey,
        value: D::Value,
        resume_values: Vec<Write<D>>,
    ) {
        let Some(task) = self.tasks.get_mut(key) else { return };
        task.interrupt = Some(D::copy(cx, &value));
        let called = task.is_call();
        let mut writes = vec![Write::control(Control::Interrupt, D::copy(cx, &value))];
        writes.extend(resume_values.into_iter().filter(|write| write.is_control(Control::Resume)));
        self.put_writes(cx, key, writes);
        if called {
            // The caller is told, and is interrupted in its own name.
            return;
        }
        self.emit(RunEvent::TaskInterrupted(key));
        let reports = self.reports();
        reports.paused = true;
        reports.interrupts.push(value);
    }

    pub(super) fn failed(&mut self, cx: D::Cx<'_>, key: TaskKey, failure: Failure<D>) {
        let Some(task) = self.tasks.get_mut(key) else { return };
        // Of a task that was to stop, nothing is tried again or handled in this run.
        let cancelled = task.cancelled;
        let again = failure.retry.filter(|retry| task.attempts < retry.max_attempts);
        if let Some(retry) = again.filter(|_| !cancelled) {
            let delay = retry.delay.after(task.attempts, retry.jitter);
            task.attempts += 1;
            let attempt = task.attempts;
            self.out.push_back(Effect::RunTask { task: key, attempt, delay });
            return;
        }
        let handler = task.node.and_then(|node| self.state.plan.node(node).error_handler);
        let handler = handler.filter(|_| !failure.is_final);
        let called = task.is_call();
        // With output stored beside its error the task would count as finished.
        let mut writes = failure.writes;
        writes.retain(|write| write.is_control(Control::Resume));
        writes.push(Write::control(Control::Error, failure.value));
        if handler.is_some() {
            let name = D::name(cx, &task.name);
            writes.push(Write::control(Control::ErrorSource, name));
        }
        let ticket = self.settle_with(cx, key, writes);
        let handled = handler.is_some() && !cancelled && self.schedule_handler(cx, key, ticket);
        if handled || called {
            return;
        }
        if failure.spares_others {
            self.reports().late_failure.get_or_insert(failure.error);
        } else {
            self.fail(failure.error, failure.is_final);
        }
    }

    /// The superstep does not go on because of a failure. One that nobody may miss counts even if
    /// another task failed before.
    fn fail(&mut self, error: D::Error, is_final: bool) {
        let reports = self.reports();
        if is_final && !reports.is_final && matches!(reports.end, Some(Outcome::Failed(_))) {
            reports.end = None;
        }
        reports.is_final |= is_final && reports.end.is_none();
        self.give_up(Outcome::Failed(Fault::Domain(error)));
    }

    /// A task was stopped. If nobody asked for that, and there is no caller to be told, the
    /// superstep has lost it: it cannot be committed as if the task had finished.
    pub(super) fn cancelled(&mut self, cx: D::Cx<'_>, key: TaskKey, error: Option<D::Value>) {
        let Some(task) = self.tasks.get(key) else { return };
        let caller_is_told = task.is_call() && error.is_some();
        let lost = (!task.cancelled && !caller_is_told).then(|| task.name.clone());
        self.tasks.settle(key);
        match error.map(|error| vec![Write::control(Control::Error, error)]) {
            Some(writes) if self.is_given_up() => self.note_stopped(cx, key, writes),
            Some(writes) => drop(self.settle_with(cx, key, writes)),
            None => {}
        }
        if let Some(name) = lost {
            self.give_up(Outcome::Failed(UnfinishedTasks { names: vec![name] }.into()));
        }
    }

    /// Stores that a task was stopped because the superstep was given up. Nobody is shown it any
    /// more, and at exit it is not worth storing: the task runs again.
    fn note_stopped(&mut self, cx: D::Cx<'_>, key: TaskKey, writes: Vec<Write<D>>) {
        if self.persistence.takes_writes() && !self.persistence.waits_for_exit() {
            self.put_writes(cx, key, writes);
        }
    }

    fn is_given_up(&self) -> bool {
        matches!(&self.phase, Phase::Stepping(Some(reports)) if reports.end.is_some())
    }

    /// The superstep does not go on, unless it has been given up before.
    fn give_up(&mut self, outcome: Outcome<D>) {
        self.reports().end.get_or_insert(outcome);
        self.stop_tasks();
    }

    /// Adds the task that handles the failure of `key`; it runs once `after` is stored.
    pub(super) fn schedule_handler(
        &mut self,
        cx: D::Cx<'_>,
        key: TaskKey,
        after: Option<Ticket>,
    ) -> bool {
        let Some(failed) = self.tasks.get(key) else { return false };
        let Some(node) = failed.node.and_then(|node| self.state.plan.node(node).error_handler)
        else {
            return false;
        };
        let scope: Arc<str> = self.namespace_of(failed).into();
        let failed = (failed, self.id_of(failed));
        let mut task = self.state.handler_task(cx, &scope, self.step, node, failed);
        task.scope = Some(scope);
        task.handles = Some(key);
        task.after = after;
        if !self.replaying {
            let id = self.id_of(&task);
            task.writes = task_output(&self.pending, id).map(|w| w.copy(cx)).collect();
            if !task.writes.is_empty() {
                task.state = TaskState::Settled;
            }
        }
        self.tasks.push(task);
        true
    }

    pub(super) fn reports(&mut self) -> &mut Reports<D> {
        if !matches!(self.phase, Phase::Stepping(_)) {
            self.phase = Phase::Stepping(None);
        }
        match &mut self.phase {
            Phase::Stepping(reports) => reports.get_or_insert_default(),
            _ => unreachable!("the phase was just set"),
        }
    }

    /// Tasks that have not started never will, nor are they looked for in a cache; those that run
    /// are cancelled.
    pub(super) fn stop_tasks(&mut self) {
        let Self { out, tasks, .. } = self;
        out.retain(|effect| match effect {
            Effect::RunTask { task, .. } => {
                tasks.settle(*task);
                false
            }
            Effect::LookUpCache(_) => false,
            _ => true,
        });
        for position in 0..tasks.all().len() {
            let key = tasks.key(position);
            let task = &mut tasks.all_mut()[position];
            match task.state {
                TaskState::Waiting => task.state = TaskState::Settled,
                TaskState::Running if !task.cancelled => {
                    task.cancelled = true;
                    out.push_back(Effect::CancelTask(key));
                }
                TaskState::Running | TaskState::Settled => {}
            }
        }
    }

    /// Stops a task that is running, or waits for its next attempt.
    pub(super) fn stop_task(&mut self, key: TaskKey) {
        let attempt = self.take_attempt(key);
        let Some(task) = self.tasks.get_mut(key) else { return };
        if attempt.is_some() {
            task.state = TaskState::Settled;
        } else if !task.cancelled {
            task.cancelled = true;
            self.out.push_back(Effect::CancelTask(key));
        }
    }
}
