//! A run's input, for the engine.

use langgraph_rust_core::Write;
use langgraph_rust_pregel::{InterruptAt, Resumes, RunInput};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::plan::lost::{self, Lost, Writer};
use crate::plan::{writers, Graph, Keys};
use crate::values::domain::Objects;

/// A command that a run is given.
pub struct Command<'py> {
    /// Its `(channel, value)` writes.
    pub writes: Bound<'py, PyAny>,
    /// The interrupts that it resumes from.
    pub resumes: Resumes,
}

/// What a run is given, for the engine.
pub(super) fn read(
    py: Python<'_>,
    graph: &Graph,
    input: &Bound<'_, PyAny>,
    command: Option<&Command<'_>>,
    nested: bool,
) -> PyResult<RunInput<Objects>> {
    if let Some(Command { writes, resumes }) = command {
        let mut read = Vec::new();
        writers::pairs(writes, &mut |channel, value| {
            let write = graph.write(channel, value)?;
            if let Some(lost) = Lost::of(py, &write) {
                lost.tell(py, graph, &Writer::input(py))?;
            }
            read.push(write);
            Ok(())
        })?;
        let input = match &graph.input {
            Keys::One(index) => vec![Write::channel(*index, input.clone().unbind())],
            Keys::Many(_) => Vec::new(),
        };
        return Ok(RunInput::Command { writes: read, resumes: *resumes, input });
    }
    if input.is_none() {
        return Ok(RunInput::Nothing);
    }
    match &graph.input {
        Keys::One(index) => {
            Ok(RunInput::Writes(vec![Write::channel(*index, input.clone().unbind())]))
        }
        Keys::Many(indices) => {
            let Ok(values) = input.cast::<PyDict>() else {
                let class = input.get_type().name()?;
                let message = format!("Expected chunk to be a dict, got {class}");
                return Err(PyTypeError::new_err(message));
            };
            let mut writes = Vec::with_capacity(values.len());
            for (name, value) in values.iter() {
                let index = graph.plan.channel_named(name.cast::<PyString>()?.to_str()?);
                match index.filter(|index| indices.contains(index)) {
                    Some(index) => writes.push(Write::channel(index, value.unbind())),
                    None => lost::tell_input(py, graph, &name, nested)?,
                }
            }
            Ok(RunInput::Writes(writes))
        }
    }
}

/// Where to stop, as Python says it: `"*"`, or names.
pub fn interrupt_at(graph: &Graph, at: &Bound<'_, PyAny>) -> PyResult<InterruptAt> {
    if let Ok(all) = at.cast::<PyString>() {
        if all == "*" {
            return Ok(InterruptAt::Everywhere);
        }
    }
    if !at.is_truthy()? {
        return Ok(InterruptAt::Nowhere);
    }
    let mut nodes = Vec::new();
    for name in at.try_iter()? {
        nodes.extend(graph.plan.node_named(name?.cast::<PyString>()?.to_str()?));
    }
    Ok(InterruptAt::Nodes(nodes))
}
