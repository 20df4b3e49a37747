//! The tasks of a superstep that wait for a thread, and those that are done.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use langgraph_core::Control;
use langgraph_pregel::{TaskKey, TaskOutcome};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::cache;
use crate::calls;
use crate::domain::Objects;
use crate::imports;
use crate::interpreter::copied_context;
use crate::node::{Advance, NodeRun};
use crate::run::Run;
use crate::task::TaskHandle;
use crate::wake::Waker;

/// A task given to a driver.
pub struct Order {
    /// Which task.
    pub key: TaskKey,
    /// How long to wait first.
    pub delay: Duration,
    /// What the task's context is a copy of: the driver's, wherever the task runs.
    pub context: Py<PyAny>,
}

impl Order {
    /// An order given now, from here.
    pub fn new(py: Python<'_>, key: TaskKey, delay: Duration) -> PyResult<Self> {
        Ok(Self { key, delay, context: copied_context(py)? })
    }
}

/// A task that is over.
pub struct Report {
    /// Which task.
    pub key: TaskKey,
    /// How it ended.
    pub outcome: TaskOutcome<Objects>,
    /// Its handle, which its next attempt uses again. Nothing here keeps the run alive: a task may
    /// end after its run.
    pub handle: Option<Py<TaskHandle>>,
}

/// Shared between a run's driver and the workers that help it.
pub struct Board {
    state: Mutex<State>,
    /// Rung when something is done.
    pub waker: Arc<Waker>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Order>,
    done: VecDeque<Report>,
    running: usize,
    completed: u64,
    helpers: usize,
    /// Whether a helper looks on.
    watched: bool,
}

impl Board {
    /// A board that rings the given bell.
    pub fn new(waker: Arc<Waker>) -> Self {
        Self { waker, state: Mutex::default() }
    }

    /// Adds a task.
    pub fn add(&self, order: Order) {
        self.state.lock().expect("no panic while held").waiting.push_back(order);
    }

    /// Takes a task to run it.
    pub fn take(&self) -> Option<Order> {
        let mut state = self.state.lock().expect("no panic while held");
        let order = state.waiting.pop_front()?;
        state.running += 1;
        Some(order)
    }

    /// Takes a certain task to run it, unless somebody has.
    pub fn take_this(&self, key: TaskKey) -> Option<Order> {
        let mut state = self.state.lock().expect("no panic while held");
        let position = state.waiting.iter().position(|order| order.key == key)?;
        state.running += 1;
        state.waiting.remove(position)
    }

    /// Notes that a task taken runs elsewhere, or is over without being handed in.
    pub fn untake(&self) {
        let mut state = self.state.lock().expect("no panic while held");
        state.running -= 1;
        state.completed += 1;
    }

    fn let_go(&self) {
        self.untake();
        self.waker.wake();
    }

    /// Takes back a task that nobody has begun.
    pub fn withdraw(&self, key: TaskKey) -> bool {
        let mut state = self.state.lock().expect("no panic while held");
        let before = state.waiting.len();
        state.waiting.retain(|order| order.key != key);
        state.waiting.len() < before
    }

    /// Takes back all tasks that nobody has begun.
    pub fn withdraw_all(&self) {
        let orders = std::mem::take(&mut self.state.lock().expect("no panic while held").waiting);
        drop(orders);
    }

    /// Hands in a task that is over.
    pub fn hand_in(&self, report: Report) {
        let mut state = self.state.lock().expect("no panic while held");
        state.running -= 1;
        state.completed += 1;
        state.done.push_back(report);
        drop(state);
        self.waker.wake();
    }

    /// The oldest task handed in.
    pub fn next_done(&self) -> Option<Report> {
        self.state.lock().expect("no panic while held").done.pop_front()
    }

    /// How many tasks wait, and how many run.
    pub fn counts(&self) -> (usize, usize) {
        let state = self.state.lock().expect("no panic while held");
        (state.waiting.len(), state.running)
    }

    /// Whether another helper is worth waking, if `limit` may work at once; counts it if so. One
    /// that looks on first is enough.
    pub fn wants_helper(&self, limit: usize, looks_on: bool) -> bool {
        let mut state = self.state.lock().expect("no panic while held");
        let wanted = !state.waiting.is_empty() && state.helpers < limit;
        let wanted = wanted && !(looks_on && state.watched);
        state.helpers += usize::from(wanted);
        state.watched |= wanted && looks_on;
        wanted
    }

    /// Whether a helper is at work, or on its way to it.
    pub fn is_helped(&self) -> bool {
        let state = self.state.lock().expect("no panic while held");
        state.helpers > usize::from(state.watched)
    }

    /// The helper that looked on does so no longer.
    pub fn unwatched(&self) {
        self.state.lock().expect("no panic while held").watched = false;
    }

    /// A helper is gone; whoever waits may have counted on it.
    pub fn helper_left(&self) {
        self.state.lock().expect("no panic while held").helpers -= 1;
        self.waker.wake();
    }

    /// How many tasks are over, of all there were.
    pub fn completed(&self) -> u64 {
        self.state.lock().expect("no panic while held").completed
    }
}

/// Hands a task that is over to the driver; one that was called is settled at once, since the
/// driver may be busy running the caller, which waits for it.
pub fn deliver(py: Python<'_>, run: &Arc<Run>, done: Report) {
    match run.core(py).map(|core| Run::is_call(&core, done.key)) {
        Ok(true) => {
            if let Err(error) = settle_call(py, run, done) {
                error.write_unraisable(py, None);
            }
        }
        _ => run.board.hand_in(done),
    }
}

