//! Driving a run on the calling thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use langgraph_pregel::{Effect, Outcome, TaskKey, TaskOutcome, WaitReason};
use pyo3::intern;
use pyo3::prelude::*;

use crate::board::{self, Order};
use crate::events;
use crate::finish;
use crate::help::{self, Join};
use crate::pool::Next;
use crate::run::Run;
use crate::save::{self, SaverCall};

/// How far a run got.
pub enum Turn {
    /// A chunk for the caller.
    Chunk(Py<PyAny>),
    /// The end.
    Over(Outcome<crate::domain::Objects>),
}

/// How often a waiting thread looks for signals.
const SIGNALS: Duration = Duration::from_millis(50);

/// How many threads work on one superstep, unless `max_concurrency` says otherwise.
const THREADS: usize = 32;

/// Runs a graph that is a node of another: on this thread, to its end.
pub fn invoke_nested(py: Python<'_>, run: &Arc<Run>) -> PyResult<Py<PyAny>> {
    finish(py, run)?;
    finish::latest(py, run)
}

/// Drives a run whose caller waits for the end.
pub fn finish(py: Python<'_>, run: &Arc<Run>) -> PyResult<()> {
    loop {
        match drive(py, run)? {
            Turn::Chunk(_) => {}
            Turn::Over(outcome) => return finish::conclude(py, run, outcome),
        }
    }
}

/// Drives a run to its next chunk or its end.
pub fn drive(py: Python<'_>, run: &Arc<Run>) -> PyResult<Turn> {
    loop {
        let effect = run.core(py)?.poll(py);
        if waits(&effect) {
            if let Some(chunk) = finish::next_chunk(py, run)? {
                run.core(py)?.stashed = Some(effect);
                return Ok(Turn::Chunk(chunk));
            }
        }
        match effect {
            Effect::RunTask { task, attempt, delay } => {
                if attempt == 1 {
                    run.reset_deadline();
                }
                run.board.add(Order::new(py, task, delay)?);
            }
            Effect::CancelTask(task) => cancel(py, run, task)?,
            Effect::LookUpCache(tasks) => crate::cache::look_up(py, run, &tasks)?,
            Effect::PersistWrites(writes) => {
                let call = save::writes(py, run, &*run.core(py)?, &writes)?;
                store(py, run, writes.ticket, call)?;
            }
            Effect::PersistCheckpoint(put) => {
                let call = save::checkpoint(py, run, &mut *run.core(py)?, &put)?;
                store(py, run, put.ticket, call)?;
            }
            Effect::Emit(event) => show(py, run, event)?,
            Effect::Wait(WaitReason::Tasks) => wait_for_tasks(py, run)?,
            Effect::Wait(_) => return Ok(Turn::Over(Outcome::Done)),
            Effect::Finish(outcome) => return Ok(Turn::Over(outcome)),
        }
    }
}

/// Whether chunks must leave before the effect is acted on.
fn waits(effect: &Effect<crate::domain::Objects>) -> bool {
    matches!(
        effect,
        Effect::RunTask { .. } | Effect::Wait(_) | Effect::Finish(_) | Effect::LookUpCache(_)
    )
}

fn show(py: Python<'_>, run: &Arc<Run>, event: langgraph_pregel::Event) -> PyResult<()> {
    match events::show(py, run, event) {
        Ok(()) => Ok(()),
        Err(error) => {
            // What a listener, or the input of a task shown to it, raises ends the run.
            run.core(py)?.engine.abort(error);
            Ok(())
        }
    }
}

fn store(
    py: Python<'_>,
    run: &Arc<Run>,
    ticket: langgraph_pregel::Ticket,
    call: SaverCall,
) -> PyResult<()> {
    let saver = run.context.saver.as_ref().expect("only runs with a saver store");
    let method = saver.object.bind(py).getattr(call.method);
    let stored = method.and_then(|method| method.call1(call.arguments.bind(py)));
    let mut core = run.core(py)?;
    match stored {
        Ok(_) => core.engine.persisted(ticket),
        Err(error) => core.engine.persist_failed(ticket, error),
    }
    Ok(())
}

