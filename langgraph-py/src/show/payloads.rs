//! What a run shows: the engine's events as stream payloads, read while the engine is held and
//! given out afterwards.

use langgraph_rust_core::{Control, Target, Write};
use langgraph_rust_pregel::{Engine, Task, TaskKey};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::debug::{self, Described};
use super::modes::Modes;
use super::Shows;
use crate::plan::{self, Graph, Keys};
use crate::store::save::Place;
use crate::values::domain::{fault_to_python, Objects};

/// What payloads are made from.
pub struct View<'a> {
    /// The graph.
    pub graph: &'a Graph,
    /// What is shown, and to whom.
    pub shows: &'a Shows,
    /// The engine.
    pub engine: &'a Engine<Objects>,
    /// Where checkpoints are stored.
    pub place: &'a Place,
}

/// Something to be given out.
pub enum Payload {
    /// As it is.
    Ready(Modes, Py<PyAny>),
    /// To be shaped first.
    Described(Described),
}

/// Gives payloads to those who want them.
pub fn emit(py: Python<'_>, shows: &Shows, payloads: Vec<Payload>) -> PyResult<()> {
    payloads.into_iter().try_for_each(|payload| match payload {
        Payload::Ready(mode, payload) => shows.emit(py, mode, payload.into_bound(py)),
        Payload::Described(described) => described.emit(py, shows),
    })
}

/// What a task that was interrupted shows, and what it leaves for the end of the run.
pub struct Interrupted<'py> {
    /// The interrupts.
    pub interrupts: Bound<'py, PyTuple>,
    /// The output, with the interrupts in it, if anybody wants it.
    pub values: Option<Py<PyAny>>,
    /// What is to be given out.
    pub payloads: Vec<Payload>,
}

