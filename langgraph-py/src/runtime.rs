//! A task's `Runtime`: a copy of the run's with the ids of the task.

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};
use pyo3::{PyTraverseError, PyVisit};

use crate::imports;
use crate::task::TaskHandle;

/// What all tasks' `Runtime`s of a run have in common, read once.
pub struct Template {
    class: Py<PyType>,
    info_class: Py<PyType>,
    fields: Vec<(Py<PyString>, Py<PyAny>)>,
    info_fields: Vec<(Py<PyString>, Py<PyAny>)>,
}

impl Template {
    /// Reads the run's `Runtime`.
    pub fn new(
        outer: &Bound<'_, PyAny>,
        store: &Bound<'_, PyAny>,
        previous: &Py<PyAny>,
        thread_id: &Py<PyAny>,
        run_id: &Py<PyAny>,
    ) -> PyResult<Self> {
        let py = outer.py();
        let name = |name: &str| PyString::intern(py, name).unbind();
        let mut fields = Vec::with_capacity(7);
        for field in ["context", "stream_writer", "heartbeat", "server_info", "control"] {
            fields.push((name(field), outer.getattr(field)?.unbind()));
        }
        fields.push((name("store"), store.clone().unbind()));
        fields.push((name("previous"), previous.clone_ref(py)));
        Ok(Self {
            class: imports::runtime_type(py)?.clone().unbind(),
            info_class: imports::execution_info_type(py)?.clone().unbind(),
            fields,
            info_fields: vec![
                (name("thread_id"), thread_id.clone_ref(py)),
                (name("run_id"), run_id.clone_ref(py)),
            ],
        })
    }

    /// The `Runtime` of a task.
    ///
    /// Both classes are frozen dataclasses; building them through their constructors takes longer
    /// than the whole rest of a superstep, so the fields are set directly.
    pub fn for_task<'py>(
        &self,
        py: Python<'py>,
        task: &TaskHandle,
        id: &Bound<'py, PyString>,
        namespace: &Bound<'py, PyString>,
        checkpoint: &Bound<'py, PyString>,
        attempt: u32,
    ) -> PyResult<Bound<'py, PyAny>> {
        let info = blank(self.info_class.bind(py))?;
        for (field, value) in &self.info_fields {
            set(&info, field.bind(py), value.bind(py))?;
        }
        set(&info, intern!(py, "checkpoint_id"), checkpoint)?;
        set(&info, intern!(py, "checkpoint_ns"), namespace)?;
        set(&info, intern!(py, "task_id"), id)?;
        set(&info, intern!(py, "node_attempt"), &attempt.into_pyobject(py)?)?;
        let first = task.first_attempt.into_pyobject(py)?;
        set(&info, intern!(py, "node_first_attempt_time"), &first)?;
        let runtime = blank(self.class.bind(py))?;
        for (field, value) in &self.fields {
            set(&runtime, field.bind(py), value.bind(py))?;
        }
        set(&runtime, intern!(py, "execution_info"), &info)?;
        Ok(runtime)
    }

    /// Visits the Python objects held, for the garbage collector.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.fields.iter().chain(&self.info_fields).try_for_each(|(_, value)| visit.call(value))
    }
}

/// An instance without any field set.
fn blank<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
    let py = class.py();
    // SAFETY: both classes are plain Python dataclasses, heap types whose generic allocator gives
    // a valid instance with empty slots.
    unsafe {
        let raw = class.as_type_ptr();
        Bound::from_owned_ptr_or_err(py, ffi::PyType_GenericAlloc(raw, 0))
    }
}

/// Sets a field of a frozen dataclass, as its own constructor does.
fn set<'py, T>(
    object: &Bound<'py, PyAny>,
    field: &Bound<'py, PyString>,
    value: &Bound<'py, T>,
) -> PyResult<()> {
    // SAFETY: live objects; the generic setter writes the slot that the class declares.
    let failed =
        unsafe { ffi::PyObject_GenericSetAttr(object.as_ptr(), field.as_ptr(), value.as_ptr()) };
    if failed != 0 {
        Err(PyErr::fetch(object.py()))
    } else {
        Ok(())
    }
}
