//! A graph, read once: the engine's plan, and what each node does.
//!
//! In comes a compiled Python graph; out come a [`Plan`] and its programs, complete and immutable.
//! Nothing here runs, waits, or knows runs.

mod build;
pub mod lost;
pub mod mappers;
pub mod program;
mod read;
pub mod writers;

use std::collections::HashMap;
use std::sync::Arc;

use langgraph_rust_core::{names, ChannelIndex, NodeIndex, Target, TaskPath, Write};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use crate::host::call::Inside;
use crate::host::collect::Collect;
use crate::values::channels;
use crate::values::domain::Objects;
use crate::values::path::packet_target;
use program::Program;

/// One or several channels, as a graph names its input or output.
pub enum Keys {
    /// Read as the channel's value.
    One(ChannelIndex),
    /// Read as a dict.
    Many(Vec<ChannelIndex>),
}

impl Keys {
    /// The channels.
    pub fn channels(&self) -> &[ChannelIndex] {
        match self {
            Keys::One(index) => std::slice::from_ref(index),
            Keys::Many(indices) => indices,
        }
    }
}

/// A compiled graph for the engine: made once per graph, shared by its runs.
#[pyclass(frozen, module = "langgraph_rust._engine")]
pub struct Plan {
    /// What runs.
    pub graph: Arc<Graph>,
}

/// What a [`Plan`] holds.
pub struct Graph {
    /// The engine's view.
    pub plan: Arc<langgraph_rust_pregel::Plan<Objects>>,
    /// What each node does, by its index.
    pub programs: Vec<Program>,
    /// Where a write to a name goes, for all names but that of the tasks channel.
    targets: HashMap<String, Target>,
    /// The channels' names, by index.
    pub channel_names: Vec<Py<PyString>>,
    /// Values computed from the run rather than stored, by name.
    pub managed: Py<PyDict>,
    /// What input is written to.
    pub input: Keys,
    /// What `stream_mode="values"` shows unless told otherwise.
    pub stream: Keys,
    /// Channels that are never stored.
    pub untracked: Vec<ChannelIndex>,
    /// Whether a failure may have something follow within its superstep: another attempt, an error
    /// handler, or the end of a node that runs elsewhere. Whoever drives the run must then be there
    /// to see to it.
    pub has_follow_ups: bool,
}

#[pymethods]
impl Plan {
    /// Builds the plan of a graph from its nodes and channels.
    #[new]
    fn new(py: Python<'_>, pregel: &Bound<'_, PyAny>) -> PyResult<Self> {
        let _inside = Inside::enter();
        Ok(Self { graph: Arc::new(build::graph(py, pregel)?) })
    }

    /// The channels whose values a stored checkpoint does not hold though they have been written: what
    /// `get_delta_channel_history` of its saver is to be asked for.
    fn needs_history(&self, checkpoint: &Bound<'_, PyDict>) -> PyResult<Vec<&str>> {
        let py = checkpoint.py();
        let part = |name| -> PyResult<Bound<'_, PyDict>> {
            let found = checkpoint.get_item(name)?.map(|part| part.cast_into::<PyDict>());
            Ok(found.transpose()?.unwrap_or_else(|| PyDict::new(py)))
        };
        let versions = part(intern!(py, "channel_versions"))?;
        let values = part(intern!(py, "channel_values"))?;
        let mut needy = Vec::new();
        for index in self.graph.plan.reduced() {
            let name = self.graph.channel_name(*index).bind(py);
            if versions.contains(name)? && !values.contains(name)? {
                needy.push(&*self.graph.plan.channel(*index).name);
            }
        }
        Ok(needy)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Runs share the graph; its objects are the plan's to show.
        self.graph.managed.collect(&visit)?;
        for spec in self.graph.plan.channels() {
            channels::collect_pattern(&spec.pattern, &visit)?;
        }
        self.graph.programs.collect(&visit)
    }
}

