//! A superstep from its preparation to its commit.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use langgraph_checkpoint::{PendingWrite, Source};
use langgraph_core::{ChannelIndex, Control, Domain, Fault, Target, TaskId, TaskPath, Write};
use smallvec::SmallVec;

use super::{Engine, Phase, Troubles};
use crate::apply::Applied;
use crate::{
    Effect, End, Env, Event, Outcome, Pause, Plan, Reader, Task, TaskKey, TaskState, TaskWrites,
    WaitReason,
};

impl<D: Domain> Engine<D> {
    pub(super) fn advance(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
    ) -> Result<Option<WaitReason>, Fault<D>> {
        if !self.unshown.is_empty() {
            return Ok(self.advance_hidden());
        }
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Ready if !self.persistence.allows_step() => {
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
            Phase::Ending(reason) => {
                self.close(cx, env, reason.into());
                Ok(None)
            }
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
        if self.options.interrupt_before.hits(&self.state, &self.tasks) {
            self.pause = Pause::Before;
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
            self.phase = Phase::Stepping(None);
        } else {
            self.phase = Phase::Caching;
            self.out.push_back(Effect::LookUpCache(cached));
        }
        Ok(())
    }

    pub(super) fn prepare_tasks(&mut self, cx: D::Cx<'_>) -> Result<(), Fault<D>> {
        let Self { state, options, step, tasks, .. } = self;
        state.prepare_into(cx, &options.namespace, *step, tasks)?;
        (self.issued, self.settled) = (0, 0);
        self.held_back.clear();
        if self.options.emits.checkpoints && self.options.persists {
            self.emit(Event::Checkpoint);
        }
        Ok(())
    }

    pub(super) fn cached_tasks(&self) -> Vec<TaskKey> {
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
        let ids = self.tasks.iter().map(|task| task.id.clone());
        let positions: BTreeMap<TaskId, usize> = ids.zip(0..).collect();
        let mut errors: BTreeMap<usize, Write<D>> = BTreeMap::new();
        let mut handled = BTreeSet::new();
        for PendingWrite { task, write } in &self.pending {
            let Some(position) = positions.get(task).copied() else { continue };
            match write.target {
                Target::Control(Control::Error) => {
                    errors.entry(position).or_insert_with(|| write.copy(cx));
                }
                Target::Control(Control::ErrorSource) => {
                    handled.insert(position);
                }
                _ if write.is_output() => self.tasks[position].writes.push(write.copy(cx)),
                _ => {}
            }
        }
        for task in self.tasks.iter_mut().filter(|task| !task.writes.is_empty()) {
            task.state = TaskState::Settled;
        }
        errors.retain(|position, _| handled.contains(position));
        for (position, error) in errors {
            if self.schedule_handler(cx, TaskKey(position as u32), None) {
                // Output beside a handled error is what the failed attempt wrote.
                self.tasks[position].writes = vec![error];
                self.tasks[position].state = TaskState::Settled;
            }
        }
    }

    pub(super) fn step_on(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        troubles: Option<Box<Troubles<D>>>,
    ) -> Result<Option<WaitReason>, Fault<D>> {
        self.issue_tasks();
        if !self.all_settled() {
            self.phase = Phase::Stepping(troubles);
            return Ok(self.out.is_empty().then_some(WaitReason::Tasks));
        }
        let Some(troubles) = troubles else {
            self.commit(cx, env)?;
            return Ok(None);
        };
        let Troubles { end, late_failure, escaped, questions, paused } = *troubles;
        if let Some(end) = end.or(late_failure.map(End::Failed)) {
            self.close(cx, env, end.into());
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
        candidates.retain(|key| !self.issue(*key));
        self.held_back = candidates;
    }

    /// Gives out a task, unless it has writes already; returns false if it must wait.
    fn issue(&mut self, key: TaskKey) -> bool {
        let task = &mut self.tasks[key.position()];
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

    /// Whether every task is over. Tasks are looked at once: none becomes unsettled again.
    pub(super) fn all_settled(&mut self) -> bool {
        let open = self.tasks[self.settled..].iter();
        self.settled += open.take_while(|task| task.state == TaskState::Settled).count();
        self.settled == self.tasks.len()
    }

    pub(super) fn commit(&mut self, cx: D::Cx<'_>, env: &mut dyn Env<D>) -> Result<(), Fault<D>> {
        let wrote_output = self.apply_tasks(cx, env)?;
        if wrote_output && self.output_changed() {
            self.emit_values();
        }
        self.pending.clear();
        self.inherited = false;
        self.wrote.clear();
        self.replaying = false;
        self.put_checkpoint(cx, env, Source::Loop)?;
        if self.options.interrupt_after.hits(&self.state, &self.tasks) {
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
        let plan = self.state.plan.clone();
        let is_output = &self.is_output;
        let mut wrote_output = false;
        let mut applied = SmallVec::new();
        for task in &mut self.tasks {
            let writes = std::mem::take(&mut task.writes);
            wrote_output |= writes.iter().any(
                |write| matches!(write.target, Target::Channel(index) if is_output[index.get()]),
            );
            let (reader, triggers) = (reader(task), triggers(&plan, task));
            applied.push(Applied { reader, path: &task.path, triggers, writes });
        }
        self.state.apply_all(cx, env, applied)?;
        Ok(wrote_output)
    }

    pub(crate) fn task_writes(&self, task: Task<D>, writes: Vec<Write<D>>) -> TaskWrites<D> {
        TaskWrites {
            reader: reader(&task),
            triggers: triggers(self.plan(), &task).to_vec(),
            path: task.path,
            writes,
        }
    }

    pub(super) fn output_changed(&self) -> bool {
        let updated = self.state.updated().unwrap_or_default();
        updated.iter().any(|index| self.is_output[index.get()])
    }
}

fn reader<D: Domain>(task: &Task<D>) -> Reader {
    match task.node {
        Some(node) => Reader::Node(node),
        None => Reader::Other(task.name.clone()),
    }
}

/// The channels that started the task: none for one that a packet or a call started.
fn triggers<'p, D: Domain>(plan: &'p Plan<D>, task: &Task<D>) -> &'p [ChannelIndex] {
    match (&task.path, task.node) {
        (TaskPath::Pull(_), Some(node)) => &plan.node(node).triggers,
        _ => &[],
    }
}
