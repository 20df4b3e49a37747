//! Storing: what savers are called with.

use std::sync::Arc;

use langgraph_rust_core::{CheckpointId, Target, Write};
use langgraph_rust_pregel::{CheckpointToStore, WritesToStore};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::linear::Linear;
use super::stored::{self, SeenBefore};
use crate::collects;
use crate::host::call::call_with;
use crate::host::imports;
use crate::plan::Graph;
use crate::values::domain::Objects;
use crate::values::texts::Texts;
use crate::values::version;

/// A saver and what it can do.
pub struct Saver {
    /// The `BaseCheckpointSaver`.
    pub object: Py<PyAny>,
    /// Whether its sync methods never block, so that async runs may call them.
    pub never_blocks: bool,
    /// Whether `put_writes` takes the task's path.
    pub takes_path: bool,
    /// Whether it takes a checkpoint together with the writes before it, all or nothing.
    pub joins: bool,
    /// Which channels with reducers it wants as changes.
    pub linear: Linear,
}

/// The configs that checkpoints are stored under.
pub struct Place {
    /// Addresses the newest stored checkpoint, or the thread if there is none.
    pub config: Py<PyDict>,
    /// Addresses the checkpoint before it.
    pub before: Option<Py<PyAny>>,
    /// The checkpoint that was loaded.
    pub loaded: Option<CheckpointId>,
    /// Its metadata.
    pub metadata: Option<Py<PyAny>>,
    /// The run's namespace.
    pub namespace: Arc<str>,
    /// The namespaces and checkpoints of the enclosing runs.
    pub parents: Py<PyDict>,
    /// Names and versions that were stored before.
    pub texts: Texts,
    /// What nodes had seen, as it was stored before.
    pub seen: SeenBefore,
}

collects!(Saver { object });
// The texts, and what nodes have seen, which is texts by texts, lead nowhere.
collects!(Place { config, before, metadata });

/// A call to a saver: which method, and its arguments.
pub struct SaverCall {
    /// The sync method's name; the async one's has an `a` in front.
    pub method: &'static str,
    /// The arguments.
    pub arguments: Py<PyTuple>,
}

/// The call that stores a checkpoint; the run's place moves on to it.
pub fn checkpoint(
    py: Python<'_>,
    graph: &Graph,
    saver: &Saver,
    place: &mut Place,
    put: &CheckpointToStore<Objects>,
) -> PyResult<SaverCall> {
    let config = place.config.clone_ref(py).into_bound(py);
    let conf = configurable(&config)?.copy()?;
    conf.set_item(intern!(py, "checkpoint_ns"), &*place.namespace)?;
    let put_config = config.copy()?;
    put_config.set_item(intern!(py, "configurable"), &conf)?;

    let stored = match put.is_stub {
        true => stored::stub_to_python(py, &put.checkpoint)?,
        false => {
            // This package's own savers encode at once what they are given.
            let before = saver.joins.then_some(&mut place.seen);
            stored::checkpoint_to_python(py, &put.checkpoint, &mut place.texts, before)?
        }
    };
    if !graph.untracked.is_empty() {
        clean_packets(py, graph, &stored)?;
    }
    let metadata = PyDict::new(py);
    if put.is_stub {
        metadata.set_item(intern!(py, "step"), put.metadata.step)?;
    } else {
        metadata.set_item(intern!(py, "source"), put.metadata.source.name())?;
        metadata.set_item(intern!(py, "step"), put.metadata.step)?;
        metadata.set_item(intern!(py, "parents"), &place.parents)?;
        stored::put_since_snapshot(&metadata, &put.metadata.since_snapshot)?;
    }
    let versions = version::all_to_python(py, &put.new_versions, &mut place.texts)?;

    let next_conf = conf.copy()?;
    next_conf.set_item(intern!(py, "checkpoint_id"), put.checkpoint.id.as_str())?;
    let next = config.copy()?;
    next.set_item(intern!(py, "configurable"), next_conf)?;
    let had_id = conf.get_item(intern!(py, "checkpoint_id"))?;
    place.before = match had_id {
        Some(id) if id.is_truthy()? => Some(config.into_any().unbind()),
        _ => None,
    };
    place.config = next.unbind();
    if put.writes.is_empty() {
        let arguments = (put_config, stored, metadata, versions).into_pyobject(py)?;
        return Ok(SaverCall { method: "put", arguments: arguments.unbind() });
    }
    let before = PyList::empty(py);
    for writes in &put.writes {
        let path = path_text(writes);
        let own = storable(py, graph, &writes.writes)?;
        before.append((writes.checkpoint.as_str(), writes.task.as_str(), path, own))?;
    }
    let arguments = (put_config, stored, metadata, versions, before).into_pyobject(py)?;
    Ok(SaverCall { method: "put_superstep", arguments: arguments.unbind() })
}

