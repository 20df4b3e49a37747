//! Driving a run on the calling thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use langgraph_rust_pregel::{Outcome, TaskKey, Ticket, WaitReason};
use pyo3::exceptions::{PyRuntimeError, PyTimeoutError};
use pyo3::prelude::*;

use super::act::{self, act, Hands, Next};
use super::helpers::{self, Join};
use super::perform::{perform, settle};
use crate::host::call::call_tuple;
use crate::host::{event_loop, threads};
use crate::run::finish;
use crate::store::save::{Saver, SaverCall};
use crate::task::report::report;
use crate::task::Run;
use crate::values::domain::Objects;

/// How far a run got.
pub enum Turn {
    /// A chunk for the caller.
    Chunk(Py<PyAny>),
    /// The end.
    Over(Outcome<Objects>),
}

/// How often a waiting thread looks for signals.
const SIGNALS: Duration = Duration::from_millis(50);

/// How long the bell may take to ring when nobody is at work any more.
const STUCK: Duration = Duration::from_secs(2);

/// Runs a graph that is a node of another: on this thread, to its end.
pub fn invoke_nested(py: Python<'_>, run: &Arc<Run>) -> PyResult<Py<PyAny>> {
    to_the_end(py, run)?;
    finish::latest(py, run)
}

/// Drives a run whose caller waits for the end.
pub fn to_the_end(py: Python<'_>, run: &Arc<Run>) -> PyResult<()> {
    loop {
        match drive(py, run)? {
            Turn::Chunk(_) => {}
            Turn::Over(outcome) => return finish::conclude(py, run, outcome),
        }
    }
}

/// Drives a run to its next chunk or its end.
pub fn drive(py: Python<'_>, run: &Arc<Run>) -> PyResult<Turn> {
    drive_on(py, run, true)?.ok_or_else(over)
}

/// Drives a run that nobody wants chunks of to its end, if it has not ended.
pub fn drain(py: Python<'_>, run: &Arc<Run>) -> PyResult<()> {
    drive_on(py, run, false).map(drop)
}

/// Drives a run on, with `chunks` to its next chunk; `None` if it has ended before.
fn drive_on(py: Python<'_>, run: &Arc<Run>, chunks: bool) -> PyResult<Option<Turn>> {
    loop {
        let acted = match act(py, run, &mut Thread { run }, chunks) {
            Ok(Next::More) => continue,
            Ok(Next::Chunk(chunk)) => return Ok(Some(Turn::Chunk(chunk))),
            Ok(Next::Over(outcome)) => return Ok(Some(Turn::Over(outcome))),
            Ok(Next::Wait(WaitReason::Nothing)) => return Ok(None),
            Ok(Next::Wait(_)) => wait_for_tasks(py, run),
            Err(error) => Err(error),
        };
        if let Err(error) = acted {
            act::give_up(py, run, &mut Thread { run });
            return Err(error);
        }
    }
}

/// What a run that is over says to whoever drives it further.
pub fn over() -> PyErr {
    PyRuntimeError::new_err("The run is over")
}

/// The calling thread.
struct Thread<'a> {
    run: &'a Arc<Run>,
}

impl Hands for Thread<'_> {
    /// A sync node that runs cannot be stopped; it is waited for. Beside one that failed, so are
    /// those that would run already if each had a thread: whether a node is run must not depend on
    /// how quickly another one failed.
    fn cancel(&mut self, py: Python<'_>, key: TaskKey) -> PyResult<()> {
        let threads = self.run.context.max_concurrency.unwrap_or_else(default_threads);
        let unwanted = key.position() >= threads || self.run.core(py)?.engine.is_cancelled();
        if unwanted {
            act::withdraw(py, self.run, key)?;
        }
        Ok(())
    }

    fn store(
        &mut self,
        py: Python<'_>,
        ticket: Ticket,
        saver: &Saver,
        call: SaverCall,
    ) -> PyResult<()> {
        let method = saver.object.bind(py).getattr(call.method)?;
        call_tuple(&method, call.arguments.bind(py), None)?;
        act::stored(py, self.run, ticket, Ok(()))
    }
}

/// How many threads Python's own executors have.
fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).saturating_add(4).min(32)
}

fn wait_for_tasks(py: Python<'_>, run: &Arc<Run>) -> PyResult<()> {
    if let Some(done) = run.board.next_done() {
        return report(py, run, done);
    }
    if run.board.is_idle() {
        // Whoever freed the last place rings after it has.
        let patience = Instant::now() + STUCK;
        return match run.board.waker.wait(py, Some(patience))? {
            true => Ok(()),
            false => stuck(py, run),
        };
    }
    let (waiting, running) = run.board.counts();
    let free = !run.shows.eager && run.context.step_timeout.is_none();
    if free && waiting == 1 && running == 0 {
        return take_part(py, run, false);
    }
    let may_work = free && run.shows.latest && !run.graph.has_follow_ups;
    if waiting > 0 && may_work && event_loop::running_here(py)?.is_none() {
        // The calling thread is one of those at work.
        return take_part(py, run, true);
    }
    if waiting > 0 {
        let join = if run.board.is_helped() { Join::IfStuck } else { Join::AtOnce };
        helpers::call(py, run, join)?;
    }
    wait(py, run)
}

/// Tasks are to be waited for that nobody runs: an error, since the run would never end.
fn stuck(py: Python<'_>, run: &Arc<Run>) -> PyResult<()> {
    let error = PyRuntimeError::new_err(
        "The run waits for tasks that nobody runs, which is a fault of langgraph-rust",
    );
    act::fail(py, run, error)?;
    act::abandon_tasks(py, run)
}

fn take_part(py: Python<'_>, run: &Arc<Run>, helped: bool) -> PyResult<()> {
    let Some((order, place)) = run.board.take() else { return wait(py, run) };
    if helped {
        if let Err(error) = helpers::call(py, run, Join::IfStuck) {
            // Without help the tasks still get done, only later.
            error.write_unraisable(py, None);
        }
    }
    let done = perform(py, run, &order);
    // What others finished meanwhile was finished first.
    while let Some(earlier) = run.board.next_done() {
        report(py, run, earlier)?;
    }
    if run.core(py)?.is_call(order.key) {
        let settled = settle(py, run, order, done);
        drop(place);
        return settled;
    }
    place.free();
    report(py, run, done)
}

/// Waits until a task is done, a chunk is there, a signal arrived or the time is up.
fn wait(py: Python<'_>, run: &Arc<Run>) -> PyResult<()> {
    let deadline = run.step_deadline();
    let hears_signals = threads::is_main(py)?;
    loop {
        let slice = hears_signals.then(|| Instant::now() + SIGNALS);
        let until = [deadline, slice].into_iter().flatten().min();
        let rang = run.board.waker.wait(py, until)?;
        if let Err(signal) = py.check_signals() {
            // Nobody knows how long the nodes will take; whoever pressed the key will not wait.
            act::fail(py, run, signal)?;
            return act::abandon_tasks(py, run);
        }
        if rang || run.shows.has_chunks() {
            return Ok(());
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            act::fail(py, run, PyTimeoutError::new_err("Timed out"))?;
            return act::abandon_tasks(py, run);
        }
    }
}
