//! Reading a graph: its channels, its nodes, and what leads from one to another.

use std::collections::HashMap;
use std::sync::Arc;

use langgraph_rust_channels::{Channel, Tasks};
use langgraph_rust_core::{names, ChannelIndex, NodeIndex, Target};
use langgraph_rust_pregel::{ChannelSpec, NodeSpec, Plan as EnginePlan};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::read::ProgramReader;
use super::{keys_of, Graph, Keys};
use crate::values::channels;
use crate::values::domain::Objects;

/// The channels of a graph.
struct Channels<'py> {
    specs: Vec<ChannelSpec<Objects>>,
    names: Vec<Py<PyString>>,
    /// What is declared among the channels but computed from the run, by name.
    managed: Bound<'py, PyDict>,
}

/// Reads a compiled graph.
pub fn graph(py: Python<'_>, pregel: &Bound<'_, PyAny>) -> PyResult<Graph> {
    let Channels { specs, names, managed } = channels_of(py, pregel)?;
    let nodes = pregel.getattr(intern!(py, "nodes"))?.cast_into::<PyDict>()?;
    let untracked = specs.iter().enumerate();
    let untracked = untracked.filter(|(_, spec)| matches!(spec.pattern, Channel::Untracked(_)));
    let untracked = untracked.map(|(position, _)| ChannelIndex::new(position)).collect();
    let node_specs = nodes_of(py, pregel, &nodes, &specs)?;
    let plan = EnginePlan::new(specs, node_specs)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    let reader = ProgramReader { plan: &plan, managed: &managed };
    let mut programs = Vec::with_capacity(nodes.len());
    for (name, node) in nodes.iter() {
        programs.push(reader.program(py, &name, &node)?);
    }
    let is_handled = |node: &NodeSpec| node.error_handler.is_some();
    let has_follow_ups = plan.nodes().iter().any(is_handled)
        || programs.iter().any(|program| program.retry.is_some() || program.is_remote);
    let keys = |attribute: &str| -> PyResult<Keys> {
        keys_of(&pregel.getattr(attribute)?, &|name| plan.channel_named(name))
    };
    Ok(Graph {
        input: keys("input_channels")?,
        stream: keys("stream_channels_asis")?,
        programs,
        targets: targets(&plan),
        channel_names: names,
        managed: managed.unbind(),
        untracked,
        has_follow_ups,
        plan: Arc::new(plan),
    })
}

fn channels_of<'py>(py: Python<'py>, pregel: &Bound<'py, PyAny>) -> PyResult<Channels<'py>> {
    let channels = pregel.getattr(intern!(py, "channels"))?.cast_into::<PyDict>()?;
    let managed = PyDict::new(py);
    let mut specs = Vec::with_capacity(channels.len());
    let mut names = Vec::with_capacity(channels.len());
    let base = py.get_type::<channels::BaseChannel>();
    for (name, spec) in channels.iter() {
        let name = name.cast_into::<PyString>()?;
        let pattern = if name == names::TASKS {
            Channel::Tasks(Tasks::new(Vec::new()))
        } else if spec.is_instance(&base)? || spec.hasattr(intern!(py, "from_checkpoint"))? {
            channels::pattern(py, &spec)?
        } else {
            managed.set_item(&name, spec)?;
            continue;
        };
        specs.push(ChannelSpec { name: name.to_str()?.into(), pattern });
        names.push(name.unbind());
    }
    if !specs.iter().any(|spec| &*spec.name == names::TASKS) {
        names.push(PyString::new(py, names::TASKS).unbind());
    }
    Ok(Channels { specs, names, managed })
}

fn nodes_of(
    py: Python<'_>,
    pregel: &Bound<'_, PyAny>,
    nodes: &Bound<'_, PyDict>,
    channels: &[ChannelSpec<Objects>],
) -> PyResult<Vec<NodeSpec>> {
    let order = node_order(nodes)?;
    let by_name: HashMap<String, ChannelIndex> = channels
        .iter()
        .enumerate()
        .map(|(position, spec)| (spec.name.to_string(), ChannelIndex::new(position)))
        .collect();
    let policy = intern!(py, "cache_policy");
    let all_cached = !pregel.getattr(policy)?.is_none();
    let mut specs = Vec::with_capacity(nodes.len());
    for (name, node) in nodes.iter() {
        let mut spec = node_spec(py, &name, &node, &by_name, &order)?;
        spec.cached = all_cached || !node.getattr(policy)?.is_none();
        specs.push(spec);
    }
    Ok(specs)
}

fn targets(plan: &EnginePlan<Objects>) -> HashMap<String, Target> {
    let channels = plan.channels().iter().map(|spec| &*spec.name);
    let controls = [
        names::NO_WRITES,
        names::RETURN,
        names::RESUME,
        names::INTERRUPT,
        names::ERROR,
        names::ERROR_SOURCE_NODE,
    ];
    let all = channels.chain(controls).filter(|name| *name != names::TASKS);
    all.map(|name| (name.to_owned(), plan.target(name))).collect()
}

/// The nodes' positions, by name.
fn node_order(nodes: &Bound<'_, PyDict>) -> PyResult<HashMap<String, NodeIndex>> {
    let named = nodes.iter().enumerate();
    named.map(|(position, (name, _))| Ok((name.extract()?, NodeIndex::new(position)))).collect()
}

fn node_spec(
    py: Python<'_>,
    name: &Bound<'_, PyAny>,
    node: &Bound<'_, PyAny>,
    by_name: &HashMap<String, ChannelIndex>,
    order: &HashMap<String, NodeIndex>,
) -> PyResult<NodeSpec> {
    let name: String = name.extract()?;
    let mut triggers = Vec::new();
    for trigger in node.getattr(intern!(py, "triggers"))?.try_iter()? {
        let trigger: String = trigger?.extract()?;
        triggers.push(by_name.get(&trigger).copied().ok_or_else(|| {
            PyValueError::new_err(format!(
                "Node '{name}' is triggered by channel '{trigger}', which the graph does not have"
            ))
        })?);
    }
    let mut spec = NodeSpec::new(name, triggers);
    let input = node.getattr(intern!(py, "channels"))?;
    if let Ok(single) = input.cast::<PyString>() {
        spec.requires = by_name.get(single.to_str()?).copied();
    }
    let tags = node.getattr(intern!(py, "tags"))?;
    spec.hidden = !tags.is_none() && tags.contains("langsmith:hidden")?;
    let reading = py.import(intern!(py, "langgraph_rust.pregel._build.read"))?;
    let idle =
        node.getattr(intern!(py, "bound"))?.is(&reading.getattr(intern!(py, "DEFAULT_BOUND"))?);
    spec.runs = !idle || node.getattr(intern!(py, "writers"))?.is_truthy()?;
    let handler = node.getattr(intern!(py, "error_handler_node"))?;
    if !handler.is_none() {
        spec.error_handler = order.get(&handler.extract::<String>()?).copied();
    }
    Ok(spec)
}
