//! A task's config: what it is made of, made when somebody looks at it.
//!
//! Most nodes never look at their config, and making one takes longer than all the rest of a
//! superstep. So the ambient config of a task is a [`TaskConfig`]: a dict that fills itself.

use std::sync::{Arc, OnceLock};

use langgraph_core::{names, CheckpointId, TaskPath};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use crate::imports;
use crate::plan;
use crate::runtime::Template;
use crate::task::TaskHandle;

/// What the configs of all tasks of a run are made from. Nothing here changes while it goes on.
#[pyclass(frozen, module = "langgraph_rust._engine")]
pub struct ConfigBase {
    /// The run's config, without what belongs to the run alone.
    pub config: Py<PyDict>,
    /// Keys and values that every task's `configurable` starts with.
    pub conf: Py<PyDict>,
    /// The run's metadata.
    pub metadata: Option<Py<PyDict>>,
    /// The run's tags.
    pub tags: Option<Py<PyAny>>,
    /// The run's callback manager, if anybody listens.
    pub manager: Option<Py<PyAny>>,
    /// What the tasks' `Runtime`s are made from.
    pub runtime: Template,
    /// The run's namespace.
    pub namespace: Arc<str>,
    /// The namespaces and checkpoints of the enclosing runs.
    pub checkpoint_map: Py<PyDict>,
    /// `{name: channel}` of the graph, for `__pregel_read`.
    pub channels: Py<PyAny>,
    /// `{name: managed value}` of the graph, for `__pregel_read`.
    pub managed: Py<PyDict>,
    /// The superstep that the run began with; only its tasks resume.
    pub first_step: i64,
}

#[pymethods]
impl ConfigBase {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.config)?;
        visit.call(&self.conf)?;
        visit.call(&self.metadata)?;
        visit.call(&self.tags)?;
        visit.call(&self.manager)?;
        visit.call(&self.checkpoint_map)?;
        visit.call(&self.channels)?;
        visit.call(&self.managed)?;
        self.runtime.traverse(&visit)
    }
}

/// What one attempt of a task adds to it.
pub struct Facts {
    /// The node's name.
    pub name: Py<PyString>,
    /// The names of its triggers and its path, if it was triggered.
    pub pulled: Option<(Py<PyTuple>, Py<PyTuple>)>,
    /// Where the task stands.
    pub path: TaskPath,
    /// The namespace that the task is in, if it is not the run's.
    pub scope: Option<Arc<str>>,
    /// The checkpoint that the superstep began from.
    pub checkpoint: CheckpointId,
    /// Which attempt, from one.
    pub attempt: u32,
    /// The `NodeError` that it handles.
    pub error: Option<Py<PyAny>>,
    /// The node's tags.
    pub tags: Option<Py<PyAny>>,
    /// The node's metadata.
    pub metadata: Option<Py<PyAny>>,
    /// Callbacks given with a call.
    pub callbacks: Option<Py<PyAny>>,
}

/// The ambient config of a task: a dict that is filled when it is first used.
///
/// All methods of a dict work on the one plain dict behind it, which nodes that ask for their
/// config are given. Its own storage is a copy for C code that reads dicts past their methods.
#[pyclass(frozen, extends = PyDict, module = "langgraph_rust._engine")]
pub struct TaskConfig {
    base: Py<ConfigBase>,
    task: Py<TaskHandle>,
    facts: Facts,
    plain: OnceLock<Py<PyDict>>,
}

impl TaskConfig {
    /// The config of an attempt of `task`, not made yet.
    pub fn new(base: Py<ConfigBase>, task: Py<TaskHandle>, facts: Facts) -> Self {
        Self { base, task, facts, plain: OnceLock::new() }
    }

    /// The config as a plain dict.
    pub fn plain<'a, 'py>(&'a self, py: Python<'py>) -> PyResult<&'a Bound<'py, PyDict>> {
        if let Some(plain) = self.plain.get() {
            return Ok(plain.bind(py));
        }
        let made = make(py, self.base.get(), &self.task, &self.facts)?.unbind();
        // Another thread may have been faster: what it made is what everybody gets.
        Ok(self.plain.get_or_init(|| made).bind(py))
    }

    /// The task's handle.
    pub fn task(&self) -> &Py<TaskHandle> {
        &self.task
    }

