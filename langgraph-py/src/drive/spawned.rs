//! A node as an asyncio task of its own: one of several of its superstep, or one that was called.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use langgraph_rust_pregel::{TaskKey, TaskOutcome};
use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use super::asked::of_new_task;
use super::inline::{Inline, Progress};
use super::perform::{caught, panic_if_armed};
use super::{act, early, sync};
use crate::collects;
use crate::host::call::{call_method, Turn as CoroutineTurn};
use crate::host::collect::{plain_lock, Collect};
use crate::host::coroutine::{
    self, awaited, cancellation, go_on, is_cancellation, Coroutine, Sent, Turns,
};
use crate::host::imports;
use crate::run::board::{Order, Place, Report};
use crate::task::called::{is_withdrawn, next_attempt};
use crate::task::node::NodeRun;
use crate::task::report::report;
use crate::task::{outcome, Run};

/// Starts a task that has a place.
pub fn start(py: Python<'_>, run: &Arc<Run>, order: Order, place: Place) -> PyResult<()> {
    let key = order.key;
    if is_withdrawn(py, run, key)? {
        drop(place);
        return report(py, run, Report { key, outcome: TaskOutcome::Cancelled(None) });
    }
    match spawn(py, run, order, place) {
        Ok(task) => {
            run.core(py)?.keep(key).asyncio_task = Some(task);
            Ok(())
        }
        Err(error) => report(py, run, outcome::unprepared(py, key, error)),
    }
}

/// Starts the tasks that wait, as far as there are places.
fn start_waiting(py: Python<'_>, run: &Arc<Run>) -> PyResult<()> {
    while let Some((order, place)) = run.board.take() {
        start(py, run, order, place)?;
    }
    Ok(())
}

/// Makes an asyncio task for a node.
fn spawn(py: Python<'_>, run: &Arc<Run>, order: Order, place: Place) -> PyResult<Py<PyAny>> {
    let Some(home) = &run.context.event_loop else { return Err(sync::over()) };
    let node = NodeRun::ready(py, run, order.key, &order.context)?;
    let name = node.name(py);
    let state = NodeState::Fresh(Box::new(node), order.delay);
    let turns = NodeTurns {
        state: Mutex::new(Some(state)),
        key: order.key,
        place: Mutex::new(Some((order, place))),
        run: run.clone(),
        is_told: AtomicBool::new(false),
    };
    // The coroutine enters the node's context at each turn, as an inline node does.
    let coroutine = Bound::new(py, Coroutine::new(turns))?;
    Ok(home.create_task(py, coroutine.as_any(), name.bind(py))?.unbind())
}

/// Has tasks that wait started in the loop's next turn, after what their caller wrote has been
/// shown; from any thread.
pub fn start_soon(py: Python<'_>, run: &Arc<Run>) -> PyResult<()> {
    let Some(home) = &run.context.event_loop else { return Err(sync::over()) };
    let start = Bound::new(py, StartWaiting { run: run.clone() })?;
    home.call_soon(py, start.as_any())
}

/// Called in the loop's next turn.
#[pyclass(frozen, module = "langgraph_rust._engine")]
struct StartWaiting {
    run: Arc<Run>,
}

#[pymethods]
impl StartWaiting {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        start_waiting(py, &self.run)
    }
}

/// Cancels the asyncio task that a task is, if it is one.
pub fn cancel(py: Python<'_>, run: &Run, key: TaskKey) -> PyResult<()> {
    let task = {
        let core = run.core(py)?;
        let task = core.kept(key).and_then(|kept| kept.asyncio_task.as_ref());
        task.map(|task| task.clone_ref(py))
    };
    match task {
        Some(task) => call_method(task.bind(py), intern!(py, "cancel"), &[]).map(drop),
        None => Ok(()),
    }
}

/// Cancels all asyncio tasks of the superstep.
pub fn cancel_all(py: Python<'_>, run: &Run) -> PyResult<()> {
    let keys: Vec<TaskKey> = run.core(py)?.all_kept().map(|(key, _)| *key).collect();
    keys.into_iter().try_for_each(|key| cancel(py, run, key))
}

/// What the coroutine of a node's asyncio task does.
struct NodeTurns {
    state: Mutex<Option<NodeState>>,
    /// The place that it runs in, and the order that a called task is given again for its next
    /// attempt: it runs in the same context.
    place: Mutex<Option<(Order, Place)>>,
    run: Arc<Run>,
    key: TaskKey,
    /// Whether it has heard of its cancellation.
    is_told: AtomicBool,
}

enum NodeState {
    Fresh(Box<NodeRun>, Duration),
    Sleeping(Box<NodeRun>, Py<PyAny>),
    Waiting(Box<Inline>),
}

collects!(
    enum NodeState {
        Fresh(node, delay),
        Sleeping(node, iterator),
        Waiting(inline),
    }
);

