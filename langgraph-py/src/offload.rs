//! Sync code of an async run leaves the event loop: it runs on a worker, in a copied context, and
//! its result comes back by a letter. The loop is woken once for all letters that lie there.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;

use crate::interpreter::{self, Entered, ParkIfLost};
use crate::pool::{self, Next};
use crate::run::Run;
use crate::wake::look_out;

/// Results on their way back to the event loop.
#[derive(Default)]
pub struct Mailbox {
    letters: Mutex<Vec<Letter>>,
}

struct Letter {
    future: Py<PyAny>,
    result: PyResult<Py<PyAny>>,
}

/// How long an async run that has nothing else to do waits for quick sync code on the spot: giving
/// way to the event loop and being woken by it takes about as long.
const MOMENT: Duration = Duration::from_micros(100);

/// What is known of how long a node's sync code takes.
#[derive(Default)]
pub struct Pace {
    /// How often in a row it was not done in a moment.
    slow: AtomicU32,
}

impl Pace {
    /// Whether the code may be done in a moment: always so at first, later tried now and then.
    fn may_be_quick(&self) -> bool {
        let slow = self.slow.load(Ordering::Relaxed);
        slow < 3 || slow % 64 == 0
    }

    fn note(&self, quick: bool) {
        match quick {
            true => self.slow.store(0, Ordering::Relaxed),
            false => drop(self.slow.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

/// What became of sync code so far.
pub enum Offloaded {
    /// It is done already.
    Done(Py<PyAny>),
    /// A future of its result.
    Future(Py<PyAny>),
}

/// Where a worker leaves a result.
#[derive(Default)]
struct Tray {
    content: Mutex<Content>,
    bell: Condvar,
}

#[derive(Default)]
enum Content {
    #[default]
    Nothing,
    Result(PyResult<Py<PyAny>>),
    /// Whoever waited went away; the result is to go to this future.
    Redirected(Py<PyAny>),
}

/// Runs `call` on a worker, in a copy of the current context. With the pace of code that the run
/// has nothing to do beside, it may wait a moment for the result, without the interpreter.
pub fn run(
    py: Python<'_>,
    run: &Arc<Run>,
    call: &Bound<'_, PyAny>,
    pace: Option<&Pace>,
) -> PyResult<Offloaded> {
    let context = interpreter::copied_context(py)?;
    let tray = Arc::new(Tray::default());
    let (run_of, call, theirs) = (run.clone(), call.clone().unbind(), tray.clone());
    let next = if pace.is_some() { Next::Soon } else { Next::Unknown };
    pool::submit(
        py,
        pool::at_once(move |py| {
            let result = Entered::again(py, &context)
                .and_then(|_entered| call.bind(py).call0().map(Bound::unbind))
                .map_err(|error| raisable(py, error));
            // Released here, on the worker: what the node left behind must not burden the loop.
            drop(call);
            if let Err(error) = theirs.fill(py, &run_of, result) {
                // A loop that was closed meanwhile has nobody to tell.
                drop(error);
            }
            next
        }),
    )?;
    if let Some(pace) = pace {
        if pace.may_be_quick() {
            let _parked = ParkIfLost;
            py.detach(|| tray.wait());
        }
        let result = tray.take();
        pace.note(result.is_some());
        if let Some(result) = result {
            return result.map(Offloaded::Done);
        }
    }
    let home = run.context.event_loop.as_ref().expect("an async run has one").bind(py);
    let future = home.call_method0(intern!(py, "create_future"))?.unbind();
    match tray.redirect(future.clone_ref(py)) {
        Some(result) => result.map(Offloaded::Done),
        None => Ok(Offloaded::Future(future)),
    }
}

impl Tray {
    /// Waits a moment for a result. Must be called detached.
    fn wait(&self) {
        let is_empty = |content: &mut Content| matches!(content, Content::Nothing);
        let look = || (!is_empty(&mut *self.content.try_lock().ok()?)).then_some(());
        if look_out(look).is_none() {
            let content = self.content.lock().expect("no panic while held");
            drop(self.bell.wait_timeout_while(content, MOMENT, is_empty));
        }
    }

    fn take(&self) -> Option<PyResult<Py<PyAny>>> {
        let mut content = self.content.lock().expect("no panic while held");
        match std::mem::take(&mut *content) {
            Content::Result(result) => Some(result),
            other => {
                *content = other;
                None
            }
        }
    }

    /// Has the result go to `future`, unless it is here.
    fn redirect(&self, future: Py<PyAny>) -> Option<PyResult<Py<PyAny>>> {
        let mut content = self.content.lock().expect("no panic while held");
        match std::mem::replace(&mut *content, Content::Redirected(future)) {
            Content::Result(result) => Some(result),
            _ => None,
        }
    }

    fn fill(&self, py: Python<'_>, run: &Arc<Run>, result: PyResult<Py<PyAny>>) -> PyResult<()> {
        let mut content = self.content.lock().expect("no panic while held");
        match std::mem::take(&mut *content) {
            Content::Redirected(future) => {
                drop(content);
                post(py, run, Letter { future, result })
            }
            _ => {
                *content = Content::Result(result);
                self.bell.notify_one();
                Ok(())
            }
        }
    }
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
        Err(error) => future.call_method1(intern!(py, "set_exception"), (error.value(py),))?,
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
