//! Stored things between Python and the engine: checkpoints, pending writes.

use std::collections::HashMap;
use std::sync::Arc;

use langgraph_rust_channels::{Channel, Saved};
use langgraph_rust_checkpoint::{Checkpoint, PendingWrite, SinceSnapshot, Versions, FORMAT};
use langgraph_rust_core::{CheckpointId, IdHash, TaskId, Write};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::plan::Graph;
use crate::values::channels;
use crate::values::domain::Objects;
use crate::values::path::packet_target;
use crate::values::texts::Texts;
use crate::values::version;

/// A stored checkpoint, as savers return it.
///
/// `histories` are of the channels whose values it does not hold: see `Plan::needs_history`.
pub fn checkpoint(
    graph: &Graph,
    stored: &Bound<'_, PyAny>,
    histories: Option<&Bound<'_, PyAny>>,
) -> PyResult<Checkpoint<Objects>> {
    let py = stored.py();
    let stored = stored.cast::<PyDict>()?;
    let field = |name: &str| -> PyResult<Bound<'_, PyAny>> {
        let missing = || PyValueError::new_err(format!("The stored checkpoint has no '{name}'"));
        stored.get_item(name)?.ok_or_else(missing)
    };
    let mut channel_values = Vec::new();
    for (name, value) in field("channel_values")?.cast::<PyDict>()?.iter() {
        let name: String = name.extract()?;
        let Some(index) = graph.plan.channel_named(&name) else { continue };
        let saved = saved(graph, &graph.plan.channel(index).pattern, &value)?;
        channel_values.push((name.into(), saved));
    }
    if let Some(histories) = histories {
        for name in histories.try_iter()? {
            let name = name?;
            let found = histories.get_item(&name)?;
            let name: String = name.extract()?;
            let Some(index) = graph.plan.channel_named(&name) else { continue };
            let pattern = &graph.plan.channel(index).pattern;
            channel_values.push((name.into(), channels::history(pattern, &found)?));
        }
    }
    let mut versions_seen = Vec::new();
    for (name, seen) in field("versions_seen")?.cast::<PyDict>()?.iter() {
        let versions = Arc::new(version::read_all(&seen)?);
        versions_seen.push((name.extract::<String>()?.into(), versions));
    }
    let updated = stored.get_item(intern!(py, "updated_channels"))?;
    let updated = updated.filter(|names| names.is_truthy().unwrap_or(false));
    let updated_channels = match updated {
        Some(names) => Some(
            names
                .try_iter()?
                .map(|name| Ok(name?.extract::<String>()?.into()))
                .collect::<PyResult<Vec<Arc<str>>>>()?,
        ),
        None => None,
    };
    Ok(Checkpoint {
        id: CheckpointId::from_text(field("id")?.cast::<PyString>()?.to_str()?),
        ts: field("ts")?.extract::<String>()?.into(),
        task_ids: match stored.get_item(intern!(py, "v"))? {
            Some(format) if format.lt(2)? => IdHash::Sha1,
            _ => IdHash::Xxh3,
        },
        channel_values,
        channel_versions: version::read_all(&field("channel_versions")?)?,
        versions_seen,
        updated_channels,
    })
}

/// What storage kept of a channel; packets are addressed here.
fn saved(
    graph: &Graph,
    pattern: &Channel<Objects>,
    value: &Bound<'_, PyAny>,
) -> PyResult<Saved<Objects>> {
    if !matches!(pattern, Channel::Tasks(_)) {
        return channels::saved(pattern, value);
    }
    // Old threads stored the packets as the second of a pair.
    let packets = match value.cast::<PyTuple>() {
        Ok(pair) => pair.get_item(1)?,
        Err(_) => value.clone(),
    };
    let packets = packets.try_iter()?.map(|packet| {
        let packet = packet?;
        Ok((packet_target(&graph.plan, &packet)?, packet.unbind()))
    });
    Ok(Saved::Packets(packets.collect::<PyResult<_>>()?))
}

/// What nodes have seen, as savers were last given it, by the nodes' names.
#[derive(Default)]
pub struct SeenBefore(HashMap<Arc<str>, (Arc<Versions>, Py<PyDict>)>);

impl SeenBefore {
    /// What a node has seen: the same dict as long as that is the same.
    fn get<'py>(
        &mut self,
        py: Python<'py>,
        name: &Arc<str>,
        versions: &Arc<Versions>,
        texts: &mut Texts,
    ) -> PyResult<Bound<'py, PyDict>> {
        if let Some((known, dict)) = self.0.get(name) {
            if Arc::ptr_eq(known, versions) || known == versions {
                return Ok(dict.bind(py).clone());
            }
        }
        let dict = version::all_to_python(py, versions, texts)?;
        self.0.insert(name.clone(), (versions.clone(), dict.clone().unbind()));
        Ok(dict)
    }
}

