//! A node driven inside another task: each turn of its coroutine happens inside that task's turn,
//! in the node's own context.

use langgraph_rust_pregel::TaskOutcome;
use pyo3::prelude::*;

use super::act;
use super::asked::{Asked, Requests};
use super::asyncio::{Driver, Turn};
use crate::collects;
use crate::host::call::Turn as CoroutineTurn;
use crate::host::coroutine::{self, awaited, go_on, is_cancellation, Sent};
use crate::run::board::{Place, Report};
use crate::run::finish;
use crate::task::node::{Advance, NodeRun};
use crate::values::domain::Objects;

/// A node and what it waits for.
pub struct Inline {
    /// The node.
    pub node: NodeRun,
    /// The place that it runs in.
    pub place: Option<Place>,
    wait: Wait,
    /// See [`Asked::requests`].
    requests: Requests,
}

enum Wait {
    /// A coroutine, or the iterator of another awaitable.
    Iterator(Py<PyAny>),
    /// A graph of its own.
    Child(Box<Driver>),
}

collects!(Inline { node, wait });
collects!(
    enum Wait {
        Iterator(iterator),
        Child(driver),
    }
);

/// How far a node got.
pub enum Progress {
    /// To be yielded to the event loop.
    Yield(Py<PyAny>),
    /// It is over.
    Done(TaskOutcome<Objects>),
}

impl Inline {
    /// Begins a node; `Err` holds its end if it did not wait for anything.
    pub fn begin(
        py: Python<'_>,
        mut node: NodeRun,
        requests: Requests,
    ) -> PyResult<Result<Self, Report>> {
        let mut advance = node.start(py);
        loop {
            match advance {
                Advance::Done(outcome) => return Ok(Err(Report { key: node.key, outcome })),
                Advance::Await(awaitable) => match awaited(awaitable.bind(py)) {
                    Ok(iterator) => {
                        let wait = Wait::Iterator(iterator.unbind());
                        return Ok(Ok(Self { node, place: None, wait, requests }));
                    }
                    Err(error) => advance = node.resume(py, Err(error)),
                },
                Advance::Child(run) => {
                    let wait = Wait::Child(Box::new(Driver::nested(run, requests)));
                    return Ok(Ok(Self { node, place: None, wait, requests }));
                }
            }
        }
    }

    /// Takes the node's turn: with `sent`, up to its next wait or its end. `asked` tells who asks
    /// for cancellations, if that is not known from the engine.
    pub fn turn(
        &mut self,
        py: Python<'_>,
        mut sent: Sent,
        asked: Option<&Asked>,
    ) -> PyResult<Progress> {
        loop {
            let result = match self.wait_on(py, sent)? {
                Ok(value) => return Ok(Progress::Yield(value)),
                Err(result) => result,
            };
            if let (Err(error), Some(asked)) = (&result, asked) {
                if is_cancellation(py, error) && asked.by_caller(py)? {
                    // The run is cancelled, and with it the node, which is told so.
                    act::cancel(py, self.node.run())?;
                }
            }
            match self.node.resume(py, result) {
                Advance::Done(outcome) => return Ok(Progress::Done(outcome)),
                Advance::Await(awaitable) => {
                    self.wait = Wait::Iterator(awaited(awaitable.bind(py))?.unbind());
                }
                Advance::Child(run) => {
                    self.wait = Wait::Child(Box::new(Driver::nested(run, self.requests)));
                }
            }
            sent = Ok(py.None());
        }
    }

    /// Goes on with what the node waits for: what it yields, or else its result.
    fn wait_on(
        &mut self,
        py: Python<'_>,
        mut sent: Sent,
    ) -> PyResult<Result<Py<PyAny>, PyResult<Py<PyAny>>>> {
        match &mut self.wait {
            Wait::Iterator(iterator) => {
                let entered = self.node.enter(py)?;
                let turn = go_on(iterator.bind(py), sent);
                drop(entered);
                Ok(match turn {
                    CoroutineTurn::Yielded(value) => Ok(value.unbind()),
                    CoroutineTurn::Returned(value) => Err(Ok(value.unbind())),
                    CoroutineTurn::Raised(error) => Err(Err(error)),
                })
            }
            Wait::Child(driver) => loop {
                match driver.turn(py, sent) {
                    Ok(Turn::Yield(value)) => return Ok(Ok(value)),
                    Ok(Turn::Chunk(_)) => sent = Ok(py.None()),
                    Ok(Turn::Over(outcome)) => {
                        let run = driver.run().clone();
                        let cancelled = driver.take_cancellation();
                        let result = finish::conclude(py, &run, outcome)
                            .and_then(|()| cancelled.map_or(Ok(()), Err))
                            .and_then(|()| finish::latest(py, &run));
                        return Ok(Err(result));
                    }
                    Err(error) => {
                        // The first error is the one that counts.
                        drop(driver.close(py));
                        return Ok(Err(Err(error)));
                    }
                }
            },
        }
    }

    /// What the node's own code waits in; `None` if that is a graph.
    pub fn waiting(&self) -> Option<&Py<PyAny>> {
        match &self.wait {
            Wait::Iterator(iterator) => Some(iterator),
            Wait::Child(_) => None,
        }
    }

    /// Ends what the node waits for without running it further.
    pub fn close(&mut self, py: Python<'_>) -> PyResult<()> {
        match &mut self.wait {
            Wait::Child(driver) => driver.close(py),
            Wait::Iterator(iterator) => {
                let _entered = self.node.enter(py)?;
                coroutine::close(iterator.bind(py))
            }
        }
    }
}
