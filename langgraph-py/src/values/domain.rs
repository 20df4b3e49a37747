//! Python objects as the engine's values.

use std::borrow::Cow;

use langgraph_rust_core::{Domain, Fault, ForeignChannel, Held, NodeIndex, Write};
use pyo3::exceptions::{PyException, PyNotImplementedError, PyRuntimeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};
use pyo3::PyVisit;

use crate::collects_nothing;
use crate::host::call::{call, call_method};
use crate::host::collect::{Collect, Visited};
use crate::host::imports;
use crate::values::errors::{self, is_empty_channel};
use crate::values::reducer::Reducer;

/// The domain of Python objects. Values are references; `cx` is the attached thread.
pub struct Objects;

impl Domain for Objects {
    type Value = Py<PyAny>;
    type Cx<'a> = Python<'a>;
    type Error = PyErr;
    type Reducer = Reducer;
    type Foreign = PythonChannel;

    fn copy(py: Python<'_>, value: &Py<PyAny>) -> Py<PyAny> {
        value.clone_ref(py)
    }

    fn initial(py: Python<'_>, reducer: &Reducer) -> Option<Py<PyAny>> {
        reducer.initial(py)
    }

    fn reduce(
        py: Python<'_>,
        reducer: &Reducer,
        left: Py<PyAny>,
        writes: Vec<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        reducer.fold(py, left, writes)
    }

    fn fresh(py: Python<'_>, value: &Py<PyAny>) -> PyResult<Py<PyAny>> {
        Ok(call(imports::copy(py)?, &[value.bind(py)])?.unbind())
    }

    fn is_unit(py: Python<'_>, value: &Py<PyAny>) -> bool {
        value.is_none(py)
    }

    fn noted(py: Python<'_>, error: PyErr, note: &str) -> PyErr {
        if error.is_instance_of::<PyException>(py) {
            errors::add_note(py, &error, note);
        }
        error
    }

    fn admit(py: Python<'_>, reducer: &Reducer, value: Py<PyAny>) -> PyResult<Py<PyAny>> {
        reducer.admit(py, value)
    }

    fn size(py: Python<'_>, value: &Py<PyAny>) -> usize {
        value.bind(py).cast_exact::<PyList>().map_or(0, PyListMethods::len)
    }

    fn overwrite(py: Python<'_>, value: &Py<PyAny>) -> Option<Py<PyAny>> {
        crate::values::reducer::overwritten(value.bind(py)).map(Bound::unbind)
    }

    fn label<'v>(py: Python<'_>, value: &'v Py<PyAny>) -> Option<Cow<'v, str>> {
        let text = value.bind(py).cast::<PyString>().ok()?;
        Some(Cow::Owned(text.to_str().ok()?.to_owned()))
    }

    fn show(py: Python<'_>, value: &Py<PyAny>) -> String {
        value.bind(py).str().map(|text| text.to_string()).unwrap_or_default()
    }

    fn unit(py: Python<'_>) -> Py<PyAny> {
        py.None()
    }

    fn name(py: Python<'_>, name: &str) -> Py<PyAny> {
        PyString::new(py, name).into_any().unbind()
    }

    fn list(py: Python<'_>, values: Vec<Py<PyAny>>) -> Py<PyAny> {
        match PyList::new(py, values) {
            Ok(list) => list.into_any().unbind(),
            Err(error) => {
                // Only the allocator can refuse; there is no value to report it in.
                error.write_unraisable(py, None);
                py.None()
            }
        }
    }

    fn items(py: Python<'_>, value: &Py<PyAny>) -> Option<Vec<Py<PyAny>>> {
        let list = value.bind(py).cast::<PyList>().ok()?;
        Some(list.iter().map(Bound::unbind).collect())
    }
}

/// A channel written in Python: any object with the methods of `BaseChannel`.
pub struct PythonChannel(pub Py<PyAny>);

impl ForeignChannel<Objects> for PythonChannel {
    fn get(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match call_method(self.0.bind(py), intern!(py, "get"), &[]) {
            Ok(value) => Ok(Some(value.unbind())),
            Err(error) if is_empty_channel(py, &error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn is_available(&self, py: Python<'_>) -> PyResult<bool> {
        call_method(self.0.bind(py), intern!(py, "is_available"), &[])?.is_truthy()
    }

    fn update(&mut self, py: Python<'_>, values: Vec<Py<PyAny>>) -> Result<bool, Fault<Objects>> {
        let values = PyTuple::new(py, values).map_err(Fault::Domain)?;
        let changed = call_method(self.0.bind(py), intern!(py, "update"), &[values.as_any()]);
        changed.and_then(|changed| changed.is_truthy()).map_err(Fault::Domain)
    }

    fn consume(&mut self, py: Python<'_>) -> PyResult<bool> {
        call_method(self.0.bind(py), intern!(py, "consume"), &[])?.is_truthy()
    }

    fn finish(&mut self, py: Python<'_>) -> PyResult<bool> {
        call_method(self.0.bind(py), intern!(py, "finish"), &[])?.is_truthy()
    }

    fn checkpoint(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let stored = call_method(self.0.bind(py), intern!(py, "checkpoint"), &[])?;
        Ok((!stored.is(imports::missing(py)?)).then(|| stored.unbind()))
    }

    fn restore(&self, py: Python<'_>, stored: Option<Py<PyAny>>) -> PyResult<Self> {
        let stored = match stored {
            Some(stored) => stored,
            None => imports::missing(py)?.clone().unbind(),
        };
        let fresh =
            call_method(self.0.bind(py), intern!(py, "from_checkpoint"), &[stored.bind(py)])?;
        Ok(Self(fresh.unbind()))
    }

    fn duplicate(&self, py: Python<'_>) -> PyResult<Self> {
        Ok(Self(call_method(self.0.bind(py), intern!(py, "copy"), &[])?.unbind()))
    }
}

impl Collect for Write<Objects> {
    fn collect(&self, visit: &PyVisit<'_>) -> Visited {
        self.value.collect(visit)
    }
}

collects_nothing!(NodeIndex);

/// Visits what the engine shows that it holds.
pub fn shown<'a>(visit: &'a PyVisit<'_>) -> impl FnMut(Held<'_, Objects>) -> Visited + 'a {
    move |held| match held {
        Held::Value(value) => visit.call(value),
        Held::Foreign(PythonChannel(channel)) => visit.call(channel),
        Held::Error(error) => error.collect(visit),
    }
}

/// An engine fault as a Python exception.
pub fn fault_to_python(py: Python<'_>, fault: Fault<Objects>) -> PyErr {
    match fault {
        Fault::InvalidUpdate(error) => errors::invalid_update(py, &error),
        Fault::MissingHistory(history) => PyNotImplementedError::new_err(history.to_string()),
        Fault::UnfinishedTasks(tasks) => PyRuntimeError::new_err(tasks.to_string()),
        Fault::Domain(error) => error,
    }
}
