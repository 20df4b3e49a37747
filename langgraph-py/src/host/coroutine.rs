//! Coroutines: those that the engine makes (a run to be awaited, a node of its own asyncio task),
//! and driving those that Python code makes.

use pyo3::exceptions::{PyException, PyStopIteration};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyType;
use pyo3::{PyTraverseError, PyVisit};

use super::call::{self, Inside, Turn};
use super::imports;

/// What is sent into a coroutine: the result of what it last yielded, or an exception.
pub type Sent = Result<Py<PyAny>, PyErr>;

/// What a coroutine does.
pub trait Turns: Send + Sync {
    /// Goes on with `sent` to the next value to yield; its end is `StopIteration`.
    fn turn(&self, py: Python<'_>, sent: Sent) -> PyResult<Py<PyAny>>;

    /// Ends it at once.
    fn close(&self, py: Python<'_>) -> PyResult<()>;

    /// Visits the Python objects held, for the garbage collector.
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError>;
}

/// A coroutine, as Python drives it.
#[pyclass(frozen, weakref, module = "langgraph_rust._engine")]
pub struct Coroutine(Box<dyn Turns>);

impl Coroutine {
    /// A coroutine that does this.
    pub fn new(turns: impl Turns + 'static) -> Self {
        Self(Box::new(turns))
    }

    fn turn(&self, py: Python<'_>, sent: Sent) -> PyResult<Py<PyAny>> {
        let _inside = Inside::enter();
        self.0.turn(py, sent)
    }
}

#[pymethods]
impl Coroutine {
    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.turn(py, Ok(py.None()))
    }

    fn send(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<Py<PyAny>> {
        self.turn(py, Ok(value))
    }

    #[pyo3(signature = (error, value=None, traceback=None))]
    fn throw(
        &self,
        py: Python<'_>,
        error: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        drop(traceback);
        self.turn(py, Err(thrown(error, value)?))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.0.close(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(&visit)
    }
}

/// Whether the object is a coroutine.
pub fn is_coroutine(value: &Bound<'_, PyAny>) -> bool {
    // SAFETY: compares the type of a live object.
    unsafe { ffi::PyCoro_CheckExact(value.as_ptr()) != 0 }
}

/// The iterator that drives an awaitable.
pub fn awaited<'py>(awaitable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if is_coroutine(awaitable) {
        return Ok(awaitable.clone());
    }
    call::call_method(awaitable, intern!(awaitable.py(), "__await__"), &[])
}

/// Goes on with an iterator or coroutine: sends the result in, or throws the exception.
pub fn go_on<'py>(iterator: &Bound<'py, PyAny>, sent: Sent) -> Turn<'py> {
    match sent {
        Ok(value) => call::send(iterator, value.bind(iterator.py())),
        Err(error) => throw(iterator, error),
    }
}

/// Throws `error` into an iterator or coroutine.
pub fn throw<'py>(iterator: &Bound<'py, PyAny>, error: PyErr) -> Turn<'py> {
    let py = iterator.py();
    let thrown = call::call_method(iterator, intern!(py, "throw"), &[error.value(py)]);
    match thrown {
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

/// Closes an iterator or coroutine, if it can be.
pub fn close(iterator: &Bound<'_, PyAny>) -> PyResult<()> {
    match iterator.getattr_opt(intern!(iterator.py(), "close"))? {
        Some(close) => call::call(&close, &[]).map(drop),
        None => Ok(()),
    }
}

/// What was thrown, in either of the forms that Python throws in.
fn thrown(error: Bound<'_, PyAny>, value: Option<Bound<'_, PyAny>>) -> PyResult<PyErr> {
    if let Some(value) = value.filter(|value| !value.is_none()) {
        return Ok(PyErr::from_value(value));
    }
    if error.is_instance_of::<PyType>() {
        return Ok(PyErr::from_value(call::call(&error, &[])?));
    }
    Ok(PyErr::from_value(error))
}

/// A cancellation, to be thrown or told.
pub fn cancellation(py: Python<'_>) -> PyResult<PyErr> {
    let class = imports::asyncio(py)?.getattr(intern!(py, "CancelledError"))?;
    Ok(PyErr::from_type(class.cast_into::<PyType>()?, ()))
}

/// Whether the exception is asyncio's cancellation, by its class.
pub fn is_cancellation(py: Python<'_>, error: &PyErr) -> bool {
    if error.is_instance_of::<PyException>(py) {
        return false;
    }
    // Before asyncio is loaded nobody can have raised one, and loading it would cost a start.
    let class = imports::cancelled_error(py);
    class.is_ok_and(|class| class.is_some_and(|class| error.is_instance(py, class)))
}
