//! Workers that help with the tasks of a run.
//!
//! The interpreter runs one thread at a time: tasks that compute are done fastest by the thread
//! that has them, and every other thread only takes turns away. Tasks that wait (for a model, a
//! database) leave the interpreter to others, and should wait side by side. Which kind they are
//! shows: so a helper looks on, without asking for the interpreter, until tasks stop getting done.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use langgraph_rust_pregel::TaskKey;
use pyo3::prelude::*;

use super::perform::{deliver, perform, settle};
use crate::host::pool::{self, Job, LookOn, Next};
use crate::host::{event_loop, threads};
use crate::run::board::helpers::{Coming, Look, Watch};
use crate::task::Run;

/// A helper joins when no task got done for this long.
const WINDOW: Duration = Duration::from_micros(300);

/// A helper joins after this long in any case: many short waits are long together.
const PATIENCE: Duration = Duration::from_millis(5);

/// No number of tasks: nothing was stuck.
const NOT_STUCK: u64 = u64::MAX;

/// When a helper joins.
#[derive(Clone, Copy)]
pub enum Join {
    /// At once: nobody else does the work.
    AtOnce,
    /// When tasks stop getting done.
    IfStuck,
    /// At once if just so many tasks are done: that is how many there were when they got stuck.
    IfStuckAt(u64),
}

/// Wakes one worker to help with the tasks of `run`, if there is work and a place for it. It wakes
/// the next when it joins.
pub fn call(py: Python<'_>, run: &Arc<Run>, join: Join) -> PyResult<()> {
    let looks_on = !matches!(join, Join::AtOnce) && !threads::are_cooperative(py)?;
    let Some(coming) = run.board.call_helper(looks_on) else { return Ok(()) };
    let stuck_at = Arc::new(AtomicU64::new(NOT_STUCK));
    let look_on = looks_on.then(|| {
        let (watch, stuck_at) = (coming.watch(), stuck_at.clone());
        Box::new(move || look_on(&watch, join, &stuck_at)) as LookOn
    });
    // A helper that comes too late finds nothing, and keeps nothing alive until then.
    let run = Arc::downgrade(run);
    let work = move |py: Python<'_>| {
        if let Some(run) = run.upgrade() {
            let next = match stuck_at.load(Ordering::Acquire) {
                NOT_STUCK => Join::IfStuck,
                completed => Join::IfStuckAt(completed),
            };
            help(py, &run, coming, next);
        }
        Next::Unknown
    };
    pool::submit(py, Job { look_on, work: Box::new(work) })
}

fn help(py: Python<'_>, run: &Arc<Run>, coming: Coming, mut next: Join) {
    let mut coming = Some(coming);
    while let Some((mut order, place)) = run.board.take() {
        drop(coming.take());
        // The driver is not the one who runs it, and may abandon it.
        order.is_alone = false;
        if let Err(error) = call(py, run, next) {
            // Without another helper the tasks still get done, only later.
            error.write_unraisable(py, None);
        }
        next = Join::IfStuck;
        let done = perform(py, run, &order);
        deliver(py, run, order, done, place);
    }
}

/// How many tasks may run on a thread within each other, as each takes of its stack.
const DEPTH: usize = 16;

thread_local! {
    /// How many called tasks run on this thread.
    static CALLED_HERE: Cell<usize> = const { Cell::new(0) };
}

/// Runs a called task on the thread that waits for it, unless somebody has begun it.
///
/// Not where an event loop runs: sync code of a task may run one of its own.
pub fn run_here(py: Python<'_>, run: &Arc<Run>, key: TaskKey) -> PyResult<()> {
    let depth = CALLED_HERE.get();
    if depth >= DEPTH || event_loop::running_here(py)?.is_some() {
        return Ok(());
    }
    let Some((mut order, place)) = run.board.take_called(key) else { return Ok(()) };
    order.is_alone = false;
    CALLED_HERE.set(depth + 1);
    let done = perform(py, run, &order);
    let settled = settle(py, run, order, done);
    drop(place);
    CALLED_HERE.set(depth);
    // The place is free, and this thread does not take it again by itself.
    settled.and(call(py, run, Join::IfStuck))
}

/// Looks on until help is needed, or until nothing is left to help with. Must be called detached.
fn look_on(watch: &Watch, join: Join, stuck_at: &AtomicU64) -> bool {
    let mut began = Instant::now();
    let mut seen = match join {
        Join::IfStuckAt(completed) => Some(completed),
        Join::AtOnce | Join::IfStuck => None,
    };
    loop {
        match watch.look(seen) {
            Look::Waiting(completed) => {
                let is_stuck = seen == Some(completed);
                if is_stuck {
                    stuck_at.store(completed, Ordering::Release);
                }
                if is_stuck || began.elapsed() > PATIENCE {
                    watch.end();
                    return true;
                }
                seen = Some(completed);
            }
            Look::Empty(completed) => (seen, began) = (Some(completed), Instant::now()),
            Look::Gone => return false,
        }
        std::thread::sleep(WINDOW);
    }
}