impl Graph {
    /// The channels named by `keys`: a name, or a list of names.
    pub fn keys(&self, keys: &Bound<'_, PyAny>) -> PyResult<Keys> {
        keys_of(keys, &|name| match self.targets.get(name) {
            Some(Target::Channel(index)) => Some(*index),
            _ => self.plan.channel_named(name),
        })
    }

    /// A channel's name.
    pub fn channel_name(&self, index: ChannelIndex) -> &Py<PyString> {
        &self.channel_names[index.get()]
    }

    /// What a node does.
    pub fn program(&self, node: NodeIndex) -> &Program {
        &self.programs[node.get()]
    }

    /// Where a write of `value` to the channel `name` goes; packets are addressed here.
    pub fn target(&self, name: &Bound<'_, PyString>, value: &Bound<'_, PyAny>) -> PyResult<Target> {
        let name = name.to_str()?;
        if let Some(target) = self.targets.get(name) {
            return Ok(target.clone());
        }
        match name {
            names::TASKS => packet_target(&self.plan, value).map(Target::Packet),
            unknown => Ok(self.plan.target(unknown)),
        }
    }

    /// The names of what started a task, as Python code knows them.
    pub fn trigger_names<'py>(
        &self,
        py: Python<'py>,
        path: &TaskPath,
        node: Option<NodeIndex>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        match (path, node) {
            (TaskPath::Pull(_), Some(node)) => {
                let names = self.plan.node(node).trigger_names();
                PyTuple::new(py, names.iter().map(|name| &**name))
            }
            _ => PyTuple::new(py, [names::PUSH]),
        }
    }

    /// A write of `value` to the channel `name`.
    pub fn write(
        &self,
        name: &Bound<'_, PyString>,
        value: Bound<'_, PyAny>,
    ) -> PyResult<Write<Objects>> {
        Ok(Write { target: self.target(name, &value)?, value: value.unbind() })
    }
}

fn keys_of(
    keys: &Bound<'_, PyAny>,
    lookup: &dyn Fn(&str) -> Option<ChannelIndex>,
) -> PyResult<Keys> {
    let index = |name: &Bound<'_, PyAny>| -> PyResult<ChannelIndex> {
        let name = name.cast::<PyString>()?.to_str()?;
        let unknown = || PyValueError::new_err(format!("'{name}' is no channel of this graph"));
        lookup(name).ok_or_else(unknown)
    };
    if keys.is_instance_of::<PyString>() {
        return Ok(Keys::One(index(keys)?));
    }
    let indices = keys.try_iter()?.map(|name| index(&name?));
    Ok(Keys::Many(indices.collect::<PyResult<_>>()?))
}

/// The channels of `keys` read from `read`, in the shape that `keys` asks for.
pub fn read_keys<'py>(
    py: Python<'py>,
    graph: &Graph,
    keys: &Keys,
    read: &mut dyn FnMut(ChannelIndex) -> PyResult<Option<Py<PyAny>>>,
) -> PyResult<Bound<'py, PyAny>> {
    match keys {
        Keys::One(index) => Ok(read(*index)?.unwrap_or_else(|| py.None()).into_bound(py)),
        Keys::Many(indices) => {
            let dict = PyDict::new(py);
            for index in indices {
                if let Some(value) = read(*index)? {
                    dict.set_item(graph.channel_name(*index), value)?;
                }
            }
            Ok(dict.into_any())
        }
    }
}

/// The names in `keys` as Python text, for error messages.
pub fn show_keys(py: Python<'_>, graph: &Graph, keys: &Keys) -> PyResult<String> {
    let names = keys.channels().iter().map(|index| graph.channel_name(*index).clone_ref(py));
    let shown = match keys {
        Keys::One(index) => return Ok(graph.channel_name(*index).bind(py).to_string()),
        Keys::Many(_) => PyList::new(py, names)?,
    };
    Ok(shown.repr()?.to_string())
}
