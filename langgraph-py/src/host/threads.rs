//! Threads as Python starts them.
//!
//! gevent and eventlet can replace the function that starts threads, so that what Python calls a
//! thread is a greenlet: such threads are *cooperative*, all of them on one thread of the system,
//! and whoever blocks that blocks them all. Waiting must then be done with Python's own means,
//! which are replaced as well.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict};

use super::call::{call, call_method, call_with};
use super::imports;

/// Whether what Python calls a thread is a greenlet.
pub fn are_cooperative(py: Python<'_>) -> PyResult<bool> {
    let start = imports::thread(py)?.getattr(intern!(py, "start_new_thread"))?;
    Ok(!start.is_instance_of::<PyCFunction>())
}

/// Starts a thread that calls `target`.
pub fn start<'py>(py: Python<'py>, target: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let kwargs = PyDict::new(py);
    kwargs.set_item("target", target)?;
    kwargs.set_item("name", "langgraph-worker")?;
    kwargs.set_item("daemon", true)?;
    let class = imports::threading(py)?.getattr(intern!(py, "Thread"))?;
    let thread = call_with(&class, &[], Some(&kwargs))?;
    call_method(&thread, intern!(py, "start"), &[])?;
    Ok(thread)
}

/// An event that cooperative threads can wait for.
pub fn event(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    call(&imports::threading(py)?.getattr(intern!(py, "Event"))?, &[])
}

/// Whether this is the thread that Python's signal handlers run on.
pub fn is_main(py: Python<'_>) -> PyResult<bool> {
    let threading = imports::threading(py)?;
    let main = call(&threading.getattr(intern!(py, "main_thread"))?, &[])?;
    let here = call(&threading.getattr(intern!(py, "get_ident"))?, &[])?;
    main.getattr(intern!(py, "ident"))?.eq(here)
}
