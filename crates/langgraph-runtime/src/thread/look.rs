//! Reading a thread's states: what a checkpoint and the writes stored with it amount to.

use langgraph_rust_checkpoint::{task_output, PendingWrite};
use langgraph_rust_core::{Control, Write};
use langgraph_rust_pregel::{self as pregel, Loaded, Prepared, TaskWrites};

use super::seat::{graph_of, Seat};
use super::{engine_form, Snapshot, SnapshotTask};
use crate::run::{graph_namespace, state_update, RunClock};
use crate::saver::{CheckpointTuple, Place};
use crate::{BoxFuture, Config, Error, Interrupt, Native, Persistence};

/// Whether a snapshot includes what has happened since its checkpoint.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Where the thread stands: with what finished tasks wrote, without interrupts that were resumed from.
    Live,
    /// The checkpoint as it is.
    Record,
}

impl Seat {
    /// How the thread stands, or stood at the checkpoint that `config` names.
    pub(super) async fn state(
        &self,
        config: &Config,
        subgraphs: bool,
    ) -> Result<Option<Snapshot>, Error> {
        let view = if config.checkpoint.is_some() { View::Record } else { View::Live };
        match self.saver.get(&self.place, config.checkpoint.as_ref()).await? {
            Some(found) => Ok(Some(self.snapshot(found, view, subgraphs).await?)),
            None => Ok(None),
        }
    }

    pub(super) async fn snapshot(
        &self,
        found: CheckpointTuple,
        view: View,
        subgraphs: bool,
    ) -> Result<Snapshot, Error> {
        let core = &self.graph.core;
        let (id, parent) = (found.checkpoint.id.clone(), found.parent.clone());
        let (metadata, created_at) = (found.metadata.clone(), found.checkpoint.ts.clone());
        let Loaded { checkpoint, pending, .. } =
            engine_form(core, &*self.saver, &self.place, found, None).await?;
        let mut state = pregel::ThreadState::load((), core.plan.clone(), checkpoint)?;
        state.forget_changes();
        let mut tasks = state.prepare((), &self.place.namespace, metadata.step + 1)?;
        let mut clock = self.clock();
        let null = input_writes(&pending);
        if !null.is_empty() {
            state.apply((), &mut clock, vec![TaskWrites::of_input(null)])?;
        }
        if view == View::Live {
            let finished = self.finished(&mut tasks, &pending);
            if !finished.is_empty() {
                state.apply((), &mut clock, finished)?;
            }
        }
        let waits = |task: &&Prepared<Native>| task.writes.is_empty();
        let next = tasks.iter().filter(waits).map(|task| task.name.clone()).collect();
        let values = core.values(|index| state.channel(index));
        let mut shown = Vec::with_capacity(tasks.len());
        for task in &tasks {
            let mut task_shown = self.task(task, &pending, view);
            if let (true, Some(place)) = (subgraphs, &task_shown.graph) {
                task_shown.state = self.below_at(task, place).await?.map(Box::new);
            }
            shown.push(task_shown);
        }
        let place = self.place.clone();
        Ok(Snapshot { place, id, parent, metadata, created_at, values, next, tasks: shown })
    }

    /// How a graph stands that is a node.
    fn below_at<'a>(
        &'a self,
        task: &'a Prepared<Native>,
        place: &'a Place,
    ) -> BoxFuture<'a, Result<Option<Snapshot>, Error>> {
        Box::pin(async move {
            let Some((graph, _)) = graph_of(&self.graph, &task.name) else { return Ok(None) };
            let below = self.below(&graph, place.namespace.to_string());
            below.state(&place.config(), true).await
        })
    }

    /// Gives finished tasks their stored writes; returns the writes as they apply.
    fn finished(
        &self,
        tasks: &mut [Prepared<Native>],
        pending: &[PendingWrite<Native>],
    ) -> Vec<TaskWrites<Native>> {
        let mut finished = Vec::new();
        for task in tasks {
            let copies = task_output(pending, &task.id).map(|write| write.copy(()));
            task.writes = copies.collect();
            if !task.writes.is_empty() {
                let writes = task.writes.iter().map(|write| write.copy(())).collect();
                finished.push(TaskWrites::of_task(&self.graph.core.plan, task, writes));
            }
        }
        finished
    }

    fn task(
        &self,
        task: &Prepared<Native>,
        pending: &[PendingWrite<Native>],
        view: View,
    ) -> SnapshotTask {
        let find = |kind| {
            let mut writes = pending.iter();
            writes.find(|p| p.task == task.id && p.write.is_control(kind)).map(|p| &p.write.value)
        };
        let is_finished = task_output(pending, &task.id).next().is_some();
        let is_resumed = view == View::Live && is_finished;
        let interrupt = find(Control::Interrupt).filter(|_| !is_resumed);
        let graph = graph_of(&self.graph, &task.name);
        let graph = graph.filter(|(_, persistence)| *persistence != Persistence::Nothing);
        let graph_place = |persistence| Place {
            thread: self.place.thread.clone(),
            namespace: graph_namespace(task.namespace(&self.place.namespace), persistence).into(),
        };
        SnapshotTask {
            id: task.id.clone(),
            name: task.name.clone(),
            error: find(Control::Error).cloned(),
            interrupts: interrupt.map(Interrupt::unpack).unwrap_or_default(),
            result: is_finished
                .then(|| state_update(&self.graph.core, task_output(pending, &task.id))),
            graph: graph.map(|(_, persistence)| graph_place(persistence)),
            state: None,
        }
    }

    pub(super) fn clock(&self) -> RunClock {
        RunClock { clock: self.graph.clock.clone(), saver: Some(self.saver.clone()) }
    }
}

/// The pending writes that belong to no task.
pub(super) fn input_writes(pending: &[PendingWrite<Native>]) -> Vec<Write<Native>> {
    pending.iter().filter(|p| p.task.is_null()).map(|p| p.write.copy(())).collect()
}
