//! What a task's exception means.

use std::time::Duration;

use langgraph_rust_core::{names, Control, RetryDelay, Write};
use langgraph_rust_pregel::{Failure, Retry, TaskKey, TaskOutcome, TaskState};
use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::handle::TaskHandle;
use super::node::NodeRun;
use super::report::Report;
use super::Run;
use crate::host::call::{call, call_named, call_with, is_true};
use crate::host::coroutine::is_cancellation;
use crate::host::imports;
use crate::values::domain::Objects;
use crate::values::errors::{add_note, value_of};

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
        let addressed = call_with(&replace, &[&command], Some(&kwargs))?;
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
    node: &NodeRun,
    error: PyErr,
    writes: Vec<Write<Objects>>,
    retry: Option<&Py<PyAny>>,
) -> TaskOutcome<Objects> {
    let bubbles = imports::graph_bubble_up(py).is_ok_and(|class| error.is_instance(py, class));
    if bubbles {
        let interrupt = imports::graph_interrupt(py);
        return match interrupt.is_ok_and(|class| error.is_instance(py, class)) {
            true => interrupted(py, &error, writes).unwrap_or_else(|error| failed(py, error)),
            false => {
                explain_escape(py, node, &error);
                TaskOutcome::Escaped(error)
            }
        };
    }
    let is_cancelled = is_cancellation(py, &error);
    if is_cancelled && is_asked_to_stop(py, node.run(), node.key) {
        return TaskOutcome::Cancelled(Some(value_of(py, &error)));
    }
    let error = if is_cancelled { own_cancellation(py, node, error) } else { error };
    let mut failure = failure(py, error);
    failure.writes = writes;
    if failure.is_final {
        return TaskOutcome::Failed(failure);
    }
    if is_cancelled {
        // No policy is asked about one, wherever it comes from.
        return TaskOutcome::Failed(failure);
    }
    let (name, id) = (node.name(py), node.task().get().id.as_str().to_owned());
    let note = format!("During task with name '{}' and id '{id}'", name.bind(py));
    add_note(py, &failure.error, &note);
    let decided = decide(py, &mut failure, retry);
    match decided {
        Ok(()) => TaskOutcome::Failed(failure),
        // A policy that raises has the last word; what it was asked about is its context.
        Err(error) => {
            let context = failure.value;
            drop(error.value(py).setattr(intern!(py, "__context__"), context));
            failed(py, error)
        }
    }
}

/// Says of a command for a graph around this one that there is none.
fn explain_escape(py: Python<'_>, node: &NodeRun, error: &PyErr) {
    let is_command = imports::parent_command(py).is_ok_and(|class| error.is_instance(py, class));
    let is_root = |run: &Run| run.core(py).is_ok_and(|core| !core.engine.options().nested);
    if is_command && is_root(node.run()) {
        let name = node.name(py);
        let note = format!(
            "Node '{}' gave a Command for the graph around this one (graph=Command.PARENT), but \
             this graph runs by itself. Run it as a node of that graph, or leave out `graph`",
            name.bind(py)
        );
        add_note(py, error, &note);
    }
}

/// A task whose result was refused when it was told of: it failed, and is not tried again.
pub fn refused(py: Python<'_>, error: PyErr, name: &str, id: &str) -> TaskOutcome<Objects> {
    add_note(py, &error, &format!("During task with name '{name}' and id '{id}'"));
    failed(py, error)
}

/// What is to be done about a failure: whether to try again, whether others go on.
fn decide(
    py: Python<'_>,
    failure: &mut Failure<Objects>,
    policies: Option<&Py<PyAny>>,
) -> PyResult<()> {
    if let Some(policies) = policies {
        failure.retry = matching_retry(py, policies, failure.value.bind(py))?;
    }
    let invalid = call(imports::is_invalid_resume(py)?, &[failure.value.bind(py)])?;
    failure.spares_others = invalid.is_truthy()?;
    Ok(())
}

/// Whether somebody who may do so asked the task to stop: the engine for its own reasons, the
/// caller of the run, or the caller of the task. Everything else that looks like a cancellation is
/// the node's own failure.
pub fn is_asked_to_stop(py: Python<'_>, run: &Run, key: TaskKey) -> bool {
    run.core(py).is_ok_and(|core| core.engine.task(key).is_some_and(|task| task.cancelled))
}

