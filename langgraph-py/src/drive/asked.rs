//! Who asked for a cancellation: the caller of a run, or somebody within it.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::host::call::{asyncio, call};

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

/// How often a task that has just begun has been asked to cancel.
pub fn of_new_task(py: Python<'_>) -> PyResult<Requests> {
    static COUNTS: PyOnceLock<bool> = PyOnceLock::new();
    let counts = COUNTS.get_or_try_init(py, || {
        asyncio(py)?.getattr(intern!(py, "Task"))?.hasattr(intern!(py, "cancelling"))
    })?;
    Ok(counts.then_some(0))
}

/// How often the current task has been asked to cancel.
pub fn requests(py: Python<'_>) -> PyResult<Requests> {
    let current = asyncio(py)?.getattr(intern!(py, "current_task"))?;
    // Coroutines can be driven without an event loop.
    let Ok(task) = call(&current, &[]) else { return Ok(None) };
    match task.getattr_opt(intern!(py, "cancelling"))? {
        Some(cancelling) => call(&cancelling, &[])?.extract().map(Some),
        None => Ok(None),
    }
}
