//! What is logged of a task that is over: what it wrote to nobody, and that it is tried again.

use std::sync::Arc;

use langgraph_rust_core::Write;
use langgraph_rust_pregel::{TaskKey, TaskOutcome};
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::Core;
use crate::host::call::call_named;
use crate::plan::lost::{Lost, Writer};
use crate::plan::Graph;
use crate::values::domain::Objects;
use crate::values::path;

const MODULE: &str = "langgraph_rust._internal._log";

/// Something to be logged, while the engine is free: handlers are Python code.
pub enum Notice {
    /// A write that reaches nobody, and who wrote it.
    Lost(Lost, Writer),
    /// Another attempt: the task's name, the wait in seconds, how many have failed, the last error.
    Retry(Arc<str>, f64, u32, Py<PyAny>),
}

/// What there is to be logged of a task that ended so; asked before the engine is told.
pub fn notices(
    py: Python<'_>,
    core: &Core,
    key: TaskKey,
    outcome: &TaskOutcome<Objects>,
) -> PyResult<Vec<Notice>> {
    match outcome {
        TaskOutcome::Finished(writes) => {
            let found = writes.iter().map(|write| lost(py, core, key, write));
            found.filter_map(Result::transpose).collect()
        }
        TaskOutcome::Failed(failure) => {
            let Some(retry) = failure.retry else { return Ok(Vec::new()) };
            let task = core.task(key)?;
            if task.attempts >= retry.max_attempts || task.cancelled {
                return Ok(Vec::new());
            }
            let seconds = retry.delay.after(task.attempts, retry.jitter).as_secs_f64();
            let error = failure.value.clone_ref(py);
            Ok(vec![Notice::Retry(task.name.clone(), seconds, task.attempts, error)])
        }
        _ => Ok(Vec::new()),
    }
}

/// A write that reaches nobody.
fn lost(
    py: Python<'_>,
    core: &Core,
    key: TaskKey,
    write: &Write<Objects>,
) -> PyResult<Option<Notice>> {
    let Some(lost) = Lost::of(py, write) else { return Ok(None) };
    let task = core.task(key)?;
    let path = path::to_tuple(py, &task.path)?.unbind();
    let writer = Writer { name: task.name.clone(), path, node: task.node };
    Ok(Some(Notice::Lost(lost, writer)))
}

impl Notice {
    /// Logs it. Fails where mistakes are errors.
    pub fn log(self, py: Python<'_>, graph: &Graph) -> PyResult<()> {
        match self {
            Self::Lost(lost, writer) => lost.tell(py, graph, &writer),
            Self::Retry(task, seconds, attempts, error) => {
                let task = PyString::new(py, &task);
                let seconds = seconds.into_pyobject(py)?;
                let attempts = attempts.into_pyobject(py)?;
                let arguments =
                    [task.as_any(), seconds.as_any(), attempts.as_any(), error.bind(py)];
                call_named(py, MODULE, "retrying", &arguments).map(drop)
            }
        }
    }
}
