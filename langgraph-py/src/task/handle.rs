//! A running task, as Python code sees it through its config.
//!
//! One native object per task serves as the config's `__pregel_send` (called), `__pregel_scratchpad`
//! (attributes) and the first argument of `__pregel_read`; it holds the run weakly, so that a config
//! kept by user code keeps no run alive.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use langgraph_rust_core::{Target, TaskId, Write};
use langgraph_rust_pregel::TaskKey;
use pyo3::exceptions::{PyKeyError, PyRuntimeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use pyo3::{PyTraverseError, PyVisit};

use super::called::callee::Callee;
use super::called::{self, CallRequest};
use super::{input, outcome, prepare, Run};
use crate::collects;
use crate::host::call::{call_method, next_item};
use crate::host::clock;
use crate::host::collect::{plain_lock, Collect};
use crate::run::abandoned::Abandoned;
use crate::store::save::configurable;
use crate::values::domain::Objects;

/// A task's writes by channel name, as Python code makes them.
pub type NamedWrites = Vec<(Py<PyString>, Py<PyAny>)>;

/// A running task.
#[pyclass(frozen, weakref, module = "langgraph_rust._engine", name = "Task")]
pub struct TaskHandle {
    /// The run that the task belongs to.
    pub run: Weak<Run>,
    /// Its place in the superstep.
    pub key: TaskKey,
    /// Its id.
    pub id: TaskId,
    /// Its checkpoint namespace.
    pub namespace: String,
    /// When its first attempt began, in seconds since the Unix epoch.
    pub first_attempt: f64,
    /// The current superstep.
    #[pyo3(get)]
    pub step: i64,
    /// The superstep that will not be run any more.
    #[pyo3(get)]
    pub stop: i64,
    /// The resume values received so far.
    #[pyo3(get)]
    pub resume: Py<PyList>,
    /// What Python code wrote through the config.
    pub writes: Mutex<NamedWrites>,
    calls: AtomicUsize,
    interrupts: AtomicUsize,
    subgraphs: AtomicUsize,
    /// The names that parts of the task have, and how often each was given.
    parts: Mutex<HashMap<String, usize>>,
}

impl TaskHandle {
    /// The handle of the task `key` of `run`.
    pub fn new(
        run: &Arc<Run>,
        key: TaskKey,
        id: TaskId,
        namespace: String,
        steps: (i64, i64),
        resume: Py<PyList>,
    ) -> Self {
        Self {
            run: Arc::downgrade(run),
            key,
            id,
            namespace,
            first_attempt: clock::unix_seconds(),
            step: steps.0,
            stop: steps.1,
            resume,
            writes: Mutex::new(Vec::new()),
            calls: AtomicUsize::new(0),
            interrupts: AtomicUsize::new(0),
            subgraphs: AtomicUsize::new(0),
            parts: Mutex::default(),
        }
    }

    /// Takes what Python code wrote since the last time.
    pub fn take_writes(&self) -> NamedWrites {
        std::mem::take(&mut *plain_lock(&self.writes))
    }

    /// Starts another attempt: what the last one wrote is dropped, interrupts count from one.
    pub fn restart(&self) {
        drop(self.take_writes());
        self.interrupts.store(0, Ordering::Relaxed);
        plain_lock(&self.parts).clear();
    }

    /// The number of the next subgraph run inside the task.
    pub fn next_subgraph(&self) -> usize {
        self.subgraphs.fetch_add(1, Ordering::Relaxed)
    }

    /// The number of the next call made by the task.
    pub fn next_call(&self) -> usize {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }

    fn run(&self) -> PyResult<Arc<Run>> {
        self.run
            .upgrade()
            .ok_or_else(|| PyRuntimeError::new_err("The run that this config belongs to is over"))
    }
}

#[pymethods]
impl TaskHandle {
    /// `__pregel_send`: writes on behalf of the task.
    fn __call__(&self, writes: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut added = Vec::new();
        let writes = writes.try_iter()?;
        while let Some(pair) = next_item(writes.as_any())? {
            let (channel, value): (Py<PyString>, Py<PyAny>) = pair.extract()?;
            added.push((channel, value));
        }
        plain_lock(&self.writes).append(&mut added);
        Ok(())
    }

    /// The namespace of the graph that the task is of; `None` when its run is over.
    #[getter]
    fn graph_namespace(&self) -> Option<String> {
        self.run.upgrade().map(|run| run.context.namespace.to_string())
    }

    /// Whether nobody waits for the task any more, so that what it does is best stopped.
    fn is_over(&self, py: Python<'_>) -> bool {
        let Some(run) = self.run.upgrade() else { return true };
        run.is_abandoned()
            || outcome::is_asked_to_stop(py, &run, self.key)
            || outcome::is_abandoned(py, &run, self.key)
    }

    /// Drops what has been written so far: an attempt that ran out of time leaves nothing.
    fn discard_writes(&self) {
        drop(self.take_writes());
    }

    /// Counts the calls made by the task, from zero.
    fn call_counter(&self) -> usize {
        self.next_call()
    }

    /// Counts the task's interrupts, from zero.
    fn interrupt_counter(&self) -> usize {
        self.interrupts.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts the subgraphs run inside the task, from zero.
    fn subgraph_counter(&self) -> usize {
        self.next_subgraph()
    }

    /// The resume value given without an id, `None` if there is none; `consume` takes it away.
    #[pyo3(signature = (consume=false))]
    fn get_null_resume(&self, py: Python<'_>, consume: bool) -> PyResult<Py<PyAny>> {
        let Some(run) = self.run.upgrade() else { return Ok(py.None()) };
        run.single_resume(py, consume)
    }

    /// A name for a part of the task that no other part has.
    fn name_part(&self, name: String) -> String {
        let mut parts = plain_lock(&self.parts);
        let given = parts.entry(name.clone()).or_default();
        *given += 1;
        match *given {
            1 => name,
            more => format!("{name}#{more}"),
        }
    }

    /// The resume values that a part of the task has: those it was given before, and the one that
    /// its next interrupt is given by id, which is kept.
    fn part_resume<'py>(&self, py: Python<'py>, part: &str) -> PyResult<Bound<'py, PyList>> {
        let run = self.run()?;
        let core = run.core(py)?;
        let stored = core.engine.resume_values(&self.id.of_part(part));
        let stored = stored.map(|values| values.clone_ref(py));
        drop(core);
        let before = stored.as_ref().map_or(Ok(0), |values| values.bind(py).len())?;
        let values = prepare::resume_values(py, &run, &self.namespace, Some(part), stored)?;
        if values.len() > before {
            self.keep_part_resume(py, part, &values)?;
        }
        Ok(values)
    }

    /// What the task was interrupted with before, as it is stored; `None` if it was not.
    fn asked_before(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let run = self.run()?;
        let core = run.core(py)?;
        Ok(core.engine.interrupted_with(&self.id).map(|value| value.clone_ref(py)))
    }

    /// Keeps a copy of the resume values of a part of the task, for when the task runs again.
    fn keep_part_resume(
        &self,
        py: Python<'_>,
        part: &str,
        values: &Bound<'_, PyList>,
    ) -> PyResult<()> {
        let run = self.run()?;
        let values = values.get_slice(0, values.len()).into_any().unbind();
        run.core(py)?.engine.part_resumed(py, self.key, part, values);
        run.board.waker.wake();
        Ok(())
    }

    /// The state as an edge would give it to the task's node; for one that a packet started.
    fn read_state(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        input::of_state(slf.py(), &*slf.get().run()?, &slf.clone().unbind())
    }

    /// Runs `func` as a task of its own in the same superstep; returns a future of its result.
    #[pyo3(signature = (func, input, *, retry_policy=None, cache_policy=None, timeout=None, callbacks=None))]
    fn call(
        slf: &Bound<'_, Self>,
        func: Bound<'_, PyAny>,
        input: Bound<'_, PyAny>,
        retry_policy: Option<Bound<'_, PyAny>>,
        cache_policy: Option<Bound<'_, PyAny>>,
        timeout: Option<Bound<'_, PyAny>>,
        callbacks: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let run = slf.get().run()?;
        let call = CallRequest {
            callee: Callee::read(func)?.unbind(),
            input: input.unbind(),
            retry: retry_policy.map(Bound::unbind),
            cache: cache_policy.map(Bound::unbind),
            timeout: timeout.map(Bound::unbind),
            callbacks: callbacks.map(Bound::unbind),
        };
        called::request(slf.py(), &run, slf.get(), call)
    }

    fn __repr__(&self) -> String {
        format!("<Task {}>", self.id)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.collect(&visit)
    }

    fn __clear__(&self) {
        if let Ok(mut writes) = self.writes.try_lock() {
            let cleared = std::mem::take(&mut *writes);
            drop(writes);
            drop(cleared);
        }
    }
}