impl Turns for NodeTurns {
    fn turn(&self, py: Python<'_>, sent: Sent) -> PyResult<Py<PyAny>> {
        let Some(state) = plain_lock(&self.state).take() else {
            return Err(PyRuntimeError::new_err("cannot reuse already awaited coroutine"));
        };
        if matches!(&sent, Err(error) if is_cancellation(py, error)) {
            self.is_told.store(true, Ordering::Relaxed);
        }
        match caught(py, &self.run, self.key, || self.advance(py, state, sent)) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(done)) => self.end(py, done),
            // Whatever goes wrong is told: the run would wait for this task for ever.
            Err(error) => self.end(py, outcome::unprepared(py, self.key, error)),
        }
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let state = plain_lock(&self.state).take();
        let place = plain_lock(&self.place).take();
        drop(place);
        match state {
            Some(NodeState::Waiting(mut inline)) => inline.close(py),
            Some(NodeState::Sleeping(_, iterator)) => coroutine::close(iterator.bind(py)),
            Some(NodeState::Fresh(..)) | None => Ok(()),
        }
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.state.collect(visit)
    }
}

/// What a turn gives: a value to yield, or the end of the node.
type Given = Result<Py<PyAny>, Report>;

impl NodeTurns {
    fn put(&self, state: NodeState) {
        *plain_lock(&self.state) = Some(state);
    }

    fn advance(&self, py: Python<'_>, state: NodeState, sent: Sent) -> PyResult<Given> {
        match state {
            NodeState::Fresh(node, delay) => match sent {
                Ok(_) if delay.is_zero() => self.begin(py, *node),
                Ok(_) => self.sleep(py, node, delay),
                Err(error) => Ok(Err(self.stopped(py, *node, error))),
            },
            NodeState::Sleeping(node, iterator) => self.sleep_on(py, node, iterator, sent),
            NodeState::Waiting(inline) => self.wait_on(py, inline, sent),
        }
    }

    fn sleep(&self, py: Python<'_>, node: Box<NodeRun>, delay: Duration) -> PyResult<Given> {
        let seconds = delay.as_secs_f64().into_pyobject(py)?;
        let sleep = intern!(py, "sleep");
        let sleep = call_method(imports::asyncio(py)?.as_any(), sleep, &[seconds.as_any()])?;
        self.sleep_on(py, node, awaited(&sleep)?.unbind(), Ok(py.None()))
    }

    fn sleep_on(
        &self,
        py: Python<'_>,
        node: Box<NodeRun>,
        iterator: Py<PyAny>,
        sent: Sent,
    ) -> PyResult<Given> {
        match go_on(iterator.bind(py), sent) {
            CoroutineTurn::Yielded(value) => {
                self.put(NodeState::Sleeping(node, iterator));
                Ok(Ok(value.unbind()))
            }
            CoroutineTurn::Returned(_) => self.begin(py, *node),
            CoroutineTurn::Raised(error) => Ok(Err(self.stopped(py, *node, error))),
        }
    }

    /// Runs the node up to its first wait.
    fn begin(&self, py: Python<'_>, node: NodeRun) -> PyResult<Given> {
        panic_if_armed(py, &node);
        match Inline::begin(py, node, of_new_task(py)?)? {
            Ok(inline) => self.wait_on(py, Box::new(inline), Ok(py.None())),
            Err(done) => Ok(Err(done)),
        }
    }

    fn wait_on(&self, py: Python<'_>, mut inline: Box<Inline>, sent: Sent) -> PyResult<Given> {
        match inline.turn(py, sent, None)? {
            Progress::Yield(value) => {
                self.put(NodeState::Waiting(inline));
                Ok(Ok(value))
            }
            Progress::Done(outcome) => Ok(Err(Report { key: self.key, outcome })),
        }
    }

    fn stopped(&self, py: Python<'_>, mut node: NodeRun, error: PyErr) -> Report {
        Report { key: self.key, outcome: node.stop(py, error) }
    }

    /// Starts the next attempt of a called task, if it has one, in the place of this one.
    fn try_again(&self, py: Python<'_>, place: Option<(Order, Place)>) -> PyResult<()> {
        match (next_attempt(py, &self.run, self.key)?, place) {
            (Some(delay), Some((mut order, place))) => {
                order.delay = delay;
                start(py, &self.run, order, place)
            }
            _ => Ok(()),
        }
    }

    fn end(&self, py: Python<'_>, mut done: Report) -> PyResult<Py<PyAny>> {
        let is_cancelled = matches!(done.outcome, TaskOutcome::Cancelled(_));
        let is_told = self.is_told.load(Ordering::Relaxed);
        if !is_cancelled && is_told && outcome::is_asked_to_stop(py, &self.run, self.key) {
            // What it made of its cancellation comes too late: it runs again, as others do. One
            // that was done before it heard of that is done.
            let error = cancellation(py)?.into_value(py).into_any();
            done.outcome = TaskOutcome::Cancelled(Some(error));
        }
        let cancelled = match &done.outcome {
            TaskOutcome::Cancelled(Some(error)) => Some(error.clone_ref(py)),
            _ => None,
        };
        if let Some(kept) = self.run.core(py)?.kept_mut(self.key) {
            kept.asyncio_task = None;
        }
        let is_call = self.run.core(py)?.is_call(self.key);
        let mut told = report(py, &self.run, done);
        if is_call {
            told = told.and(early::store(py, &self.run));
        }
        if let Err(error) = told {
            act::fail(py, &self.run, error)?;
        }
        let place = plain_lock(&self.place).take();
        // The driver may be waiting for a node that called this one, and not be there to do it.
        self.try_again(py, place)?;
        start_waiting(py, &self.run)?;
        match cancelled {
            Some(error) => Err(PyErr::from_value(error.into_bound(py))),
            None => Err(PyStopIteration::new_err(())),
        }
    }
}
