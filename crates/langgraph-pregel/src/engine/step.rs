//! A superstep from its preparation to its commit.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use langgraph_rust_checkpoint::{PendingWrite, Source};
use langgraph_rust_core::{
    Control, Domain, Fault, Target, TaskId, TaskPath, UnfinishedTasks, Write,
};
use smallvec::SmallVec;

use super::{Engine, Phase, Reports};
use crate::apply::{Applied, Triggers};
use crate::{Effect, Env, Outcome, Pause, RunEvent, Task, TaskKey, TaskState, WaitReason};

impl<D: Domain> Engine<D> {
    pub(super) fn advance(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
    ) -> Result<Option<WaitReason>, Fault<D>> {
        if !self.unshown.is_empty() {
            return Ok(self.advance_hidden());
        }
        match &mut self.phase {
            Phase::Ready if !self.persistence.allows_step() => Ok(Some(WaitReason::Persist)),
            Phase::Ready => {
                self.persistence.step_begins();
                self.begin_step(cx, env)?;
                Ok(None)
            }
            Phase::Caching => Ok(Some(WaitReason::Cache)),
            Phase::Stepping(_) => self.step_on(cx, env),
            Phase::Over => Ok(Some(WaitReason::Nothing)),
            Phase::Ending(_) | Phase::Closing(_) => Ok(self.end_on(cx, env)),
        }
    }

