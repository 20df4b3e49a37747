//! The event loop of async runs, as other threads reach it: results come back to it together, and
//! it is woken once for all that wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use pyo3::exceptions::{PyBaseException, PyGeneratorExit};
use pyo3::intern;
use pyo3::prelude::*;

use super::call::{call, call_method};
use super::collect::{plain_lock, Collect};
use super::imports;
use crate::collects;

/// An event loop and the results on their way to it.
pub struct EventLoop {
    object: Py<PyAny>,
    results: Mutex<Vec<Delivery>>,
}

/// A result, and the future that waits for it.
struct Delivery {
    future: Py<PyAny>,
    /// A value, or the exception.
    result: Result<Py<PyAny>, Py<PyAny>>,
}

collects!(EventLoop { object, results });
collects!(Delivery { future, result });

impl EventLoop {
    /// The loop that runs on this thread.
    pub fn running(py: Python<'_>) -> PyResult<Arc<Self>> {
        let object = call(&imports::asyncio(py)?.getattr(intern!(py, "get_running_loop"))?, &[])?;
        Ok(Arc::new(Self { object: object.unbind(), results: Mutex::default() }))
    }

    /// Tells loops that live at the same time apart.
    pub fn id(&self) -> usize {
        self.object.as_ptr() as usize
    }

    /// A future of the loop.
    pub fn create_future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        call_method(self.object.bind(py), intern!(py, "create_future"), &[])
    }

    /// Makes an asyncio task of a coroutine.
    pub fn create_task<'py>(
        &self,
        py: Python<'py>,
        coroutine: &Bound<'py, PyAny>,
        name: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let kwargs = pyo3::types::PyDict::new(py);
        kwargs.set_item(intern!(py, "name"), name)?;
        let create = self.object.bind(py).getattr(intern!(py, "create_task"))?;
        super::call::call_with(&create, &[coroutine], Some(&kwargs))
    }

    /// Has the loop call something in its next turn; from any thread.
    pub fn call_soon(&self, py: Python<'_>, callback: &Bound<'_, PyAny>) -> PyResult<()> {
        let method = intern!(py, "call_soon_threadsafe");
        call_method(self.object.bind(py), method, &[callback]).map(drop)
    }

    /// Brings a result to a future of the loop, unless that is done; from any thread.
    pub fn deliver(
        self: &Arc<Self>,
        py: Python<'_>,
        future: Py<PyAny>,
        result: PyResult<Py<PyAny>>,
    ) -> PyResult<()> {
        // As an object, which the collector sees: its traceback may lead back to the run.
        let result = result.map_err(|error| error.into_value(py).into_any());
        let first = {
            let mut results = plain_lock(&self.results);
            results.push(Delivery { future, result });
            results.len() == 1
        };
        if !first {
            return Ok(());
        }
        let deliveries = Deliveries { home: self.clone(), is_done: AtomicBool::new(false) };
        let deliveries = Bound::new(py, deliveries)?;
        self.call_soon(py, deliveries.as_any())
    }
}

/// Hands out the results, on the event loop. A loop that is closed before releases it, and with it
/// the results.
#[pyclass(frozen, module = "langgraph_rust._engine")]
struct Deliveries {
    home: Arc<EventLoop>,
    is_done: AtomicBool,
}

impl Deliveries {
    fn take(&self) -> Vec<Delivery> {
        match self.is_done.swap(true, Ordering::AcqRel) {
            // What has come since is for the next.
            true => Vec::new(),
            false => std::mem::take(&mut *plain_lock(&self.home.results)),
        }
    }
}

impl Drop for Deliveries {
    fn drop(&mut self) {
        drop(self.take());
    }
}

#[pymethods]
impl Deliveries {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        self.take().into_iter().try_for_each(|delivery| hand_out(py, delivery))
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.home.collect(&visit)
    }
}

fn hand_out(py: Python<'_>, delivery: Delivery) -> PyResult<()> {
    let future = delivery.future.bind(py);
    if is_done(future)? {
        return Ok(());
    }
    match delivery.result {
        Ok(value) => call_method(future, intern!(py, "set_result"), &[value.bind(py)]),
        Err(error) => {
            let error = carried(py, error.bind(py));
            call_method(future, intern!(py, "set_exception"), &[&error])?;
            // Seen, even if whoever waits is cancelled this very moment: asyncio would complain.
            call_method(future, intern!(py, "exception"), &[])
        }
    }
    .map(drop)
}

pyo3::create_exception!(
    langgraph_rust._engine,
    Carried,
    PyBaseException,
    "Brings a `GeneratorExit`, which is its cause, through whatever awaits it."
);

/// The error that a future is given. `GeneratorExit` would close all that awaits the future, the run
/// first of all, before anything of it is stored.
fn carried<'py>(py: Python<'py>, error: &Bound<'py, PyAny>) -> Bound<'py, PyAny> {
    if !error.is_instance_of::<PyGeneratorExit>() {
        return error.clone();
    }
    let carried = Carried::new_err(());
    carried.set_cause(py, Some(PyErr::from_value(error.clone())));
    carried.into_value(py).into_bound(py).into_any()
}

/// The error that comes out of what was awaited.
pub fn uncarried(py: Python<'_>, error: PyErr) -> PyErr {
    match error.is_instance_of::<Carried>(py) {
        true => error.cause(py).unwrap_or(error),
        false => error,
    }
}

/// Whether a future is done.
pub fn is_done(future: &Bound<'_, PyAny>) -> PyResult<bool> {
    call_method(future, intern!(future.py(), "done"), &[])?.is_truthy()
}

/// Whether this very loop runs on this thread.
pub fn runs_here(event_loop: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(running_here(event_loop.py())?.is_some_and(|running| running.is(event_loop)))
}

/// The loop that runs on this thread, if one does. Does not load asyncio.
pub fn running_here(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    let modules = imports::sys(py)?.getattr(intern!(py, "modules"))?;
    let Ok(events) = modules.get_item(intern!(py, "asyncio.events")) else { return Ok(None) };
    let running = call_method(&events, intern!(py, "_get_running_loop"), &[])?;
    Ok((!running.is_none()).then_some(running))
}

/// A function that resolves a future unless it is done.
pub fn resolver(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    imports::engine(py)?.getattr(intern!(py, "_resolve"))
}

/// Resolves a future with `None` unless it is done.
#[pyfunction]
#[pyo3(name = "_resolve")]
pub fn resolve(future: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = future.py();
    if !is_done(future)? {
        call_method(future, intern!(py, "set_result"), &[py.None().bind(py)])?;
    }
    Ok(())
}
