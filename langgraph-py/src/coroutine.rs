//! Coroutines that the engine makes: a run to be awaited, a node of its own asyncio task.

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::interpreter::thrown;

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
        self.0.turn(py, Ok(py.None()))
    }

    fn send(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<Py<PyAny>> {
        self.0.turn(py, Ok(value))
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
        self.0.turn(py, Err(thrown(error, value)?))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.0.close(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(&visit)
    }
}
