//! A task that is over: the engine is told, and those who called it.

use langgraph_rust_core::Control;
use langgraph_rust_pregel::{TaskKey, TaskOutcome};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use super::notices::notices;
use super::outcome::refused;
use super::{called, Core, Run};
use crate::host::call::call;
use crate::host::imports;
use crate::store::cache::{self, CacheSlot};
use crate::store::stored;
use crate::values::domain::Objects;

pub use crate::run::board::Report;

/// What those who called a task are answered.
type Answer = Result<Py<PyAny>, Py<PyAny>>;

/// What remains to be done once the engine knows.
#[derive(Default)]
struct Afterwards {
    /// Where the result is to be cached.
    cached: Option<CacheSlot>,
    /// The answer to those who called the task.
    answer: Option<Answer>,
    /// The name of the node, to be told of.
    finished: Option<Py<PyString>>,
}

/// Tells the engine that a task is over, and those who called it.
pub fn report(py: Python<'_>, run: &Run, report: Report) -> PyResult<()> {
    let Report { key, mut outcome } = report;
    let mut core = run.core(py)?;
    let notices = notices(py, &core, key, &outcome)?;
    let mut logged = Ok(());
    if !notices.is_empty() {
        // Handlers are Python code, and let other threads in: the engine is told afterwards.
        let is_call = core.is_call(key);
        drop(core);
        logged = notices.into_iter().try_for_each(|notice| notice.log(py, &run.graph));
        if let (true, Err(error)) = (is_call, &logged) {
            // Its caller waits for what follows.
            error.clone_ref(py).write_unraisable(py, None);
            logged = Ok(());
        }
        core = run.core(py)?;
        if let (TaskOutcome::Finished(_), Err(error)) = (&outcome, &logged) {
            // What it wrote to nobody is an error of the task: nothing of it is to be applied.
            let (task, error) = (core.task(key)?, error.clone_ref(py));
            outcome = refused(py, error, &task.name, core.engine.id_of(task).as_str());
            logged = Ok(());
        }
    }
    let afterwards = afterwards(py, run, &mut core, key, &outcome)?;
    core.engine.task_finished(py, key, outcome);
    if core.is_call(key) {
        // At once: a driver that polls would take the next attempt for its own.
        if let Some(delay) = core.engine.take_attempt(key) {
            core.keep(key).again = Some(delay);
        }
    }
    let cached = match afterwards.cached {
        // What the engine has made of the writes: a hit is to be what the task was.
        Some(slot) => Some((slot, written(py, run, &core, key)?)),
        None => None,
    };
    drop(core);
    // Whatever fails or is interrupted here: who waits for the task must not wait for ever.
    let mut done = logged.and(run.check_control(py));
    if let (Some((slot, writes)), Some(cache)) = (cached, &run.context.cache) {
        done = done.and(cache::keep(py, cache.bind(py), &slot, writes));
    }
    if let Some(answer) = afterwards.answer {
        done = called::answer(py, run, key, &answer).and(done);
    }
    if let (Some(name), Some(told)) = (afterwards.finished, &run.context.node_finished) {
        done = done.and(call(told.bind(py), &[name.bind(py).as_any()]).map(drop));
    }
    done
}

fn afterwards(
    py: Python<'_>,
    run: &Run,
    core: &mut Core,
    key: TaskKey,
    outcome: &TaskOutcome<Objects>,
) -> PyResult<Afterwards> {
    let mut afterwards = Afterwards::default();
    let is_call = core.is_call(key);
    if let TaskOutcome::Failed(failure) = outcome {
        let node = core.task(key)?.node;
        if node.is_some_and(|node| run.graph.plan.node(node).error_handler.is_some()) {
            core.keep(key).error = Some(failure.value.clone_ref(py));
        }
    }
    if is_call {
        afterwards.answer = answer(py, core, key, outcome)?;
    }
    if let TaskOutcome::Finished(_) = outcome {
        // Not before: a task that is tried again is still to be cached.
        afterwards.cached = core.kept_mut(key).and_then(|kept| kept.cache_slot.take());
        let task = core.task(key)?;
        let shown = task.node.filter(|node| !run.graph.plan.node(*node).hidden);
        if let (false, Some(node), Some(_)) = (is_call, shown, &run.context.node_finished) {
            afterwards.finished = Some(run.graph.program(node).name.clone_ref(py));
        }
    }
    Ok(afterwards)
}

/// What a task wrote, for Python, without the mark that it wrote nothing.
fn written(py: Python<'_>, run: &Run, core: &Core, key: TaskKey) -> PyResult<Py<PyList>> {
    let writes = core.task(key)?.writes.iter().filter(|write| !write.is_control(Control::NoWrites));
    let writes: Vec<_> = writes.map(|write| write.copy(py)).collect();
    Ok(stored::writes_to_python(py, &run.graph, &writes)?.unbind())
}

/// What those who called the task are answered; nothing if it is tried again.
fn answer(
    py: Python<'_>,
    core: &Core,
    key: TaskKey,
    outcome: &TaskOutcome<Objects>,
) -> PyResult<Option<Answer>> {
    Ok(match outcome {
        TaskOutcome::Finished(writes) => {
            let returned = writes.iter().find(|write| write.is_control(Control::Return));
            Some(Ok(returned.map_or_else(|| py.None(), |write| write.value.clone_ref(py))))
        }
        TaskOutcome::Failed(failure) => {
            let attempts = core.task(key)?.attempts;
            let again = failure.retry.is_some_and(|retry| attempts < retry.max_attempts);
            (!again).then(|| Err(failure.value.clone_ref(py)))
        }
        TaskOutcome::Interrupted { value, .. } => {
            let interrupts = match value {
                Some(value) => value.bind(py).clone(),
                None => PyTuple::empty(py).into_any(),
            };
            Some(Err(call(imports::graph_interrupt(py)?, &[&interrupts])?.unbind()))
        }
        TaskOutcome::Escaped(error) => Some(Err(error.value(py).clone().into_any().unbind())),
        // Whoever waits for it must not wait for ever.
        TaskOutcome::Cancelled(None) => Some(Err(called::cancelled(py)?)),
        TaskOutcome::Cancelled(Some(error)) => Some(Err(error.clone_ref(py))),
    })
}
