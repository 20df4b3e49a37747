//! Sync code of an async run leaves the event loop.

use pyo3::intern;
use pyo3::prelude::*;

/// Runs `call` on a thread, in a copy of the current context; returns a future of the result.
pub fn run(py: Python<'_>, call: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let context = crate::interpreter::copied_context(py)?;
    let event_loop =
        py.import(intern!(py, "asyncio"))?.call_method0(intern!(py, "get_running_loop"))?;
    let enter = context.bind(py).getattr(intern!(py, "run"))?;
    let method = intern!(py, "run_in_executor");
    Ok(event_loop.call_method1(method, (py.None(), enter, call))?.unbind())
}

/// A function that resolves a future unless it is done.
pub fn resolver(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    py.import(intern!(py, "langgraph_rust._engine"))?.getattr(intern!(py, "_resolve"))
}

/// Resolves a future with `None` unless it is done.
#[pyfunction]
#[pyo3(name = "_resolve")]
pub fn resolve(future: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = future.py();
    if !future.call_method0(intern!(py, "done"))?.is_truthy()? {
        future.call_method1(intern!(py, "set_result"), (py.None(),))?;
    }
    Ok(())
}