/// Whether the run does not wait for the task any more: a signal or a time limit ended it.
pub fn is_abandoned(py: Python<'_>, run: &Run, key: TaskKey) -> bool {
    run.core(py)
        .is_ok_and(|core| core.engine.task(key).is_none_or(|task| task.state == TaskState::Settled))
}

fn failure(py: Python<'_>, error: PyErr) -> Failure<Objects> {
    let value = value_of(py, &error);
    let is_final = !error.is_instance_of::<PyException>(py);
    Failure { error, value, writes: Vec::new(), retry: None, is_final, spares_others: false }
}

fn failed(py: Python<'_>, error: PyErr) -> TaskOutcome<Objects> {
    TaskOutcome::Failed(failure(py, error))
}

/// A task that could not even begin: its input was refused. No policy retries that.
pub fn unprepared(py: Python<'_>, key: TaskKey, error: PyErr) -> Report {
    Report { key, outcome: failed(py, error) }
}

/// A cancellation that came out of a node by itself, as the failure that it is.
fn own_cancellation(py: Python<'_>, node: &NodeRun, error: PyErr) -> PyErr {
    let class = match imports::node_cancelled_error(py) {
        Ok(class) => class.clone(),
        Err(error) => return error,
    };
    let own = PyErr::from_type(class, (node.name(py),));
    own.set_cause(py, Some(error));
    own
}

fn interrupted(
    py: Python<'_>,
    error: &PyErr,
    writes: Vec<Write<Objects>>,
) -> PyResult<TaskOutcome<Objects>> {
    let arguments = error.value(py).getattr(intern!(py, "args"))?;
    let interrupts = if arguments.len()? > 0 { Some(arguments.get_item(0)?) } else { None };
    let interrupts = match interrupts {
        Some(interrupts) if is_true(&interrupts)? => Some(interrupts.unbind()),
        _ => None,
    };
    let is_resume = |write: &Write<Objects>| write.is_control(Control::Resume);
    Ok(TaskOutcome::Interrupted {
        value: interrupts,
        resume_values: writes.into_iter().filter(is_resume).collect(),
    })
}

/// The first policy that wants another attempt after `error`.
fn matching_retry(
    py: Python<'_>,
    policies: &Py<PyAny>,
    error: &Bound<'_, PyAny>,
) -> PyResult<Option<Retry>> {
    const MODULE: &str = "langgraph_rust._internal._retry";
    let found = call_named(py, MODULE, "matching_policy", &[policies.bind(py), error])?;
    if found.is_none() {
        return Ok(None);
    }
    let number = |attribute: &str| -> PyResult<f64> { as_float(&found.getattr(attribute)?) };
    let jitter = match found.getattr("jitter")?.is_truthy()? {
        true => {
            let (least, most) = (0i32.into_pyobject(py)?, 1i32.into_pyobject(py)?);
            call_named(py, "random", "uniform", &[least.as_any(), most.as_any()])?.extract()?
        }
        false => 0.0,
    };
    Ok(Some(Retry {
        // `as` saturates: beyond what can be counted, the number of attempts is no limit.
        max_attempts: number("max_attempts")?.ceil() as u32,
        delay: RetryDelay {
            initial: seconds(number("initial_interval")?),
            factor: number("backoff_factor")?,
            max: seconds(number("max_interval")?),
        },
        jitter: seconds(jitter),
    }))
}

/// A number as a float: infinity for an int that is too large for one.
fn as_float(number: &Bound<'_, PyAny>) -> PyResult<f64> {
    match number.extract::<f64>() {
        Err(_) if number.is_instance_of::<pyo3::types::PyInt>() => {
            Ok(if number.gt(0)? { f64::INFINITY } else { f64::NEG_INFINITY })
        }
        number => number,
    }
}

/// A time to wait: none if it is negative or no number, the longest if it is too long.
fn seconds(seconds: f64) -> Duration {
    let longest = if seconds > 0.0 { Duration::MAX } else { Duration::ZERO };
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(longest)
}
