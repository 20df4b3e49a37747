//! Driving a run on an event loop, in the caller's own task.
//!
//! A single node is driven [`inline`](super::inline), several nodes become asyncio tasks
//! ([`spawned`](super::spawned)).

use std::sync::Arc;
use std::time::{Duration, Instant};

use langgraph_rust_pregel::{Outcome, TaskKey, TaskOutcome, Ticket, WaitReason};
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::act::{self, act, Hands, Next};
use super::asked::{delivered_requests, take_back, Asked, Requests};
use super::inline::{Inline, Progress};
use super::perform::{caught, panic_if_armed};
use super::storing::Storing;
use super::{spawned, sync};
use crate::collects;
use crate::host::call::{call_method, call_tuple, Turn as CoroutineTurn};
use crate::host::coroutine::{awaited, cancellation, go_on, is_cancellation, Sent};
use crate::host::event_loop::resolver;
use crate::host::imports;
use crate::run::board::{Order, Place, Report};
use crate::store::save::{Saver, SaverCall};
use crate::task::called::is_withdrawn;
use crate::task::node::NodeRun;
use crate::task::report::report;
use crate::task::{outcome, Run};
use crate::values::domain::Objects;

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
    hand: Hand,
    /// How often the caller's task had been asked to cancel when the run began; `None` before.
    requests: Option<Requests>,
    /// The cancellation that was thrown last.
    thrown: Option<PyErr>,
    /// The cancellation that ended the run, to be raised again.
    cancelled: Option<PyErr>,
    /// Whether the caller has closed the run, and its node has been told so.
    closing: Option<bool>,
    since: Option<Instant>,
}

collects!(Driver { inline, hand });
collects!(Hand { waiting, storing });

/// What does as the engine says.
struct Hand {
    run: Arc<Run>,
    /// What the driver itself waits for: the run's bell, or a delay.
    waiting: Option<Py<PyAny>>,
    /// A task whose delay is being waited for.
    delayed: Option<(Order, Place)>,
    storing: Storing,
}

impl Hand {
    fn new(run: &Arc<Run>) -> Self {
        Self { run: run.clone(), waiting: None, delayed: None, storing: Storing::default() }
    }
}

impl Driver {
    /// A driver of `run`, which has not begun.
    pub fn new(run: Arc<Run>) -> Self {
        Self {
            hand: Hand::new(&run),
            run,
            inline: None,
            requests: None,
            thrown: None,
            cancelled: None,
            closing: None,
            since: None,
        }
    }

    /// A driver of a run within the run that `outer` drives.
    pub fn nested(run: Arc<Run>, requests: Requests) -> Self {
        Self { requests: Some(requests), ..Self::new(run) }
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
        2 + usize::from(inline.is_some_and(|run| Arc::ptr_eq(run, &self.run)))
    }

    /// Takes a turn: with `sent`, up to the next thing to yield, a chunk, or the end.
    pub fn turn(&mut self, py: Python<'_>, sent: Sent) -> PyResult<Turn> {
        self.since = Some(Instant::now());
        if self.requests.is_none() {
            self.requests = Some(delivered_requests(py)?);
        }
        let mut sent = Some(self.hear(py, sent)?);
        loop {
            let asked = self.asked();
            if let Some(inline) = &mut self.inline {
                let given = sent.take().unwrap_or_else(|| Ok(py.None()));
                let key = inline.node.key;
                let work = || inline.turn(py, given, Some(&asked));
                match caught(py, &self.run, key, work) {
                    Ok(Progress::Yield(value)) => return Ok(Turn::Yield(value)),
                    Ok(Progress::Done(outcome)) => self.end_inline(py, outcome)?,
                    Err(error) => {
                        let done = outcome::unprepared(py, key, error);
                        self.end_inline(py, done.outcome)?;
                    }
                }
                continue;
            }
            if let Some(turn) = self.keep_waiting(py, sent.take())? {
                return Ok(turn);
            }
            if let Some((order, place)) = self.hand.delayed.take() {
                self.start_inline(py, order, place)?;
                continue;
            }
            if let Some(turn) = self.go_on(py)? {
                return Ok(turn);
            }
        }
    }

    fn asked(&self) -> Asked {
        Asked { requests: self.requests.flatten(), thrown: self.thrown.is_some() }
    }

