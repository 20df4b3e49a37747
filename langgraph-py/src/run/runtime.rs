//! A task's `Runtime`: a copy of the run's with the ids of the task.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::collects;
use crate::host::dataclass::{set, Dataclass};
use crate::host::imports;

/// The ids of a task, as its `Runtime` has them.
pub struct TaskIds<'a, 'py> {
    /// Of the task itself.
    pub task: &'a Bound<'py, PyString>,
    /// Its checkpoint namespace.
    pub namespace: &'a Bound<'py, PyString>,
    /// The checkpoint that the superstep began from.
    pub checkpoint: &'a Bound<'py, PyString>,
}

/// What all tasks' `Runtime`s of a run have in common, read once.
pub struct Template {
    class: Dataclass,
    info_class: Dataclass,
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
            class: Dataclass::new(imports::runtime_type(py)?)?,
            info_class: Dataclass::new(imports::execution_info_type(py)?)?,
            fields,
            info_fields: vec![
                (name("thread_id"), thread_id.clone_ref(py)),
                (name("run_id"), run_id.clone_ref(py)),
            ],
        })
    }

    /// The `Runtime` of a task.
    ///
    /// Args:
    ///     ids: The ids that are in it.
    ///     attempt: Which attempt, from one.
    ///     first_attempt: When the first began, in seconds since the Unix epoch.
    ///
    /// Both classes are frozen dataclasses; building them through their constructors takes longer
    /// than the whole rest of a superstep, so the fields are set directly.
    pub fn for_task<'py>(
        &self,
        py: Python<'py>,
        ids: TaskIds<'_, 'py>,
        attempt: u32,
        first_attempt: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let info = self.info_class.blank(py)?;
        for (field, value) in &self.info_fields {
            set(&info, field.bind(py), value.bind(py))?;
        }
        set(&info, intern!(py, "checkpoint_id"), ids.checkpoint)?;
        set(&info, intern!(py, "checkpoint_ns"), ids.namespace)?;
        set(&info, intern!(py, "task_id"), ids.task)?;
        set(&info, intern!(py, "node_attempt"), &attempt.into_pyobject(py)?)?;
        let first = first_attempt.into_pyobject(py)?;
        set(&info, intern!(py, "node_first_attempt_time"), &first)?;
        let runtime = self.class.blank(py)?;
        for (field, value) in &self.fields {
            set(&runtime, field.bind(py), value.bind(py))?;
        }
        set(&runtime, intern!(py, "execution_info"), &info)?;
        Ok(runtime)
    }
}

collects!(Template { fields, info_fields });
