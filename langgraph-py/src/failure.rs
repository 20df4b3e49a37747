//! What a task's exception means.

use langgraph_core::{names, RetryDelay, Write};
use langgraph_pregel::{Failure, Retry, TaskOutcome};
use pyo3::exceptions::{PyBaseException, PyException};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::time::Duration;

use crate::domain::Objects;
use crate::imports;
use crate::task::TaskHandle;

/// The command in a `ParentCommand` that is meant for this very graph. One for the graph around is
/// addressed on the way, and is no command for here.
pub fn command_for_here(
    py: Python<'_>,
    handle: &Py<TaskHandle>,
    error: &PyErr,
) -> PyResult<Option<Py<PyAny>>> {
    if !error.is_instance(py, imports::graph_bubble_up(py)?)
        || !error.is_instance(py, imports::parent_command(py)?)
    {
        return Ok(None);
    }
    let exception = error.value(py);
    let command = exception.getattr(intern!(py, "args"))?.get_item(0)?;
    let graph = command.getattr(intern!(py, "graph"))?;
    let namespace = handle.get().namespace.as_str();
    let graph: Option<String> = graph.extract()?;
    let Some(graph) = graph else { return Ok(None) };
    if graph == "__parent__" {
        let kwargs = PyDict::new(py);
        kwargs.set_item("graph", parent_namespace(namespace))?;
        let replace = py.import("dataclasses")?.getattr("replace")?;
        let addressed = replace.call((command,), Some(&kwargs))?;
        exception.setattr("args", PyTuple::new(py, [addressed])?)?;
        return Ok(None);
    }
    let recast = recast(namespace);
    let name = recast.rsplit(names::NS_SEP).next().unwrap_or_default();
    let here = graph == namespace || graph == recast || graph == name;
    Ok(here.then(|| command.unbind()))
}

/// The namespace without task ids and call numbers.
pub fn recast(namespace: &str) -> String {
    let parts = namespace.split(names::NS_SEP).filter(|part| !is_number(part));
    let names: Vec<&str> =
        parts.map(|part| part.split(names::NS_END).next().unwrap_or_default()).collect();
    names.join(names::NS_SEP)
}

/// The namespace of the task that runs the graph of the task at `namespace`.
fn parent_namespace(namespace: &str) -> String {
    let mut parts: Vec<&str> = namespace.split(names::NS_SEP).collect();
    parts.pop();
    while parts.last().is_some_and(|part| is_number(part)) {
        parts.pop();
    }
    parts.join(names::NS_SEP)
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// What the engine is told of a task that ended with `error`.
pub fn outcome(
    py: Python<'_>,
    handle: &Py<TaskHandle>,
    name: &Py<PyAny>,
    error: PyErr,
    writes: Vec<Write<Objects>>,
    retry: Option<&Py<PyAny>>,
) -> TaskOutcome<Objects> {
    match classify(py, handle, name, error, writes, retry) {
        Ok(outcome) => outcome,
        // What went wrong while looking at the error is the error.
        Err(error) => failed(py, error, Vec::new(), None, false),
    }
}

fn classify(
    py: Python<'_>,
    handle: &Py<TaskHandle>,
    name: &Py<PyAny>,
    error: PyErr,
    writes: Vec<Write<Objects>>,
    retry: Option<&Py<PyAny>>,
) -> PyResult<TaskOutcome<Objects>> {
    if error.is_instance(py, imports::graph_bubble_up(py)?) {
        return if error.is_instance(py, imports::graph_interrupt(py)?) {
            interrupted(py, &error, writes)
        } else {
            Ok(TaskOutcome::Escaped(error))
        };
    }
    let error = own_cancellation(py, name, error)?;
    if !error.is_instance_of::<PyException>(py) {
        return Ok(failed(py, error, writes, None, false));
    }
    let id = handle.get().id.as_str();
    let name = name.bind(py);
    add_note(py, &error, &format!("During task with name '{name}' and id '{id}'"));
    let retry = match retry {
        Some(policies) => matching_retry(py, policies, &error)?,
        None => None,
    };
    let spares_others = imports::is_invalid_resume(py)?.call1((error.value(py),))?.is_truthy()?;
    Ok(failed(py, error, writes, retry, spares_others))
}

fn failed(
    py: Python<'_>,
    error: PyErr,
    writes: Vec<Write<Objects>>,
    retry: Option<Retry>,
    spares_others: bool,
) -> TaskOutcome<Objects> {
    let value = error.value(py).clone().into_any().unbind();
    TaskOutcome::Failed(Failure { error, value, writes, retry, spares_others })
}

/// A cancellation that a node raised itself is a failure of the node; one from outside is not
/// seen here.
fn own_cancellation(py: Python<'_>, name: &Py<PyAny>, error: PyErr) -> PyResult<PyErr> {
    let is_cancellation = !error.is_instance_of::<PyException>(py)
        && error.get_type(py).name()?.to_str()? == "CancelledError";
    if !is_cancellation {
        return Ok(error);
    }
    let own = PyErr::from_type(imports::node_cancelled_error(py)?.clone(), (name.clone_ref(py),));
    own.set_cause(py, Some(error));
    Ok(own)
}

fn interrupted(
    py: Python<'_>,
    error: &PyErr,
    writes: Vec<Write<Objects>>,
) -> PyResult<TaskOutcome<Objects>> {
    let arguments = error.value(py).getattr(intern!(py, "args"))?;
    let questions = if arguments.len()? > 0 { Some(arguments.get_item(0)?) } else { None };
    let questions = questions.filter(|questions| questions.is_truthy().unwrap_or(true));
    let is_answer = |write: &Write<Objects>| write.is_control(langgraph_core::Control::Resume);
    Ok(TaskOutcome::Interrupted {
        value: questions.map(Bound::unbind),
        answered: writes.into_iter().filter(is_answer).collect(),
    })
}

/// The first policy that wants another attempt after `error`.
fn matching_retry(py: Python<'_>, policies: &Py<PyAny>, error: &PyErr) -> PyResult<Option<Retry>> {
    let module = py.import(intern!(py, "langgraph_rust._internal._retry"))?;
    let found = module.call_method1("matching_policy", (policies, error.value(py)))?;
    if found.is_none() {
        return Ok(None);
    }
    let seconds = |attribute: &str| -> PyResult<Duration> {
        let seconds: f64 = found.getattr(attribute)?.extract()?;
        Ok(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
    };
    let jitter = match found.getattr("jitter")?.is_truthy()? {
        true => {
            let drawn: f64 = py.import("random")?.call_method1("uniform", (0, 1))?.extract()?;
            Duration::try_from_secs_f64(drawn.max(0.0)).unwrap_or_default()
        }
        false => Duration::ZERO,
    };
    Ok(Some(Retry {
        max_attempts: found.getattr("max_attempts")?.extract()?,
        delay: RetryDelay {
            initial: seconds("initial_interval")?,
            factor: found.getattr("backoff_factor")?.extract()?,
            max: seconds("max_interval")?,
        },
        jitter,
    }))
}

/// Adds a note to an exception, where exceptions take notes (Python 3.11).
pub fn add_note(py: Python<'_>, error: &PyErr, note: &str) {
    let value: &Bound<'_, PyBaseException> = error.value(py);
    if let Ok(add) = value.getattr(intern!(py, "add_note")) {
        if let Err(refused) = add.call1((note,)) {
            refused.write_unraisable(py, Some(value.as_any()));
        }
    }
}
