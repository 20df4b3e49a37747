//! Getting a task ready: its input, its resume values, its config.

use std::sync::Arc;

use langgraph_rust_core::{Control, TaskPath};
use langgraph_rust_pregel::{Task, TaskKey};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::config::{Facts, TaskConfig};
use super::handle::TaskHandle;
use super::node::{NodeRun, Stage, What};
use super::{input, Core, Run};
use crate::host::call::{call_named, call_with};
use crate::host::context::Context;
use crate::host::imports;
use crate::plan::program::Program;
use crate::values::domain::Objects;

impl NodeRun {
    /// The task, got ready now unless somebody looked at it before.
    pub fn ready(
        py: Python<'_>,
        run: &Arc<Run>,
        key: TaskKey,
        context: &Context,
    ) -> PyResult<Self> {
        let prepared = run.core(py)?.kept_mut(key).and_then(|kept| kept.prepared.take());
        match prepared {
            // Whoever looked at a called task may have come after its first attempt.
            Some(node) if run.core(py)?.task(key)?.attempts <= 1 => Ok(*node),
            _ => NodeRun::prepare(py, run, key, context.clone_ref(py)),
        }
    }

    /// Gets the task `key` of `run` ready: its input is what its channels hold now.
    pub fn prepare(
        py: Python<'_>,
        run: &Arc<Run>,
        key: TaskKey,
        context: Context,
    ) -> PyResult<Self> {
        let core = run.core(py)?;
        let task = core.task(key)?;
        let (id, node) = (core.engine.id_of(task).clone(), task.node);
        let namespace = core.engine.namespace_of(task);
        let steps = core.engine.steps();
        let stored = core.engine.resume_values(&id).map(|value| value.clone_ref(py));
        let (draft, source_node) = input::draft(py, run, &core, key)?;
        let timeout = timeout_of(py, run, &core, key)?;
        let kept = core.kept(key);
        let call = kept.and_then(|kept| kept.call.as_ref());
        let call = call.map(|call| call.callee.clone_ref(py));
        let handle = kept.and_then(|kept| kept.handle.as_ref());
        let handle = handle.map(|handle| handle.clone_ref(py));
        let facts = facts(py, run, &core, key)?;
        drop(core);

        let handle = match handle {
            Some(handle) => {
                handle.get().restart();
                handle
            }
            None => {
                let resume = resume_values(py, run, &namespace, None, stored)?.unbind();
                let handle = TaskHandle::new(run, key, id, namespace, steps, resume);
                Py::new(py, handle)?
            }
        };
        let what = match (node, call) {
            (Some(node), _) => What::Node(node),
            (None, Some(call)) => What::Call(call),
            (None, None) => return Err(PyValueError::new_err("A called task lost its function")),
        };
        let input = input::finish(py, run, &handle, draft, source_node, &facts.name)?;
        let config = TaskConfig::new(run.context.base.clone_ref(py), handle, facts);
        Ok(Self {
            run: run.clone(),
            key,
            what,
            input,
            config: Py::new(py, config)?,
            context,
            timeout,
            result: None,
            writes: Vec::new(),
            stage: Stage::Body,
            is_alone: false,
        })
    }
}

/// What the task's config says of this attempt.
fn facts(py: Python<'_>, run: &Run, core: &Core, key: TaskKey) -> PyResult<Facts> {
    let task = core.task(key)?;
    let program = task.node.map(|node| run.graph.program(node));
    let own = |part: fn(&Program) -> &Option<Py<PyAny>>| {
        program.and_then(|program| part(program).as_ref()).map(|part| part.clone_ref(py))
    };
    let call = core.kept(key).and_then(|kept| kept.call.as_ref());
    let callbacks = call.and_then(|call| call.callbacks.as_ref());
    Ok(Facts {
        name: match program {
            Some(program) => program.name.clone_ref(py),
            None => PyString::new(py, &task.name).unbind(),
        },
        pulled: match (&task.path, program) {
            (TaskPath::Pull(_), Some(program)) => {
                Some((program.triggers.clone_ref(py), program.path.clone_ref(py)))
            }
            _ => None,
        },
        path: task.path.clone(),
        scope: task.scope.clone(),
        checkpoint: core.engine.state().checkpoint_id().clone(),
        // Somebody may want to see the input before the engine has begun to count.
        attempt: task.attempts.max(1),
        error: match task.handles {
            Some(failed) => Some(failed_error(py, core, failed)?),
            None => None,
        },
        tags: own(|program| &program.tags),
        metadata: own(|program| &program.metadata),
        callbacks: callbacks.map(|callbacks| callbacks.clone_ref(py)),
    })
}

