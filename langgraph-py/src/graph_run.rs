//! A run as Python drives it.

use std::sync::{Arc, Mutex};

use langgraph_pregel::Outcome;
use pyo3::exceptions::{PyRuntimeError, PyStopAsyncIteration, PyStopIteration};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use pyo3::{PyTraverseError, PyVisit};

use crate::async_driver::{Driver, Turn as AsyncTurn};
use crate::clock::Versioning;
use crate::coroutine::{Coroutine, Sent, Turns};
use crate::domain::Objects;
use crate::finish;
use crate::plan::Plan;
use crate::run::Run;
use crate::save::Saver;
use crate::sink::{Shape, Sink};
use crate::start::{self, Begin};
use crate::sync_driver::{self, Turn};

/// One run of a graph: iterate over it for its chunks, or `invoke` it for its result.
#[pyclass(frozen, weakref, module = "langgraph_rust._engine")]
pub struct GraphRun {
    /// The run, until it has failed: its error's traceback leads back to whoever holds the run, and
    /// the run must not lead on to the error.
    run: Mutex<Option<Arc<Run>>>,
    driver: Mutex<Option<Driver>>,
    /// The graph's plan: through it the garbage collector finds the graph's functions.
    plan: Py<Plan>,
}

#[pymethods]
impl GraphRun {
    /// Begins a run; see `Pregel` for what the arguments mean.
    #[new]
    #[pyo3(signature = (
        pregel, plan, input, config, *, checkpoint_config, output_keys, interrupt_before,
        interrupt_after, runtime, command=None, saver=None, never_blocks=false, takes_path=true,
        versioning=None, saved=None, addressed=false, superseded=false, durability="async",
        store=None, cache=None, manager=None, sink=None, shape=None, eager=false, latest=false,
        subgraphs=false, is_async=false, drains=false,
    ))]
    #[allow(clippy::too_many_arguments)] // the keywords of one call, named at both ends
    fn new<'py>(
        py: Python<'py>,
        pregel: Bound<'py, PyAny>,
        plan: &Bound<'py, Plan>,
        input: Bound<'py, PyAny>,
        config: Bound<'py, PyDict>,
        checkpoint_config: Bound<'py, PyDict>,
        output_keys: &Bound<'py, PyAny>,
        interrupt_before: &Bound<'py, PyAny>,
        interrupt_after: &Bound<'py, PyAny>,
        runtime: Bound<'py, PyAny>,
        command: Option<(Bound<'py, PyAny>, bool, bool)>,
        saver: Option<Py<PyAny>>,
        never_blocks: bool,
        takes_path: bool,
        versioning: Option<Bound<'py, PyAny>>,
        saved: Option<Bound<'py, PyAny>>,
        addressed: bool,
        superseded: bool,
        durability: &str,
        store: Option<Bound<'py, PyAny>>,
        cache: Option<Bound<'py, PyAny>>,
        manager: Option<Bound<'py, PyAny>>,
        sink: Option<Py<Sink>>,
        shape: Option<Bound<'py, PyAny>>,
        eager: bool,
        latest: bool,
        subgraphs: bool,
        is_async: bool,
        drains: bool,
    ) -> PyResult<Self> {
        let graph = plan.get().graph.clone();
        let versioning = match versioning {
            None => Versioning::Ints,
            Some(kind) if kind.is_instance_of::<PyString>() => Versioning::Text,
            Some(next) => Versioning::Custom(next.unbind()),
        };
        let begin = Begin {
            output: graph.keys(output_keys)?,
            interrupt_before: start::interrupt_at(&graph, interrupt_before)?,
            interrupt_after: start::interrupt_at(&graph, interrupt_after)?,
            durability: start::durability(durability),
            saver: saver.map(|object| Saver { object, never_blocks, takes_path }),
            shape: shape.map_or(Ok(Shape::Payload), |shape| Shape::read(&shape))?,
            store: store.unwrap_or_else(|| py.None().into_bound(py)),
            pregel,
            graph,
            input,
            command,
            config,
            versioning,
            saved,
            checkpoint_config,
            addressed,
            superseded,
            runtime,
            cache,
            manager,
            sink,
            eager,
            latest,
            subgraphs,
            is_async,
            drains,
        };
        let run = start::begin(py, begin)?;
        let plan = plan.clone().unbind();
        Ok(Self { run: Mutex::new(Some(run)), driver: Mutex::default(), plan })
    }

    /// Runs to the end: the latest output, and the questions asked.
    fn invoke(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let run = self.run()?;
        sync_driver::finish(py, &run).map_err(|error| self.failed(py, error))?;
        finish::result(py, &run)
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let run = self.run()?;
        let turn = sync_driver::drive(py, &run).and_then(|turn| match turn {
            Turn::Chunk(chunk) => Ok(Some(chunk)),
            Turn::Over(outcome) => finish::conclude(py, &run, outcome).map(|()| None),
        });
        turn.map_err(|error| self.failed(py, error))
    }

    /// Stops a run whose caller has lost interest; what must be stored still is.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Ok(run) = self.run() else { return Ok(()) };
        run.core(py)?.engine.cancel();
        while let Turn::Chunk(_) = sync_driver::drive(py, &run)? {}
        Ok(())
    }

    /// Async twin of `invoke`: an awaitable.
    fn ainvoke(slf: Bound<'_, Self>) -> PyResult<Coroutine> {
        Self::awaitable(slf, Want::Result)
    }

    /// The next chunk: an awaitable, which raises `StopAsyncIteration` at the end.
    fn anext(slf: Bound<'_, Self>) -> PyResult<Coroutine> {
        Self::awaitable(slf, Want::Chunk)
    }

    /// Async twin of `close`: an awaitable.
    fn aclose(slf: Bound<'_, Self>) -> PyResult<Coroutine> {
        slf.get().run()?.core(slf.py())?.engine.cancel();
        Self::awaitable(slf, Want::End)
    }

    /// What happened to the run as a whole since the last time: `(kind, status, checkpoint id,
    /// namespace, interrupts)` for each resumption and each pause.
    fn lifecycle(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        Ok(std::mem::take(&mut self.run()?.core(py)?.lifecycle))
    }

    /// The output channels as they are.
    fn output(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let run = self.run()?;
        let core = run.core(py)?;
        run.output(py, &core)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.plan)?;
        let Ok(driver) = self.driver.try_lock() else { return Ok(()) };
        let Ok(run) = self.run.try_lock() else { return Ok(()) };
        let mut own = 1;
        if let Some(driver) = &*driver {
            driver.traverse(&visit)?;
            own += driver.holds();
        }
        match &*run {
            // A run that others hold too, such as workers or asyncio tasks, is not ours to visit.
            Some(run) if Arc::strong_count(run) == own => run.traverse(&visit),
            _ => Ok(()),
        }
    }
}