    /// What code that runs in the task finds as its config.
    pub fn ambient<'a, 'py>(slf: &'a Bound<'py, Self>) -> &'a Bound<'py, PyAny> {
        match slf.get().plain.get() {
            Some(plain) => plain.bind(slf.py()).as_any(),
            None => slf.as_any(),
        }
    }
}

/// Calls a method of the dict behind `slf`, having filled `slf` itself.
fn call<'py>(
    slf: &Bound<'py, TaskConfig>,
    method: &str,
    arguments: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    filled(slf)?.call_method(method, arguments, kwargs)
}

fn filled<'a, 'py>(slf: &'a Bound<'py, TaskConfig>) -> PyResult<&'a Bound<'py, PyDict>> {
    let plain = slf.get().plain(slf.py())?;
    let own = slf.as_super();
    if own.is_empty() && !plain.is_empty() {
        own.update(plain.as_mapping())?;
    }
    Ok(plain)
}

#[pymethods]
impl TaskConfig {
    /// The config as a plain dict, the same each time.
    #[pyo3(name = "plain")]
    fn py_plain<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        slf.get().plain(slf.py()).cloned()
    }

    fn __bool__(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Ok(!filled(slf)?.is_empty())
    }

    fn __len__(slf: &Bound<'_, Self>) -> PyResult<usize> {
        Ok(filled(slf)?.len())
    }

    fn __contains__(slf: &Bound<'_, Self>, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        filled(slf)?.contains(key)
    }

    fn __getitem__<'py>(
        slf: &Bound<'py, Self>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        filled(slf)?.as_any().get_item(key)
    }

    fn __setitem__(
        slf: &Bound<'_, Self>,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        filled(slf)?.set_item(key, value)
    }

    fn __delitem__(slf: &Bound<'_, Self>, key: &Bound<'_, PyAny>) -> PyResult<()> {
        filled(slf)?.as_any().del_item(key)
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Ok(filled(slf)?.try_iter()?.into_any())
    }

    fn __reversed__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        filled(slf)?.call_method0("__reversed__")
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<Py<PyString>> {
        Ok(filled(slf)?.repr()?.unbind())
    }

    fn __richcmp__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
        op: CompareOp,
    ) -> PyResult<Bound<'py, PyAny>> {
        filled(slf)?.rich_compare(other, op)
    }

    fn __or__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        filled(slf)?.bitor(other)
    }

    fn __ror__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        other.bitor(filled(slf)?)
    }

    fn __ior__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        filled(slf)?.call_method1("update", (other,)).map(drop)
    }

    #[pyo3(signature = (*arguments))]
    fn get<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        call(slf, "get", arguments, None)
    }

    #[pyo3(signature = (*arguments))]
    fn setdefault<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        call(slf, "setdefault", arguments, None)
    }

    #[pyo3(signature = (*arguments))]
    fn pop<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        call(slf, "pop", arguments, None)
    }

    #[pyo3(signature = (*arguments, **kwargs))]
    fn update<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        call(slf, "update", arguments, kwargs)
    }

    fn popitem<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        filled(slf)?.call_method0("popitem")
    }

    fn clear(slf: &Bound<'_, Self>) -> PyResult<()> {
        filled(slf)?.clear();
        Ok(())
    }

    fn items<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        filled(slf)?.call_method0("items")
    }

    fn keys<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        filled(slf)?.call_method0("keys")
    }

    fn values<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        filled(slf)?.call_method0("values")
    }

    fn copy<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        filled(slf)?.copy()
    }

    /// `copy.copy`, `copy.deepcopy` and pickle make a plain dict of it.
    fn __reduce_ex__<'py>(
        slf: &Bound<'py, Self>,
        _protocol: i32,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyDict>,))> {
        let plain = filled(slf)?.copy()?;
        Ok((slf.py().get_type::<PyDict>().into_any(), (plain,)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.base)?;
        visit.call(&self.task)?;
        visit.call(&self.facts.error)?;
        visit.call(&self.facts.tags)?;
        visit.call(&self.facts.metadata)?;
        visit.call(&self.facts.callbacks)?;
        visit.call(self.plain.get())
    }

    // Every cycle through this leads through a plain dict, which clears itself.
    fn __clear__(&self) {}
}