impl View<'_> {
    /// The state of the output channels.
    pub fn output(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.read_keys(py, &self.shows.output)
    }

    /// The state of some channels.
    pub fn read_keys(&self, py: Python<'_>, keys: &Keys) -> PyResult<Py<PyAny>> {
        let mut read = |index| {
            let value = self.engine.state().read(py, index);
            value.map_err(|fault| fault_to_python(py, fault))
        };
        Ok(plan::read_keys(py, self.graph, keys, &mut read)?.unbind())
    }

    /// A task that is over.
    pub fn task_output(
        &self,
        py: Python<'_>,
        key: TaskKey,
        cached: bool,
    ) -> PyResult<Vec<Payload>> {
        let Some(task) = self.engine.task(key) else { return Ok(Vec::new()) };
        let failed = task.writes.first().is_some_and(|write| write.is_control(Control::Error));
        let mut payloads = Vec::new();
        if !failed && self.shows.wanted(Modes::UPDATES).is_some() {
            let updates = self.updates(py, task, cached)?.into_any().unbind();
            payloads.push(Payload::Ready(Modes::UPDATES, updates));
        }
        if !cached && self.shows.wanted(debug::TASKS).is_some() {
            let described = debug::task_result(py, self, task, &task.writes)?;
            payloads.push(Payload::Described(described));
        }
        Ok(payloads)
    }

    /// What one task wrote, as `{node: update}`.
    fn updates<'py>(
        &self,
        py: Python<'py>,
        task: &Task<Objects>,
        cached: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let returned = task.writes.iter().find(|write| write.is_control(Control::Return));
        let shown = match returned {
            Some(write) => write.value.bind(py).clone(),
            None => self.written(py, &task.writes)?,
        };
        let payload = PyDict::new(py);
        match task.node {
            Some(node) => payload.set_item(&self.graph.program(node).name, shown)?,
            None => payload.set_item(&*task.name, shown)?,
        }
        if cached {
            let metadata = PyDict::new(py);
            metadata.set_item("cached", true)?;
            payload.set_item("__metadata__", metadata)?;
        }
        Ok(payload)
    }

    /// The writes to output channels: a dict, or a list of them if a channel was written twice.
    fn written<'py>(
        &self,
        py: Python<'py>,
        writes: &[Write<Objects>],
    ) -> PyResult<Bound<'py, PyAny>> {
        let to_output = writes.iter().filter_map(|write| match write.target {
            Target::Channel(index) if self.engine.is_output(index) => {
                let name = self.graph.channel_name(index).bind(py).clone();
                Some((name, write.value.bind(py).clone()))
            }
            _ => None,
        });
        let mut values: Vec<_> = match self.shows.output {
            Keys::One(_) => to_output.map(|(_, value)| value).collect(),
            Keys::Many(_) => grouped(py, to_output.collect())?,
        };
        Ok(match (values.pop(), values.is_empty()) {
            (None, _) => py.None().into_bound(py),
            (Some(only), true) => only,
            (Some(last), false) => {
                values.push(last);
                PyList::new(py, values)?.into_any()
            }
        })
    }

    /// A task that was interrupted.
    pub fn interrupted<'py>(
        &self,
        py: Python<'py>,
        key: TaskKey,
    ) -> PyResult<Option<Interrupted<'py>>> {
        let Some(task) = self.engine.task(key) else { return Ok(None) };
        let Some(value) = &task.interrupt else { return Ok(None) };
        let interrupts = as_tuple(value.bind(py))?;
        let marked = PyDict::new(py);
        marked.set_item(intern!(py, "__interrupt__"), &interrupts)?;
        let mut values = None;
        if self.shows.latest || self.shows.wanted(Modes::VALUES).is_some() {
            let current = self.output(py)?;
            values = Some(match current.bind(py).cast::<PyDict>() {
                Ok(dict) => {
                    dict.set_item(intern!(py, "__interrupt__"), &interrupts)?;
                    current
                }
                Err(_) => marked.clone().into_any().unbind(),
            });
        }
        let mut payloads = vec![Payload::Ready(Modes::UPDATES, marked.into_any().unbind())];
        payloads.extend(values.iter().map(|v| Payload::Ready(Modes::VALUES, v.clone_ref(py))));
        if self.shows.wanted(debug::TASKS).is_some() {
            let value = interrupts.clone().into_any().unbind();
            let write = Write::control(Control::Interrupt, value);
            payloads.push(Payload::Described(debug::task_result(py, self, task, &[write])?));
        }
        Ok(Some(Interrupted { interrupts, values, payloads }))
    }

    /// The state that a superstep starts from.
    pub fn checkpoint(&self, py: Python<'_>) -> PyResult<Vec<Payload>> {
        match self.shows.wanted(debug::CHECKPOINTS) {
            Some(_) => Ok(vec![Payload::Described(debug::checkpoint(py, self)?)]),
            None => Ok(Vec::new()),
        }
    }
}

/// The run stops at a node where it was told to.
pub fn static_interrupt(py: Python<'_>) -> PyResult<Vec<Payload>> {
    let marked = PyDict::new(py);
    marked.set_item(intern!(py, "__interrupt__"), PyTuple::empty(py))?;
    Ok(vec![Payload::Ready(Modes::UPDATES, marked.into_any().unbind())])
}

/// The interrupts that a task raised: a tuple of them, any collection, or a single one.
fn as_tuple<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    let py = value.py();
    if let Ok(tuple) = value.cast::<PyTuple>() {
        return Ok(tuple.clone());
    }
    match value.try_iter() {
        Ok(items) => PyTuple::new(py, items.collect::<PyResult<Vec<_>>>()?),
        Err(_) => PyTuple::new(py, [value]),
    }
}

fn grouped<'py>(
    py: Python<'py>,
    writes: Vec<(Bound<'py, PyString>, Bound<'py, PyAny>)>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let all = PyDict::new(py);
    for (name, value) in &writes {
        all.set_item(name, value)?;
    }
    if writes.len() == all.len() {
        return Ok(if writes.is_empty() { Vec::new() } else { vec![all.into_any()] });
    }
    let single = |(name, value)| {
        let one = PyDict::new(py);
        one.set_item(name, value)?;
        Ok(one.into_any())
    };
    writes.into_iter().map(single).collect()
}
