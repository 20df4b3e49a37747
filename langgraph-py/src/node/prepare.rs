//! Getting a task ready: its input, its answers, its config.

use std::sync::Arc;

use langgraph_core::{names, Control, NodeIndex, TaskPath};
use langgraph_pregel::{Task, TaskKey};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::{NodeRun, Stage, What};
use crate::config::{Facts, TaskConfig};
use crate::domain::{fault_to_python, Objects};
use crate::failure;
use crate::imports;
use crate::program::{Program, Source};
use crate::run::{Core, Run};
use crate::task::TaskHandle;

impl NodeRun {
    /// Gets the task `key` of `run` ready: its input is what its channels hold now.
    pub fn prepare(
        py: Python<'_>,
        run: &Arc<Run>,
        key: TaskKey,
        context: Py<PyAny>,
    ) -> PyResult<Self> {
        let core = run.core(py)?;
        let task = core.engine.task(key);
        let (id, node) = (task.id.clone(), task.node);
        let own = |part: fn(&Program) -> &Option<Py<PyAny>>| {
            let part = node.and_then(|node| part(run.graph.program(node)).as_ref());
            part.map(|part| part.clone_ref(py))
        };
        let namespace = task.namespace(&run.context.namespace);
        let steps = core.engine.steps();
        let answers = core.engine.answers(&task.id).map(|a| a.clone_ref(py));
        let (draft, source_node) = draft_input(py, run, &core, key)?;
        let timeout = timeout_of(py, run, &core, key)?;
        let call = core.calls.get(&key).map(|call| call.runnable.clone_ref(py));
        let callbacks = core.calls.get(&key).and_then(|call| call.callbacks.as_ref());
        let kept = core.handles.get(&key).map(|handle| handle.clone_ref(py));
        let facts = Facts {
            name: match node {
                Some(node) => run.graph.program(node).name.clone_ref(py),
                None => PyString::new(py, &task.name).unbind(),
            },
            pulled: match (&task.path, node) {
                (TaskPath::Pull(_), Some(node)) => {
                    let program = run.graph.program(node);
                    Some((program.triggers.clone_ref(py), program.path.clone_ref(py)))
                }
                _ => None,
            },
            path: task.path.clone(),
            scope: task.scope.clone(),
            checkpoint: core.engine.state().checkpoint_id().clone(),
            attempt: task.attempts,
            error: match task.handles {
                Some(failed) => Some(failed_error(py, &core, failed)?),
                None => None,
            },
            tags: own(|program| &program.tags),
            metadata: own(|program| &program.metadata),
            callbacks: callbacks.map(|callbacks| callbacks.clone_ref(py)),
        };
        drop(core);

        let handle = match kept {
            Some(handle) => {
                handle.get().restart();
                handle
            }
            None => {
                let handle = TaskHandle::new(py, run, key, id, namespace, steps);
                let handle = Py::new(py, handle)?;
                fill_answers(py, run, &handle, answers)?;
                handle
            }
        };
        let what = match (node, call) {
            (Some(node), _) => What::Node(node),
            (None, Some(call)) => What::Call(call),
            (None, None) => return Err(PyValueError::new_err("A called task lost its function")),
        };
        let input = finish_input(py, run, &handle, draft, source_node, &facts.name)?;
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
            standing: 0,
            stage: Stage::Body,
            is_alone: false,
        })
    }
}

/// The timeout of a packet or a call, or else of the node.
fn timeout_of(py: Python<'_>, run: &Run, core: &Core, key: TaskKey) -> PyResult<Option<Py<PyAny>>> {
    if let Some(call) = core.calls.get(&key) {
        return Ok(call.timeout.as_ref().map(|timeout| timeout.clone_ref(py)));
    }
    let task = core.engine.task(key);
    if let (Some(packet), None) = (&task.packet, task.handles) {
        let own = packet.bind(py).getattr(intern!(py, "timeout"))?;
        if !own.is_none() {
            return Ok(Some(own.unbind()));
        }
    }
    let node = task.node.and_then(|node| run.graph.program(node).timeout.as_ref());
    Ok(node.map(|timeout| timeout.clone_ref(py)))
}

