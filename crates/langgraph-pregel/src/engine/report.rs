//! What becomes of what tasks report.

use langgraph_checkpoint::task_output;
use std::sync::Arc;

use langgraph_core::{Control, Domain, TaskPath, Write};

use super::{Engine, Phase, Troubles};
use crate::{Effect, End, Event, Failure, TaskKey, TaskState, Ticket};

impl<D: Domain> Engine<D> {
    pub(super) fn finished(&mut self, cx: D::Cx<'_>, key: TaskKey, mut writes: Vec<Write<D>>) {
        if !writes.iter().any(Write::is_output) {
            writes.push(Write::control(Control::NoWrites, D::unit(cx)));
        }
        self.tasks[key.position()].writes = writes;
        self.settle(key);
        self.put_task_writes(cx, key);
    }

    pub(super) fn asked(
        &mut self,
        cx: D::Cx<'_>,
        key: TaskKey,
        value: D::Value,
        answered: Vec<Write<D>>,
    ) {
        let task = &mut self.tasks[key.position()];
        task.question = Some(D::copy(cx, &value));
        let called = matches!(task.path, TaskPath::Call { .. });
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

    pub(super) fn failed(&mut self, cx: D::Cx<'_>, key: TaskKey, failure: Failure<D>) {
        let task = &mut self.tasks[key.position()];
        if let Some(retry) = failure.retry.filter(|retry| task.attempts < retry.max_attempts) {
            let delay = retry.delay.after(task.attempts, retry.jitter);
            task.attempts += 1;
            let attempt = task.attempts;
            self.out.push_back(Effect::RunTask { task: key, attempt, delay });
            return;
        }
        let handler = task.node.and_then(|node| self.state.plan.node(node).error_handler);
        let called = matches!(task.path, TaskPath::Call { .. });
        // With output stored beside its error the task would count as finished.
        task.writes = failure.writes;
        task.writes.retain(|write| write.is_control(Control::Resume));
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
            troubles.end.get_or_insert(End::Failed(failure.error));
            self.stop_tasks();
        }
    }

    /// Adds the task that handles the failure of `key`; it runs once `after` is stored.
    pub(super) fn schedule_handler(
        &mut self,
        cx: D::Cx<'_>,
        key: TaskKey,
        after: Option<Ticket>,
    ) -> bool {
        let failed = &self.tasks[key.position()];
        let Some(node) = failed.node.and_then(|node| self.state.plan.node(node).error_handler)
        else {
            return false;
        };
        let scope: Arc<str> = failed.namespace(&self.options.namespace).into();
        let mut task = self.state.handler_task(cx, &scope, self.step, node, failed);
        task.scope = Some(scope);
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

    pub(super) fn settle(&mut self, key: TaskKey) {
        self.tasks[key.position()].state = TaskState::Settled;
    }

    pub(super) fn troubles(&mut self) -> &mut Troubles<D> {
        if !matches!(self.phase, Phase::Stepping(_)) {
            self.phase = Phase::Stepping(None);
        }
        match &mut self.phase {
            Phase::Stepping(troubles) => troubles.get_or_insert_default(),
            _ => unreachable!("the phase was just set"),
        }
    }

    /// Tasks that have not started never will, nor are they looked for in a cache; those that run
    /// are cancelled.
    pub(super) fn stop_tasks(&mut self) {
        let mut unstarted = Vec::new();
        self.out.retain(|effect| match effect {
            Effect::RunTask { task, .. } => {
                unstarted.push(*task);
                false
            }
            Effect::LookUpCache(_) => false,
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
}
