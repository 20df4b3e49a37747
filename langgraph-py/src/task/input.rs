//! A task's input: what its channels hold, read while the engine is held, and what Python code makes
//! of it afterwards.

use langgraph_rust_core::{names, NodeIndex};
use langgraph_rust_pregel::TaskKey;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::handle::TaskHandle;
use super::{Core, Run};
use crate::host::call::{call, call_method};
use crate::plan::program::Source;
use crate::values::domain::fault_to_python;
use crate::values::errors::add_note;

/// What a task's input is made of, read while the engine is held.
pub(super) enum Draft<'py> {
    Value(Bound<'py, PyAny>),
    /// Channels' values; managed values are added later, since they run Python code.
    Fields(Bound<'py, PyDict>),
}

/// The input of a task, as far as it can be read now, and the node whose schema it has.
pub(super) fn draft<'py>(
    py: Python<'py>,
    run: &Run,
    core: &Core,
    key: TaskKey,
) -> PyResult<(Draft<'py>, Option<NodeIndex>)> {
    let task = core.task(key)?;
    if let Some(failed) = task.handles {
        return draft(py, run, core, failed);
    }
    if let Some(call) = core.kept(key).and_then(|kept| kept.call.as_ref()) {
        return Ok((Draft::Value(call.input.bind(py).clone()), None));
    }
    if let Some(packet) = &task.packet {
        let argument = packet.bind(py).getattr(intern!(py, "arg"))?;
        return Ok((Draft::Value(argument), None));
    }
    let Some(node) = task.node else { return Ok((Draft::Value(py.None().into_bound(py)), None)) };
    Ok((of_edge(py, run, core, node)?, Some(node)))
}

/// What a node is given that an edge starts, as far as it can be read now.
fn of_edge<'py>(py: Python<'py>, run: &Run, core: &Core, node: NodeIndex) -> PyResult<Draft<'py>> {
    let read = |index| {
        let value = core.engine.state().read(py, index);
        value.map_err(|fault| fault_to_python(py, fault))
    };
    Ok(match &run.graph.program(node).source {
        Source::Value(index) => {
            let value = read(*index)?;
            Draft::Value(value.unwrap_or_else(|| py.None()).into_bound(py))
        }
        Source::Fields(fields) => {
            let values = PyDict::new(py);
            for (name, source) in fields {
                if let Ok(index) = source {
                    if let Some(value) = read(*index)? {
                        values.set_item(name, value)?;
                    }
                }
            }
            Draft::Fields(values)
        }
    })
}

/// The state as an edge would give it to the node of the task that `handle` is of.
pub(super) fn of_state(py: Python<'_>, run: &Run, handle: &Py<TaskHandle>) -> PyResult<Py<PyAny>> {
    let core = run.core(py)?;
    let task = core.task(handle.get().key)?;
    let Some(node) = task.node else { return Ok(py.None()) };
    let draft = of_edge(py, run, &core, node)?;
    drop(core);
    finish(py, run, handle, draft, Some(node), &run.graph.program(node).name)
}

/// A task's input.
pub(super) fn finish(
    py: Python<'_>,
    run: &Run,
    handle: &Py<TaskHandle>,
    draft: Draft<'_>,
    node: Option<NodeIndex>,
    name: &Py<PyString>,
) -> PyResult<Py<PyAny>> {
    let Some(node) = node else {
        return Ok(match draft {
            Draft::Value(value) => value.unbind(),
            Draft::Fields(values) => values.into_any().unbind(),
        });
    };
    let program = run.graph.program(node);
    let value = match draft {
        Draft::Value(value) => value,
        Draft::Fields(values) => {
            if let Source::Fields(fields) = &program.source {
                for (field, source) in fields {
                    if let Err(managed) = source {
                        let task = handle.bind(py).as_any();
                        let value = call_method(managed.bind(py), intern!(py, "get"), &[task])?;
                        values.set_item(field, value)?;
                    }
                }
            }
            values.into_any()
        }
    };
    match &program.mapper {
        None => Ok(value.unbind()),
        Some(mapper) => call(mapper.bind(py), &[&value]).map(Bound::unbind).inspect_err(|error| {
            let note =
                format!("Before task with name '{name}' and path '('{}', '{name}')'", names::PULL);
            add_note(py, error, &note);
        }),
    }
}
