//! What savers of async runs are at.

use std::sync::{Arc, Mutex};

use langgraph_rust_pregel::Ticket;
use pyo3::intern;
use pyo3::prelude::*;

use super::act;
use crate::collects;
use crate::host::call::{call, call_method};
use crate::host::collect::plain_lock;
use crate::host::event_loop::is_done;
use crate::host::imports;
use crate::run::board::Announcement;
use crate::task::Run;

/// The storing that is under way.
#[derive(Default)]
pub struct Storing {
    /// The asyncio tasks of savers, which the event loop does not keep alive.
    tasks: Vec<Py<PyAny>>,
    /// Held once more by each whose end the engine has not been told.
    untold: Arc<()>,
}

collects!(Storing { tasks });

impl Storing {
    /// Has the event loop run a saver's coroutine; the engine is told of its end.
    pub fn begin(
        &mut self,
        py: Python<'_>,
        run: &Arc<Run>,
        ticket: Ticket,
        coroutine: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let task =
            call(&imports::asyncio(py)?.getattr(intern!(py, "ensure_future"))?, &[coroutine])?;
        let untold = Mutex::new(Some(Untold::Counted { _count: self.untold.clone() }));
        let done = Bound::new(py, Stored { run: run.clone(), ticket, untold })?;
        call_method(&task, intern!(py, "add_done_callback"), &[done.as_any()])?;
        self.tasks.push(task.unbind());
        Ok(())
    }

    /// Whether the engine has been told the end of all of it.
    pub fn is_over(&mut self, py: Python<'_>) -> bool {
        self.tasks.retain(|task| !is_done(task.bind(py)).unwrap_or(true));
        Arc::strong_count(&self.untold) == 1
    }
}

/// The same for one that the driver did not begin. Until it is over somebody is at work.
pub fn begin_alone(
    py: Python<'_>,
    run: &Arc<Run>,
    ticket: Ticket,
    coroutine: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let task = call(&imports::asyncio(py)?.getattr(intern!(py, "ensure_future"))?, &[coroutine])?;
    let untold = Mutex::new(Some(Untold::Alone(run.board.announce())));
    let done = Bound::new(py, Stored { run: run.clone(), ticket, untold })?;
    call_method(&task, intern!(py, "add_done_callback"), &[done.as_any()])?;
    let mut core = run.core(py)?;
    core.savers.retain(|task| !is_done(task.bind(py)).unwrap_or(true));
    core.savers.push(task.unbind());
    Ok(())
}

/// What is held until the engine has been told.
enum Untold {
    /// Of what the driver began.
    Counted { _count: Arc<()> },
    /// Of what it did not begin.
    Alone(Announcement),
}

/// Called when a saver's task is done.
#[pyclass(frozen, module = "langgraph_rust._engine")]
struct Stored {
    run: Arc<Run>,
    ticket: Ticket,
    untold: Mutex<Option<Untold>>,
}

#[pymethods]
impl Stored {
    fn __call__(&self, py: Python<'_>, task: &Bound<'_, PyAny>) -> PyResult<()> {
        let result = call_method(task, intern!(py, "result"), &[]);
        let untold = plain_lock(&self.untold).take();
        // What the driver began it counts as over when it is told of it.
        let alone = match untold {
            Some(Untold::Alone(announcement)) => Some(announcement),
            Some(Untold::Counted { .. }) | None => None,
        };
        let told = act::stored(py, &self.run, self.ticket, result.map(drop));
        drop(alone);
        told?;
        self.run.board.waker.wake();
        Ok(())
    }
}
