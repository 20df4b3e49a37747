//! A run as something to await: each turn drives it further.

use std::sync::Arc;

use langgraph_rust_pregel::Outcome;
use pyo3::exceptions::{PyRuntimeError, PyStopAsyncIteration, PyStopIteration};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::{PyTraverseError, PyVisit};

use super::asyncio::Turn;
use super::graph_run::GraphRun;
use crate::host::call::call;
use crate::host::coroutine::{Sent, Turns};
use crate::run::finish;
use crate::task::Run;
use crate::values::domain::Objects;

/// What an awaitable is for.
#[derive(Clone, Copy)]
pub enum Want {
    /// The result.
    Result,
    /// The next chunk.
    Chunk,
    /// That the run is over.
    End,
}

/// A run and what is wanted of it.
pub struct Awaited {
    of: Py<GraphRun>,
    want: Want,
}

impl Awaited {
    /// Waits for what is wanted of a run.
    pub fn new(of: Py<GraphRun>, want: Want) -> Self {
        Self { of, want }
    }
}

impl Turns for Awaited {
    fn turn(&self, py: Python<'_>, mut sent: Sent) -> PyResult<Py<PyAny>> {
        // The driver is taken out for the turn: node code runs meanwhile, and may get here again.
        let Some(mut driver) = self.of.get().take_driver() else {
            return Err(PyRuntimeError::new_err("The run is already being awaited, or is over"));
        };
        let turn = loop {
            match (driver.turn(py, sent), self.want) {
                (Ok(Turn::Chunk(_)), Want::Result | Want::End) => sent = Ok(py.None()),
                (turn, _) => break turn,
            }
        };
        let run = driver.run().clone();
        let cancelled = match &turn {
            Ok(Turn::Over(_)) => driver.take_cancellation(),
            _ => None,
        };
        self.of.get().put_driver(driver);
        match turn {
            Ok(Turn::Yield(value)) => Ok(value),
            Ok(Turn::Chunk(chunk)) => Err(PyStopIteration::new_err((chunk,))),
            Ok(Turn::Over(outcome)) => self.over(py, &run, outcome, cancelled),
            Err(error) => Err(self.failed(py, error)),
        }
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.of.get().take_driver().map_or(Ok(()), |mut driver| driver.close(py))
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.of)
    }
}

impl Awaited {
    fn over(
        &self,
        py: Python<'_>,
        run: &Arc<Run>,
        outcome: Outcome<Objects>,
        cancelled: Option<PyErr>,
    ) -> PyResult<Py<PyAny>> {
        if let Want::End = self.want {
            return Err(PyStopIteration::new_err(()));
        }
        let ended = match cancelled {
            Some(error) => Err(error),
            None => finish::conclude(py, run, outcome),
        };
        ended.map_err(|error| self.failed(py, error))?;
        match self.want {
            Want::Chunk => Err(PyStopAsyncIteration::new_err(())),
            Want::Result | Want::End => {
                let result = finish::result(py, run)?;
                Err(stop_with(py, result)?)
            }
        }
    }

    fn failed(&self, py: Python<'_>, error: PyErr) -> PyErr {
        let driver = self.of.get().take_driver();
        // The run is over, or else its driver cannot go on; the first error is the one that counts.
        drop(driver.map(|mut driver| driver.close(py)));
        self.of.get().failed(py, error)
    }
}

/// `StopIteration` with a tuple as its one value.
fn stop_with(py: Python<'_>, value: Py<PyAny>) -> PyResult<PyErr> {
    let class = py.get_type::<PyStopIteration>();
    debug_assert!(value.bind(py).is_instance_of::<PyTuple>());
    Ok(PyErr::from_value(call(class.as_any(), &[value.bind(py)])?))
}
