//! What somebody outside sees of what happens.

use std::sync::Arc;

use langgraph_rust_core::{Control, Target, Write};
use langgraph_rust_pregel::{self as pregel, TaskKey};

use super::Run;
use crate::graph::Core;
use crate::{Chunk, Event, Interrupt, Native, Update};

impl Run {
    /// The event as somebody outside sees it.
    pub fn show(&self, event: &pregel::RunEvent) -> Option<Chunk> {
        let core = &self.shared.graph.core;
        let event = match event {
            pregel::RunEvent::Checkpoint => Event::Checkpoint {
                id: self.engine.state().checkpoint_id().as_str().into(),
                step: self.engine.metadata().step,
                values: self.values(),
                next: self.engine.tasks().iter().map(|task| task.name.clone()).collect(),
            },
            pregel::RunEvent::TasksStarted(keys) => {
                Event::Started { nodes: self.visible_names(keys)? }
            }
            pregel::RunEvent::TaskOutput { task, cached } => {
                let task = self.engine.task(*task)?;
                if task.writes.iter().any(|write| write.is_control(Control::Error)) {
                    return None;
                }
                let update = state_update(core, task.writes.iter());
                Event::Update { node: task.name.clone(), update, cached: *cached }
            }
            pregel::RunEvent::TaskInterrupted(task) => {
                let task = self.engine.task(*task)?;
                let interrupts = task.interrupt.as_ref().map(Interrupt::unpack).unwrap_or_default();
                Event::Interrupted { node: task.name.clone(), interrupts }
            }
            pregel::RunEvent::Values => Event::Values { values: self.values() },
            pregel::RunEvent::StaticInterrupt => Event::Stopped,
        };
        Some(Chunk { namespace: self.shared.place.namespace.clone(), event })
    }

    /// The names of the tasks that are not hidden; `None` if all are.
    fn visible_names(&self, keys: &[TaskKey]) -> Option<Vec<Arc<str>>> {
        let tasks = keys.iter().filter_map(|key| self.engine.task(*key));
        let is_hidden = |task: &&pregel::Task<Native>| {
            task.node.is_some_and(|node| self.engine.plan().node(node).hidden)
        };
        let names: Vec<_> =
            tasks.filter(|task| !is_hidden(task)).map(|task| task.name.clone()).collect();
        (!names.is_empty()).then_some(names)
    }
}

/// The part of `writes` that went to the state.
pub(crate) fn state_update<'w>(
    core: &Core,
    writes: impl Iterator<Item = &'w Write<Native>>,
) -> Update {
    let to_field = |update: Update, write: &Write<Native>| match write.target {
        Target::Channel(index) if index.get() < core.layout.len() => {
            update.set(&core.layout.spec(index.get()).name, write.value.clone())
        }
        _ => update,
    };
    writes.fold(Update::new(), to_field)
}
