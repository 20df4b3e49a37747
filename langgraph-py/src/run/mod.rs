//! One run of a graph: the engine, what surrounds it, what it shows, and who runs at once.
//!
//! In come a graph, input and configs; out comes a [`Run`] for a driver. What is kept of tasks is
//! the tasks' own business: a run is generic over it. Nothing here calls nodes or waits.

pub mod abandoned;
pub mod base;
pub mod begin;
pub mod board;
pub mod context;
pub mod core;
pub mod finish;
mod input;
mod limits;
mod load;
pub mod nested;
pub mod runtime;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use langgraph_rust_core::ChannelIndex;
use langgraph_rust_pregel::{RunEvent, TaskKey};
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::PyVisit;

use crate::host::call::{self, call_method};
use crate::host::collect::{plain_lock, Collect, Visited};
use crate::plan::Graph;
use crate::show::modes::Modes;
use crate::show::payloads::{self, View};
use crate::show::Shows;
use crate::values::domain::fault_to_python;
use abandoned::Abandoned;
use board::Board;
use context::Context;
use core::{Core, CoreGuard, Latest};

/// What a driver does about tasks that other tasks of the run call.
pub struct Called<T> {
    /// Has those that wait on the board started.
    pub start: fn(Python<'_>, &Arc<Run<T>>) -> PyResult<()>,
    /// Runs one on this thread, which waits for it, unless somebody has begun it.
    pub run_here: fn(Python<'_>, &Arc<Run<T>>, TaskKey) -> PyResult<()>,
}

impl<T> Clone for Called<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Called<T> {}

/// One run of a graph. `T` is what is kept of each task.
pub struct Run<T> {
    /// The graph.
    pub graph: Arc<Graph>,
    /// What surrounds the run.
    pub context: Context,
    /// What it shows.
    pub shows: Shows,
    /// The tasks that wait, run, and are over.
    pub board: Arc<Board>,
    /// The task that the run is within, if it is within one.
    pub around: Option<Arc<Abandoned>>,
    /// What is done about tasks that its tasks call.
    pub called: Called<T>,
    core: Mutex<Core<T>>,
    owner: AtomicU64,
    deadline: Mutex<Option<Instant>>,
}

impl<T> Run<T> {
    /// A run with its surroundings, within the task that `around` is about.
    pub fn new(
        graph: Arc<Graph>,
        context: Context,
        shows: Shows,
        called: Called<T>,
        core: Core<T>,
        around: Option<Arc<Abandoned>>,
    ) -> Self {
        let waker = match &shows.sink {
            Some(sink) => sink.get().waker.clone(),
            None => Arc::default(),
        };
        Self {
            board: Board::new(waker, context.places),
            graph,
            context,
            shows,
            around,
            called,
            core: Mutex::new(core),
            owner: AtomicU64::new(0),
            deadline: Mutex::new(None),
        }
    }

    /// Whether the run is within a task that nobody waits for any more.
    pub fn is_abandoned(&self) -> bool {
        self.around.as_ref().is_some_and(|task| task.get())
    }

    /// What a run within the task `key` is to know of it.
    pub fn as_outer(&self, key: TaskKey) -> Arc<Abandoned> {
        self.board.outer.of(key, self.around.as_ref())
    }

    /// The run's core, unless somebody has it: for the garbage collector.
    pub fn core_at_rest(&self) -> Option<MutexGuard<'_, Core<T>>> {
        self.core.try_lock().ok()
    }

    /// The engine, for a short while: no node may run while it is held.
    ///
    /// Another thread may hold it while a reducer runs Python code and gives up the interpreter;
    /// then this thread gives it up too while it waits. The same thread holding it means that a
    /// reducer reached back into its own run.
    pub fn core(&self, py: Python<'_>) -> PyResult<CoreGuard<'_, T>> {
        let thread = thread_token();
        if self.owner.load(Ordering::Acquire) == thread {
            return Err(PyRuntimeError::new_err(
                "A reducer or channel used the run that it is part of; reducers must work on \
                 their arguments alone",
            ));
        }
        let guard = call::lock(py, &self.core).map_err(|_| {
            PyRuntimeError::new_err(
                "The run is over: the engine panicked, which is a fault of langgraph-rust; what \
                 was stored before can be resumed",
            )
        })?;
        self.owner.store(thread, Ordering::Release);
        Ok(CoreGuard::new(guard, &self.owner))
    }

    /// The resume value given without an interrupt's id; `consume` takes it away.
    pub fn single_resume(&self, py: Python<'_>, consume: bool) -> PyResult<Py<PyAny>> {
        let mut core = self.core(py)?;
        let found = match consume {
            true => core.engine.take_null_resume(),
            false => core.engine.null_resume().map(|value| value.clone_ref(py)),
        };
        drop(core);
        if let Some(found) = found {
            return Ok(found);
        }
        match &self.context.parent_scratchpad {
            Some(parent) => {
                let consume = consume.into_pyobject(py)?.to_owned().into_any();
                let method = intern!(py, "get_null_resume");
                Ok(call_method(parent.bind(py), method, &[&consume])?.unbind())
            }
            None => Ok(py.None()),
        }
    }

    /// What a channel reads as; with `fresh`, after `writes`.
    pub fn read_channel(
        &self,
        py: Python<'_>,
        index: ChannelIndex,
        fresh: bool,
        writes: Vec<Py<PyAny>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let core = self.core(py)?;
        let state = core.engine.state();
        let value = if fresh { state.read_with(py, index, writes) } else { state.read(py, index) };
        value.map_err(|fault| fault_to_python(py, fault))
    }

    /// What the run's payloads are made from.
    pub fn view<'a>(&'a self, core: &'a Core<T>) -> View<'a> {
        View { graph: &self.graph, shows: &self.shows, engine: &core.engine, place: &core.place }
    }

    /// The state of the output channels.
    pub fn output(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let core = self.core(py)?;
        self.view(&core).output(py)
    }

    /// Shows an event to whoever listens. That tasks start is shown by those who know their input.
    pub fn show(&self, py: Python<'_>, event: &RunEvent) -> PyResult<()> {
        let payloads = match event {
            RunEvent::Values => return self.show_values(py),
            RunEvent::TaskInterrupted(task) => self.interrupted(py, *task)?,
            RunEvent::TaskOutput { task, cached } => {
                let core = self.core(py)?;
                self.view(&core).task_output(py, *task, *cached)?
            }
            RunEvent::Checkpoint => {
                let core = self.core(py)?;
                self.view(&core).checkpoint(py)?
            }
            RunEvent::StaticInterrupt => payloads::static_interrupt(py)?,
            RunEvent::TasksStarted(_) => Vec::new(),
        };
        payloads::emit(py, &self.shows, payloads)
    }

    fn show_values(&self, py: Python<'_>) -> PyResult<()> {
        let mut core = self.core(py)?;
        if self.shows.latest {
            core.latest = match self.shows.output_is_steady {
                true => Latest::Channels,
                false => Latest::Value(self.view(&core).output(py)?),
            };
        }
        if self.shows.wanted(Modes::VALUES).is_none() {
            return Ok(());
        }
        let values = self.view(&core).output(py)?;
        drop(core);
        self.shows.emit(py, Modes::VALUES, values.into_bound(py))
    }

    fn interrupted(&self, py: Python<'_>, key: TaskKey) -> PyResult<Vec<payloads::Payload>> {
        let mut core = self.core(py)?;
        let Some(shown) = self.view(&core).interrupted(py, key)? else { return Ok(Vec::new()) };
        if self.shows.latest {
            core.latest = match shown.values {
                Some(values) => Latest::Value(values),
                None => Latest::Nothing,
            };
            core.interrupts.extend(shown.interrupts.iter().map(Bound::unbind));
        }
        Ok(shown.payloads)
    }

    /// Tells the engine to stop before the next superstep, if somebody asked for it.
    pub fn check_control(&self, py: Python<'_>) -> PyResult<()> {
        let Some(control) = &self.context.control else { return Ok(()) };
        if call::attribute(control.bind(py), intern!(py, "drain_requested"))?.is_truthy()? {
            self.core(py)?.engine.drain();
        }
        Ok(())
    }

    /// When the current superstep must be over, counted from the first time this is asked in it.
    pub fn step_deadline(&self) -> Option<Instant> {
        let timeout = Duration::try_from_secs_f64(self.context.step_timeout?).ok()?;
        let mut deadline = plain_lock(&self.deadline);
        Some(*deadline.get_or_insert_with(|| Instant::now() + timeout))
    }

    /// Forgets the deadline: another superstep begins.
    pub fn reset_deadline(&self) {
        if self.context.step_timeout.is_some() {
            *plain_lock(&self.deadline) = None;
        }
    }
}

/// Only the one owner of a run may visit it.
impl<T: Collect> Collect for Run<T> {
    fn collect(&self, visit: &PyVisit<'_>) -> Visited {
        self.context.collect(visit)?;
        self.shows.collect(visit)?;
        self.board.collect(visit)?;
        let Ok(core) = self.core.try_lock() else { return Ok(()) };
        core.collect(visit)
    }
}

/// A number that tells threads apart; never zero.
fn thread_token() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static TOKEN: u64 = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    TOKEN.with(|token| *token)
}