    /// A run that is to end does, once all is stored.
    fn end_on(&mut self, cx: D::Cx<'_>, env: &mut dyn Env<D>) -> Option<WaitReason> {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Ending(reason) => {
                self.close(cx, env, reason);
                None
            }
            Phase::Closing(outcome) if self.persistence.is_idle() => {
                self.out.push_back(Effect::Finish(outcome));
                None
            }
            other => {
                self.phase = other;
                Some(WaitReason::Persist)
            }
        }
    }

    /// Events wait to be shown, so nothing that they show may change. Tasks that can be given out
    /// are.
    fn advance_hidden(&mut self) -> Option<WaitReason> {
        if matches!(self.phase, Phase::Stepping(_)) {
            self.issue_tasks();
        }
        self.out.is_empty().then_some(WaitReason::Persist)
    }

    pub(super) fn begin_step(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
    ) -> Result<(), Fault<D>> {
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
        if self.options.interrupt_before.hits(&self.state, self.tasks.all()) {
            self.pause = Pause::Before;
            self.close(cx, env, Outcome::Interrupted(Vec::new()));
            return Ok(());
        }
        if self.drain {
            self.close(cx, env, Outcome::Drained);
            return Ok(());
        }
        if self.options.emits.tasks {
            let keys = self.tasks.keys().collect();
            self.emit(RunEvent::TasksStarted(keys));
        }
        for position in 0..self.tasks.all().len() {
            if !self.tasks.all()[position].writes.is_empty() {
                self.emit_output(self.tasks.key(position), true);
            }
        }
        let cached = self.cached_tasks();
        if cached.is_empty() {
            self.phase = Phase::Stepping(None);
        } else {
            self.phase = Phase::Caching;
            self.out.push_back(Effect::LookUpCache(cached));
        }
        Ok(())
    }

    pub(super) fn prepare_tasks(&mut self, cx: D::Cx<'_>) -> Result<(), Fault<D>> {
        self.state.prepare_into(cx, self.tasks.restart())?;
        if self.options.emits.checkpoints && self.options.persists {
            self.emit(RunEvent::Checkpoint);
        }
        Ok(())
    }

    pub(super) fn cached_tasks(&self) -> Vec<TaskKey> {
        let is_cached = |task: &Task<D>| {
            task.state == TaskState::Waiting
                && task.node.is_some_and(|node| self.plan().node(node).cached)
        };
        let tasks = self.tasks.keys().zip(self.tasks.all());
        tasks.filter(|(_, task)| is_cached(task)).map(|(key, _)| key).collect()
    }

    /// Tasks that finished in an earlier run are given their stored writes; the handlers of tasks
    /// that failed there run in their place.
    fn hand_back_writes(&mut self, cx: D::Cx<'_>) {
        let ids = self.tasks.all().iter().map(|task| self.id_of(task).clone());
        let positions: BTreeMap<TaskId, usize> = ids.zip(0..).collect();
        let mut errors: BTreeMap<usize, Write<D>> = BTreeMap::new();
        let mut handled = BTreeSet::new();
        let tasks = self.tasks.all_mut();
        for PendingWrite { task, write } in &self.pending {
            let Some(position) = positions.get(task).copied() else { continue };
            match write.target {
                Target::Control(Control::Error) => {
                    errors.entry(position).or_insert_with(|| write.copy(cx));
                }
                Target::Control(Control::ErrorSource) => {
                    handled.insert(position);
                }
                _ if write.is_output() => tasks[position].writes.push(write.copy(cx)),
                _ => {}
            }
        }
        for task in tasks.iter_mut().filter(|task| !task.writes.is_empty()) {
            task.state = TaskState::Settled;
        }
        errors.retain(|position, _| handled.contains(position));
        for (position, error) in errors {
            let key = self.tasks.key(position);
            if self.schedule_handler(cx, key, None) {
                // Output beside a handled error is what the failed attempt wrote.
                let failed = &mut self.tasks.all_mut()[position];
                (failed.writes, failed.state) = (vec![error], TaskState::Settled);
            }
        }
    }

    pub(super) fn step_on(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
    ) -> Result<Option<WaitReason>, Fault<D>> {
        self.issue_tasks();
        if !self.tasks.all_settled() {
            return if self.out.is_empty() { self.awaited().map(Some) } else { Ok(None) };
        }
        let reports = match &mut self.phase {
            Phase::Stepping(reports) => reports.take(),
            _ => None,
        };
        let Some(reports) = reports else {
            self.commit(cx, env)?;
            return Ok(None);
        };
        let Reports { end, is_final: _, late_failure, escaped, interrupts, paused } = *reports;
        let late_failure = late_failure.map(|error| Outcome::Failed(Fault::Domain(error)));
        if let Some(outcome) = end.or(late_failure) {
            self.close(cx, env, outcome);
        } else if let Some(error) = escaped {
            self.close(cx, env, Outcome::Escaped(error));
        } else if paused {
            self.close(cx, env, Outcome::Interrupted(interrupts));
        } else {
            self.commit(cx, env)?;
        }
        Ok(None)
    }

    /// What the superstep waits for: never for nothing.
    fn awaited(&self) -> Result<WaitReason, Fault<D>> {
        if self.tasks.open().any(|task| task.state == TaskState::Running) {
            return Ok(WaitReason::Tasks);
        }
        if self.tasks.holds_back() && !self.persistence.is_idle() {
            return Ok(WaitReason::Persist);
        }
        let names = self.tasks.open().map(|task| task.name.clone()).collect();
        Err(UnfinishedTasks { names }.into())
    }

    /// Gives out the superstep's last new task, when nothing stands before it: what would leave the line
    /// at once need not join it.
    #[inline]
    pub(super) fn only_task(&mut self) -> Option<Effect<D>> {
        if !matches!(self.phase, Phase::Stepping(_)) || !self.unshown.is_empty() {
            return None;
        }
        let key = self.tasks.take_last_new()?;
        let task = self.tasks.get_mut(key)?;
        if task.state != TaskState::Waiting {
            return None;
        }
        if task.after.is_some_and(|ticket| !self.persistence.is_stored(ticket)) {
            self.tasks.hold_back([key]);
            return None;
        }
        task.state = TaskState::Running;
        task.attempts += 1;
        Some(Effect::RunTask { task: key, attempt: task.attempts, delay: Duration::ZERO })
    }

    /// Gives out the tasks that are new since the last time, and those whose wait is over.
    fn issue_tasks(&mut self) {
        if !self.tasks.has_candidates() {
            return;
        }
        if self.tasks.holds_back() {
            let mut waiting = self.tasks.take_held_back();
            waiting.retain(|key| !self.issue(*key));
            self.tasks.hold_back(waiting);
        }
        for key in self.tasks.take_new() {
            if !self.issue(key) {
                self.tasks.hold_back([key]);
            }
        }
    }

    /// Gives out a task, unless it has writes already; returns false if it must wait.
    fn issue(&mut self, key: TaskKey) -> bool {
        let Some(task) = self.tasks.get_mut(key) else { return true };
        if task.state != TaskState::Waiting {
            return true;
        }
        if task.after.is_some_and(|ticket| !self.persistence.is_stored(ticket)) {
            return false;
        }
        task.state = TaskState::Running;
        task.attempts += 1;
        let attempt = task.attempts;
        self.out.push_back(Effect::RunTask { task: key, attempt, delay: Duration::ZERO });
        true
    }

    pub(super) fn commit(&mut self, cx: D::Cx<'_>, env: &mut dyn Env<D>) -> Result<(), Fault<D>> {
        self.seal_deltas(cx);
        let wrote_output = self.apply_tasks(cx, env)?;
        if wrote_output && self.output_changed() {
            self.emit_values();
        }
        self.keep_deltas(cx);
        self.pending.clear();
        self.inherited = false;
        self.wrote.clear();
        self.replaying = false;
        self.put_checkpoint(cx, env, Source::Loop)?;
        if self.options.interrupt_after.hits(&self.state, self.tasks.all()) {
            self.pause = Pause::After;
            self.prepare_tasks(cx)?;
            self.close(cx, env, Outcome::Interrupted(Vec::new()));
            return Ok(());
        }
        self.phase = Phase::Ready;
        Ok(())
    }

    /// Applies the tasks' writes; tells whether any went to an output channel.
    pub(super) fn apply_tasks(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
    ) -> Result<bool, Fault<D>> {
        let is_output = &self.is_output;
        let mut wrote_output = false;
        let mut applied: SmallVec<[Applied<'_, D>; 2]> = SmallVec::new();
        for task in self.tasks.all_mut() {
            wrote_output |= task.writes.iter().any(
                |write| matches!(write.target, Target::Channel(index) if is_output[index.get()]),
            );
            let triggers = match (&task.path, task.node) {
                (TaskPath::Pull(_), Some(node)) => Triggers::OfNode(node),
                _ => Triggers::These(&[]),
            };
            let reader = task.reader();
            let (path, writes) = (&task.path, &mut task.writes);
            applied.push(Applied { reader, path, triggers, writes });
        }
        let done = match self.persistence.waits_for_exit() {
            true => self.state.apply_wholly(cx, env, &mut applied),
            false => self.state.apply_all(cx, env, &mut applied),
        };
        drop(applied);
        if done.is_err() {
            self.tasks.all_mut().iter_mut().for_each(|task| task.writes.clear());
        }
        done.map_err(|fault| fault.noted(cx, || self.tasks.listed()))?;
        Ok(wrote_output)
    }

    pub(super) fn output_changed(&self) -> bool {
        let updated = self.state.updated().unwrap_or_default();
        updated.iter().any(|index| self.is_output[index.get()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toy::begun;

    #[test]
    fn a_run_without_anything_to_wait_for_fails_with_the_tasks_that_are_open() {
        let (mut engine, mut env) = begun(&["a", "b"]);
        let b = engine.tasks.key(1);
        engine.task_finished((), b, crate::TaskOutcome::Finished(Vec::new()));
        // Nothing that a driver says brings a task back to this.
        engine.tasks.all_mut()[0].state = TaskState::Waiting;
        let Effect::Finish(Outcome::Failed(fault)) = engine.poll((), &mut env) else {
            panic!("the run does not fail");
        };
        assert_eq!(format!("{fault:?}"), r#"UnfinishedTasks(UnfinishedTasks { names: ["a"] })"#);
    }
}
