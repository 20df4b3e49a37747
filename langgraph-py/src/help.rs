//! Workers that help with the tasks of a superstep.
//!
//! The interpreter runs one thread at a time: tasks that compute are done fastest by the thread
//! that has them, and every other thread only takes turns away. Tasks that wait (for a model, a
//! database) leave the interpreter to others, and should wait side by side. Which kind they are
//! shows: so a helper looks on, without asking for the interpreter, until tasks stop getting done.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::board::{self, Board};
use crate::pool::{self, Next, Work};
use crate::run::Run;

/// A helper joins when no task got done for this long.
const WINDOW: Duration = Duration::from_micros(300);

/// A helper joins after this long in any case: many short waits are long together.
const PATIENCE: Duration = Duration::from_millis(5);

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

/// Wakes one worker to help with the tasks of `run`, unless `limit` of them do already. It wakes
/// the next when it joins.
pub fn call(py: Python<'_>, run: &Arc<Run>, limit: usize, join: Join) -> PyResult<()> {
    if !run.board.wants_helper(limit, !matches!(join, Join::AtOnce)) {
        return Ok(());
    }
    // A helper that comes too late finds nothing, and keeps nothing alive until then.
    let (board, run) = (Arc::downgrade(&run.board), Arc::downgrade(run));
    let job = move || -> Option<Work> {
        let next = look_on(&board, join)?;
        Some(Box::new(move |py| {
            if let Some(run) = run.upgrade() {
                help(py, &run, limit, next);
                run.board.helper_left();
            }
            Next::Unknown
        }))
    };
    pool::submit(py, Box::new(job))
}

fn help(py: Python<'_>, run: &Arc<Run>, limit: usize, mut next: Join) {
    while let Some(order) = run.board.take() {
        if let Err(error) = call(py, run, limit, next) {
            // Without another helper the tasks still get done, only later.
            error.write_unraisable(py, None);
        }
        next = Join::IfStuck;
        let done = board::perform(py, run, order);
        board::deliver(py, run, done);
    }
}

/// Looks on until help is needed; tells when the next helper is to join. `None` if nothing is left
/// to help with. Must be called detached.
fn look_on(board: &Weak<Board>, join: Join) -> Option<Join> {
    let began = Instant::now();
    let mut seen = match join {
        Join::AtOnce => return Some(Join::IfStuck),
        Join::IfStuck => None,
        Join::IfStuckAt(completed) => Some(completed),
    };
    loop {
        let board = board.upgrade()?;
        let completed = board.completed();
        let over = board.counts().0 == 0;
        let stuck = seen == Some(completed);
        if over || stuck || began.elapsed() > PATIENCE {
            board.unwatched();
            if over {
                board.helper_left();
                return None;
            }
            return Some(if stuck { Join::IfStuckAt(completed) } else { Join::IfStuck });
        }
        seen = Some(completed);
        drop(board);
        std::thread::sleep(WINDOW);
    }
}
