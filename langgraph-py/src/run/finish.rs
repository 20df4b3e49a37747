//! The end of a run, and what the caller gets.

use langgraph_rust_core::Durability;
use langgraph_rust_pregel::Outcome;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::core::Latest;
use super::Run;
use crate::host::call::{attribute, is_true, next_item};
use crate::host::imports;
use crate::values::domain::{fault_to_python, Objects};
use crate::values::errors;

/// When checkpoints are stored, as Python says it.
pub fn durability(name: &str) -> Durability {
    match name {
        "sync" => Durability::Sync,
        "exit" => Durability::Exit,
        _ => Durability::Async,
    }
}

/// Raises what the run ended with; success and a root run's pause raise nothing.
pub fn conclude<T>(py: Python<'_>, run: &Run<T>, outcome: Outcome<Objects>) -> PyResult<()> {
    match outcome {
        Outcome::Done | Outcome::Cancelled => Ok(()),
        Outcome::Interrupted(interrupts) => interrupted(py, run, interrupts),
        Outcome::OutOfSteps => {
            let limit = recursion_limit(py, run)?;
            let message = format!(
                "Recursion limit of {limit} reached without hitting a stop condition. You can \
                 increase the limit by setting the `recursion_limit` config key."
            );
            let class = imports::graph_recursion_error(py);
            Err(errors::coded(py, class, &message, Some("GRAPH_RECURSION_LIMIT")))
        }
        Outcome::Drained => {
            let reason = match &run.context.control {
                Some(control) => attribute(control.bind(py), intern!(py, "drain_reason"))?,
                None => py.None().into_bound(py),
            };
            let reason = match is_true(&reason)? {
                true => reason,
                false => intern!(py, "shutdown").clone().into_any(),
            };
            Err(PyErr::from_type(imports::graph_drained(py)?.clone(), (reason.unbind(),)))
        }
        Outcome::Escaped(error) => Err(error),
        Outcome::Failed(fault) => Err(fault_to_python(py, fault)),
    }
}

/// The limit in the words of the config.
fn recursion_limit<T>(py: Python<'_>, run: &Run<T>) -> PyResult<String> {
    let config = run.context.base.get().config.bind(py);
    match config.get_item(intern!(py, "recursion_limit"))? {
        Some(limit) => Ok(limit.str()?.to_string()),
        None => Ok(run.core(py)?.engine.options().recursion_limit.to_string()),
    }
}

fn interrupted<T>(py: Python<'_>, run: &Run<T>, interrupts: Vec<Py<PyAny>>) -> PyResult<()> {
    let all = PyList::empty(py);
    for interrupts in interrupts {
        let interrupts = interrupts.bind(py).try_iter()?;
        while let Some(interrupt) = next_item(interrupts.as_any())? {
            all.append(interrupt)?;
        }
    }
    let (nested, status) = {
        let core = run.core(py)?;
        (core.engine.options().nested, core.engine.pause().name())
    };
    if nested {
        let class = imports::graph_interrupt(py)?;
        return Err(PyErr::from_type(class.clone(), (all.to_tuple().unbind(),)));
    }
    note_lifecycle(py, run, "interrupt", status, all.iter().map(Bound::unbind).collect())
}

/// Notes that the run was resumed or pauses.
pub fn note_lifecycle<T>(
    py: Python<'_>,
    run: &Run<T>,
    kind: &str,
    status: &str,
    interrupts: Vec<Py<PyAny>>,
) -> PyResult<()> {
    let mut core = run.core(py)?;
    let checkpoint = core.engine.state().checkpoint_id().as_str().to_owned();
    let interrupts = PyTuple::new(py, interrupts)?;
    let entry = (kind, status, checkpoint, &run.shows.namespace, interrupts).into_pyobject(py)?;
    core.lifecycle.push(entry.into_any().unbind());
    Ok(())
}

/// The latest output of a run whose caller waited for the end.
pub fn latest<T>(py: Python<'_>, run: &Run<T>) -> PyResult<Py<PyAny>> {
    let core = run.core(py)?;
    match &core.latest {
        Latest::Nothing => Ok(py.None()),
        Latest::Channels => run.view(&core).output(py),
        Latest::Value(value) => Ok(value.clone_ref(py)),
    }
}

/// What `invoke` is made of: the latest output and the interrupts.
pub fn result<T>(py: Python<'_>, run: &Run<T>) -> PyResult<Py<PyAny>> {
    let latest = latest(py, run)?;
    let interrupts = std::mem::take(&mut run.core(py)?.interrupts);
    let interrupts = PyList::new(py, interrupts)?;
    Ok(PyTuple::new(py, [latest.bind(py), interrupts.as_any()])?.into_any().unbind())
}
