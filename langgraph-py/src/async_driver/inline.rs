//! A node driven inside the caller's own task: each turn of its coroutine happens inside the
//! caller's turn, in the node's own context.

use langgraph_pregel::TaskOutcome;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use super::{Driver, Turn};
use crate::board::Report;
use crate::coroutine::Sent;
use crate::domain::Objects;
use crate::finish;
use crate::interpreter::{self, Turn as CoroutineTurn};
use crate::node::{Advance, NodeRun};

/// A node and what it waits for.
pub struct Inline {
    /// The node.
    pub node: NodeRun,
    wait: Wait,
}

enum Wait {
    /// A coroutine, or the iterator of another awaitable.
    Iterator(Py<PyAny>),
    /// A graph of its own.
    Child(Box<Driver>),
}

/// How far a node got.
pub enum Progress {
    /// To be yielded to the event loop.
    Yield(Py<PyAny>),
    /// It is over.
    Done(TaskOutcome<Objects>),
}

impl Inline {
    /// Begins a node; `Err` holds its end if it did not wait for anything.
    pub fn begin(py: Python<'_>, mut node: NodeRun) -> PyResult<Result<Self, Report>> {
        let advance = node.start(py);
        Self::after(py, node, advance)
    }

    fn after(
        py: Python<'_>,
        mut node: NodeRun,
        mut advance: Advance,
    ) -> PyResult<Result<Self, Report>> {
        loop {
            match advance {
                Advance::Done(outcome) => {
                    let key = node.key;
                    return Ok(Err(Report { key, outcome, handle: Some(node.handle(py)) }));
                }
                Advance::Await(awaitable) => match interpreter::awaited(awaitable.bind(py)) {
                    Ok(iterator) => {
                        let wait = Wait::Iterator(iterator.unbind());
                        return Ok(Ok(Self { node, wait }));
                    }
                    Err(error) => advance = node.resume(py, Err(error)),
                },
                Advance::Child(run) => {
                    let wait = Wait::Child(Box::new(Driver::new(run)));
                    return Ok(Ok(Self { node, wait }));
                }
            }
        }
    }

    /// Takes the node's turn: with `sent`, up to its next wait or its end.
    pub fn turn(&mut self, py: Python<'_>, mut sent: Sent, cancelling: bool) -> PyResult<Progress> {
        loop {
            let result = match &mut self.wait {
                Wait::Child(driver) => match driver.turn(py, sent)? {
                    Turn::Yield(value) => return Ok(Progress::Yield(value)),
                    Turn::Chunk(_) => {
                        sent = Ok(py.None());
                        continue;
                    }
                    Turn::Over(outcome) => {
                        let run = driver.run.clone();
                        let interrupted = driver.cancelled.take();
                        finish::conclude(py, &run, outcome)
                            .and_then(|()| interrupted.map_or(Ok(()), Err))
                            .and_then(|()| finish::latest(py, &run))
                    }
                },
                Wait::Iterator(iterator) => {
                    let entered = self.node.enter(py)?;
                    let turn = match sent {
                        Ok(value) => interpreter::send(iterator.bind(py), value.bind(py)),
                        Err(error) => interpreter::throw(iterator.bind(py), error),
                    };
                    drop(entered);
                    match turn {
                        CoroutineTurn::Yielded(value) => {
                            return Ok(Progress::Yield(value.unbind()));
                        }
                        CoroutineTurn::Returned(value) => Ok(value.unbind()),
                        CoroutineTurn::Raised(error) => Err(error),
                    }
                }
            };
            if let Err(error) = &result {
                if cancelling && interpreter::is_cancellation(py, error) {
                    let value = error.value(py).clone().into_any().unbind();
                    return Ok(Progress::Done(TaskOutcome::Cancelled(Some(value))));
                }
            }
            match self.node.resume(py, result) {
                Advance::Done(outcome) => return Ok(Progress::Done(outcome)),
                Advance::Await(awaitable) => {
                    let iterator = interpreter::awaited(awaitable.bind(py))?;
                    self.wait = Wait::Iterator(iterator.unbind());
                }
                Advance::Child(run) => self.wait = Wait::Child(Box::new(Driver::new(run))),
            }
            sent = Ok(py.None());
        }
    }

    /// Ends what the node waits for without running it further.
    pub fn close(&mut self, py: Python<'_>) -> PyResult<()> {
        match &mut self.wait {
            Wait::Child(driver) => driver.close(py),
            Wait::Iterator(iterator) => {
                let iterator = iterator.bind(py);
                if iterator.hasattr(intern!(py, "close"))? {
                    let entered = self.node.enter(py)?;
                    let closed = iterator.call_method0(intern!(py, "close"));
                    drop(entered);
                    closed?;
                }
                Ok(())
            }
        }
    }

    /// Visits the Python objects held, for the garbage collector.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.node.traverse(visit)?;
        match &self.wait {
            Wait::Iterator(iterator) => visit.call(iterator),
            Wait::Child(driver) => driver.traverse(visit),
        }
    }
}
