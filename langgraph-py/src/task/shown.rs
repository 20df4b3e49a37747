//! Tasks as they start, shown to those who want to see their input.

use std::sync::Arc;

use langgraph_rust_pregel::{RunEvent, TaskKey};
use pyo3::prelude::*;

use super::node::NodeRun;
use super::Run;
use crate::host::context::Context;
use crate::show::debug;

/// Shows an event to whoever listens.
pub fn show(py: Python<'_>, run: &Arc<Run>, event: &RunEvent) -> PyResult<()> {
    match event {
        RunEvent::TasksStarted(tasks) if run.shows.wanted(debug::TASKS).is_some() => {
            tasks.iter().try_for_each(|key| show_start(py, run, *key))
        }
        event => run.show(py, event),
    }
}

fn show_start(py: Python<'_>, run: &Arc<Run>, key: TaskKey) -> PyResult<()> {
    let node = NodeRun::prepare(py, run, key, Context::copied(py)?)?;
    let config = node.config(py)?.clone();
    let mut core = run.core(py)?;
    let step = core.engine.steps().0;
    let task = core.task(key)?;
    let is_hidden = task.node.is_some_and(|node| run.graph.plan.node(node).hidden);
    let task = (task, core.engine.id_of(task));
    let described = debug::task_start(py, &run.graph, task, node.input(), &config, step)?;
    core.keep(key).prepared = Some(Box::new(node));
    drop(core);
    if is_hidden {
        return Ok(());
    }
    described.emit(py, &run.shows)
}
