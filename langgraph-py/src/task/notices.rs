//! What is logged of a task that is over: what it wrote to nobody, and that it is tried again.

use std::sync::Arc;

use langgraph_core::{PacketTarget, Target, Write};
use langgraph_pregel::{TaskKey, TaskOutcome};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::Core;
use crate::host::call::call_named;
use crate::values::domain::Objects;
use crate::values::path;

const MODULE: &str = "langgraph_rust._internal._log";

/// Something to be logged, while the engine is free: handlers are Python code.
pub enum Notice {
    /// A write to a channel that the graph does not have: the task's name and path, the channel.
    Channel(Arc<str>, Py<PyTuple>, Arc<str>),
    /// A packet for a node that the graph does not have.
    Node(Arc<str>),
    /// A packet that is none.
    NoPacket(Py<PyAny>),
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
    Ok(match &write.target {
        Target::Unknown(channel) => {
            let task = core.task(key)?;
            let path = path::to_tuple(py, &task.path)?.unbind();
            Some(Notice::Channel(task.name.clone(), path, channel.clone()))
        }
        Target::Packet(PacketTarget::Unknown(node)) => Some(Notice::Node(node.clone())),
        Target::Packet(PacketTarget::Malformed) => {
            Some(Notice::NoPacket(write.value.clone_ref(py)))
        }
        _ => None,
    })
}

impl Notice {
    /// Logs it.
    pub fn log(self, py: Python<'_>) -> PyResult<()> {
        let text = |text: &str| PyString::new(py, text).into_any();
        match self {
            Self::Channel(task, path, channel) => {
                let arguments = [text(&task), path.into_bound(py).into_any(), text(&channel)];
                let arguments = arguments.each_ref();
                call_named(py, MODULE, "unknown_channel", &arguments)
            }
            Self::Node(node) => call_named(py, MODULE, "unknown_node", &[&text(&node)]),
            Self::NoPacket(value) => call_named(py, MODULE, "no_packet", &[value.bind(py)]),
            Self::Retry(task, seconds, attempts, error) => {
                let seconds = seconds.into_pyobject(py)?;
                let attempts = attempts.into_pyobject(py)?;
                let arguments = [&text(&task), seconds.as_any(), attempts.as_any(), error.bind(py)];
                call_named(py, MODULE, "retrying", &arguments)
            }
        }
        .map(drop)
    }
}
