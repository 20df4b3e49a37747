//! A node as an asyncio task of its own: one of several of its superstep, or one that was called.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use langgraph_pregel::{TaskKey, TaskOutcome};
use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::{PyTraverseError, PyVisit};

use super::inline::{Inline, Progress};
use crate::board::{self, Order, Report};
use crate::coroutine::{Coroutine, Sent, Turns};
use crate::interpreter::{self, is_cancellation, throw, Turn as CoroutineTurn};
use crate::node::NodeRun;
use crate::run::Run;

/// Makes an asyncio task for a node.
pub fn spawn(py: Python<'_>, run: &Arc<Run>, order: Order) -> PyResult<Py<PyAny>> {
    let node = board::prepared(py, run, order.key, &order.context)?;
    let name = node.name(py);
    let turns = NodeTurns {
        state: Mutex::new(Some(NodeState::Fresh(Box::new(node), order.delay))),
        run: run.clone(),
        key: order.key,
    };
    let event_loop =
        py.import(intern!(py, "asyncio"))?.call_method0(intern!(py, "get_running_loop"))?;
    let coroutine = Py::new(py, Coroutine::new(turns))?;
    let create = event_loop.getattr(intern!(py, "create_task"))?;
    let kwargs = PyDict::new(py);
    kwargs.set_item(intern!(py, "name"), name)?;
    // The coroutine enters the node's context at each turn, as an inline node does.
    Ok(create.call((coroutine,), Some(&kwargs))?.unbind())
}

/// Starts a task that another task called, on the run's event loop.
pub fn run_requested(py: Python<'_>, run: &Arc<Run>, key: TaskKey) -> PyResult<()> {
    run.board.add(Order::new(py, key, Duration::ZERO)?);
    let starter = Py::new(py, RequestedStart { run: run.clone(), key })?;
    let home = run.context.event_loop.as_ref().expect("an async run has one").bind(py);
    home.call_method1(intern!(py, "call_soon_threadsafe"), (starter,))?;
    Ok(())
}

/// Starts a called task in the loop's next turn, after what its caller wrote has been shown.
#[pyclass(frozen, module = "langgraph_rust._engine")]
struct RequestedStart {
    run: Arc<Run>,
    key: TaskKey,
}

#[pymethods]
impl RequestedStart {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let Some(order) = self.run.board.take_this(self.key) else { return Ok(()) };
        match spawn(py, &self.run, order) {
            Ok(task) => {
                self.run.core(py)?.spawned.insert(self.key, task);
                Ok(())
            }
            Err(error) => {
                self.run.board.untake();
                board::report(py, &self.run, board::unprepared(py, self.key, error))
            }
        }
    }
}

/// What the coroutine of a node's asyncio task does.
struct NodeTurns {
    state: Mutex<Option<NodeState>>,
    run: Arc<Run>,
    key: TaskKey,
}

enum NodeState {
    Fresh(Box<NodeRun>, Duration),
    Sleeping(Box<NodeRun>, Py<PyAny>),
    Waiting(Box<Inline>),
}

