//! What the configs of a run's tasks have in common.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::{PyTraverseError, PyVisit};

use super::runtime::Template;
use crate::collects;
use crate::host::collect::Collect;

/// What the configs of all tasks of a run are made from. Nothing here changes while it goes on.
#[pyclass(frozen, module = "langgraph_rust._engine")]
pub struct ConfigBase {
    /// The run's config, without what belongs to the run alone.
    pub config: Py<PyDict>,
    /// Keys and values that every task's `configurable` starts with.
    pub conf: Py<PyDict>,
    /// The run's metadata.
    pub metadata: Option<Py<PyDict>>,
    /// The run's tags.
    pub tags: Option<Py<PyAny>>,
    /// The run's callback manager, if anybody listens.
    pub manager: Option<Py<PyAny>>,
    /// What the tasks' `Runtime`s are made from.
    pub runtime: Template,
    /// The run's namespace.
    pub namespace: Arc<str>,
    /// The namespaces and checkpoints of the enclosing runs.
    pub checkpoint_map: Py<PyDict>,
    /// `{name: channel}` of the graph, for `__pregel_read`.
    pub channels: Py<PyAny>,
    /// `{name: managed value}` of the graph, for `__pregel_read`.
    pub managed: Py<PyDict>,
    /// The superstep that the run began with; only its tasks resume.
    pub first_step: i64,
}

#[pymethods]
impl ConfigBase {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.collect(&visit)
    }
}

collects!(ConfigBase {
    config,
    conf,
    metadata,
    tags,
    manager,
    runtime,
    checkpoint_map,
    channels,
    managed
});