    /// Takes note of what is thrown in. While the driver itself waits, a cancellation is one of
    /// the run: nobody else knows what it waits for. A node that waits hears of it first.
    fn hear(&mut self, py: Python<'_>, sent: Sent) -> PyResult<Sent> {
        if self.closing == Some(false) && self.inline.is_some() && sent.is_ok() {
            // Whoever closed the run does not wait for its node.
            self.closing = Some(true);
            let error = cancellation(py)?;
            self.thrown = Some(error.clone_ref(py));
            return Ok(Err(error));
        }
        if let Err(error) = &sent {
            if is_cancellation(py, error) {
                self.thrown = Some(error.clone_ref(py));
                if let Some(inline) = &self.inline {
                    inline.waiting().map_or(Ok(()), |it| take_back(py, it.bind(py)))?;
                } else {
                    self.cancelled = Some(error.clone_ref(py));
                    act::cancel(py, &self.run)?;
                }
            }
        }
        Ok(sent)
    }

    fn end_inline(&mut self, py: Python<'_>, outcome: TaskOutcome<Objects>) -> PyResult<()> {
        let Some(inline) = self.inline.take() else { return Ok(()) };
        let (key, place) = (inline.node.key, inline.place);
        drop(inline.node);
        let asked = self.asked();
        if let Some(place) = place {
            place.free();
        }
        report(py, &self.run, Report { key, outcome })?;
        let Some(thrown) = self.thrown.take() else { return Ok(()) };
        // A node may have caught the cancellation and gone on; the run was cancelled all the same. One
        // that comes from what the node waited for is no reason, even if the run ends meanwhile.
        if self.closing == Some(true) || asked.by_caller(py)? {
            self.cancelled = Some(thrown);
            act::cancel(py, &self.run)?;
        }
        Ok(())
    }

