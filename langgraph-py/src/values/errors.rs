//! Errors cross here, and only here. A Python exception passes through untouched.

use langgraph_rust_core::{InvalidUpdate, UpdateCode};
use pyo3::exceptions::PyBaseException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

use crate::host::call::{call, call_with};
use crate::host::imports;

/// The exception as a value to be kept or raised again, with its traceback: CPython before 3.12
/// and PyO3 keep that apart.
pub fn value_of(py: Python<'_>, error: &PyErr) -> Py<PyAny> {
    error.clone_ref(py).into_value(py).into_any()
}

/// Whether the exception says that a channel has no value.
pub fn is_empty_channel(py: Python<'_>, error: &PyErr) -> bool {
    imports::empty_channel_error(py).is_ok_and(|class| error.is_instance(py, class))
}

/// An update that a channel refused, as `InvalidUpdateError`, with the link of its code.
pub fn invalid_update(py: Python<'_>, error: &InvalidUpdate) -> PyErr {
    let code = error.code.map(|UpdateCode::ConcurrentUpdate| "INVALID_CONCURRENT_GRAPH_UPDATE");
    coded(py, imports::invalid_update_error(py), &error.message, code)
}

/// An error of class `class` whose message ends with the documentation link of `code`.
pub fn coded(
    py: Python<'_>,
    class: PyResult<&Bound<'_, pyo3::types::PyType>>,
    message: &str,
    code: Option<&str>,
) -> PyErr {
    let build = || -> PyResult<PyErr> {
        let message = match code {
            None => message.to_owned(),
            Some(code) => {
                let kwargs = pyo3::types::PyDict::new(py);
                kwargs.set_item("message", message)?;
                kwargs.set_item("error_code", imports::error_codes(py)?.getattr(code)?)?;
                call_with(imports::create_error_message(py)?, &[], Some(&kwargs))?.extract()?
            }
        };
        Ok(PyErr::from_type(class?.clone(), message))
    };
    build().unwrap_or_else(|error| error)
}

/// Adds a note to an exception. Before Python 3.11, where exceptions take none, it is kept where
/// they are found later.
pub fn add_note(py: Python<'_>, error: &PyErr, note: &str) {
    let value: &Bound<'_, PyBaseException> = error.value(py);
    let note = PyString::new(py, note);
    let added = match value.getattr(intern!(py, "add_note")) {
        Ok(add) => call(&add, &[note.as_any()]).map(drop),
        Err(_) => {
            let name = intern!(py, "__notes__");
            let notes = value.getattr(name).and_then(|notes| Ok(notes.cast_into::<PyList>()?));
            let notes = notes.unwrap_or_else(|_| PyList::empty(py));
            notes.append(note).and_then(|()| value.setattr(name, notes))
        }
    };
    if let Err(refused) = added {
        refused.write_unraisable(py, Some(value.as_any()));
    }
}
