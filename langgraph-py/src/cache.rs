//! Node results kept in a cache.

use std::sync::Arc;

use langgraph_core::Write;
use langgraph_pregel::TaskKey;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::convert;
use crate::domain::Objects;
use crate::node::NodeRun;
use crate::run::Run;

/// Where a task's result is kept: `(namespace, key)`, and for how long.
pub struct CacheSlot {
    key: Py<PyTuple>,
    ttl: Py<PyAny>,
}

/// Looks for stored results of `tasks` and tells the engine.
pub fn look_up(py: Python<'_>, run: &Arc<Run>, tasks: &[TaskKey]) -> PyResult<()> {
    let mut wanted = Vec::new();
    for key in tasks {
        match slot_of_node(py, run, *key) {
            Ok(Some(slot)) => wanted.push((*key, slot)),
            Ok(None) => {}
            Err(error) => {
                run.core(py)?.engine.abort(error);
                return Ok(());
            }
        }
    }
    let mut found = Vec::new();
    if let (Some(cache), false) = (&run.context.cache, wanted.is_empty()) {
        let keys = PyList::new(py, wanted.iter().map(|(_, slot)| &slot.key))?;
        let hits = cache.bind(py).call_method1(intern!(py, "get"), (keys,))?;
        for (key, slot) in &wanted {
            if hits.contains(&slot.key)? {
                found.push((*key, read(run, &hits.get_item(&slot.key)?)?));
            }
        }
    }
    let mut core = run.core(py)?;
    core.cache_slots.extend(wanted);
    for (key, _) in &found {
        core.cache_slots.remove(key);
        core.prepared.remove(key);
    }
    core.engine.cache_answered(py, found);
    Ok(())
}

/// A stored result of a called task; without one, notes where the result is to be kept.
pub fn look_up_call(
    py: Python<'_>,
    run: &Arc<Run>,
    key: TaskKey,
    func: &Py<PyAny>,
    policy: &Py<PyAny>,
) -> PyResult<Option<Vec<Write<Objects>>>> {
    let Some(cache) = &run.context.cache else { return Ok(None) };
    let input = match run.core(py)?.calls.get(&key) {
        Some(call) => call.input.clone_ref(py),
        None => return Ok(None),
    };
    let (args, kwargs): (Bound<'_, PyTuple>, Bound<'_, PyDict>) = input.extract(py)?;
    let policy = policy.bind(py);
    let digest = policy.getattr(intern!(py, "key_func"))?.call(args, Some(&kwargs))?;
    let namespace = PyTuple::new(py, [prefix(py), identifier(py, func.bind(py))?])?;
    let slot = slot(py, namespace, &digest, policy)?;
    let hits = cache.bind(py).call_method1(intern!(py, "get"), ([&slot.key],))?;
    if hits.contains(&slot.key)? {
        return read(run, &hits.get_item(&slot.key)?).map(Some);
    }
    run.core(py)?.cache_slots.insert(key, slot);
    Ok(None)
}

fn slot_of_node(py: Python<'_>, run: &Arc<Run>, key: TaskKey) -> PyResult<Option<CacheSlot>> {
    let node = NodeRun::prepare(py, run, key, crate::interpreter::copied_context(py)?)?;
    let mut core = run.core(py)?;
    let task = core.engine.task(key);
    let (name, index) = (task.name.clone(), task.node);
    let Some(index) = index else { return Ok(None) };
    let input = node.input().clone_ref(py);
    core.prepared.insert(key, node);
    drop(core);
    let program = run.graph.program(index);
    let own = program.node.bind(py).getattr(intern!(py, "cache_policy"))?;
    let policy = match (&run.context.cache_policy, own.is_none()) {
        (_, false) => own,
        (Some(policy), true) => policy.bind(py).clone(),
        (None, true) => return Ok(None),
    };
    let digest = policy.getattr(intern!(py, "key_func"))?.call1((input,))?;
    let name = PyString::new(py, &name).into_any();
    let parts = [prefix(py), identifier(py, program.node.bind(py))?, name];
    slot(py, PyTuple::new(py, parts)?, &digest, &policy).map(Some)
}

fn prefix(py: Python<'_>) -> Bound<'_, PyAny> {
    intern!(py, "__pregel_ns_writes").clone().into_any()
}

/// What names the code whose result is kept.
fn identifier<'py>(py: Python<'py>, code: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let module = py.import(intern!(py, "langgraph_rust.pregel._run.call"))?;
    let name = module.call_method1(intern!(py, "identifier"), (code,))?;
    Ok(if name.is_truthy()? { name } else { intern!(py, "__dynamic__").clone().into_any() })
}

fn slot(
    py: Python<'_>,
    namespace: Bound<'_, PyTuple>,
    digest: &Bound<'_, PyAny>,
    policy: &Bound<'_, PyAny>,
) -> PyResult<CacheSlot> {
    let bytes = match digest.cast::<PyString>() {
        Ok(text) => PyBytes::new(py, text.to_str()?.as_bytes()).into_any(),
        Err(_) => digest.clone(),
    };
    let hash = py.import(intern!(py, "xxhash"))?;
    let key = hash.call_method1(intern!(py, "xxh3_128_hexdigest"), (bytes,))?;
    Ok(CacheSlot {
        key: PyTuple::new(py, [namespace.as_any(), &key])?.unbind(),
        ttl: policy.getattr(intern!(py, "ttl"))?.unbind(),
    })
}

fn read(run: &Run, stored: &Bound<'_, PyAny>) -> PyResult<Vec<Write<Objects>>> {
    let mut writes = Vec::new();
    crate::writers::pairs(stored, &mut |channel, value| {
        writes.push(convert::write(&run.graph, channel, value)?);
        Ok(())
    })?;
    Ok(writes)
}

/// Writes as the cache keeps them.
pub fn named(py: Python<'_>, run: &Run, writes: &[Write<Objects>]) -> PyResult<Py<PyList>> {
    Ok(convert::writes_to_python(py, &run.graph, writes)?.unbind())
}

/// Keeps a result.
pub fn store(py: Python<'_>, run: &Run, slot: &CacheSlot, writes: Py<PyList>) -> PyResult<()> {
    let Some(cache) = &run.context.cache else { return Ok(()) };
    let pairs = PyDict::new(py);
    pairs.set_item(&slot.key, (writes, &slot.ttl))?;
    cache.bind(py).call_method1(intern!(py, "set"), (pairs,))?;
    Ok(())
}