    /// Goes on waiting if the wait is not over yet.
    fn keep_waiting(&mut self, py: Python<'_>, sent: Option<Sent>) -> PyResult<Option<Turn>> {
        let Some(waiting) = self.hand.waiting.take() else {
            return match sent {
                Some(Err(error)) if self.cancelled.is_none() => Err(error),
                _ => Ok(None),
            };
        };
        match go_on(waiting.bind(py), sent.unwrap_or_else(|| Ok(py.None()))) {
            CoroutineTurn::Yielded(value) => {
                self.hand.waiting = Some(waiting);
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
    fn go_on(&mut self, py: Python<'_>) -> PyResult<Option<Turn>> {
        let chunks = self.hands_out();
        match act(py, &self.run, &mut self.hand, chunks)? {
            Next::More => Ok(None),
            Next::Chunk(chunk) => Ok(Some(Turn::Chunk(chunk))),
            Next::Over(outcome) => Ok(Some(Turn::Over(outcome))),
            Next::Wait(WaitReason::Nothing) => Err(sync::over()),
            Next::Wait(reason) => self.wait(py, reason),
        }
    }

    /// Whether the caller still gets chunks: one who has cancelled the run does not take them.
    fn hands_out(&self) -> bool {
        self.cancelled.is_none()
    }

    /// Whether there is a chunk to hand out, which is not to be waited for.
    fn has_chunk(&self) -> bool {
        self.hands_out() && self.run.shows.has_chunks()
    }

    fn wait(&mut self, py: Python<'_>, reason: WaitReason) -> PyResult<Option<Turn>> {
        // All tasks of a superstep start in one turn of the loop: none ends before another begins.
        let (waiting, running) = self.run.board.counts();
        let is_starting = waiting > 0 && running > 0;
        if !is_starting && self.over_budget() {
            // A bare yield: whoever else waits for the loop gets a turn.
            return Ok(Some(Turn::Yield(py.None())));
        }
        if let Some((order, place)) = self.run.board.take() {
            // A node is driven within this very turn unless there is something to do meanwhile.
            let free = reason == WaitReason::Tasks
                && !self.run.shows.eager
                && self.run.context.step_timeout.is_none();
            match free && order.is_alone {
                true => self.start_inline(py, order, place)?,
                false => spawned::start(py, &self.run, order, place)?,
            }
            return Ok(None);
        }
        if self.run.board.is_idle() && self.hand.storing.is_over(py) {
            return self.check_stuck(py);
        }
        self.wait_for_bell(py)
    }

    /// Nobody is at work: then the bell has rung, or never will.
    fn check_stuck(&mut self, py: Python<'_>) -> PyResult<Option<Turn>> {
        if self.run.board.waker.has_rung() || self.has_chunk() {
            return self.wait_for_bell(py);
        }
        let error = PyRuntimeError::new_err(
            "The run waits for tasks that nobody runs, which is a fault of langgraph-rust",
        );
        act::fail(py, &self.run, error)?;
        act::abandon_tasks(py, &self.run).map(|()| None)
    }

    fn over_budget(&mut self) -> bool {
        let spent = self.since.is_some_and(|since| since.elapsed() > BUDGET);
        if spent {
            self.since = None;
        }
        spent
    }

    fn start_inline(&mut self, py: Python<'_>, mut order: Order, place: Place) -> PyResult<()> {
        if !order.delay.is_zero() {
            let seconds = order.delay.as_secs_f64().into_pyobject(py)?;
            let sleep = intern!(py, "sleep");
            let sleep = call_method(imports::asyncio(py)?.as_any(), sleep, &[seconds.as_any()])?;
            self.hand.waiting = Some(awaited(&sleep)?.unbind());
            order.delay = Duration::ZERO;
            self.hand.delayed = Some((order, place));
            return Ok(());
        }
        let key = order.key;
        if is_withdrawn(py, &self.run, key)? {
            place.free();
            return report(py, &self.run, Report { key, outcome: TaskOutcome::Cancelled(None) });
        }
        let begun = caught(py, &self.run, key, || {
            let mut node = NodeRun::ready(py, &self.run, key, &order.context)?;
            node.is_alone = true;
            panic_if_armed(py, &node);
            Inline::begin(py, node, self.requests.flatten())
        });
        let done = match begun {
            Ok(Ok(mut inline)) => {
                inline.place = Some(place);
                self.inline = Some(inline);
                return Ok(());
            }
            Ok(Err(done)) => done,
            Err(error) => outcome::unprepared(py, key, error),
        };
        place.free();
        report(py, &self.run, done)
    }

    fn wait_for_bell(&mut self, py: Python<'_>) -> PyResult<Option<Turn>> {
        let deadline = self.run.step_deadline();
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return self.time_out(py).map(|()| None);
        }
        let Some(future) = self.run.board.waker.future(py)? else { return Ok(None) };
        if self.has_chunk() {
            return Ok(None);
        }
        if let Some(deadline) = deadline {
            let home = call_method(&future, intern!(py, "get_loop"), &[])?;
            let left = deadline.saturating_duration_since(Instant::now()).as_secs_f64();
            let left = left.into_pyobject(py)?;
            let arguments = [left.as_any(), &resolver(py)?, &future];
            call_method(&home, intern!(py, "call_later"), &arguments)?;
        }
        self.hand.waiting = Some(awaited(&future)?.unbind());
        Ok(None)
    }

    fn time_out(&mut self, py: Python<'_>) -> PyResult<()> {
        let class = imports::asyncio(py)?.getattr("TimeoutError")?.cast_into::<PyType>()?;
        self.run.reset_deadline();
        act::fail(py, &self.run, PyErr::from_type(class, ("Timed out",)))
    }

    /// The caller does not want the rest: a node that waits is cancelled at the next turn.
    pub fn begin_close(&mut self) {
        self.closing = Some(false);
    }

    /// Ends the run at once: nobody will take another turn.
    pub fn close(&mut self, py: Python<'_>) -> PyResult<()> {
        let inline = self.inline.take();
        let closed = act::cancel(py, &self.run)
            .and_then(|()| spawned::cancel_all(py, &self.run))
            .and(inline.map_or(Ok(()), |mut inline| inline.close(py)));
        act::give_up(py, &self.run, &mut self.hand);
        closed
    }
}

impl Hands for Hand {
    fn cancel(&mut self, py: Python<'_>, key: TaskKey) -> PyResult<()> {
        if act::withdraw(py, &self.run, key)? {
            return Ok(());
        }
        if let Some((_, place)) = self.delayed.take_if(|(order, _)| order.key == key) {
            self.waiting = None;
            place.free();
            let outcome = TaskOutcome::Cancelled(None);
            return report(py, &self.run, Report { key, outcome });
        }
        spawned::cancel(py, &self.run, key)
    }

    fn store(
        &mut self,
        py: Python<'_>,
        ticket: Ticket,
        saver: &Saver,
        call: SaverCall,
    ) -> PyResult<()> {
        let object = saver.object.bind(py);
        let arguments = call.arguments.bind(py);
        if saver.never_blocks {
            call_tuple(&object.getattr(call.method)?, arguments, None)?;
            return act::stored(py, &self.run, ticket, Ok(()));
        }
        let method = object.getattr(format!("a{}", call.method).as_str())?;
        let coroutine = call_tuple(&method, arguments, None)?;
        self.storing.begin(py, &self.run, ticket, &coroutine)
    }
}
