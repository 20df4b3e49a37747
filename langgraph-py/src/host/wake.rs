//! Waking whoever waits for a run: a thread, a greenlet, or a task of an event loop.

use std::sync::{Condvar, Mutex};
use std::time::Instant;

use pyo3::intern;
use pyo3::prelude::*;

use super::call::{call_method, detached};
use super::collect::plain_lock;
use super::event_loop::{self, resolver, runs_here};
use super::imports;
use super::threads;

/// A bell that threads and event loops can wait for. Ringing while nobody waits is remembered.
#[derive(Default)]
pub struct Waker {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    rung: bool,
    /// Threads that wait: ringing for nobody would still cost a system call.
    sleepers: usize,
    waiting: Option<Waiting>,
}

/// Who waits by means of Python.
enum Waiting {
    /// A task of an event loop: the loop and the future that it awaits.
    Task(Py<PyAny>, Py<PyAny>),
    /// A greenlet: the event that it waits for.
    Greenlet(Py<PyAny>),
}

impl Waker {
    /// Rings the bell. May be called from any thread that can attach to the interpreter.
    pub fn wake(&self) {
        let waiting = {
            let mut state = plain_lock(&self.state);
            // A future that is resolved has heard the bell.
            state.rung = !matches!(state.waiting, Some(Waiting::Task(..)));
            if state.sleepers > 0 {
                self.bell.notify_all();
            }
            state.waiting.take()
        };
        if let Some(waiting) = waiting {
            // A loop that was closed meanwhile has nobody to wake.
            Python::attach(|py| drop(waiting.wake(py)));
        }
    }

    /// Whether it has rung, and nobody has heard it yet.
    pub fn has_rung(&self) -> bool {
        plain_lock(&self.state).rung
    }

    /// Waits for the bell until `deadline`; tells whether it rang.
    pub fn wait(&self, py: Python<'_>, deadline: Option<Instant>) -> PyResult<bool> {
        if threads::are_cooperative(py)? {
            return self.wait_cooperatively(py, deadline);
        }
        Ok(detached(py, || self.wait_detached(deadline)))
    }

    fn wait_detached(&self, deadline: Option<Instant>) -> bool {
        let mut state = plain_lock(&self.state);
        while !state.rung {
            state.sleepers += 1;
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            state = match left {
                None => self.bell.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner()),
                Some(left) => {
                    let waited = self.bell.wait_timeout(state, left);
                    waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0
                }
            };
            state.sleepers -= 1;
            if !state.rung && left.is_some_and(|left| left.is_zero()) {
                return false;
            }
        }
        state.rung = false;
        true
    }

    fn wait_cooperatively(&self, py: Python<'_>, deadline: Option<Instant>) -> PyResult<bool> {
        let event = threads::event(py)?;
        {
            let mut state = plain_lock(&self.state);
            if std::mem::take(&mut state.rung) {
                return Ok(true);
            }
            state.waiting = Some(Waiting::Greenlet(event.clone().unbind()));
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.map(|left| left.as_secs_f64()).into_pyobject(py)?;
        call_method(&event, intern!(py, "wait"), &[&left])?;
        let mut state = plain_lock(&self.state);
        let waiting = state.waiting.take();
        let rang = std::mem::take(&mut state.rung);
        drop(state);
        drop(waiting);
        Ok(rang)
    }

    /// A future of the running loop that resolves when the bell rings; `None` if it rang already.
    pub fn future<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let asyncio = imports::asyncio(py)?;
        let running = call_method(asyncio, intern!(py, "get_running_loop"), &[])?;
        let future = call_method(&running, intern!(py, "create_future"), &[])?;
        let mut state = plain_lock(&self.state);
        if std::mem::take(&mut state.rung) {
            return Ok(None);
        }
        let waiting = Waiting::Task(running.unbind(), future.clone().unbind());
        let before = state.waiting.replace(waiting);
        drop(state);
        drop(before);
        Ok(Some(future))
    }
}

impl Waiting {
    fn wake(self, py: Python<'_>) -> PyResult<()> {
        match self {
            // A loop that runs on this very thread is told directly.
            Waiting::Task(home, future) if runs_here(home.bind(py))? => {
                event_loop::resolve(future.bind(py))
            }
            Waiting::Task(home, future) => {
                let method = intern!(py, "call_soon_threadsafe");
                let arguments = [&resolver(py)?, future.bind(py)];
                call_method(home.bind(py), method, &arguments).map(drop)
            }
            Waiting::Greenlet(event) => {
                call_method(event.bind(py), intern!(py, "set"), &[]).map(drop)
            }
        }
    }
}
