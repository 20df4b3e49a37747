//! The few things that need CPython's own interface: contexts and coroutines.

use pyo3::exceptions::{PyException, PyStopIteration};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::imports;

/// A copy of the current `contextvars` context.
pub fn copied_context(py: Python<'_>) -> PyResult<Py<PyAny>> {
    // SAFETY: the thread is attached; the call returns a new reference or null with an exception.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent()) }.map(Bound::unbind)
}

/// A context entered, with the task's config as the ambient one; left again on drop.
pub struct Entered<'a, 'py> {
    py: Python<'py>,
    context: &'a Py<PyAny>,
}

impl<'a, 'py> Entered<'a, 'py> {
    /// Enters `context` and makes `config` the ambient config in it.
    pub fn new(
        py: Python<'py>,
        context: &'a Py<PyAny>,
        config: &Bound<'py, PyAny>,
    ) -> PyResult<Self> {
        let entered = Self::again(py, context)?;
        let var = imports::config_var(py)?;
        // SAFETY: `var` is a context variable and `config` an object; the token returned is
        // released at once, the variable keeps its value.
        let token = unsafe { ffi::PyContextVar_Set(var.as_ptr(), config.as_ptr()) };
        // SAFETY: a new reference, or null with an exception set.
        drop(unsafe { Bound::from_owned_ptr_or_err(py, token) }?);
        Ok(entered)
    }

    /// Enters `context` as it is.
    pub fn again(py: Python<'py>, context: &'a Py<PyAny>) -> PyResult<Self> {
        // SAFETY: `context` came from `copied_context`, so it is a context object.
        match unsafe { ffi::PyContext_Enter(context.as_ptr()) } {
            0 => Ok(Self { py, context }),
            _ => Err(PyErr::fetch(py)),
        }
    }
}

impl Drop for Entered<'_, '_> {
    fn drop(&mut self) {
        park_if_lost();
        // An exception may be on its way; leaving must not see it.
        // SAFETY: the thread is attached and the context was entered by this guard, last.
        if unsafe { ffi::PyContext_Exit(self.context.as_ptr()) } != 0 {
            PyErr::fetch(self.py).write_unraisable(self.py, None);
        }
    }
}

/// Parks the thread for good if the interpreter has been taken from it.
///
/// Before Python 3.14, a thread that wants the interpreter back while that is torn down is ended
/// by unwinding its stack. Native frames cannot be unwound like that: the process would abort.
fn park_if_lost() {
    // SAFETY: may be asked from any thread.
    while unsafe { ffi::PyGILState_Check() } == 0 {
        std::thread::park();
    }
}

/// Parks on drop, see [`park_if_lost`]; held while a thread gives up the interpreter.
pub struct ParkIfLost;

impl Drop for ParkIfLost {
    fn drop(&mut self) {
        park_if_lost();
    }
}

/// Whether the object is a coroutine.
pub fn is_coroutine(value: &Bound<'_, PyAny>) -> bool {
    // SAFETY: compares the type of a live object.
    unsafe { ffi::PyCoro_CheckExact(value.as_ptr()) != 0 }
}

/// Whether a node's result may be a runnable, to be run in turn. Cheap for what nodes return.
pub fn may_be_runnable(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if value.is_none()
        || value.is_exact_instance_of::<PyDict>()
        || value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyTuple>()
    {
        return Ok(false);
    }
    imports::is_runnable(value.py())?.call1((value,))?.is_truthy()
}

/// What one turn of a coroutine gave.
pub enum Turn<'py> {
    /// It waits for what it yielded.
    Yielded(Bound<'py, PyAny>),
    /// It returned.
    Returned(Bound<'py, PyAny>),
    /// It raised.
    Raised(PyErr),
}

/// Sends `value` into an iterator or coroutine.
pub fn send<'py>(iterator: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>) -> Turn<'py> {
    let py = iterator.py();
    let mut result = std::ptr::null_mut();
    // SAFETY: both are live objects; `result` receives a new reference unless the call fails.
    let sent = unsafe { ffi::PyIter_Send(iterator.as_ptr(), value.as_ptr(), &mut result) };
    match sent {
        ffi::PySendResult::PYGEN_ERROR => Turn::Raised(PyErr::fetch(py)),
        ffi::PySendResult::PYGEN_NEXT => {
            // SAFETY: a new reference, see above.
            Turn::Yielded(unsafe { Bound::from_owned_ptr(py, result) })
        }
        ffi::PySendResult::PYGEN_RETURN => {
            // SAFETY: a new reference, see above.
            Turn::Returned(unsafe { Bound::from_owned_ptr(py, result) })
        }
    }
}

/// The iterator that drives an awaitable.
pub fn awaited<'py>(awaitable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if is_coroutine(awaitable) {
        return Ok(awaitable.clone());
    }
    awaitable.call_method0(pyo3::intern!(awaitable.py(), "__await__"))
}

/// Throws `error` into an iterator or coroutine.
pub fn throw<'py>(iterator: &Bound<'py, PyAny>, error: PyErr) -> Turn<'py> {
    let py = iterator.py();
    match iterator.call_method1(intern!(py, "throw"), (error.value(py),)) {
        Ok(value) => Turn::Yielded(value),
        Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
            match error.value(py).getattr(intern!(py, "value")) {
                Ok(value) => Turn::Returned(value),
                Err(error) => Turn::Raised(error),
            }
        }
        Err(error) => Turn::Raised(error),
    }
}

/// What was thrown, in either of the forms that Python throws in.
pub fn thrown(error: Bound<'_, PyAny>, value: Option<Bound<'_, PyAny>>) -> PyResult<PyErr> {
    if let Some(value) = value.filter(|value| !value.is_none()) {
        return Ok(PyErr::from_value(value));
    }
    if error.is_instance_of::<pyo3::types::PyType>() {
        return Ok(PyErr::from_value(error.call0()?));
    }
    Ok(PyErr::from_value(error))
}

/// Whether the exception is asyncio's cancellation.
pub fn is_cancellation(py: Python<'_>, error: &PyErr) -> bool {
    !error.is_instance_of::<PyException>(py)
        && error.get_type(py).name().is_ok_and(|name| name == "CancelledError")
}