/// What a task's input is made of, read while the engine is held.
enum Draft<'py> {
    Value(Bound<'py, PyAny>),
    /// Channels' values; managed values are added later, since they run Python code.
    Fields(Bound<'py, PyDict>),
}

/// The input of a task, as far as it can be read now, and the node whose schema it has.
fn draft_input<'py>(
    py: Python<'py>,
    run: &Run,
    core: &Core,
    key: TaskKey,
) -> PyResult<(Draft<'py>, Option<NodeIndex>)> {
    let task = core.engine.task(key);
    if let Some(failed) = task.handles {
        return draft_input(py, run, core, failed);
    }
    if let Some(call) = core.calls.get(&key) {
        return Ok((Draft::Value(call.input.bind(py).clone()), None));
    }
    if let Some(packet) = &task.packet {
        let argument = packet.bind(py).getattr(intern!(py, "arg"))?;
        return Ok((Draft::Value(argument), None));
    }
    let Some(node) = task.node else { return Ok((Draft::Value(py.None().into_bound(py)), None)) };
    let read = |index| {
        let value = core.engine.state().read(py, index);
        value.map_err(|fault| fault_to_python(py, fault))
    };
    let draft = match &run.graph.program(node).source {
        Source::Value(index) => {
            let value = read(*index)?;
            Draft::Value(value.unwrap_or_else(|| py.None()).into_bound(py))
        }
        Source::Fields(fields) => {
            let values = PyDict::new(py);
            for (name, source) in fields {
                if let Ok(index) = source {
                    if let Some(value) = read(*index)? {
                        values.set_item(name, value)?;
                    }
                }
            }
            Draft::Fields(values)
        }
    };
    Ok((draft, Some(node)))
}

fn finish_input(
    py: Python<'_>,
    run: &Run,
    handle: &Py<TaskHandle>,
    draft: Draft<'_>,
    node: Option<NodeIndex>,
    name: &Py<PyString>,
) -> PyResult<Py<PyAny>> {
    let Some(node) = node else {
        return Ok(match draft {
            Draft::Value(value) => value.unbind(),
            Draft::Fields(values) => values.into_any().unbind(),
        });
    };
    let program = run.graph.program(node);
    let value = match draft {
        Draft::Value(value) => value,
        Draft::Fields(values) => {
            if let Source::Fields(fields) = &program.source {
                for (field, source) in fields {
                    if let Err(managed) = source {
                        let managed = managed.bind(py);
                        let value = managed.call_method1(intern!(py, "get"), (handle,))?;
                        values.set_item(field, value)?;
                    }
                }
            }
            values.into_any()
        }
    };
    match &program.mapper {
        None => Ok(value.unbind()),
        Some(mapper) => mapper.bind(py).call1((value,)).map(Bound::unbind).inspect_err(|error| {
            let note =
                format!("Before task with name '{name}' and path '('{}', '{name}')'", names::PULL);
            failure::add_note(py, error, &note);
        }),
    }
}

/// The error that the handler of `failed` is given.
fn failed_error(py: Python<'_>, core: &Core, failed: TaskKey) -> PyResult<Py<PyAny>> {
    let task = core.engine.task(failed);
    let error = match core.errors.get(&failed) {
        Some(error) => error.clone_ref(py),
        None => stored_error(py, task)?,
    };
    let kwargs = PyDict::new(py);
    kwargs.set_item("node", &*task.name)?;
    kwargs.set_item("error", error)?;
    Ok(imports::node_error(py)?.call((), Some(&kwargs))?.unbind())
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

/// The answers that the task has: those stored, and the one for its next question.
fn fill_answers(
    py: Python<'_>,
    run: &Run,
    handle: &Py<TaskHandle>,
    stored: Option<Py<PyAny>>,
) -> PyResult<()> {
    let answers = handle.get().resume.bind(py);
    if let Some(stored) = stored {
        match stored.bind(py).cast::<PyList>() {
            Ok(list) => list.iter().try_for_each(|answer| answers.append(answer))?,
            Err(_) => answers.append(stored)?,
        }
    }
    let Some(map) = &run.context.resume_map else { return Ok(()) };
    let map = map.bind(py);
    let types = py.import(intern!(py, "langgraph_rust.types"))?;
    let id = |answered: usize| {
        types
            .call_method1(intern!(py, "_interrupt_id"), (handle.get().namespace.as_str(), answered))
    };
    // Older versions gave all of a task's questions the id of the first.
    let found = match map.get_item(id(answers.len())?)? {
        Some(answer) => Some(answer),
        None => map.get_item(id(0)?)?,
    };
    found.map_or(Ok(()), |answer| answers.append(answer))
}