fn settle_call(py: Python<'_>, run: &Arc<Run>, mut done: Report) -> PyResult<()> {
    loop {
        let key = done.key;
        report(py, run, done)?;
        let again = run.core(py)?.engine.take_attempt(key);
        match again {
            Some(delay) => done = perform(py, run, Order::new(py, key, delay)?),
            None => break,
        }
    }
    run.board.let_go();
    Ok(())
}

/// Runs a task of a sync run from beginning to end.
pub fn perform(py: Python<'_>, run: &Arc<Run>, order: Order) -> Report {
    let key = order.key;
    let prepared =
        wait_first(py, order.delay).and_then(|()| prepared(py, run, key, &order.context));
    let mut node = match prepared {
        Ok(node) => node,
        Err(error) => return unprepared(py, key, error),
    };
    let outcome = match node.start(py) {
        Advance::Done(outcome) => outcome,
        Advance::Await(_) | Advance::Child(_) => {
            let error = pyo3::exceptions::PyRuntimeError::new_err(
                "A node of a sync run handed back something to wait for",
            );
            return unprepared(py, key, error);
        }
    };
    Report { key, outcome, handle: Some(node.handle(py)) }
}

/// The task, got ready now unless somebody looked at it before.
pub fn prepared(
    py: Python<'_>,
    run: &Arc<Run>,
    key: TaskKey,
    context: &Py<PyAny>,
) -> PyResult<NodeRun> {
    let known = run.core(py)?.prepared.remove(&key);
    match known {
        Some(node) => Ok(node),
        None => NodeRun::prepare(py, run, key, context.clone_ref(py)),
    }
}

/// A task that could not even begin: its input was refused. No policy retries that.
pub fn unprepared(py: Python<'_>, key: TaskKey, error: PyErr) -> Report {
    let value = error.value(py).clone().into_any().unbind();
    let failure = langgraph_pregel::Failure {
        error,
        value,
        writes: Vec::new(),
        retry: None,
        spares_others: false,
    };
    Report { key, outcome: TaskOutcome::Failed(failure), handle: None }
}

fn wait_first(py: Python<'_>, delay: Duration) -> PyResult<()> {
    if delay.is_zero() {
        return Ok(());
    }
    let time = py.import(intern!(py, "time"))?;
    time.call_method1(intern!(py, "sleep"), (delay.as_secs_f64(),))?;
    Ok(())
}

/// Tells the engine that a task is over, and those who called it.
pub fn report(py: Python<'_>, run: &Run, report: Report) -> PyResult<()> {
    let Report { key, outcome, handle } = report;
    let mut core = run.core(py)?;
    let is_call = Run::is_call(&core, key);
    let mut answer = None;
    let mut finished = false;
    match &outcome {
        TaskOutcome::Finished(writes) => {
            finished = !is_call;
            let returned = writes.iter().find(|write| write.is_control(Control::Return));
            answer = Some(Ok(returned.map_or_else(|| py.None(), |w| w.value.clone_ref(py))));
        }
        TaskOutcome::Failed(failure) => {
            let node = core.engine.task(key).node;
            if node.is_some_and(|node| run.graph.plan.node(node).error_handler.is_some()) {
                core.errors.insert(key, failure.value.clone_ref(py));
            }
            let attempts = core.engine.task(key).attempts;
            if failure.retry.is_some_and(|retry| attempts < retry.max_attempts) {
                if let Some(handle) = &handle {
                    core.handles.insert(key, handle.clone_ref(py));
                }
            } else {
                answer = Some(Err(failure.value.clone_ref(py)));
            }
        }
        TaskOutcome::Interrupted { value, .. } if is_call => {
            let questions = match value {
                Some(value) => value.clone_ref(py),
                None => PyTuple::empty(py).into_any().unbind(),
            };
            let raised = imports::graph_interrupt(py)?.call1((questions,))?;
            answer = Some(Err(raised.unbind()));
        }
        TaskOutcome::Interrupted { .. } => {}
        TaskOutcome::Escaped(error) => {
            answer = Some(Err(error.value(py).clone().into_any().unbind()));
        }
        TaskOutcome::Cancelled(error) => {
            answer = error.as_ref().map(|error| Err(error.clone_ref(py)));
        }
    }
    let name = core.engine.task(key).name.clone();
    let hidden = core.engine.task(key).node.is_some_and(|node| run.graph.plan.node(node).hidden);
    let slot = core.cache_slots.remove(&key);
    let to_cache = match (&outcome, slot) {
        (TaskOutcome::Finished(writes), Some(slot)) => Some((slot, cache::named(py, run, writes)?)),
        _ => None,
    };
    core.engine.task_finished(py, key, outcome);
    run.check_control(py, &mut core)?;
    drop(core);
    if let Some((slot, writes)) = to_cache {
        cache::store(py, run, &slot, writes)?;
    }
    if let (true, Some(answer)) = (is_call, answer) {
        calls::answer(py, run, key, &answer)?;
    }
    if let (true, false, Some(told)) = (finished, hidden, &run.context.node_finished) {
        told.bind(py).call1((&*name,))?;
    }
    Ok(())
}
