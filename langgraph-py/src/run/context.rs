//! What surrounds a run.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::base::ConfigBase;
use crate::collects;
use crate::host::event_loop::EventLoop;
use crate::store::save::Saver;

/// What surrounds a run. Nothing here changes while it goes on.
pub struct Context {
    /// What its tasks' configs are made from.
    pub base: Py<ConfigBase>,
    /// The saver.
    pub saver: Option<Saver>,
    /// The cache of node results.
    pub cache: Option<Py<PyAny>>,
    /// Asked before each superstep whether to stop.
    pub control: Option<Py<PyAny>>,
    /// The namespace as text.
    pub namespace: Arc<str>,
    /// Resume values by interrupt id.
    pub resume_map: Option<Py<PyDict>>,
    /// The scratchpad of the task that this run is part of.
    pub parent_scratchpad: Option<Py<PyAny>>,
    /// The graph's retry policies, for nodes without their own.
    pub retry: Option<Py<PyAny>>,
    /// The graph's cache policy, for nodes without their own.
    pub cache_policy: Option<Py<PyAny>>,
    /// Told of each node that finished.
    pub node_finished: Option<Py<PyAny>>,
    /// How many tasks may run at once, as the caller said.
    pub max_concurrency: Option<usize>,
    /// How many may in fact: where tasks need threads there is a limit in any case.
    pub places: Option<usize>,
    /// How long a superstep may take, in seconds.
    pub step_timeout: Option<f64>,
    /// The event loop of an async run, whose nodes are run by their async functions.
    pub event_loop: Option<Arc<EventLoop>>,
    /// Whether nodes are run by their streams, for those who tap them.
    pub drains: bool,
}

collects!(Context {
    base,
    saver,
    cache,
    control,
    resume_map,
    parent_scratchpad,
    retry,
    cache_policy,
    node_finished,
    event_loop
});

impl Context {
    /// Whether nodes are run by their async functions.
    pub fn is_async(&self) -> bool {
        self.event_loop.is_some()
    }
}
