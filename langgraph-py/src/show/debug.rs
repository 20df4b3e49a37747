//! Payloads of the streams `tasks`, `checkpoints` and `debug`, which Python helpers shape.

use langgraph_rust_core::{TaskId, Write};
use langgraph_rust_pregel::Task;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::modes::Modes;
use super::payloads::View;
use super::Shows;
use crate::host::call::{call_tuple, next_item};
use crate::host::clock;
use crate::plan::{Graph, Keys};
use crate::store::{save, stored};
use crate::values::domain::Objects;
use crate::values::path;

const MODULE: &str = "langgraph_rust.pregel.debug";

/// The modes that show tasks.
pub const TASKS: Modes = Modes::TASKS.with(Modes::DEBUG);

/// The modes that show checkpoints.
pub const CHECKPOINTS: Modes = Modes::CHECKPOINTS.with(Modes::DEBUG);

/// What is to be shown of something, taken down while the engine was held.
pub struct Described {
    function: &'static str,
    arguments: Py<PyTuple>,
    mode: Modes,
    kind: &'static str,
    step: i64,
}

impl Described {
    /// Shapes it and gives it to those who want it.
    pub fn emit(self, py: Python<'_>, shows: &Shows) -> PyResult<()> {
        let function = py.import(MODULE)?.getattr(self.function)?;
        let payloads = call_tuple(&function, self.arguments.bind(py), None)?.try_iter()?;
        while let Some(payload) = next_item(payloads.as_any())? {
            shows.emit(py, self.mode, payload.clone())?;
            if shows.wanted(Modes::DEBUG).is_some() {
                let wrapped = PyDict::new(py);
                wrapped.set_item("step", self.step)?;
                wrapped.set_item("timestamp", clock::timestamp())?;
                wrapped.set_item("type", self.kind)?;
                wrapped.set_item("payload", payload)?;
                shows.emit(py, Modes::DEBUG, wrapped.into_any())?;
            }
        }
        Ok(())
    }
}

/// What became of a task.
pub fn task_result(
    py: Python<'_>,
    view: &View<'_>,
    task: &Task<Objects>,
    writes: &[Write<Objects>],
) -> PyResult<Described> {
    let described = executable(py, view.graph, (task, view.engine.id_of(task)), None, None)?;
    let writes = stored::writes_to_python(py, view.graph, writes)?;
    let keys = key_names(py, view.graph, &view.graph.stream)?;
    Ok(Described {
        function: "map_debug_task_results",
        arguments: ((described, writes), keys).into_pyobject(py)?.unbind(),
        mode: Modes::TASKS,
        kind: "task_result",
        step: view.engine.steps().0,
    })
}

/// A task that starts.
pub fn task_start(
    py: Python<'_>,
    graph: &Graph,
    task: (&Task<Objects>, &TaskId),
    input: &Py<PyAny>,
    config: &Bound<'_, PyDict>,
    step: i64,
) -> PyResult<Described> {
    let described = executable(py, graph, task, Some(input), Some(config))?;
    Ok(Described {
        function: "map_debug_tasks",
        arguments: (PyList::new(py, [described])?,).into_pyobject(py)?.unbind(),
        mode: Modes::TASKS,
        kind: "task",
        step,
    })
}

/// The state that a superstep starts from.
pub fn checkpoint(py: Python<'_>, view: &View<'_>) -> PyResult<Described> {
    let View { graph, engine, place, shows } = view;
    let config = place.config.bind(py).copy()?;
    let conf = save::configurable(&config)?.copy()?;
    conf.set_item("checkpoint_id", engine.state().checkpoint_id().as_str())?;
    config.set_item("configurable", conf)?;
    let described = |task| executable(py, graph, (task, engine.id_of(task)), None, None);
    let tasks = engine.tasks().iter().map(described);
    let tasks = PyList::new(py, tasks.collect::<PyResult<Vec<_>>>()?)?;
    let pending = engine.pending().iter().map(|write| {
        let name = graph.plan.target_name(&write.write.target);
        (write.task.as_str(), name, &write.write.value).into_pyobject(py)
    });
    let pending = PyList::new(py, pending.collect::<PyResult<Vec<_>>>()?)?;
    let values = view.read_keys(py, &graph.stream)?;
    let metadata = checkpoint_metadata(py, view)?;
    let keys = key_names(py, graph, &shows.output)?;
    let before = &place.before;
    let arguments = (config, values, metadata, tasks, pending, before, keys).into_pyobject(py)?;
    Ok(Described {
        function: "map_debug_checkpoint_values",
        arguments: arguments.unbind(),
        mode: Modes::CHECKPOINTS,
        kind: "checkpoint",
        step: engine.steps().0 - 1,
    })
}

/// The metadata of the checkpoint that the state is at: as stored if it was loaded.
fn checkpoint_metadata<'py>(py: Python<'py>, view: &View<'_>) -> PyResult<Bound<'py, PyDict>> {
    let place = view.place;
    let is_loaded = place.loaded.as_ref() == Some(view.engine.state().checkpoint_id());
    if let (true, Some(metadata)) = (is_loaded, &place.metadata) {
        if let Ok(stored) = metadata.bind(py).cast::<PyDict>() {
            return stored.copy();
        }
    }
    let metadata = PyDict::new(py);
    let said = view.engine.metadata();
    metadata.set_item("source", said.source.name())?;
    metadata.set_item("step", said.step)?;
    metadata.set_item("parents", &place.parents)?;
    Ok(metadata)
}

/// The names that `keys` stands for: one, or a list.
fn key_names<'py>(py: Python<'py>, graph: &Graph, keys: &Keys) -> PyResult<Bound<'py, PyAny>> {
    match keys {
        Keys::One(index) => Ok(graph.channel_name(*index).bind(py).clone().into_any()),
        Keys::Many(indices) => {
            let names = indices.iter().map(|index| graph.channel_name(*index));
            Ok(PyList::new(py, names)?.into_any())
        }
    }
}

/// A task as the Python helpers take it: a `PregelExecutableTask`.
fn executable<'py>(
    py: Python<'py>,
    graph: &Graph,
    (task, id): (&Task<Objects>, &TaskId),
    input: Option<&Py<PyAny>>,
    config: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let class = py.import("langgraph_rust.types")?.getattr("PregelExecutableTask")?;
    let kwargs = PyDict::new(py);
    let subgraphs = match task.node {
        Some(node) => graph.program(node).node.bind(py).getattr(intern!(py, "subgraphs"))?,
        None => PyTuple::empty(py).into_any(),
    };
    kwargs.set_item("subgraphs", subgraphs)?;
    let none = py.None().into_bound(py);
    let input = input.map_or_else(|| none.clone(), |input| input.bind(py).clone());
    let config = config.map_or_else(|| PyDict::new(py), Bound::clone);
    let arguments = (
        &*task.name,
        input,
        &none,
        PyList::empty(py),
        config,
        graph.trigger_names(py, &task.path, task.node)?,
        PyTuple::empty(py),
        &none,
        id.as_str(),
        path::to_tuple(py, &task.path)?,
    );
    call_tuple(&class, &arguments.into_pyobject(py)?, Some(&kwargs))
}
