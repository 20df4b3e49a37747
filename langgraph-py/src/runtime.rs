//! A task's `Runtime`: a copy of the run's with the ids of the task.

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::imports;
use crate::run::Run;
use crate::task::TaskHandle;

/// The `Runtime` of a task.
///
/// Both classes are frozen dataclasses; building them through their constructors takes longer than
/// the whole rest of a superstep, so the fields are set directly.
pub fn for_task<'py>(
    py: Python<'py>,
    run: &Run,
    task: &TaskHandle,
    checkpoint: &Bound<'py, PyString>,
    attempt: u32,
) -> PyResult<Bound<'py, PyAny>> {
    let info = blank(imports::execution_info_type(py)?)?;
    set(&info, intern!(py, "checkpoint_id"), checkpoint)?;
    set(&info, intern!(py, "checkpoint_ns"), task.namespace.bind(py))?;
    set(&info, intern!(py, "task_id"), &PyString::new(py, task.id.as_str()))?;
    set(&info, intern!(py, "thread_id"), run.context.thread_id.bind(py))?;
    set(&info, intern!(py, "run_id"), run.context.run_id.bind(py))?;
    set(&info, intern!(py, "node_attempt"), &attempt.into_pyobject(py)?)?;
    let first = crate::clock::unix_seconds().into_pyobject(py)?;
    set(&info, intern!(py, "node_first_attempt_time"), &first)?;

    let outer = run.context.runtime.bind(py);
    let class = imports::runtime_type(py)?;
    let runtime = blank(class)?;
    for field in [
        intern!(py, "context"),
        intern!(py, "stream_writer"),
        intern!(py, "heartbeat"),
        intern!(py, "server_info"),
        intern!(py, "control"),
    ] {
        set(&runtime, field, &outer.getattr(field)?)?;
    }
    set(&runtime, intern!(py, "store"), run.context.store.bind(py))?;
    set(&runtime, intern!(py, "previous"), run.context.previous.bind(py))?;
    set(&runtime, intern!(py, "execution_info"), &info)?;
    Ok(runtime)
}

/// An instance without any field set.
fn blank<'py>(class: &Bound<'py, pyo3::types::PyType>) -> PyResult<Bound<'py, PyAny>> {
    let py = class.py();
    let object = py.get_type::<PyAny>();
    let new = object.getattr(intern!(py, "__new__"))?;
    new.call1(PyTuple::new(py, [class])?)
}

/// Sets a field of a frozen dataclass, as its own constructor does.
fn set<'py, T>(
    object: &Bound<'py, PyAny>,
    field: &Bound<'py, PyString>,
    value: &Bound<'py, T>,
) -> PyResult<()> {
    // SAFETY: live objects; the generic setter writes the slot that the class declares.
    let failed = unsafe {
        ffi::PyObject_GenericSetAttr(object.as_ptr(), field.as_ptr(), value.as_ptr())
    };
    if failed != 0 { Err(PyErr::fetch(object.py())) } else { Ok(()) }
}
