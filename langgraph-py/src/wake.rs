//! Waking whoever waits for a run: a thread, or a task of an event loop.

use std::sync::{Condvar, LazyLock, Mutex};
use std::time::{Duration, Instant};

use pyo3::intern;
use pyo3::prelude::*;

/// How long a thread looks out for something before it sleeps: waking it takes about as long.
const SPIN: Duration = Duration::from_micros(30);

/// Looks out for something for a moment, without sleeping; not at all where there is but one
/// processor, since whoever is to bring it needs that.
pub fn look_out<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    static SPINS: LazyLock<bool> =
        LazyLock::new(|| std::thread::available_parallelism().is_ok_and(|n| n.get() > 1));
    let began = Instant::now();
    while *SPINS && began.elapsed() < SPIN {
        if let Some(found) = look() {
            return Some(found);
        }
        std::hint::spin_loop();
    }
    None
}

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
    future: Option<(Py<PyAny>, Py<PyAny>)>,
}

impl Waker {
    /// Rings the bell. Needs no attached thread unless an event loop waits.
    pub fn wake(&self) {
        let waiting = {
            let mut state = self.state.lock().expect("no panic while held");
            // A future that is resolved has heard the bell.
            state.rung = state.future.is_none();
            if state.sleepers > 0 {
                self.bell.notify_all();
            }
            state.future.take()
        };
        if let Some((event_loop, future)) = waiting {
            Python::attach(|py| {
                let resolve = || -> PyResult<()> {
                    let resolver = crate::offload::resolver(py)?;
                    let call = intern!(py, "call_soon_threadsafe");
                    event_loop.bind(py).call_method1(call, (resolver, &future))?;
                    Ok(())
                };
                // A loop that was closed meanwhile has nobody to wake.
                drop(resolve());
            });
        }
    }

    /// Rings the bell from Python; a loop that runs on this very thread is told directly.
    pub fn wake_here(&self, py: Python<'_>) -> PyResult<()> {
        let waiting = {
            let mut state = self.state.lock().expect("no panic while held");
            state.rung = state.future.is_none();
            if state.sleepers > 0 {
                self.bell.notify_all();
            }
            state.future.take()
        };
        let Some((event_loop, future)) = waiting else { return Ok(()) };
        let events = py.import(intern!(py, "asyncio.events"))?;
        let running = events.call_method0(intern!(py, "_get_running_loop"))?;
        if running.is(&event_loop) {
            return crate::offload::resolve(future.bind(py));
        }
        let resolver = crate::offload::resolver(py)?;
        let call = intern!(py, "call_soon_threadsafe");
        event_loop.bind(py).call_method1(call, (resolver, &future))?;
        Ok(())
    }

    /// Waits for the bell until `deadline`; tells whether it rang. Must be called detached.
    pub fn wait(&self, deadline: Option<Instant>) -> bool {
        let mut state = self.state.lock().expect("no panic while held");
        while !state.rung {
            state.sleepers += 1;
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            state = match left {
                None => self.bell.wait(state).expect("no panic while held"),
                Some(left) => self.bell.wait_timeout(state, left).expect("no panic while held").0,
            };
            state.sleepers -= 1;
            if !state.rung && left.is_some_and(|left| left.is_zero()) {
                return false;
            }
        }
        state.rung = false;
        true
    }

    /// A future of the running loop that resolves when the bell rings; `None` if it rang already.
    pub fn future<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let event_loop =
            py.import(intern!(py, "asyncio"))?.call_method0(intern!(py, "get_running_loop"))?;
        let future = event_loop.call_method0(intern!(py, "create_future"))?;
        let mut state = self.state.lock().expect("no panic while held");
        if std::mem::take(&mut state.rung) {
            return Ok(None);
        }
        state.future = Some((event_loop.unbind(), future.clone().unbind()));
        Ok(Some(future))
    }
}