impl GraphRun {
    fn failed(&self, py: Python<'_>, error: PyErr) -> PyErr {
        drop(self.run.lock().expect("no panic while held").take());
        no_stop(py, error)
    }

    fn run(&self) -> PyResult<Arc<Run>> {
        let run = self.run.lock().expect("no panic while held");
        run.clone().ok_or_else(|| PyRuntimeError::new_err("The run has been closed"))
    }

    fn awaitable(slf: Bound<'_, Self>, want: Want) -> PyResult<Coroutine> {
        let run = slf.get().run()?;
        let mut driver = slf.get().driver.lock().expect("no panic while held");
        if driver.is_none() {
            *driver = Some(Driver::new(run));
        }
        drop(driver);
        Ok(Coroutine::new(Awaited { of: slf.unbind(), want }))
    }

    fn take_driver(&self) -> Option<Driver> {
        self.driver.lock().expect("no panic while held").take()
    }
}

/// What an awaitable is for.
#[derive(Clone, Copy)]
enum Want {
    Result,
    Chunk,
    End,
}

/// The run as something to await: each turn drives it further.
struct Awaited {
    of: Py<GraphRun>,
    want: Want,
}

impl Turns for Awaited {
    fn turn(&self, py: Python<'_>, mut sent: Sent) -> PyResult<Py<PyAny>> {
        // The driver is taken out for the turn: node code runs meanwhile, and may get here again.
        let Some(mut driver) = self.of.get().take_driver() else {
            return Err(PyRuntimeError::new_err("The run is already being awaited, or is over"));
        };
        let turn = loop {
            match driver.turn(py, sent) {
                Ok(AsyncTurn::Chunk(chunk)) => match self.want {
                    Want::Chunk => break Ok(AsyncTurn::Chunk(chunk)),
                    Want::Result | Want::End => sent = Ok(py.None()),
                },
                other => break other,
            }
        };
        let run = driver.run().clone();
        let cancelled = match &turn {
            Ok(AsyncTurn::Over(_)) => driver.take_cancellation(),
            _ => None,
        };
        *self.of.get().driver.lock().expect("no panic while held") = Some(driver);
        match turn {
            Ok(AsyncTurn::Yield(value)) => Ok(value),
            Ok(AsyncTurn::Chunk(chunk)) => Err(PyStopIteration::new_err((chunk,))),
            Ok(AsyncTurn::Over(outcome)) => self.over(py, &run, outcome, cancelled),
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
            _ => {
                let result = finish::result(py, run)?;
                Err(stop_with(py, result)?)
            }
        }
    }

    fn failed(&self, py: Python<'_>, error: PyErr) -> PyErr {
        drop(self.of.get().take_driver());
        self.of.get().failed(py, error)
    }
}

/// An error that would be taken for the end of an iteration, as one that is not.
fn no_stop(py: Python<'_>, error: PyErr) -> PyErr {
    let message = if error.is_instance_of::<PyStopIteration>(py) {
        "generator raised StopIteration"
    } else if error.is_instance_of::<PyStopAsyncIteration>(py) {
        "async generator raised StopAsyncIteration"
    } else {
        return error;
    };
    let wrapped = PyRuntimeError::new_err(message);
    wrapped.set_cause(py, Some(error));
    wrapped
}

/// `StopIteration` with a tuple as its one value.
fn stop_with(py: Python<'_>, value: Py<PyAny>) -> PyResult<PyErr> {
    let class = py.get_type::<PyStopIteration>();
    Ok(PyErr::from_value(class.call1((value,))?))
}
