//! Doing what the engine says: the one `match` that all drivers share.

use std::collections::HashSet;
use std::sync::Arc;

use langgraph_rust_pregel::{
    Effect, End, Outcome, TaskKey, TaskOutcome, TaskState, Ticket, WaitReason,
};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::host::coroutine::{cancellation, is_cancellation};
use crate::run::board::{Order, Report};
use crate::store::save::{self, Saver, SaverCall};
use crate::task::report::report;
use crate::task::{cached, called, outcome, shown, Run};
use crate::values::domain::Objects;

/// What drivers do each in their own way.
pub trait Hands {
    /// Stops a task if that is possible.
    fn cancel(&mut self, py: Python<'_>, key: TaskKey) -> PyResult<()>;

    /// Calls a saver, and has [`stored`] told of the end.
    fn store(
        &mut self,
        py: Python<'_>,
        ticket: Ticket,
        saver: &Saver,
        call: SaverCall,
    ) -> PyResult<()>;
}

/// What comes after an effect.
pub enum Next {
    /// Another one.
    More,
    /// A chunk for the caller.
    Chunk(Py<PyAny>),
    /// Waiting.
    Wait(WaitReason),
    /// The end.
    Over(Outcome<Objects>),
}

/// Does what the engine says next. With `chunks`, those in line leave first.
///
/// What goes wrong ends the run; an error here means that the run is ending already, and that
/// nothing is left to be done about it.
pub fn act(py: Python<'_>, run: &Arc<Run>, hands: &mut dyn Hands, chunks: bool) -> PyResult<Next> {
    if run.is_abandoned() {
        follow(py, run)?;
    }
    let (effect, over) = {
        let mut core = run.core(py)?;
        (core.poll(py), core.take_over())
    };
    for (_, mut kept) in over.into_iter().flatten() {
        called::dismiss(py, &mut kept)?;
    }
    if chunks && waits(&effect) {
        match run.shows.next_chunk(py) {
            Ok(None) => {}
            shaped => {
                stash(py, run, effect)?;
                return match shaped {
                    Ok(Some(chunk)) => Ok(Next::Chunk(chunk)),
                    Ok(None) => Ok(Next::More),
                    Err(error) => fail(py, run, error).map(|()| Next::More),
                };
            }
        }
    }
    match effect {
        Effect::Wait(reason) => Ok(Next::Wait(reason)),
        Effect::Finish(outcome) => Ok(Next::Over(outcome)),
        effect => match obey(py, run, hands, effect) {
            Ok(()) => Ok(Next::More),
            Err(error) => fail(py, run, error).map(|()| Next::More),
        },
    }
}

/// Whether chunks must leave before the effect is acted on.
fn waits(effect: &Effect<Objects>) -> bool {
    matches!(
        effect,
        Effect::RunTask { .. } | Effect::Wait(_) | Effect::Finish(_) | Effect::LookUpCache(_)
    )
}

/// Puts an effect back. Waiting is not put back: the engine says so again, unless it has changed
/// its mind.
fn stash(py: Python<'_>, run: &Run, effect: Effect<Objects>) -> PyResult<()> {
    if !matches!(effect, Effect::Wait(_)) {
        run.core(py)?.stashed = Some(effect);
    }
    Ok(())
}

fn obey(
    py: Python<'_>,
    run: &Arc<Run>,
    hands: &mut dyn Hands,
    effect: Effect<Objects>,
) -> PyResult<()> {
    match effect {
        Effect::RunTask { task, attempt, delay } => {
            if attempt == 1 {
                run.reset_deadline();
            }
            match Order::new(py, task, delay) {
                Ok(order) => run.board.add(order),
                Err(error) => report(py, run, outcome::unprepared(py, task, error))?,
            }
            Ok(())
        }
        Effect::CancelTask(task) => hands.cancel(py, task),
        Effect::LookUpCache(tasks) => cached::look_up(py, run, &tasks),
        Effect::PersistWrites(put) => {
            let Some(saver) = &run.context.saver else { return Ok(()) };
            let call = save::writes(py, &run.graph, saver, &run.core(py)?.place, &put);
            store(py, run, hands, put.ticket, saver, call)
        }
        Effect::PersistCheckpoint(put) => {
            let Some(saver) = &run.context.saver else { return Ok(()) };
            let call = save::checkpoint(py, &run.graph, saver, &mut run.core(py)?.place, &put);
            store(py, run, hands, put.ticket, saver, call)
        }
        Effect::Emit(event) => shown::show(py, run, &event),
        Effect::Wait(_) | Effect::Finish(_) => Ok(()),
    }
}

fn store(
    py: Python<'_>,
    run: &Arc<Run>,
    hands: &mut dyn Hands,
    ticket: Ticket,
    saver: &Saver,
    call: PyResult<SaverCall>,
) -> PyResult<()> {
    match call.and_then(|call| hands.store(py, ticket, saver, call)) {
        Ok(()) => Ok(()),
        Err(error) => stored(py, run, ticket, Err(error)),
    }
}

/// Tells the engine that a storing is over.
pub fn stored(py: Python<'_>, run: &Run, ticket: Ticket, result: PyResult<()>) -> PyResult<()> {
    let mut core = run.core(py)?;
    let given_back = match result {
        Ok(()) => {
            core.engine.persisted(ticket);
            None
        }
        Err(error) => core.engine.persist_failed(ticket, raised(py, error)).err(),
    };
    drop(core);
    // A run that ends for another reason already ends for that one.
    drop(given_back);
    Ok(())
}

/// Ends the run because its driver cannot go on; gives the error back if the run is ending already.
pub fn fail(py: Python<'_>, run: &Run, error: PyErr) -> PyResult<()> {
    let given_back = run.core(py)?.engine.end(End::Failed(raised(py, error)));
    match given_back {
        Err(End::Failed(error)) => Err(error),
        Ok(()) | Err(End::Cancelled) => Ok(()),
    }
}

/// An error of the run's surroundings (a saver, a cache, a listener) as the run raises it. A
/// cancellation among them is not one of the run: its caller would take it for that.
fn raised(py: Python<'_>, error: PyErr) -> PyErr {
    if !is_cancellation(py, &error) {
        return error;
    }
    let own = PyRuntimeError::new_err(
        "A checkpointer, cache or listener of the run was cancelled, though the run was not",
    );
    own.set_cause(py, Some(error));
    own
}

/// Ends the run because nobody wants the rest.
pub fn cancel(py: Python<'_>, run: &Run) -> PyResult<()> {
    let given_back = run.core(py)?.engine.end(End::Cancelled);
    // A run that is ending already has no more to do.
    drop(given_back);
    Ok(())
}

/// Ends a run within a task that nobody waits for any more. What the task goes on with must not be
/// taken for a result, so it is an error, if anybody sees it.
fn follow(py: Python<'_>, run: &Run) -> PyResult<()> {
    let error = cancellation(py)?;
    let given_back = run.core(py)?.engine.abandon(error);
    // A run that is ending already ends for its own reason.
    drop(given_back);
    match run.context.is_async() || run.board.is_closed() {
        true => Ok(()),
        false => abandon_tasks(py, run),
    }
}

/// Counts tasks that cannot be stopped as cancelled: the run does not wait for them.
pub fn abandon_tasks(py: Python<'_>, run: &Run) -> PyResult<()> {
    while let Some(done) = run.board.next_done() {
        report(py, run, done)?;
    }
    run.board.close();
    let mut told = HashSet::new();
    loop {
        let mut running = running(py, run)?;
        running.retain(|key| told.insert(*key));
        if running.is_empty() {
            return Ok(());
        }
        // In rounds: while one is told, another may still call a task.
        for key in running {
            if !run.context.is_async() {
                // What is left of a task of an async run is a thread, which goes on as upstream's.
                run.board.outer.abandon(key);
            }
            report(py, run, Report { key, outcome: TaskOutcome::Cancelled(None) })?;
        }
    }
}

/// The tasks that the engine counts as running.
fn running(py: Python<'_>, run: &Run) -> PyResult<Vec<TaskKey>> {
    let core = run.core(py)?;
    let is_running =
        |key: &TaskKey| core.engine.task(*key).is_some_and(|it| it.state == TaskState::Running);
    let found = core.engine.keys().filter(is_running).collect();
    Ok(found)
}

/// Ends a run whose driver failed while it was ending already: what was done is stored as far as
/// nothing has to be waited for, and nothing is kept that leads back to the run. The failure comes
/// out of the driver, so what goes wrong here does not.
pub fn give_up(py: Python<'_>, run: &Arc<Run>, hands: &mut dyn Hands) {
    let end = || cancel(py, run).and_then(|()| abandon_tasks(py, run));
    // A signal may be heard amid it.
    let ended = end().or_else(|_| end());
    let stores_here = run.context.saver.as_ref().is_none_or(|saver| saver.never_blocks);
    let stores = ended.is_ok() && (stores_here || !run.context.is_async());
    while stores && matches!(act(py, run, hands, false), Ok(Next::More)) {}
    let kept = run.core(py).map(|mut core| core.take_kept());
    for (_, mut kept) in kept.into_iter().flatten() {
        // Those who wait for a called task have been told.
        drop(called::dismiss(py, &mut kept));
    }
}

/// Takes back a task that nobody has begun, and tells the engine.
pub fn withdraw(py: Python<'_>, run: &Run, key: TaskKey) -> PyResult<bool> {
    let withdrawn = run.board.withdraw(key);
    if withdrawn {
        report(py, run, Report { key, outcome: TaskOutcome::Cancelled(None) })?;
    }
    Ok(withdrawn)
}