fn make<'py>(
    py: Python<'py>,
    base: &ConfigBase,
    handle: &Py<TaskHandle>,
    facts: &Facts,
) -> PyResult<Bound<'py, PyDict>> {
    let config = base.config.bind(py).copy()?;
    let task = handle.get();
    if let Some(own) = &facts.tags {
        config.set_item(intern!(py, "tags"), merged_tags(own.bind(py), base)?)?;
    }
    config.set_item(intern!(py, "metadata"), metadata(py, base, task, facts)?)?;
    if let Some(manager) = &base.manager {
        let step = format!("graph:step:{}", task.step);
        let child = manager.bind(py).call_method1(intern!(py, "get_child"), (step,))?;
        config.set_item(intern!(py, "callbacks"), child)?;
        config.set_item(intern!(py, "run_name"), &facts.name)?;
    }
    if let Some(callbacks) = &facts.callbacks {
        config.set_item(intern!(py, "callbacks"), callbacks)?;
    }
    config.set_item(intern!(py, "configurable"), configurable(py, base, handle, facts)?)?;
    Ok(config)
}

fn configurable<'py>(
    py: Python<'py>,
    base: &ConfigBase,
    handle: &Py<TaskHandle>,
    facts: &Facts,
) -> PyResult<Bound<'py, PyDict>> {
    let task = handle.get();
    let conf = base.conf.bind(py).copy()?;
    let id = PyString::new(py, task.id.as_str());
    let checkpoint = PyString::new(py, facts.checkpoint.as_str());
    conf.set_item(intern!(py, "__pregel_task_id"), &id)?;
    conf.set_item(intern!(py, "__pregel_send"), handle)?;
    conf.set_item(intern!(py, "__pregel_scratchpad"), handle)?;
    let reader = (imports::read_function(py)?, handle, &base.channels, &base.managed, handle);
    conf.set_item(intern!(py, "__pregel_read"), imports::partial(py)?.call1(reader)?)?;
    conf.set_item(intern!(py, "__pregel_call"), handle.bind(py).getattr(intern!(py, "call"))?)?;
    let namespace = PyString::new(py, &task.namespace);
    conf.set_item(intern!(py, "checkpoint_ns"), &namespace)?;
    let map = base.checkpoint_map.bind(py).copy()?;
    map.set_item(&*base.namespace, &checkpoint)?;
    if let Some(scope) = &facts.scope {
        map.set_item(&**scope, &checkpoint)?;
    }
    conf.set_item(intern!(py, "checkpoint_map"), map)?;
    let runtime = base.runtime.for_task(py, task, &id, &namespace, &checkpoint, facts.attempt)?;
    conf.set_item(intern!(py, "__pregel_runtime"), runtime)?;
    let resuming = intern!(py, "__pregel_resuming");
    if facts.attempt > 1 {
        conf.set_item(resuming, true)?;
    } else if task.step > base.first_step && conf.contains(resuming)? {
        conf.del_item(resuming)?;
    }
    if let Some(error) = &facts.error {
        conf.set_item(intern!(py, "__pregel_node_error"), error)?;
    }
    Ok(conf)
}

/// The run's tags, then the node's.
fn merged_tags<'py>(own: &Bound<'py, PyAny>, base: &ConfigBase) -> PyResult<Bound<'py, PyList>> {
    let py = own.py();
    let merged = PyList::empty(py);
    for tags in base.tags.iter().map(|tags| tags.bind(py)).chain([own]) {
        tags.try_iter()?.try_for_each(|tag| merged.append(tag?))?;
    }
    Ok(merged)
}

fn metadata<'py>(
    py: Python<'py>,
    base: &ConfigBase,
    task: &TaskHandle,
    facts: &Facts,
) -> PyResult<Bound<'py, PyDict>> {
    let metadata = match &base.metadata {
        Some(metadata) => metadata.bind(py).copy()?,
        None => PyDict::new(py),
    };
    metadata.set_item(intern!(py, "langgraph_step"), task.step)?;
    metadata.set_item(intern!(py, "langgraph_node"), &facts.name)?;
    let (triggers, path) = match &facts.pulled {
        Some((triggers, path)) => (triggers.bind(py).clone(), path.bind(py).clone()),
        None => (PyTuple::new(py, [names::PUSH])?, plan::path_tuple(py, &facts.path)?),
    };
    metadata.set_item(intern!(py, "langgraph_triggers"), triggers)?;
    metadata.set_item(intern!(py, "langgraph_path"), path)?;
    metadata.set_item(intern!(py, "langgraph_checkpoint_ns"), &*task.namespace)?;
    if let Some(own) = &facts.metadata {
        metadata.update(own.bind(py).cast::<PyDict>()?.as_mapping())?;
    }
    Ok(metadata)
}
