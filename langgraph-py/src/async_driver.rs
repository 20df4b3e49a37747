//! Driving a run on an event loop, in the caller's own task.
//!
//! A single node is driven [`inline`], several nodes become asyncio tasks ([`task`]). Nothing
//! here decides about graphs.

mod inline;
mod task;

use std::sync::Arc;
use std::time::{Duration, Instant};

use langgraph_pregel::{Effect, Outcome, TaskKey, TaskOutcome, Ticket, WaitReason};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::board::{self, Order, Report};
use crate::coroutine::Sent;
use crate::domain::Objects;
use crate::events;
use crate::finish;
use crate::interpreter::{self, is_cancellation, throw, Turn as CoroutineTurn};
use crate::run::Run;
use crate::save::{self, SaverCall};

use inline::{Inline, Progress};
pub use task::run_requested;
use task::spawn;

/// How long a run may keep the event loop without a real wait before it gives way once.
const BUDGET: Duration = Duration::from_micros(500);

/// How far a driver got.
pub enum Turn {
    /// To be yielded to the event loop.
    Yield(Py<PyAny>),
    /// A chunk for the caller.
    Chunk(Py<PyAny>),
    /// The end.
    Over(Outcome<Objects>),
}

/// Drives a run from the turns of an awaitable.
pub struct Driver {
    run: Arc<Run>,
    inline: Option<Inline>,
    /// What the driver itself waits for: the run's bell, or a delay.
    waiting: Option<Py<PyAny>>,
    tasks: Vec<(TaskKey, Py<PyAny>)>,
    stores: Vec<Py<PyAny>>,
    cancelled: Option<PyErr>,
    since: Option<Instant>,
}

impl Driver {
    /// A driver of `run`, which has not begun.
    pub fn new(run: Arc<Run>) -> Self {
        Self {
            run,
            inline: None,
            waiting: None,
            tasks: Vec::new(),
            stores: Vec::new(),
            cancelled: None,
            since: None,
        }
    }

    /// The run.
    pub fn run(&self) -> &Arc<Run> {
        &self.run
    }

    /// The cancellation that ended the run, to be raised again.
    pub fn take_cancellation(&mut self) -> Option<PyErr> {
        self.cancelled.take()
    }

    /// How often the run is held by the driver.
    pub fn holds(&self) -> usize {
        let inline = self.inline.as_ref().map(|inline| inline.node.run());
        1 + usize::from(inline.is_some_and(|run| Arc::ptr_eq(run, &self.run)))
    }

