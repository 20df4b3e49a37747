//! A run as Python drives it.

use std::sync::{Arc, Mutex};

use langgraph_rust_pregel::Resumes;
use pyo3::exceptions::{PyRuntimeError, PyStopAsyncIteration, PyStopIteration};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::{PyTraverseError, PyVisit};

use super::act;
use super::asyncio::Driver;
use super::awaited::{Awaited, Want};
use super::sync::{self, Turn};
use super::CALLED;
use crate::host::call::Inside;
use crate::host::collect::{plain_lock, Collect};
use crate::host::coroutine::Coroutine;
use crate::plan::Plan;
use crate::run::begin::{begin, interrupt_at, Begin, Command, Found};
use crate::run::finish;
use crate::show::shape::Shape;
use crate::show::sink::Sink;
use crate::store::linear::Linear;
use crate::store::save::Saver;
use crate::task::handle::around;
use crate::task::{own_holds, Run};
use crate::values::env::Versioning;

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
        joins=false, claims=false, linear=None, versioning=None, saved=None, histories=None,
        addressed=false, superseded=false, durability="async", store=None, cache=None, manager=None,
        sink=None, shape=None, eager=false, latest=false, subgraphs=false, is_async=false,
        drains=false,
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
        joins: bool,
        claims: bool,
        linear: Option<Bound<'py, PyAny>>,
        versioning: Option<Bound<'py, PyAny>>,
        saved: Option<Bound<'py, PyAny>>,
        histories: Option<Bound<'py, PyAny>>,
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
        let around = around(&config)?;
        let linear = Linear::read(linear.as_ref())?;
        let given = Begin {
            output: graph.keys(output_keys)?,
            interrupt_before: interrupt_at(&graph, interrupt_before)?,
            interrupt_after: interrupt_at(&graph, interrupt_after)?,
            durability: finish::durability(durability),
            saver: saver.map(|object| Saver { object, never_blocks, takes_path, joins, linear }),
            shape: shape.map_or(Ok(Shape::Payload), |shape| Shape::read(&shape))?,
            store: store.unwrap_or_else(|| py.None().into_bound(py)),
            pregel,
            graph,
            input,
            command: command.map(|(writes, resumes, by_id)| {
                let resumes = match (resumes, by_id) {
                    (_, true) => Resumes::ById,
                    (true, false) => Resumes::Next,
                    (false, false) => Resumes::Nothing,
                };
                Command { writes, resumes }
            }),
            config,
            versioning: Versioning::read(versioning),
            found: Found { saved, config: checkpoint_config, histories, addressed, superseded },
            runtime,
            cache,
            manager,
            sink,
            claims,
            eager,
            latest,
            subgraphs,
            is_async,
            drains,
            called: CALLED,
            around,
        };
        let _inside = Inside::enter();
        let run = begin(py, given)?;
        let plan = plan.clone().unbind();
        Ok(Self { run: Mutex::new(Some(run)), driver: Mutex::default(), plan })
    }

    /// Runs to the end: the latest output, and the questions asked.
    fn invoke(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let run = self.run()?;
        let _inside = Inside::enter();
        sync::to_the_end(py, &run).map_err(|error| self.failed(py, error))?;
        finish::result(py, &run)
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let run = self.run()?;
        let _inside = Inside::enter();
        let turn = sync::drive(py, &run).and_then(|turn| match turn {
            Turn::Chunk(chunk) => Ok(Some(chunk)),
            Turn::Over(outcome) => finish::conclude(py, &run, outcome).map(|()| None),
        });
        turn.map_err(|error| self.failed(py, error))
    }

    /// Stops a run whose caller has lost interest; what must be stored still is.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Ok(run) = self.run() else { return Ok(()) };
        act::cancel(py, &run)?;
        sync::drain(py, &run)
    }

    /// Async twin of `invoke`: an awaitable.
    fn ainvoke(slf: Bound<'_, Self>) -> PyResult<Coroutine> {
        Self::awaitable(slf, Want::Result)
    }

    /// The next chunk: an awaitable, which raises `StopAsyncIteration` at the end.
    fn anext(slf: Bound<'_, Self>) -> PyResult<Coroutine> {
        Self::awaitable(slf, Want::Chunk)
    }

    /// Async twin of `close`: an awaitable, or `None` if the run has failed and is gone.
    fn aclose(slf: Bound<'_, Self>) -> PyResult<Option<Coroutine>> {
        let py = slf.py();
        let Ok(run) = slf.get().run() else { return Ok(None) };
        act::cancel(py, &run)?;
        if let Some(driver) = &mut *plain_lock(&slf.get().driver) {
            driver.begin_close();
        }
        Self::awaitable(slf, Want::End).map(Some)
    }

    /// What happened to the run as a whole since the last time: `(kind, status, checkpoint id,
    /// namespace, interrupts)` for each resumption and each pause.
    fn lifecycle(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        Ok(std::mem::take(&mut self.run()?.core(py)?.lifecycle))
    }

    /// The output channels as they are.
    fn output(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.run()?.output(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.plan)?;
        let Ok(driver) = self.driver.try_lock() else { return Ok(()) };
        let Ok(run) = self.run.try_lock() else { return Ok(()) };
        let mut own = 1;
        if let Some(driver) = &*driver {
            driver.collect(&visit)?;
            own += driver.holds();
        }
        match &*run {
            // A run that others hold too, such as workers or asyncio tasks, is not ours to visit.
            Some(run) if Arc::strong_count(run) == own + own_holds(run) => (**run).collect(&visit),
            _ => Ok(()),
        }
    }
}

impl GraphRun {
    /// Lets go of the run, which ended with `error`.
    pub(super) fn failed(&self, py: Python<'_>, error: PyErr) -> PyErr {
        let run = plain_lock(&self.run).take();
        let is_async = run.is_some_and(|run| run.context.is_async());
        no_stop(py, error, is_async)
    }

    fn run(&self) -> PyResult<Arc<Run>> {
        let run = plain_lock(&self.run).clone();
        run.ok_or_else(|| PyRuntimeError::new_err("The run has been closed"))
    }

    fn awaitable(slf: Bound<'_, Self>, want: Want) -> PyResult<Coroutine> {
        let run = slf.get().run()?;
        plain_lock(&slf.get().driver).get_or_insert_with(|| Driver::new(run));
        Ok(Coroutine::new(Awaited::new(slf.unbind(), want)))
    }

    /// The driver, for a turn; `None` while it is taking one.
    pub(super) fn take_driver(&self) -> Option<Driver> {
        plain_lock(&self.driver).take()
    }

    /// Gives it back.
    pub(super) fn put_driver(&self, driver: Driver) {
        *plain_lock(&self.driver) = Some(driver);
    }
}

/// An error that would be taken for the end of an iteration, as one that is not.
fn no_stop(py: Python<'_>, error: PyErr, is_async: bool) -> PyErr {
    let message = if error.is_instance_of::<PyStopIteration>(py) {
        "generator raised StopIteration"
    } else if is_async && error.is_instance_of::<PyStopAsyncIteration>(py) {
        "async generator raised StopAsyncIteration"
    } else {
        return error;
    };
    let wrapped = PyRuntimeError::new_err(message);
    wrapped.set_cause(py, Some(error));
    wrapped
}
