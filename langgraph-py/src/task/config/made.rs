//! Making a task's config of the run's and of what the task adds.

use langgraph_rust_core::{names, TaskPath};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::Facts;
use crate::host::call as host;
use crate::host::imports;
use crate::run::base::ConfigBase;
use crate::run::runtime::TaskIds;
use crate::task::handle::TaskHandle;
use crate::values::path;

pub(super) fn make<'py>(
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
        let child = {
            let step = PyString::new(py, &step);
            host::call_method(manager.bind(py), intern!(py, "get_child"), &[step.as_any()])?
        };
        config.set_item(intern!(py, "callbacks"), child)?;
        config.set_item(intern!(py, "run_name"), &facts.name)?;
    } else {
        give_tags(&config)?;
    }
    if let Some(callbacks) = &facts.callbacks {
        config.set_item(intern!(py, "callbacks"), callbacks)?;
    }
    config.set_item(intern!(py, "configurable"), configurable(py, base, handle, facts)?)?;
    Ok(config)
}

/// Nobody listens; but what a task calls may have listeners, which are told of the task's tags.
fn give_tags(config: &Bound<'_, PyDict>) -> PyResult<()> {
    let py = config.py();
    let key = intern!(py, "callbacks");
    let Some(manager) = config.get_item(key)?.filter(|manager| !manager.is_none()) else {
        return Ok(());
    };
    // Of this package's managers that nobody listens to.
    let Some(within) = manager.getattr_opt(intern!(py, "_within"))? else { return Ok(()) };
    let none = || py.None().into_bound(py);
    let tags = config.get_item(intern!(py, "tags"))?.unwrap_or_else(none);
    let metadata = config.get_item(intern!(py, "metadata"))?.unwrap_or_else(none);
    config.set_item(key, host::call(&within, &[&tags, &metadata])?)
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
    let (this, channels) = (handle.bind(py).as_any(), base.channels.bind(py));
    let managed = base.managed.bind(py).as_any();
    let reader = [imports::read_function(py)?, this, channels, managed, this];
    conf.set_item(intern!(py, "__pregel_read"), host::call(imports::partial(py)?, &reader)?)?;
    let read_state = match facts.path {
        TaskPath::Push(_) => Some(handle.bind(py).getattr(intern!(py, "read_state"))?),
        // Nor its parent's, should the task run a graph.
        _ => None,
    };
    conf.set_item(intern!(py, "__pregel_read_state"), read_state)?;
    conf.set_item(intern!(py, "__pregel_call"), handle.bind(py).getattr(intern!(py, "call"))?)?;
    let namespace = PyString::new(py, &task.namespace);
    conf.set_item(intern!(py, "checkpoint_ns"), &namespace)?;
    let map = base.checkpoint_map.bind(py).copy()?;
    map.set_item(&*base.namespace, &checkpoint)?;
    if let Some(scope) = &facts.scope {
        map.set_item(&**scope, &checkpoint)?;
    }
    conf.set_item(intern!(py, "checkpoint_map"), map)?;
    let ids = TaskIds { task: &id, namespace: &namespace, checkpoint: &checkpoint };
    let runtime = base.runtime.for_task(py, ids, facts.attempt, task.first_attempt)?;
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
        None => (PyTuple::new(py, [names::PUSH])?, path::to_tuple(py, &facts.path)?),
    };
    metadata.set_item(intern!(py, "langgraph_triggers"), triggers)?;
    metadata.set_item(intern!(py, "langgraph_path"), path)?;
    metadata.set_item(intern!(py, "langgraph_checkpoint_ns"), &*task.namespace)?;
    if let Some(own) = &facts.metadata {
        metadata.update(own.bind(py).cast::<PyDict>()?.as_mapping())?;
    }
    Ok(metadata)
}
