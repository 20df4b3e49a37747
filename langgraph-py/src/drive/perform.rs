//! Running a task on a thread, from its beginning to its end.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use langgraph_rust_pregel::{TaskKey, TaskOutcome};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use super::{act, early, sync};
use crate::host::call::call_named;
use crate::host::collect::plain_lock;
use crate::run::board::{Order, Place, Report};
use crate::task::called::next_attempt;
use crate::task::node::{Advance, NodeRun};
use crate::task::report::report;
use crate::task::{outcome, Run};

/// Runs a task of a sync run.
pub fn perform(py: Python<'_>, run: &Arc<Run>, order: &Order) -> Report {
    let key = order.key;
    caught(py, run, key, || attempt(py, run, order))
        .unwrap_or_else(|error| outcome::unprepared(py, key, error))
}

/// Does some of a task's work. A panic is the task's failure, whichever thread it is on.
pub fn caught<T>(
    py: Python<'_>,
    run: &Run,
    key: TaskKey,
    work: impl FnOnce() -> PyResult<T>,
) -> PyResult<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(panic) => Err(panicked(py, run, key, &*panic)),
    }
}

fn attempt(py: Python<'_>, run: &Arc<Run>, order: &Order) -> PyResult<Report> {
    let key = order.key;
    wait_first(py, order.delay)?;
    let mut node = NodeRun::ready(py, run, key, &order.context)?;
    panic_if_armed(py, &node);
    // Only those who drive the run abandon its tasks, and not the one that they run alone.
    if run.is_abandoned() || (!order.is_alone && outcome::is_abandoned(py, run, key)) {
        return Ok(Report { key, outcome: TaskOutcome::Cancelled(None) });
    }
    let mut advance = node.start(py);
    loop {
        advance = match advance {
            Advance::Done(outcome) => return Ok(Report { key, outcome }),
            Advance::Child(child) => {
                let result = match node.enter(py) {
                    Ok(_entered) => sync::invoke_nested(py, &child),
                    Err(error) => Err(error),
                };
                node.resume(py, result)
            }
            Advance::Await(_) => {
                return Err(PyRuntimeError::new_err(
                    "A node of a sync run handed back something to wait for",
                ));
            }
        };
    }
}

fn wait_first(py: Python<'_>, delay: Duration) -> PyResult<()> {
    if delay.is_zero() {
        return Ok(());
    }
    let seconds = delay.as_secs_f64().into_pyobject(py)?;
    call_named(py, "time", "sleep", &[seconds.as_any()]).map(drop)
}

/// A panic as the error that a task fails with.
fn panicked(py: Python<'_>, run: &Run, key: TaskKey, panic: &(dyn Any + Send)) -> PyErr {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    let name = run.core(py).ok().and_then(|core| core.engine.task(key).map(|t| t.name.clone()));
    let name = name.as_deref().unwrap_or("?").to_owned();
    PyRuntimeError::new_err(format!(
        "Task '{name}' ended by a panic, which is a fault of langgraph-rust: {message}"
    ))
}

/// Hands a task that is over to the driver; one that was called is settled at once, since the
/// driver may be busy running the caller, which waits for it. What goes wrong ends the run.
pub fn deliver(py: Python<'_>, run: &Arc<Run>, order: Order, done: Report, place: Place) {
    if let Err(error) = settle(py, run, order, done) {
        if let Err(late) = act::fail(py, run, error) {
            // It ends already, for another reason.
            late.write_unraisable(py, None);
        }
    }
    drop(place);
}

/// The same on the thread that waits for the task, or drives the run, which is told what goes wrong.
pub fn settle(py: Python<'_>, run: &Arc<Run>, order: Order, done: Report) -> PyResult<()> {
    let is_call = run.core(py).is_ok_and(|core| core.is_call(done.key));
    match is_call {
        true => settle_call(py, run, order, done),
        // The driver may be busy with a task of its own.
        false if is_finished(&done) && run.context.saver.is_some() => {
            report(py, run, done).and_then(|()| early::store(py, run))
        }
        false => {
            run.board.hand_in(done);
            Ok(())
        }
    }
}

fn is_finished(done: &Report) -> bool {
    matches!(done.outcome, TaskOutcome::Finished(_))
}

fn settle_call(py: Python<'_>, run: &Arc<Run>, mut order: Order, mut done: Report) -> PyResult<()> {
    loop {
        report(py, run, done)?;
        early::store(py, run)?;
        let Some(delay) = next_attempt(py, run, order.key)? else { return Ok(()) };
        order.delay = delay;
        done = perform(py, run, &order);
    }
}

static IS_ARMED: AtomicBool = AtomicBool::new(false);
static ARMED: Mutex<Option<String>> = Mutex::new(None);

/// Has the engine panic when it runs a task of this name next, or not any more: for tests of what
/// follows.
#[pyfunction]
#[pyo3(name = "_panic_at")]
pub fn panic_at(name: Option<String>) {
    IS_ARMED.store(name.is_some(), Ordering::Release);
    *plain_lock(&ARMED) = name;
}

/// Panics if a test has asked for it.
pub fn panic_if_armed(py: Python<'_>, node: &NodeRun) {
    if !IS_ARMED.load(Ordering::Acquire) {
        return;
    }
    let name = node.name(py).bind(py).extract::<String>().unwrap_or_default();
    let mut armed = plain_lock(&ARMED);
    if armed.as_deref() == Some(&name) {
        *armed = None;
        IS_ARMED.store(false, Ordering::Release);
        drop(armed);
        panic!("a test asked for it");
    }
}