    /// Visits the Python objects held, for the garbage collector.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.waiting)?;
        self.tasks.iter().try_for_each(|(_, task)| visit.call(task))?;
        self.stores.iter().try_for_each(|task| visit.call(task))?;
        self.inline.as_ref().map_or(Ok(()), |inline| inline.traverse(visit))
    }

    /// Takes a turn: with `sent`, up to the next thing to yield, a chunk, or the end.
    pub fn turn(&mut self, py: Python<'_>, sent: Sent) -> PyResult<Turn> {
        let since = Instant::now();
        self.since = Some(since);
        let mut sent = Some(sent);
        if let Some(Err(error)) = &sent {
            self.note_cancellation(py, error)?;
        }
        loop {
            if let Some(inline) = &mut self.inline {
                let given = sent.take().unwrap_or_else(|| Ok(py.None()));
                match inline.turn(py, given, self.cancelled.is_some())? {
                    Progress::Yield(value) => return Ok(Turn::Yield(value)),
                    Progress::Done(outcome) => self.end_inline(py, outcome)?,
                }
                continue;
            }
            if let Some(turn) = self.keep_waiting(py, sent.take())? {
                return Ok(turn);
            }
            if let Some(turn) = self.act(py)? {
                return Ok(turn);
            }
        }
    }

    fn end_inline(&mut self, py: Python<'_>, outcome: TaskOutcome<Objects>) -> PyResult<()> {
        let inline = self.inline.take().expect("it just ended");
        let key = inline.node.key;
        let stopped = matches!(outcome, TaskOutcome::Cancelled(_));
        board::report(
            py,
            &self.run,
            Report { key, outcome, handle: Some(inline.node.handle(py)) },
        )?;
        if stopped {
            self.run.core(py)?.engine.cancel();
        } else {
            // A node that caught its cancellation and went on: so does the run.
            self.cancelled = None;
        }
        Ok(())
    }

    /// A cancellation from outside stops the run; other exceptions go where they are thrown.
    fn note_cancellation(&mut self, py: Python<'_>, error: &PyErr) -> PyResult<()> {
        if is_cancellation(py, error) {
            self.cancelled = Some(error.clone_ref(py));
            if self.inline.is_none() {
                self.run.core(py)?.engine.cancel();
            }
        }
        Ok(())
    }

    /// Goes on waiting if the wait is not over yet.
    fn keep_waiting(&mut self, py: Python<'_>, sent: Option<Sent>) -> PyResult<Option<Turn>> {
        let Some(waiting) = self.waiting.take() else {
            return match sent {
                Some(Err(error)) if self.cancelled.is_none() => Err(error),
                _ => Ok(None),
            };
        };
        let turn = match sent {
            Some(Ok(value)) => interpreter::send(waiting.bind(py), value.bind(py)),
            Some(Err(error)) => throw(waiting.bind(py), error),
            None => interpreter::send(waiting.bind(py), py.None().bind(py)),
        };
        match turn {
            CoroutineTurn::Yielded(value) => {
                self.waiting = Some(waiting);
                Ok(Some(Turn::Yield(value.unbind())))
            }
            CoroutineTurn::Returned(_) => Ok(None),
            CoroutineTurn::Raised(error) if self.cancelled.is_some() => {
                drop(error);
                Ok(None)
            }
            CoroutineTurn::Raised(error) => Err(error),
        }
    }

    /// Does what the engine says next; `None` if there is more to do at once.
    fn act(&mut self, py: Python<'_>) -> PyResult<Option<Turn>> {
        let effect = self.run.core(py)?.poll(py);
        let waits = matches!(
            effect,
            Effect::RunTask { .. } | Effect::Wait(_) | Effect::Finish(_) | Effect::LookUpCache(_)
        );
        if waits && self.cancelled.is_none() {
            if let Some(chunk) = finish::next_chunk(py, &self.run)? {
                self.run.core(py)?.stashed = Some(effect);
                return Ok(Some(Turn::Chunk(chunk)));
            }
        }
        match effect {
            Effect::RunTask { task, attempt, delay } => {
                if attempt == 1 {
                    self.run.reset_deadline();
                }
                self.run.board.add(Order::new(py, task, delay)?);
            }
            Effect::CancelTask(task) => self.cancel_task(py, task)?,
            Effect::LookUpCache(tasks) => crate::cache::look_up(py, &self.run, &tasks)?,
            Effect::PersistWrites(writes) => {
                let call = save::writes(py, &self.run, &*self.run.core(py)?, &writes)?;
                self.store(py, writes.ticket, call)?;
            }
            Effect::PersistCheckpoint(put) => {
                let call = save::checkpoint(py, &self.run, &mut *self.run.core(py)?, &put)?;
                self.store(py, put.ticket, call)?;
            }
            Effect::Emit(event) => {
                if let Err(error) = events::show(py, &self.run, event) {
                    self.run.core(py)?.engine.abort(error);
                }
            }
            Effect::Wait(WaitReason::Tasks) => return self.wait_for_tasks(py),
            Effect::Wait(WaitReason::Nothing) => {
                return Ok(Some(Turn::Over(Outcome::Done)));
            }
            Effect::Wait(_) => return self.wait_for_bell(py),
            Effect::Finish(outcome) => return Ok(Some(Turn::Over(outcome))),
        }
        Ok(None)
    }

    fn wait_for_tasks(&mut self, py: Python<'_>) -> PyResult<Option<Turn>> {
        if let Some(done) = self.run.board.next_done() {
            board::report(py, &self.run, done)?;
            return Ok(None);
        }
        if self.over_budget() {
            // A bare yield: whoever else waits for the loop gets a turn.
            return Ok(Some(Turn::Yield(py.None())));
        }
        let (waiting, running) = self.run.board.counts();
        let alone = waiting == 1 && running == 0 && self.tasks.is_empty();
        let inline = alone && !self.run.shows.eager && self.run.context.step_timeout.is_none();
        let limit = self.run.context.max_concurrency.unwrap_or(usize::MAX);
        if waiting > 0 && running < limit {
            let order = self.run.board.take().expect("one waits");
            if inline {
                self.start_inline(py, order)?;
            } else {
                self.start_task(py, order)?;
            }
            return Ok(None);
        }
        self.wait_for_bell(py)
    }

    fn over_budget(&mut self) -> bool {
        let spent = self.since.is_some_and(|since| since.elapsed() > BUDGET);
        if spent {
            self.since = None;
        }
        spent
    }

    fn start_inline(&mut self, py: Python<'_>, order: Order) -> PyResult<()> {
        self.run.board.untake();
        if !order.delay.is_zero() {
            let asyncio = py.import(intern!(py, "asyncio"))?;
            let sleep = asyncio.call_method1("sleep", (order.delay.as_secs_f64(),))?;
            self.waiting = Some(interpreter::awaited(&sleep)?.unbind());
            self.run.board.add(Order { delay: Duration::ZERO, ..order });
            return Ok(());
        }
        let key = order.key;
        let report = match board::prepared(py, &self.run, key, &order.context) {
            Err(error) => board::unprepared(py, key, error),
            Ok(mut node) => {
                node.is_alone = true;
                match Inline::begin(py, node)? {
                    Ok(inline) => {
                        self.inline = Some(inline);
                        return Ok(());
                    }
                    Err(report) => report,
                }
            }
        };
        board::report(py, &self.run, report)
    }

    /// Gives a node an asyncio task of its own.
    fn start_task(&mut self, py: Python<'_>, order: Order) -> PyResult<()> {
        let key = order.key;
        match spawn(py, &self.run, order) {
            Ok(task) => self.tasks.push((key, task)),
            Err(error) => {
                self.run.board.untake();
                board::report(py, &self.run, board::unprepared(py, key, error))?;
            }
        }
        Ok(())
    }

    fn wait_for_bell(&mut self, py: Python<'_>) -> PyResult<Option<Turn>> {
        self.tasks.retain(|(_, task)| !is_done(task.bind(py)));
        self.stores.retain(|store| !is_done(store.bind(py)));
        let deadline = self.run.step_deadline();
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return self.time_out(py).map(|()| None);
        }
        let Some(future) = self.run.board.waker.future(py)? else { return Ok(None) };
        if finish::has_chunks(&self.run) {
            return Ok(None);
        }
        if let Some(deadline) = deadline {
            let event_loop = future.call_method0(intern!(py, "get_loop"))?;
            let left = deadline.saturating_duration_since(Instant::now()).as_secs_f64();
            let resolver = crate::offload::resolver(py)?;
            event_loop.call_method1(intern!(py, "call_later"), (left, resolver, &future))?;
        }
        let iterator = future.call_method0(intern!(py, "__await__"))?;
        self.waiting = Some(iterator.unbind());
        Ok(None)
    }

    fn time_out(&mut self, py: Python<'_>) -> PyResult<()> {
        let asyncio = py.import(intern!(py, "asyncio"))?;
        let class = asyncio.getattr("TimeoutError")?.cast_into::<pyo3::types::PyType>()?;
        self.run.core(py)?.engine.abort(PyErr::from_type(class, ("Timed out",)));
        self.run.reset_deadline();
        Ok(())
    }

    fn cancel_task(&mut self, py: Python<'_>, key: TaskKey) -> PyResult<()> {
        if self.run.board.withdraw(key) {
            let outcome = TaskOutcome::Cancelled(None);
            self.run.core(py)?.engine.task_finished(py, key, outcome);
            return Ok(());
        }
        let found = self.tasks.iter().find(|(other, _)| *other == key);
        let requested = self.run.core(py)?.spawned.get(&key).map(|task| task.clone_ref(py));
        if let Some(task) = found.map(|(_, task)| task.clone_ref(py)).or(requested) {
            task.bind(py).call_method0(intern!(py, "cancel"))?;
        }
        Ok(())
    }

    fn store(&mut self, py: Python<'_>, ticket: Ticket, call: SaverCall) -> PyResult<()> {
        let saver = self.run.context.saver.as_ref().expect("only runs with a saver store");
        let object = saver.object.bind(py);
        if saver.never_blocks {
            let stored = object.getattr(call.method)?.call1(call.arguments.bind(py));
            return settle_store(py, &self.run, ticket, stored.map(drop));
        }
        let method = object.getattr(format!("a{}", call.method).as_str())?;
        let coroutine = match method.call1(call.arguments.bind(py)) {
            Ok(coroutine) => coroutine,
            Err(error) => return settle_store(py, &self.run, ticket, Err(error)),
        };
        let asyncio = py.import(intern!(py, "asyncio"))?;
        let task = asyncio.call_method1(intern!(py, "ensure_future"), (coroutine,))?;
        let done = StoreDone { run: self.run.clone(), ticket };
        task.call_method1(intern!(py, "add_done_callback"), (Py::new(py, done)?,))?;
        self.stores.push(task.unbind());
        Ok(())
    }

    /// Ends the run at once: nobody will take another turn.
    pub fn close(&mut self, py: Python<'_>) -> PyResult<()> {
        for (_, task) in self.tasks.drain(..) {
            task.bind(py).call_method0(intern!(py, "cancel"))?;
        }
        let closed = match self.inline.take() {
            Some(mut inline) => inline.close(py),
            None => Ok(()),
        };
        self.run.core(py)?.engine.cancel();
        closed
    }
}

fn is_done(future: &Bound<'_, PyAny>) -> bool {
    let done = future.call_method0(intern!(future.py(), "done"));
    done.and_then(|done| done.is_truthy()).unwrap_or(true)
}

fn settle_store(py: Python<'_>, run: &Run, ticket: Ticket, stored: PyResult<()>) -> PyResult<()> {
    let mut core = run.core(py)?;
    match stored {
        Ok(()) => core.engine.persisted(ticket),
        Err(error) => core.engine.persist_failed(ticket, error),
    }
    drop(core);
    run.board.waker.wake_here(py)
}

/// Called when a storing is done.
#[pyclass(frozen, module = "langgraph_rust._engine")]
struct StoreDone {
    run: Arc<Run>,
    ticket: Ticket,
}

#[pymethods]
impl StoreDone {
    fn __call__(&self, py: Python<'_>, task: &Bound<'_, PyAny>) -> PyResult<()> {
        let result = task.call_method0(intern!(py, "result"));
        settle_store(py, &self.run, self.ticket, result.map(drop))
    }
}
