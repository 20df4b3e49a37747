//! Where tasks stand and whom packets are addressed to, between Python and the engine.

use langgraph_rust_core::{PacketTarget, TaskPath};
use langgraph_rust_pregel::Plan;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::domain::Objects;
use crate::host::imports;

/// A path of the engine as the tuple that Python code knows.
pub fn to_tuple<'py>(py: Python<'py>, path: &TaskPath) -> PyResult<Bound<'py, PyTuple>> {
    Ok(match path {
        TaskPath::Input => PyTuple::empty(py),
        TaskPath::Pull(name) => (intern!(py, "__pregel_pull"), &**name).into_pyobject(py)?,
        TaskPath::Push(index) => (intern!(py, "__pregel_push"), *index, false).into_pyobject(py)?,
        TaskPath::Call { parent, index } => {
            let parent = to_tuple(py, parent)?;
            (intern!(py, "__pregel_push"), parent, *index, true).into_pyobject(py)?
        }
        TaskPath::Handler(failed) => {
            let failed = to_tuple(py, failed)?;
            let head = failed.get_slice(0, failed.len().min(3));
            let tail = ("node_error_handler", false).into_pyobject(py)?;
            head.as_sequence().concat(tail.as_sequence())?.cast_into::<PyTuple>()?
        }
        // Only ever stored, as text.
        TaskPath::AtExit { path, .. } => match path {
            Some(path) => to_tuple(py, path)?,
            None => PyTuple::empty(py),
        },
    })
}

/// The path that such a tuple names: that of a planned task.
pub fn from_tuple(path: &Bound<'_, PyTuple>) -> PyResult<TaskPath> {
    if path.is_empty() {
        return Ok(TaskPath::Input);
    }
    let kind: String = path.get_item(0)?.extract()?;
    let part = path.get_item(1)?;
    match kind.as_str() {
        "__pregel_pull" => Ok(TaskPath::Pull(part.extract::<String>()?.into())),
        "__pregel_push" => match part.extract::<usize>() {
            Ok(index) => Ok(TaskPath::Push(index)),
            Err(_) => Err(PyValueError::new_err(format!("{path} is no path of a planned task"))),
        },
        _ => Err(PyValueError::new_err(format!("{path} is no task path"))),
    }
}

/// The node that a packet is addressed to.
pub fn packet_target(plan: &Plan<Objects>, value: &Bound<'_, PyAny>) -> PyResult<PacketTarget> {
    let py = value.py();
    if !value.is_instance(imports::send_type(py)?)? {
        return Ok(PacketTarget::Malformed);
    }
    let node = value.getattr(intern!(py, "node"))?;
    Ok(match node.cast::<PyString>() {
        Ok(name) => plan.packet_target(name.to_str()?),
        Err(_) => PacketTarget::Malformed,
    })
}