/// A sync node that runs cannot be stopped; it is waited for. Beside one that failed, so are those
/// that would run already if each had a thread: whether a node is run must not depend on how
/// quickly another one failed.
fn cancel(py: Python<'_>, run: &Arc<Run>, key: TaskKey) -> PyResult<()> {
    let threads = run.context.max_concurrency.unwrap_or_else(default_threads);
    let unwanted = key.position() >= threads || run.core(py)?.engine.is_cancelled();
    if unwanted && run.board.withdraw(key) {
        run.core(py)?.engine.task_finished(py, key, TaskOutcome::Cancelled(None));
    }
    Ok(())
}

/// How many threads Python's own executors have.
fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).saturating_add(4).min(THREADS)
}

fn wait_for_tasks(py: Python<'_>, run: &Arc<Run>) -> PyResult<()> {
    if let Some(done) = run.board.next_done() {
        return board::report(py, run, done);
    }
    let (waiting, running) = run.board.counts();
    let alone = waiting == 1 && running == 0;
    let free = !run.shows.eager && run.context.step_timeout.is_none();
    if free && alone {
        return take_part(py, run);
    }
    let limit = run.context.max_concurrency.unwrap_or(THREADS);
    let joins = waiting > 0 && free && run.shows.latest && !on_event_loop(py)?;
    if joins {
        // The calling thread is one of those at work.
        if let Err(error) = help::call(py, run, limit.saturating_sub(1), Join::IfStuck) {
            error.write_unraisable(py, None);
        }
        return take_part(py, run);
    }
    if waiting > 0 {
        let join = if run.board.is_helped() { Join::IfStuck } else { Join::AtOnce };
        help::call(py, run, limit, join)?;
    }
    wait(py, run)
}

fn take_part(py: Python<'_>, run: &Arc<Run>) -> PyResult<()> {
    match run.board.take() {
        Some(order) => {
            let done = board::perform(py, run, order);
            // What others finished meanwhile was finished first.
            while let Some(earlier) = run.board.next_done() {
                board::report(py, run, earlier)?;
            }
            run.board.untake();
            board::report(py, run, done)
        }
        None => wait(py, run),
    }
}

/// Waits until a task is done, a chunk is there, a signal arrived or the time is up.
fn wait(py: Python<'_>, run: &Arc<Run>) -> PyResult<()> {
    let deadline = run.step_deadline();
    let hears_signals = on_main_thread(py)?;
    loop {
        let slice = hears_signals.then(|| Instant::now() + SIGNALS);
        let until = [deadline, slice].into_iter().flatten().min();
        let rang = {
            let _parked = crate::interpreter::ParkIfLost;
            py.detach(|| run.board.waker.wait(until))
        };
        if let Err(signal) = py.check_signals() {
            // Nobody knows how long the nodes will take; whoever pressed the key will not wait.
            run.core(py)?.engine.abort(signal);
            return run.abandon_tasks(py);
        }
        if rang || finish::has_chunks(run) {
            return Ok(());
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            let error = pyo3::exceptions::PyTimeoutError::new_err("Timed out");
            run.core(py)?.engine.abort(error);
            return run.abandon_tasks(py);
        }
    }
}

/// Whether this is the thread that Python's signal handlers run on.
fn on_main_thread(py: Python<'_>) -> PyResult<bool> {
    let threading = py.import(intern!(py, "threading"))?;
    let main = threading.call_method0(intern!(py, "main_thread"))?.getattr(intern!(py, "ident"))?;
    main.eq(threading.call_method0(intern!(py, "get_ident"))?)
}

/// Whether the calling thread runs an event loop, which nodes may need to be elsewhere for.
fn on_event_loop(py: Python<'_>) -> PyResult<bool> {
    let modules = py.import(intern!(py, "sys"))?.getattr(intern!(py, "modules"))?;
    let Ok(events) = modules.get_item(intern!(py, "asyncio.events")) else { return Ok(false) };
    let running = events.call_method0(intern!(py, "_get_running_loop"))?;
    Ok(!running.is_none())
}

/// Starts a task that another task called, at once: the caller may wait for it.
pub fn run_requested(py: Python<'_>, run: &Arc<Run>, key: TaskKey) -> PyResult<()> {
    if run.context.is_async {
        return crate::async_driver::run_requested(py, run, key);
    }
    run.board.add(Order::new(py, key, Duration::ZERO)?);
    let run = run.clone();
    let work = crate::pool::at_once(move |py| {
        if let Some(order) = run.board.take_this(key) {
            let done = board::perform(py, &run, order);
            board::deliver(py, &run, done);
        }
        Next::Unknown
    });
    crate::pool::submit(py, work)
}
