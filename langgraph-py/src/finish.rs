//! The end of a run, and what the caller gets.

use std::sync::Arc;

use langgraph_pregel::Outcome;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::domain::{fault_to_python, Objects};
use crate::errors;
use crate::imports;
use crate::run::{Latest, Run};

/// The next chunk for the caller, shaped.
pub fn next_chunk(py: Python<'_>, run: &Run) -> PyResult<Option<Py<PyAny>>> {
    let Some(sink) = &run.shows.sink else { return Ok(None) };
    while let Some(chunk) = sink.get().pop() {
        if let Some(shaped) = run.shows.shape.apply(py, chunk)? {
            return Ok(Some(shaped));
        }
    }
    Ok(None)
}

/// Whether chunks are in line.
pub fn has_chunks(run: &Run) -> bool {
    run.shows.sink.as_ref().is_some_and(|sink| sink.get().has_chunks())
}

/// Raises what the run ended with; success and a root run's pause raise nothing.
pub fn conclude(py: Python<'_>, run: &Arc<Run>, outcome: Outcome<Objects>) -> PyResult<()> {
    match outcome {
        Outcome::Done | Outcome::Cancelled => Ok(()),
        Outcome::Interrupted(questions) => {
            let all = PyList::empty(py);
            for question in questions {
                question.bind(py).try_iter()?.try_for_each(|one| all.append(one?))?;
            }
            if !run.core(py)?.engine.options().nested {
                let status = run.core(py)?.engine.pause().name();
                let asked = all.iter().map(Bound::unbind).collect();
                return note_lifecycle(py, run, "interrupt", status, asked);
            }
            let interrupt = imports::graph_interrupt(py)?;
            Err(PyErr::from_type(interrupt.clone(), (all.to_tuple().unbind(),)))
        }
        Outcome::OutOfSteps => {
            let limit = run.core(py)?.engine.options().recursion_limit;
            let message = format!(
                "Recursion limit of {limit} reached without hitting a stop condition. You can \
                 increase the limit by setting the `recursion_limit` config key."
            );
            let class = imports::graph_recursion_error(py);
            Err(errors::coded(py, class, &message, Some("GRAPH_RECURSION_LIMIT")))
        }
        Outcome::Drained => {
            let reason = match &run.context.control {
                Some(control) => control.bind(py).getattr(intern!(py, "drain_reason"))?,
                None => py.None().into_bound(py),
            };
            let reason = if reason.is_truthy()? {
                reason
            } else {
                intern!(py, "shutdown").clone().into_any()
            };
            Err(PyErr::from_type(imports::graph_drained(py)?.clone(), (reason.unbind(),)))
        }
        Outcome::Escaped(error) => Err(error),
        Outcome::Failed(fault) => Err(fault_to_python(py, fault)),
    }
}

/// Notes that the run was resumed or pauses.
pub fn note_lifecycle(
    py: Python<'_>,
    run: &Run,
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
pub fn latest(py: Python<'_>, run: &Run) -> PyResult<Py<PyAny>> {
    let core = run.core(py)?;
    match &core.latest {
        Latest::Nothing => Ok(py.None()),
        Latest::Channels => run.output(py, &core),
        Latest::Value(value) => Ok(value.clone_ref(py)),
    }
}

/// What `invoke` is made of: the latest output and the questions asked.
pub fn result(py: Python<'_>, run: &Run) -> PyResult<Py<PyAny>> {
    let latest = latest(py, run)?;
    let questions = std::mem::take(&mut run.core(py)?.questions);
    let questions = PyList::new(py, questions)?;
    Ok(PyTuple::new(py, [latest.bind(py), questions.as_any()])?.into_any().unbind())
}