/// The timeout of a packet or a call, or else of the node.
fn timeout_of(py: Python<'_>, run: &Run, core: &Core, key: TaskKey) -> PyResult<Option<Py<PyAny>>> {
    if let Some(call) = core.kept(key).and_then(|kept| kept.call.as_ref()) {
        return Ok(call.timeout.as_ref().map(|timeout| timeout.clone_ref(py)));
    }
    let task = core.task(key)?;
    if let (Some(packet), None) = (&task.packet, task.handles) {
        let own = packet.bind(py).getattr(intern!(py, "timeout"))?;
        if !own.is_none() {
            return Ok(Some(own.unbind()));
        }
    }
    let node = task.node.and_then(|node| run.graph.program(node).timeout.as_ref());
    Ok(node.map(|timeout| timeout.clone_ref(py)))
}

/// The error that the handler of `failed` is given.
fn failed_error(py: Python<'_>, core: &Core, failed: TaskKey) -> PyResult<Py<PyAny>> {
    let task = core.task(failed)?;
    let kept = core.kept(failed).and_then(|kept| kept.error.as_ref());
    let error = match kept {
        Some(error) => error.clone_ref(py),
        None => stored_error(py, task)?,
    };
    let kwargs = PyDict::new(py);
    kwargs.set_item("node", &*task.name)?;
    kwargs.set_item("error", error)?;
    Ok(call_with(imports::node_error(py)?, &[], Some(&kwargs))?.unbind())
}

fn stored_error(py: Python<'_>, task: &Task<Objects>) -> PyResult<Py<PyAny>> {
    let stored = task.writes.iter().find(|write| write.is_control(Control::Error));
    let Some(stored) = stored else { return Ok(py.None()) };
    let value = stored.value.bind(py);
    if value.is_instance_of::<pyo3::exceptions::PyBaseException>() {
        return Ok(value.clone().unbind());
    }
    let error = pyo3::exceptions::PyException::new_err(value.str()?.unbind());
    Ok(error.into_value(py).into_any())
}

/// The resume values of a task, or of a part of it: those stored, and the one for its next
/// interrupt.
pub fn resume_values<'py>(
    py: Python<'py>,
    run: &Run,
    namespace: &str,
    part: Option<&str>,
    stored: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let values = PyList::empty(py);
    if let Some(stored) = stored {
        match stored.bind(py).cast::<PyList>() {
            Ok(list) => list.iter().try_for_each(|value| values.append(value))?,
            Err(_) => values.append(stored)?,
        }
    }
    let Some(map) = &run.context.resume_map else { return Ok(values) };
    let map = map.bind(py);
    let namespace = PyString::new(py, namespace);
    let id = |answered: usize| -> PyResult<Bound<'_, PyAny>> {
        let (answered, part) = (answered.into_pyobject(py)?, part.into_pyobject(py)?);
        let arguments = [namespace.as_any(), answered.as_any(), part.as_any()];
        call_named(py, "langgraph_rust.types", "_interrupt_id", &arguments)
    };
    let found = match map.get_item(id(values.len())?)? {
        // Older versions gave all of a task's interrupts the id of the first.
        None if part.is_none() => map.get_item(id(0)?)?,
        found => found,
    };
    found.map_or(Ok(()), |value| values.append(value))?;
    Ok(values)
}
