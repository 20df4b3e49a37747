//! Tasks whose results a cache may have.

use std::sync::Arc;

use langgraph_rust_core::Write;
use langgraph_rust_pregel::TaskKey;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::node::NodeRun;
use super::Run;
use crate::host::call::{call, call_tuple};
use crate::host::context::Context;
use crate::store::cache::{self, CacheSlot};
use crate::values::domain::Objects;

/// Looks for stored results of `tasks` and tells the engine.
pub fn look_up(py: Python<'_>, run: &Arc<Run>, tasks: &[TaskKey]) -> PyResult<()> {
    let mut wanted = Vec::new();
    for key in tasks {
        wanted.extend(slot_of_node(py, run, *key)?.map(|slot| (*key, slot)));
    }
    let mut found = Vec::new();
    if let (Some(cache), false) = (&run.context.cache, wanted.is_empty()) {
        let slots: Vec<_> = wanted.iter().map(|(_, slot)| slot).collect();
        found = cache::find(py, &run.graph, cache.bind(py), &slots)?;
    }
    found.resize_with(wanted.len(), || None);
    let mut answers = Vec::new();
    let mut core = run.core(py)?;
    let mut unneeded = Vec::new();
    for ((key, slot), writes) in wanted.into_iter().zip(found) {
        let kept = core.keep(key);
        match writes {
            Some(writes) => {
                unneeded.push((slot, kept.prepared.take()));
                answers.push((key, writes));
            }
            None => kept.cache_slot = Some(slot),
        }
    }
    core.engine.cache_answered(py, answers);
    drop(core);
    drop(unneeded);
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
    let input = match run.core(py)?.kept(key).and_then(|kept| kept.call.as_ref()) {
        Some(call) => call.input.clone_ref(py),
        None => return Ok(None),
    };
    let (args, kwargs): (Bound<'_, PyTuple>, Bound<'_, PyDict>) = input.extract(py)?;
    let policy = policy.bind(py);
    let digest = call_tuple(&policy.getattr(intern!(py, "key_func"))?, &args, Some(&kwargs))?;
    let slot = CacheSlot::new(py, policy, func.bind(py), None, &digest)?;
    let found = cache::find(py, &run.graph, cache.bind(py), &[&slot])?;
    match found.into_iter().flatten().next() {
        Some(writes) => Ok(Some(writes)),
        None => {
            run.core(py)?.keep(key).cache_slot = Some(slot);
            Ok(None)
        }
    }
}

fn slot_of_node(py: Python<'_>, run: &Arc<Run>, key: TaskKey) -> PyResult<Option<CacheSlot>> {
    let node = NodeRun::prepare(py, run, key, Context::copied(py)?)?;
    let input = node.input().clone_ref(py);
    let (name, index) = {
        let mut core = run.core(py)?;
        core.keep(key).prepared = Some(Box::new(node));
        let task = core.task(key)?;
        (task.name.clone(), task.node)
    };
    let Some(index) = index else { return Ok(None) };
    let program = run.graph.program(index);
    let own = program.node.bind(py).getattr(intern!(py, "cache_policy"))?;
    let policy = match (&run.context.cache_policy, own.is_none()) {
        (_, false) => own,
        (Some(policy), true) => policy.bind(py).clone(),
        (None, true) => return Ok(None),
    };
    let digest = call(&policy.getattr(intern!(py, "key_func"))?, &[input.bind(py)])?;
    CacheSlot::new(py, &policy, program.node.bind(py), Some(&name), &digest).map(Some)
}
