//! Sync code of an async run leaves the event loop: it runs on a worker, in a copied context, and
//! its result comes back to a future. A run that has nothing else to do waits a moment for it on
//! the spot: giving way to the event loop and being woken by it takes longer than quick code.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::prelude::*;

use super::call::{call, detached};
use super::collect::plain_lock;
use super::context::Context;
use super::event_loop::{is_done, EventLoop};
use super::pool::hand_over::{look_out, note};
use super::pool::{self, Next};
use super::threads;

/// How long an async run that has nothing else to do waits for quick sync code.
const MOMENT: Duration = Duration::from_micros(100);

/// What is known of how long some sync code takes.
#[pyclass(frozen, module = "langgraph_rust._engine")]
#[derive(Default)]
pub struct Pace {
    /// How often in a row it was not done in a moment.
    slow: AtomicU32,
}

#[pymethods]
impl Pace {
    #[new]
    fn new() -> Self {
        Self::default()
    }
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
struct Slot {
    content: Mutex<Content>,
    bell: Condvar,
}

#[derive(Default)]
enum Content {
    #[default]
    Nothing,
    /// A result, and how long the code took.
    Result(PyResult<Py<PyAny>>, Duration),
    /// Whoever waited went away; the result is to go to this future.
    Redirected(Py<PyAny>),
}

/// Runs `code` on a worker, in a copy of the current context. With the pace of code that the run
/// has nothing to do beside, it may wait a moment for the result, without the interpreter.
pub fn run(
    py: Python<'_>,
    home: &Arc<EventLoop>,
    code: &Bound<'_, PyAny>,
    pace: Option<&Pace>,
    shares_places: bool,
) -> PyResult<Offloaded> {
    let handed_over = Instant::now();
    let context = Context::copied(py)?;
    let slot = Arc::new(Slot::default());
    let (code, theirs, their_home) = (code.clone().unbind(), slot.clone(), home.clone());
    let next = if pace.is_some() { Next::Soon } else { Next::Unknown };
    let work = move |py: Python<'_>| {
        if theirs.is_unwanted(py) {
            return next;
        }
        let began = Instant::now();
        let result = context
            .enter(py)
            .and_then(|_entered| call(code.bind(py), &[]).map(Bound::unbind))
            .map_err(|error| raisable(py, error));
        // Released here, on the worker: what the node left behind must not burden the loop.
        drop(code);
        // A loop that was closed meanwhile has nobody to tell.
        drop(theirs.fill(py, &their_home, result, began.elapsed()));
        next
    };
    match shares_places {
        true => pool::submit_placed(py, home.id(), Box::new(work))?,
        false => pool::submit(py, pool::at_once(work))?,
    }
    if let Some(pace) = pace {
        if pace.may_be_quick() && !threads::are_cooperative(py)? {
            detached(py, || slot.wait());
        }
        let done = slot.take();
        pace.note(done.is_some());
        if let Some((result, worked)) = done {
            note(handed_over.elapsed().saturating_sub(worked));
            return result.map(Offloaded::Done);
        }
    }
    let future = home.create_future(py)?.unbind();
    match slot.redirect(future.clone_ref(py)) {
        Some(result) => result.map(Offloaded::Done),
        None => Ok(Offloaded::Future(future)),
    }
}

/// Has a worker call `code` in a copy of the current context; a future of the running event loop.
/// A few dozen such calls run at the same time, and any number of those that wait for tasks that
/// they have called.
#[pyfunction]
pub fn call_on_worker(py: Python<'_>, code: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let home = EventLoop::running(py)?;
    let done = match run(py, &home, code, None, true) {
        Ok(Offloaded::Future(future)) => return Ok(future),
        Ok(Offloaded::Done(value)) => Ok(value),
        Err(error) => Err(error),
    };
    let future = home.create_future(py)?.unbind();
    home.deliver(py, future.clone_ref(py), done)?;
    Ok(future)
}

/// The same with the pace of the code, for a caller who has nothing else to do: waits a moment for
/// the result if that may come so soon. Returns whether it did, and the result or a future of it.
#[pyfunction]
pub fn call_paced(
    py: Python<'_>,
    code: &Bound<'_, PyAny>,
    pace: &Bound<'_, Pace>,
) -> PyResult<(bool, Py<PyAny>)> {
    Ok(match run(py, &EventLoop::running(py)?, code, Some(pace.get()), true)? {
        Offloaded::Done(value) => (true, value),
        Offloaded::Future(future) => (false, future),
    })
}

impl Slot {
    /// Waits a moment for a result. Must be called detached.
    fn wait(&self) {
        let is_empty = |content: &mut Content| matches!(content, Content::Nothing);
        let look = || (!is_empty(&mut *self.content.try_lock().ok()?)).then_some(());
        if look_out(look).is_none() {
            drop(self.bell.wait_timeout_while(plain_lock(&self.content), MOMENT, is_empty));
        }
    }

    fn take(&self) -> Option<(PyResult<Py<PyAny>>, Duration)> {
        let mut content = plain_lock(&self.content);
        match std::mem::take(&mut *content) {
            Content::Result(result, worked) => Some((result, worked)),
            other => {
                *content = other;
                None
            }
        }
    }

    /// Whether whoever waited was cancelled before the code began: then it does not begin.
    fn is_unwanted(&self, py: Python<'_>) -> bool {
        let future = match &*plain_lock(&self.content) {
            Content::Redirected(future) => future.clone_ref(py),
            Content::Nothing | Content::Result(..) => return false,
        };
        is_done(future.bind(py)).unwrap_or(false)
    }

    /// Has the result go to `future`, unless it is here.
    fn redirect(&self, future: Py<PyAny>) -> Option<PyResult<Py<PyAny>>> {
        let mut content = plain_lock(&self.content);
        match std::mem::replace(&mut *content, Content::Redirected(future)) {
            Content::Result(result, _) => Some(result),
            _ => None,
        }
    }

    fn fill(
        &self,
        py: Python<'_>,
        home: &Arc<EventLoop>,
        result: PyResult<Py<PyAny>>,
        worked: Duration,
    ) -> PyResult<()> {
        let mut content = plain_lock(&self.content);
        match std::mem::take(&mut *content) {
            Content::Redirected(future) => {
                drop(content);
                home.deliver(py, future, result)
            }
            _ => {
                *content = Content::Result(result, worked);
                self.bell.notify_one();
                Ok(())
            }
        }
    }
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