/// A checkpoint for savers. Those who keep and change nothing that they are given may be given, with
/// `before`, what they were given before.
pub fn checkpoint_to_python<'py>(
    py: Python<'py>,
    checkpoint: &Checkpoint<Objects>,
    texts: &mut Texts,
    mut before: Option<&mut SeenBefore>,
) -> PyResult<Bound<'py, PyDict>> {
    let values = PyDict::new(py);
    for (name, saved) in &checkpoint.channel_values {
        values.set_item(texts.get(py, name), channels::saved_to_python(py, saved)?)?;
    }
    let seen = PyDict::new(py);
    for (name, versions) in &checkpoint.versions_seen {
        let versions = match &mut before {
            Some(before) => before.get(py, name, versions, texts)?,
            None => version::all_to_python(py, versions, texts)?,
        };
        seen.set_item(texts.get(py, name), versions)?;
    }
    let updated = match &checkpoint.updated_channels {
        Some(names) => Some(PyList::new(py, names.iter().map(|name| &**name))?),
        None => None,
    };
    let dict = PyDict::new(py);
    dict.set_item(intern!(py, "v"), FORMAT)?;
    dict.set_item(intern!(py, "ts"), &*checkpoint.ts)?;
    dict.set_item(intern!(py, "id"), checkpoint.id.as_str())?;
    dict.set_item(intern!(py, "channel_values"), values)?;
    let versions = version::all_to_python(py, &checkpoint.channel_versions, texts)?;
    dict.set_item(intern!(py, "channel_versions"), versions)?;
    dict.set_item(intern!(py, "versions_seen"), seen)?;
    dict.set_item(intern!(py, "updated_channels"), updated)?;
    Ok(dict)
}

/// A checkpoint of a thread's state before its beginning, field by field as upstream stores it.
pub fn stub_to_python<'py>(
    py: Python<'py>,
    stub: &Checkpoint<Objects>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item(intern!(py, "v"), FORMAT)?;
    dict.set_item(intern!(py, "id"), stub.id.as_str())?;
    dict.set_item(intern!(py, "ts"), &*stub.ts)?;
    for name in ["channel_values", "channel_versions", "versions_seen"] {
        dict.set_item(name, PyDict::new(py))?;
    }
    Ok(dict)
}

/// What had happened to delta channels since their values were stored, by a checkpoint's metadata.
pub fn since_snapshot(metadata: &Bound<'_, PyAny>) -> PyResult<Vec<(Arc<str>, SinceSnapshot)>> {
    // Some savers give back other mappings than dicts.
    let Ok(counts) = metadata.get_item(intern!(metadata.py(), SINCE_SNAPSHOT)) else {
        return Ok(Vec::new());
    };
    let mut since = Vec::new();
    if counts.is_none() {
        return Ok(since);
    }
    for name in counts.try_iter()? {
        let name = name?;
        let count = counts.get_item(&name)?;
        let (updates, supersteps) = (count.get_item(0)?.extract()?, count.get_item(1)?.extract()?);
        since.push((name.extract::<String>()?.into(), SinceSnapshot { updates, supersteps }));
    }
    Ok(since)
}

/// The same for metadata to be stored, unless there is nothing to say.
pub fn put_since_snapshot(
    metadata: &Bound<'_, PyDict>,
    since: &[(Arc<str>, SinceSnapshot)],
) -> PyResult<()> {
    if since.is_empty() {
        return Ok(());
    }
    let counts = PyDict::new(metadata.py());
    for (name, count) in since {
        counts.set_item(&**name, (count.updates, count.supersteps))?;
    }
    metadata.set_item(intern!(metadata.py(), SINCE_SNAPSHOT), counts)
}

const SINCE_SNAPSHOT: &str = "counters_since_delta_snapshot";

/// Pending writes as savers return them: `(task id, channel, value)`.
pub fn pending(graph: &Graph, stored: &Bound<'_, PyAny>) -> PyResult<Vec<PendingWrite<Objects>>> {
    if stored.is_none() {
        return Ok(Vec::new());
    }
    let writes = stored.try_iter()?.map(|entry| {
        let (task, channel, value): (Bound<'_, PyAny>, Bound<'_, PyString>, Bound<'_, PyAny>) =
            entry?.extract()?;
        let task = TaskId::from_text(task.str()?.to_str()?);
        Ok(PendingWrite { task, write: graph.write(&channel, value)? })
    });
    writes.collect()
}

/// Writes for savers: a list of `(channel, value)`.
pub fn writes_to_python<'py>(
    py: Python<'py>,
    graph: &Graph,
    writes: &[Write<Objects>],
) -> PyResult<Bound<'py, PyList>> {
    let pairs = writes.iter().map(|write| {
        let name = graph.plan.target_name(&write.target);
        (name, &write.value).into_pyobject(py).map(Bound::into_any)
    });
    PyList::new(py, pairs.collect::<PyResult<Vec<_>>>()?)
}
