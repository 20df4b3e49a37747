//! Sync code of an async run leaves the event loop: it runs on a worker, in a copied context, and
//! its result comes back by a letter. The loop is woken once for all letters that lie there.

use std::sync::{Arc, Mutex};

use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;

use crate::interpreter::{self, Entered};
use crate::pool;
use crate::run::Run;

/// Results on their way back to the event loop.
#[derive(Default)]
pub struct Mailbox {
    letters: Mutex<Vec<Letter>>,
}

struct Letter {
    future: Py<PyAny>,
    result: PyResult<Py<PyAny>>,
}

/// Runs `call` on a worker, in a copy of the current context; returns a future of the result.
pub fn run(py: Python<'_>, run: &Arc<Run>, call: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let context = interpreter::copied_context(py)?;
    let home = run.context.event_loop.as_ref().expect("an async run has one").bind(py);
    let future = home.call_method0(intern!(py, "create_future"))?.unbind();
    let (run, call, letter_to) = (run.clone(), call.clone().unbind(), future.clone_ref(py));
    pool::submit(
        py,
        pool::at_once(move |py| {
            let result = Entered::again(py, &context)
                .and_then(|_entered| call.bind(py).call0().map(Bound::unbind));
            // Released here, on the worker: what the node left behind must not burden the loop.
            drop(call);
            if let Err(error) = post(py, &run, Letter { future: letter_to, result }) {
                // A loop that was closed meanwhile has nobody to tell.
                drop(error);
            }
        }),
    )?;
    Ok(future)
}

fn post(py: Python<'_>, run: &Arc<Run>, letter: Letter) -> PyResult<()> {
    let first = {
        let mut letters = run.mailbox.letters.lock().expect("no panic while held");
        letters.push(letter);
        letters.len() == 1
    };
    if !first {
        return Ok(());
    }
    let home = run.context.event_loop.as_ref().expect("an async run has one").bind(py);
    let delivery = Py::new(py, Delivery { run: run.clone() })?;
    home.call_method1(intern!(py, "call_soon_threadsafe"), (delivery,))?;
    Ok(())
}

/// Hands out the letters, on the event loop.
#[pyclass(frozen, module = "langgraph_rust._engine")]
struct Delivery {
    run: Arc<Run>,
}

#[pymethods]
impl Delivery {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let letters = {
            let mut letters = self.run.mailbox.letters.lock().expect("no panic while held");
            std::mem::take(&mut *letters)
        };
        letters.into_iter().try_for_each(|letter| deliver(py, letter))
    }
}

fn deliver(py: Python<'_>, letter: Letter) -> PyResult<()> {
    let future = letter.future.bind(py);
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Ok(());
    }
    match letter.result {
        Ok(value) => future.call_method1(intern!(py, "set_result"), (value,))?,
        Err(error) => {
            let error = raisable(py, error);
            future.call_method1(intern!(py, "set_exception"), (error.value(py),))?
        }
    };
    Ok(())
}

/// A future refuses `StopIteration`, which would end the coroutine that awaits it.
fn raisable(py: Python<'_>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyStopIteration>(py) {
        return error;
    }
    let wrapped = PyRuntimeError::new_err("A node of an async run raised StopIteration");
    wrapped.set_cause(py, Some(error));
    wrapped
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
