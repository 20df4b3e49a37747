//! Node results kept in a cache.

use langgraph_rust_core::Write;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::collects;
use crate::host::call::{call_method, call_named};
use crate::plan::{writers, Graph};
use crate::values::domain::Objects;

/// Where a task's result is kept: `(namespace, key)`, and for how long.
pub struct CacheSlot {
    key: Py<PyTuple>,
    ttl: Py<PyAny>,
}

collects!(CacheSlot { key, ttl });

impl CacheSlot {
    /// The slot of a task's result.
    ///
    /// Args:
    ///     policy: The `CachePolicy`.
    ///     code: What is run: a node, or a function.
    ///     node: The node's name, if it is one.
    ///     digest: What the policy's `key_func` made of the arguments.
    pub fn new(
        py: Python<'_>,
        policy: &Bound<'_, PyAny>,
        code: &Bound<'_, PyAny>,
        node: Option<&str>,
        digest: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let mut parts = vec![intern!(py, "__pregel_ns_writes").clone().into_any()];
        parts.push(identifier(py, code)?);
        parts.extend(node.map(|name| PyString::new(py, name).into_any()));
        let namespace = PyTuple::new(py, parts)?;
        let bytes = match digest.cast::<PyString>() {
            Ok(text) => PyBytes::new(py, text.to_str()?.as_bytes()).into_any(),
            Err(_) => digest.clone(),
        };
        let key = call_named(py, "xxhash", "xxh3_128_hexdigest", &[&bytes])?;
        Ok(Self {
            key: PyTuple::new(py, [namespace.as_any(), &key])?.unbind(),
            ttl: policy.getattr(intern!(py, "ttl"))?.unbind(),
        })
    }
}

/// What names the code whose result is kept.
fn identifier<'py>(py: Python<'py>, code: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let name = call_named(py, "langgraph_rust.pregel._run.call", "identifier", &[code])?;
    Ok(if name.is_truthy()? { name } else { intern!(py, "__dynamic__").clone().into_any() })
}

/// The results that the cache has for these slots, in their order.
pub fn find(
    py: Python<'_>,
    graph: &Graph,
    cache: &Bound<'_, PyAny>,
    slots: &[&CacheSlot],
) -> PyResult<Vec<Option<Vec<Write<Objects>>>>> {
    let keys = PyList::new(py, slots.iter().map(|slot| &slot.key))?;
    let hits = call_method(cache, intern!(py, "get"), &[keys.as_any()])?;
    let found = slots.iter().map(|slot| match hits.contains(&slot.key)? {
        true => read(graph, &hits.get_item(&slot.key)?).map(Some),
        false => Ok(None),
    });
    found.collect()
}

fn read(graph: &Graph, stored: &Bound<'_, PyAny>) -> PyResult<Vec<Write<Objects>>> {
    let mut writes = Vec::new();
    writers::pairs(stored, &mut |channel, value| {
        writes.push(graph.write(channel, value)?);
        Ok(())
    })?;
    Ok(writes)
}

/// Keeps a result: the writes as `(channel, value)` pairs.
pub fn keep(
    py: Python<'_>,
    cache: &Bound<'_, PyAny>,
    slot: &CacheSlot,
    writes: Py<PyList>,
) -> PyResult<()> {
    let pairs = PyDict::new(py);
    pairs.set_item(&slot.key, (writes, &slot.ttl))?;
    call_method(cache, intern!(py, "set"), &[pairs.as_any()]).map(drop)
}
