//! Who asked for a cancellation: the caller of a run, or somebody within it.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::host::call::{call, call_named};
use crate::host::imports;

/// How often a task has been asked to cancel; `None` where nobody can tell (before Python 3.11, or
/// without a task).
pub type Requests = Option<i64>;

/// Who asked for a cancellation that was thrown into a run.
pub struct Asked {
    /// How often the caller's task had been asked to cancel when the run began, if that is known.
    pub requests: Requests,
    /// Whether a cancellation was thrown.
    pub thrown: bool,
}

impl Asked {
    /// Whether the caller's task has been asked to cancel since the run began, and still is. A
    /// node's own time limits ask, too, but take it back before they are over.
    pub fn by_caller(&self, py: Python<'_>) -> PyResult<bool> {
        match (self.requests, requests(py)?) {
            (Some(before), Some(now)) => Ok(now > before),
            // Nobody can tell: then what is thrown in comes from outside.
            _ => Ok(self.thrown),
        }
    }
}

/// Takes back what task groups within a node ask of the caller's task, which the node runs in.
pub fn take_back(py: Python<'_>, waiting: &Bound<'_, PyAny>) -> PyResult<()> {
    const MODULE: &str = "langgraph_rust._internal._lazy.task_groups";
    call_named(py, MODULE, "take_back", &[waiting]).map(drop)
}

/// How often a task that has just begun has been asked to cancel.
pub fn of_new_task(py: Python<'_>) -> PyResult<Requests> {
    static COUNTS: PyOnceLock<bool> = PyOnceLock::new();
    let counts = COUNTS.get_or_try_init(py, || {
        imports::asyncio(py)?.getattr(intern!(py, "Task"))?.hasattr(intern!(py, "cancelling"))
    })?;
    Ok(counts.then_some(0))
}

/// The same without a request that the task has yet to hear of: what is thrown in then comes from
/// that one.
pub fn delivered_requests(py: Python<'_>) -> PyResult<Requests> {
    let Some(task) = current_task(py)? else { return Ok(None) };
    let pending = match task.getattr_opt(intern!(py, "_must_cancel"))? {
        Some(pending) => pending.is_truthy()?,
        None => false,
    };
    Ok(requests_of(&task)?.map(|requests| requests - i64::from(pending)))
}

/// How often the current task has been asked to cancel.
fn requests(py: Python<'_>) -> PyResult<Requests> {
    current_task(py)?.map_or(Ok(None), |task| requests_of(&task))
}

/// The current asyncio task. Coroutines can be driven without an event loop.
fn current_task(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    let current = imports::asyncio(py)?.getattr(intern!(py, "current_task"))?;
    Ok(call(&current, &[]).ok().filter(|task| !task.is_none()))
}

fn requests_of(task: &Bound<'_, PyAny>) -> PyResult<Requests> {
    let py = task.py();
    match task.getattr_opt(intern!(py, "cancelling"))? {
        Some(cancelling) => call(&cancelling, &[])?.extract().map(Some),
        None => Ok(None),
    }
}
