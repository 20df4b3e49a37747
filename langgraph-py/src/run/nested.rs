//! Beginning a graph that is a node of another natively.

use std::sync::Arc;

use langgraph_rust_core::Durability;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::abandoned::Abandoned;
use super::begin::Found;
use super::begin::{begin, interrupt_at, namespace, Begin};
use super::{Called, Run};
use crate::host::imports;
use crate::plan::Plan;
use crate::show::shape::Shape;
use crate::show::sink::Sink;
use crate::store::save::configurable;
use crate::values::env::Versioning;

/// A graph that is a node, and what it is run with.
pub struct Nested<'a, 'py, T> {
    /// The compiled graph.
    pub pregel: &'a Bound<'py, PyAny>,
    /// The node's input.
    pub input: &'a Py<PyAny>,
    /// The task's config.
    pub config: &'a Bound<'py, PyDict>,
    /// The number of the graph among those that its task runs.
    pub number: &'a dyn Fn() -> usize,
    /// Whether the run around it is async.
    pub is_async: bool,
    /// What is done about called tasks.
    pub called: Called<T>,
    /// The task that the run is within.
    pub around: Arc<Abandoned>,
}

/// Begins the run; `None` if it needs the Python front: a saver that may block, a replay, a graph
/// with a config or a history of its own.
pub fn nested<T>(py: Python<'_>, given: &Nested<'_, '_, T>) -> PyResult<Option<Arc<Run<T>>>> {
    let pregel = given.pregel;
    let plan = pregel.getattr(intern!(py, "_native_plan"))?;
    let Ok(plan) = plan.cast_into::<Plan>() else { return Ok(None) };
    let conf = configurable(given.config)?;
    let input = given.input.bind(py);
    if input.is_instance(imports::command_type(py)?)? || !stores_nothing(pregel, &conf)? {
        return Ok(None);
    }
    let Some(runtime) = conf.get_item(intern!(py, "__pregel_runtime"))? else { return Ok(None) };
    let graph = plan.get().graph.clone();
    let config = with_ids_in_metadata(&own_config(given, &conf)?, &conf)?;
    let outer = conf.get_item(intern!(py, "__pregel_stream"))?.filter(|s| !s.is_none());
    let before = pregel.getattr(intern!(py, "interrupt_before_nodes"))?;
    let after = pregel.getattr(intern!(py, "interrupt_after_nodes"))?;
    let found = Found {
        saved: None,
        config: config.clone(),
        histories: None,
        addressed: false,
        superseded: false,
    };
    let given = Begin {
        output: graph.keys(&pregel.getattr(intern!(py, "output_channels"))?)?,
        interrupt_before: interrupt_at(&graph, &before)?,
        interrupt_after: interrupt_at(&graph, &after)?,
        pregel: pregel.clone(),
        graph,
        input: input.clone(),
        command: None,
        config,
        saver: None,
        versioning: Versioning::Ints,
        found,
        durability: Durability::Async,
        store: runtime.getattr(intern!(py, "store"))?,
        runtime,
        cache: conf.get_item(intern!(py, "__pregel_cache"))?.filter(|c| !c.is_none()),
        manager: None,
        sink: outer.map(|outer| Py::new(py, Sink::nested(outer)?)).transpose()?,
        shape: Shape::Payload,
        claims: false,
        eager: false,
        latest: true,
        subgraphs: false,
        is_async: given.is_async,
        drains: false,
        called: given.called,
        around: Some(given.around.clone()),
    };
    begin(py, given).map(Some)
}

/// Whether nothing of the run is stored, now or before.
fn stores_nothing(pregel: &Bound<'_, PyAny>, conf: &Bound<'_, PyDict>) -> PyResult<bool> {
    let py = pregel.py();
    let own = pregel.getattr(intern!(py, "checkpointer"))?;
    let given = conf.get_item(intern!(py, "__pregel_checkpointer"))?;
    let refuses = own.is(false.into_pyobject(py)?);
    let has_saver = given.is_some_and(|saver| !saver.is_none()) && !refuses;
    let keeps_history = own.is(true.into_pyobject(py)?);
    let replays = conf.get_item(intern!(py, "__pregel_replay_state"))?;
    let replays = replays.is_some_and(|state| !state.is_none());
    Ok(!has_saver && !keeps_history && !replays)
}

/// The config with the namespace that the run has: from a task's second graph on, it is numbered.
fn own_config<'py, T>(
    given: &Nested<'_, 'py, T>,
    conf: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyDict>> {
    let py = conf.py();
    let number = (given.number)();
    if number == 0 {
        return Ok(given.config.clone());
    }
    let numbered = conf.copy()?;
    let outer = namespace(conf)?;
    numbered.set_item(intern!(py, "checkpoint_ns"), format!("{outer}|{number}"))?;
    let config = given.config.copy()?;
    config.set_item(intern!(py, "configurable"), numbered)?;
    Ok(config)
}

/// The config with the ids of its `configurable` repeated in its metadata, as in the config of
/// every run.
fn with_ids_in_metadata<'py>(
    config: &Bound<'py, PyDict>,
    conf: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyDict>> {
    let py = config.py();
    let known = config.get_item(intern!(py, "metadata"))?;
    let metadata = match known.as_ref().and_then(|metadata| metadata.cast::<PyDict>().ok()) {
        Some(metadata) => metadata.copy()?,
        None => PyDict::new(py),
    };
    let ids = [
        intern!(py, "thread_id"),
        intern!(py, "checkpoint_id"),
        intern!(py, "checkpoint_ns"),
        intern!(py, "task_id"),
        intern!(py, "run_id"),
        intern!(py, "assistant_id"),
        intern!(py, "graph_id"),
    ];
    for key in ids {
        if let (Some(value), false) = (conf.get_item(key)?, metadata.contains(key)?) {
            if value.is_truthy()? {
                metadata.set_item(key, value)?;
            }
        }
    }
    let config = config.copy()?;
    config.set_item(intern!(py, "metadata"), metadata)?;
    Ok(config)
}