impl Turns for NodeTurns {
    fn turn(&self, py: Python<'_>, sent: Sent) -> PyResult<Py<PyAny>> {
        let Some(state) = self.take() else {
            return Err(PyRuntimeError::new_err("cannot reuse already awaited coroutine"));
        };
        let cancelling = matches!(&sent, Err(error) if is_cancellation(py, error));
        let report = match state {
            NodeState::Fresh(node, delay) if sent.is_ok() => match self.begin(py, *node, delay)? {
                Ok(value) => return Ok(value),
                Err(report) => report,
            },
            NodeState::Sleeping(node, iterator) => {
                let turn = match sent {
                    Ok(value) => interpreter::send(iterator.bind(py), value.bind(py)),
                    Err(error) => throw(iterator.bind(py), error),
                };
                match turn {
                    CoroutineTurn::Yielded(value) => {
                        self.put(NodeState::Sleeping(node, iterator));
                        return Ok(value.unbind());
                    }
                    CoroutineTurn::Returned(_) => match self.begin(py, *node, Duration::ZERO)? {
                        Ok(value) => return Ok(value),
                        Err(report) => report,
                    },
                    CoroutineTurn::Raised(error) => self.stopped(py, *node, error),
                }
            }
            NodeState::Fresh(node, _) => {
                let error = sent.err().unwrap_or_else(|| PyRuntimeError::new_err("stopped"));
                self.stopped(py, *node, error)
            }
            NodeState::Waiting(mut inline) => match inline.turn(py, sent, cancelling)? {
                Progress::Yield(value) => {
                    self.put(NodeState::Waiting(inline));
                    return Ok(value);
                }
                Progress::Done(outcome) => {
                    Report { key: self.key, outcome, handle: Some(inline.node.handle(py)) }
                }
            },
        };
        self.end(py, report)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        match self.take() {
            Some(NodeState::Waiting(mut inline)) => inline.close(py),
            _ => Ok(()),
        }
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(state) = self.state.try_lock() else { return Ok(()) };
        match &*state {
            None => Ok(()),
            Some(NodeState::Fresh(node, _)) => node.traverse(visit),
            Some(NodeState::Sleeping(node, iterator)) => {
                visit.call(iterator)?;
                node.traverse(visit)
            }
            Some(NodeState::Waiting(inline)) => inline.traverse(visit),
        }
    }
}

impl NodeTurns {
    fn take(&self) -> Option<NodeState> {
        self.state.lock().expect("no panic while held").take()
    }

    fn put(&self, state: NodeState) {
        *self.state.lock().expect("no panic while held") = Some(state);
    }

    /// Runs the node up to its first wait; `Err` holds its end if there was none.
    fn begin(
        &self,
        py: Python<'_>,
        node: NodeRun,
        delay: Duration,
    ) -> PyResult<Result<Py<PyAny>, Report>> {
        if !delay.is_zero() {
            let asyncio = py.import(intern!(py, "asyncio"))?;
            let sleep = asyncio.call_method1("sleep", (delay.as_secs_f64(),))?;
            let iterator = interpreter::awaited(&sleep)?.unbind();
            let turn = interpreter::send(iterator.bind(py), py.None().bind(py));
            return match turn {
                CoroutineTurn::Yielded(value) => {
                    self.put(NodeState::Sleeping(Box::new(node), iterator));
                    Ok(Ok(value.unbind()))
                }
                CoroutineTurn::Returned(_) => self.begin(py, node, Duration::ZERO),
                CoroutineTurn::Raised(error) => Ok(Err(self.stopped(py, node, error))),
            };
        }
        match Inline::begin(py, node)? {
            Err(report) => Ok(Err(report)),
            Ok(mut inline) => match inline.turn(py, Ok(py.None()), false)? {
                Progress::Yield(value) => {
                    self.put(NodeState::Waiting(Box::new(inline)));
                    Ok(Ok(value))
                }
                Progress::Done(outcome) => {
                    Ok(Err(Report { key: self.key, outcome, handle: Some(inline.node.handle(py)) }))
                }
            },
        }
    }

    fn stopped(&self, py: Python<'_>, node: NodeRun, error: PyErr) -> Report {
        let value = error.value(py).clone().into_any().unbind();
        let outcome = TaskOutcome::Cancelled(Some(value));
        Report { key: self.key, outcome, handle: Some(node.handle(py)) }
    }

    fn end(&self, py: Python<'_>, report: Report) -> PyResult<Py<PyAny>> {
        let cancelled = match &report.outcome {
            TaskOutcome::Cancelled(Some(error)) => Some(error.clone_ref(py)),
            _ => None,
        };
        self.run.core(py)?.spawned.remove(&self.key);
        self.run.board.untake();
        board::report(py, &self.run, report)?;
        self.run.board.waker.wake_here(py)?;
        match cancelled {
            Some(error) => Err(PyErr::from_value(error.into_bound(py))),
            None => Err(PyStopIteration::new_err(())),
        }
    }
}