collects!(TaskHandle { resume, writes });

/// The id under which a part of the task `task` keeps its resume values.
#[pyfunction]
pub fn part_task_id(task: &str, part: &str) -> String {
    TaskId::from_text(task).of_part(part).to_string()
}

/// The task that a run with this config is within, if it is within one.
pub fn around(config: &Bound<'_, PyDict>) -> PyResult<Option<Arc<Abandoned>>> {
    let conf = configurable(config)?;
    let task = conf.get_item(intern!(conf.py(), "__pregel_scratchpad"))?;
    let task = task.as_ref().and_then(|task| Some(task.cast::<TaskHandle>().ok()?.get()));
    Ok(task.and_then(|task| Some(task.run.upgrade()?.as_outer(task.key))))
}

/// `__pregel_read`: the state as the task sees it; with `fresh`, after the task's own writes.
#[pyfunction]
#[pyo3(name = "_read", signature = (scratchpad, _channels, _managed, _task, select, fresh=false))]
pub fn read<'py>(
    scratchpad: &Bound<'py, TaskHandle>,
    _channels: &Bound<'py, PyAny>,
    _managed: &Bound<'py, PyAny>,
    _task: &Bound<'py, PyAny>,
    select: &Bound<'py, PyAny>,
    fresh: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = scratchpad.py();
    let task = scratchpad.get();
    let run = task.run()?;
    let mut writes = Vec::new();
    if fresh {
        // Taken down first: addressing a write looks at its value, which may run Python code.
        let pair = |(channel, value): &(Py<PyString>, Py<PyAny>)| {
            (channel.bind(py).clone(), value.bind(py).clone())
        };
        let named: Vec<_> = plain_lock(&task.writes).iter().map(pair).collect();
        for (channel, value) in named {
            writes.push(run.graph.write(&channel, value)?);
        }
    }
    if let Ok(name) = select.cast::<PyString>() {
        let value = read_one(&run, name, fresh, &writes)?;
        return Ok(value.map_or_else(|| py.None().into_bound(py), |v| v.into_bound(py)));
    }
    let values = PyDict::new(py);
    let managed = run.graph.managed.bind(py);
    for name in select.try_iter()? {
        let name = name?.cast_into::<PyString>()?;
        if let Some(spec) = managed.get_item(&name)? {
            values
                .set_item(&name, call_method(&spec, intern!(py, "get"), &[scratchpad.as_any()])?)?;
        } else if let Some(value) = read_one(&run, &name, fresh, &writes)? {
            values.set_item(&name, value)?;
        }
    }
    Ok(values.into_any())
}

fn read_one(
    run: &Run,
    name: &Bound<'_, PyString>,
    fresh: bool,
    writes: &[Write<Objects>],
) -> PyResult<Option<Py<PyAny>>> {
    let py = name.py();
    let Some(index) = run.graph.plan.channel_named(name.to_str()?) else {
        return Err(PyKeyError::new_err(format!("'{name}' is no channel of this graph")));
    };
    let own = writes.iter().filter(|write| write.target == Target::Channel(index));
    let own = own.map(|write| write.value.clone_ref(py)).collect();
    run.read_channel(py, index, fresh, own)
}
