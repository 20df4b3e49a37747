//! The checkpoint that a run starts from, and where the run stores its own.

use std::sync::Arc;

use langgraph_rust_checkpoint::Source;
use langgraph_rust_core::CheckpointId;
use langgraph_rust_pregel::Loaded;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::host::clock;
use crate::plan::Graph;
use crate::store::save::{configurable, Place};
use crate::store::stored;
use crate::store::stored::SeenBefore;
use crate::values::domain::Objects;
use crate::values::texts::Texts;

/// What is stored for a thread when its run begins.
pub struct Found<'py> {
    /// The checkpoint tuple, if there is one.
    pub saved: Option<Bound<'py, PyAny>>,
    /// The config that it was looked for with.
    pub config: Bound<'py, PyDict>,
    /// The histories of channels whose values the checkpoint does not hold.
    pub histories: Option<Bound<'py, PyAny>>,
    /// Whether the run asked for that checkpoint.
    pub addressed: bool,
    /// Whether the thread has moved past it.
    pub superseded: bool,
}

/// What was found for a run in `namespace`, within the runs that `parents` names: the checkpoint
/// for the engine, and where the run stores.
pub(super) fn load(
    py: Python<'_>,
    graph: &Graph,
    found: &Found<'_>,
    namespace: &Arc<str>,
    parents: &Bound<'_, PyDict>,
) -> PyResult<(Loaded<Objects>, Place)> {
    let merged = found.config.copy()?;
    let conf = PyDict::new(py);
    conf.set_item(intern!(py, "checkpoint_ns"), "")?;
    conf.update(configurable(&found.config)?.as_mapping())?;
    let place = |config: Bound<'_, PyDict>| Place {
        config: config.unbind(),
        before: None,
        loaded: None,
        metadata: None,
        namespace: namespace.clone(),
        parents: parents.clone().unbind(),
        texts: Texts::default(),
        seen: SeenBefore::default(),
    };
    let Some(saved) = &found.saved else {
        merged.set_item(intern!(py, "configurable"), conf)?;
        let loaded = unbegun(found.addressed);
        return Ok((loaded, place(merged)));
    };
    let config = saved.getattr(intern!(py, "config"))?.cast_into::<PyDict>()?;
    merged.update(config.as_mapping())?;
    conf.update(configurable(&config)?.as_mapping())?;
    merged.set_item(intern!(py, "configurable"), conf)?;
    let metadata = saved.getattr(intern!(py, "metadata"))?;
    let before = saved.getattr(intern!(py, "parent_config"))?;
    let loaded = stored_checkpoint(graph, found, saved, &metadata)?;
    let place = Place {
        before: (!before.is_none()).then(|| before.unbind()),
        loaded: Some(loaded.checkpoint.id.clone()),
        metadata: Some(metadata.unbind()),
        ..place(merged)
    };
    Ok((loaded, place))
}

fn stored_checkpoint(
    graph: &Graph,
    found: &Found<'_>,
    saved: &Bound<'_, PyAny>,
    metadata: &Bound<'_, PyAny>,
) -> PyResult<Loaded<Objects>> {
    let py = saved.py();
    // Some savers give back metadata without what upstream's always have.
    let get = |key| -> PyResult<Option<Bound<'_, PyAny>>> {
        match metadata.cast::<PyDict>() {
            Ok(metadata) => metadata.get_item(key),
            Err(_) => Ok(metadata.get_item(key).ok()),
        }
    };
    let text = |value: Bound<'_, PyAny>| value.extract::<Option<String>>();
    let source = get(intern!(py, "source"))?.map_or(Ok(None), text)?;
    let number = |value: Bound<'_, PyAny>| value.extract::<Option<i64>>();
    let step = get(intern!(py, "step"))?.map_or(Ok(None), number)?;
    Ok(Loaded {
        checkpoint: stored::checkpoint(
            graph,
            &saved.getattr(intern!(py, "checkpoint"))?,
            found.histories.as_ref(),
        )?,
        source: source.as_deref().and_then(Source::from_name),
        step: step.unwrap_or(-2),
        since_snapshot: stored::since_snapshot(metadata)?,
        pending: stored::pending(graph, &saved.getattr(intern!(py, "pending_writes"))?)?,
        addressed: found.addressed,
        superseded: found.superseded,
        parent: parent_id(&saved.getattr(intern!(py, "parent_config"))?)?,
        stored: true,
    })
}

fn parent_id(before: &Bound<'_, PyAny>) -> PyResult<Option<CheckpointId>> {
    let Ok(before) = before.cast::<PyDict>() else { return Ok(None) };
    let id = configurable(before)?.get_item(intern!(before.py(), "checkpoint_id"))?;
    let id = id.filter(|id| !id.is_none()).map(|id| id.extract::<String>()).transpose()?;
    Ok(id.map(|id| CheckpointId::from_text(&id)))
}

/// The start of a thread that has not begun.
fn unbegun(addressed: bool) -> Loaded<Objects> {
    let id = CheckpointId::from_text(&clock::checkpoint_id(-2));
    Loaded { addressed, ..Loaded::unbegun(id) }
}