/// The path of the task that wrote, as savers sort by it.
fn path_text(put: &WritesToStore<Objects>) -> String {
    put.path.as_ref().map(|path| path.text().into_owned()).unwrap_or_default()
}

/// The call that stores a task's writes.
pub fn writes(
    py: Python<'_>,
    graph: &Graph,
    saver: &Saver,
    place: &Place,
    put: &WritesToStore<Objects>,
) -> PyResult<SaverCall> {
    let config = place.config.bind(py).copy()?;
    let conf = configurable(&config)?.copy()?;
    conf.set_item(intern!(py, "checkpoint_ns"), &*place.namespace)?;
    conf.set_item(intern!(py, "checkpoint_id"), put.checkpoint.as_str())?;
    config.set_item(intern!(py, "configurable"), conf)?;
    let writes = storable(py, graph, &put.writes)?;
    let arguments = if saver.takes_path {
        (config, writes, put.task.as_str(), path_text(put)).into_pyobject(py)?
    } else {
        (config, writes, put.task.as_str()).into_pyobject(py)?.into_any().cast_into()?
    };
    Ok(SaverCall { method: "put_writes", arguments: arguments.into_any().cast_into()?.unbind() })
}

/// Writes without what is never stored.
fn storable<'py>(
    py: Python<'py>,
    graph: &Graph,
    writes: &[Write<Objects>],
) -> PyResult<Bound<'py, PyList>> {
    if graph.untracked.is_empty() {
        return stored::writes_to_python(py, graph, writes);
    }
    let list = PyList::empty(py);
    for write in writes {
        let value = match &write.target {
            Target::Channel(index) if graph.untracked.contains(index) => continue,
            Target::Packet(_) => clean_packet(py, graph, write.value.bind(py))?,
            _ => write.value.bind(py).clone(),
        };
        list.append((graph.plan.target_name(&write.target), value))?;
    }
    Ok(list)
}

fn clean_packets(py: Python<'_>, graph: &Graph, stored: &Bound<'_, PyDict>) -> PyResult<()> {
    let values = stored.get_item(intern!(py, "channel_values"))?;
    let Some(values) = values else { return Ok(()) };
    let Ok(packets) = values.get_item(intern!(py, "__pregel_tasks")) else { return Ok(()) };
    let cleaned = packets.try_iter()?.map(|packet| clean_packet(py, graph, &packet?));
    let cleaned = PyList::new(py, cleaned.collect::<PyResult<Vec<_>>>()?)?;
    values.set_item(intern!(py, "__pregel_tasks"), cleaned)
}

/// A packet without the values of untracked channels, which a dict argument often carries along.
fn clean_packet<'py>(
    py: Python<'py>,
    graph: &Graph,
    packet: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let send = imports::send_type(py)?;
    if !packet.is_instance(send)? {
        return Ok(packet.clone());
    }
    let argument = packet.getattr(intern!(py, "arg"))?;
    let Ok(argument) = argument.cast::<PyDict>() else { return Ok(packet.clone()) };
    let kept = argument.copy()?;
    for index in &graph.untracked {
        let name = graph.channel_name(*index);
        if kept.contains(name)? {
            kept.del_item(name)?;
        }
    }
    let timeout = PyDict::new(py);
    timeout.set_item("timeout", packet.getattr(intern!(py, "timeout"))?)?;
    call_with(send, &[&packet.getattr(intern!(py, "node"))?, kept.as_any()], Some(&timeout))
}

/// A config's `configurable`.
pub fn configurable<'py>(config: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let py = config.py();
    match config.get_item(intern!(py, "configurable"))? {
        Some(conf) => Ok(conf.cast_into::<PyDict>()?),
        None => Ok(PyDict::new(py)),
    }
}
