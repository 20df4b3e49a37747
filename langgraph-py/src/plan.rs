//! A Python graph as the engine's plan, and what each of its nodes does.

use std::collections::HashMap;
use std::sync::Arc;

use langgraph_channels::{Channel, Tasks};
use langgraph_core::{names, ChannelIndex, NodeIndex, Target};
use langgraph_pregel::{ChannelSpec, NodeSpec};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::channels;
use crate::domain::Objects;
use crate::imports;
use crate::offload::Pace;
use crate::program::{Accepts, Body, Program, Source};
use crate::writers::Writer;

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
    pub plan: Arc<langgraph_pregel::Plan<Objects>>,
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
    /// Whether a values event can be read later than it was emitted.
    pub output_is_steady: bool,
}

#[pymethods]
impl Plan {
    /// Builds the plan of a graph from its nodes and channels.
    #[new]
    fn new(py: Python<'_>, pregel: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self { graph: Arc::new(Graph::build(py, pregel)?) })
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        visit.call(&self.graph.managed)?;
        for spec in self.graph.plan.channels() {
            channels::traverse(&spec.pattern, &visit)?;
        }
        self.graph.programs.iter().try_for_each(|program| program.traverse(&visit))
    }
}

impl Graph {
    fn build(py: Python<'_>, pregel: &Bound<'_, PyAny>) -> PyResult<Self> {
        let channels = pregel.getattr(intern!(py, "channels"))?.cast_into::<PyDict>()?;
        let nodes = pregel.getattr(intern!(py, "nodes"))?.cast_into::<PyDict>()?;
        let managed = PyDict::new(py);
        let mut specs = Vec::with_capacity(channels.len());
        let mut channel_names = Vec::with_capacity(channels.len());
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
            channel_names.push(name.unbind());
        }
        if !specs.iter().any(|spec| &*spec.name == names::TASKS) {
            channel_names.push(PyString::new(py, names::TASKS).unbind());
        }
        let untracked = specs
            .iter()
            .enumerate()
            .filter(|(_, spec)| matches!(spec.pattern, Channel::Untracked(_)))
            .map(|(position, _)| ChannelIndex::new(position))
            .collect();
        let (specs, order) = (specs, node_order(&nodes)?);
        let index_of =
            |name: &str| specs.iter().position(|spec| &*spec.name == name).map(ChannelIndex::new);
        let by_name: HashMap<String, ChannelIndex> = specs
            .iter()
            .enumerate()
            .map(|(position, spec)| (spec.name.to_string(), ChannelIndex::new(position)))
            .collect();
        let lookup = |name: &str| by_name.get(name).copied().or_else(|| index_of(name));
        let mut node_specs = Vec::with_capacity(nodes.len());
        for (name, node) in nodes.iter() {
            let mut spec = node_spec(py, &name, &node, &lookup, &order)?;
            spec.cached = !pregel.getattr(intern!(py, "cache_policy"))?.is_none()
                || !node.getattr(intern!(py, "cache_policy"))?.is_none();
            node_specs.push(spec);
        }
        let plan = langgraph_pregel::Plan::new(specs, node_specs)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        let builder = ProgramBuilder { plan: &plan, managed: &managed };
        let mut programs = Vec::with_capacity(nodes.len());
        for (name, node) in nodes.iter() {
            programs.push(builder.program(py, &name, &node)?);
        }
        let keys = |attribute: &str| -> PyResult<Keys> {
            keys_of(&pregel.getattr(attribute)?, &|name| plan.channel_named(name))
        };
        let stream = keys("stream_channels_asis")?;
        let steady = |index: &ChannelIndex| {
            let pattern = &plan.channel(*index).pattern;
            !pattern.is_transient() && !pattern.hears_finish()
        };
        Ok(Self {
            output_is_steady: stream.channels().iter().all(steady),
            input: keys("input_channels")?,
            stream,
            programs,
            targets: targets(&plan),
            channel_names,
            managed: managed.unbind(),
            untracked,
            plan: Arc::new(plan),
        })
    }

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
            names::TASKS => crate::writers::packet_target(&self.plan, value).map(Target::Packet),
            unknown => Ok(self.plan.target(unknown)),
        }
    }
}

fn targets(plan: &langgraph_pregel::Plan<Objects>) -> HashMap<String, Target> {
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

fn node_order(nodes: &Bound<'_, PyDict>) -> PyResult<HashMap<String, NodeIndex>> {
    let named = nodes.iter().enumerate();
    named.map(|(position, (name, _))| Ok((name.extract()?, NodeIndex::new(position)))).collect()
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

fn node_spec(
    py: Python<'_>,
    name: &Bound<'_, PyAny>,
    node: &Bound<'_, PyAny>,
    lookup: &dyn Fn(&str) -> Option<ChannelIndex>,
    order: &HashMap<String, NodeIndex>,
) -> PyResult<NodeSpec> {
    let name: String = name.extract()?;
    let mut triggers = Vec::new();
    for trigger in node.getattr(intern!(py, "triggers"))?.try_iter()? {
        let trigger: String = trigger?.extract()?;
        triggers.push(lookup(&trigger).ok_or_else(|| {
            PyValueError::new_err(format!(
                "Node '{name}' is triggered by channel '{trigger}', which the graph does not have"
            ))
        })?);
    }
    let mut spec = NodeSpec::new(name, triggers);
    let input = node.getattr(intern!(py, "channels"))?;
    if let Ok(single) = input.cast::<PyString>() {
        spec.requires = lookup(single.to_str()?);
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

/// Reads what nodes do from their Python description.
struct ProgramBuilder<'a, 'py> {
    plan: &'a langgraph_pregel::Plan<Objects>,
    managed: &'a Bound<'py, PyDict>,
}

impl<'py> ProgramBuilder<'_, 'py> {
    fn program(
        &self,
        py: Python<'py>,
        name: &Bound<'py, PyAny>,
        node: &Bound<'py, PyAny>,
    ) -> PyResult<Program> {
        let optional = |attribute: &str| -> PyResult<Option<Py<PyAny>>> {
            let value = node.getattr(attribute)?;
            Ok((!value.is_none()).then(|| value.unbind()))
        };
        let bound = node.getattr(intern!(py, "bound"))?;
        let mut writers = Vec::new();
        for writer in node.getattr(intern!(py, "flat_writers"))?.try_iter()? {
            Writer::read(py, self.plan, &writer?, &mut writers)?;
        }
        let retry = optional("retry_policy")?;
        Ok(Program {
            name: name.clone().cast_into::<PyString>()?.unbind(),
            source: self.source(py, &node.getattr(intern!(py, "channels"))?)?,
            mapper: optional("mapper")?,
            body: self.body(py, &bound)?,
            writers,
            path: (intern!(py, "__pregel_pull"), name).into_pyobject(py)?.unbind(),
            triggers: PyTuple::new(py, sorted_triggers(node)?)?.unbind(),
            tags: optional("tags")?,
            metadata: optional("metadata")?,
            retry: retry.filter(|policies| policies.bind(py).is_truthy().unwrap_or(false)),
            timeout: optional("timeout")?,
            pace: Pace::default(),
            node: node.clone().unbind(),
        })
    }

    fn source(&self, py: Python<'py>, channels: &Bound<'py, PyAny>) -> PyResult<Source> {
        if let Ok(single) = channels.cast::<PyString>() {
            let index = self.plan.channel_named(single.to_str()?);
            return index.map(Source::Value).ok_or_else(|| {
                PyValueError::new_err(format!("'{single}' is no channel of this graph"))
            });
        }
        let mut fields = Vec::new();
        for name in channels.try_iter()? {
            let name = name?.cast_into::<PyString>()?;
            match self.plan.channel_named(name.to_str()?) {
                Some(index) => fields.push((name.unbind(), Ok(index))),
                None => match self.managed.get_item(&name)? {
                    Some(managed) => fields.push((name.unbind(), Err(managed.unbind()))),
                    None => {
                        let message = format!("'{name}' is no channel of this graph");
                        return Err(PyValueError::new_err(message));
                    }
                },
            }
        }
        let _ = py;
        Ok(Source::Fields(fields))
    }

    fn body(&self, py: Python<'py>, bound: &Bound<'py, PyAny>) -> PyResult<Body> {
        let default = py.import(intern!(py, "langgraph_rust.pregel._build.read"))?;
        if bound.is(&default.getattr(intern!(py, "DEFAULT_BOUND"))?) {
            return Ok(Body::Pass);
        }
        if runs_natively(bound)? {
            return Ok(Body::Graph(bound.clone().unbind()));
        }
        let exact = bound.get_type().is(imports::runnable_callable(py)?);
        // Tracing makes no difference here: with a listener the node runs as a runnable anyway.
        let plain = exact
            && !bound.getattr(intern!(py, "explode_args"))?.is_truthy()?
            && !bound.getattr(intern!(py, "kwargs"))?.is_truthy()?;
        if !plain {
            return Ok(Body::Runnable(bound.clone().unbind()));
        }
        let function = |attribute: &str| -> PyResult<Option<Py<PyAny>>> {
            let value = bound.getattr(attribute)?;
            Ok((!value.is_none()).then(|| value.unbind()))
        };
        // An async twin that only runs the sync function on a thread is the engine's own business.
        let utils = py.import(intern!(py, "langgraph_rust.pregel._build.utils"))?;
        let on_thread = |afunc: &Py<PyAny>| -> PyResult<bool> {
            utils.call_method1(intern!(py, "runs_in_executor"), (afunc,))?.is_truthy()
        };
        let mut afunc = function("afunc")?;
        if afunc.as_ref().map_or(Ok(false), on_thread)? {
            afunc = None;
        }
        Ok(Body::Function {
            func: function("func")?,
            afunc,
            accepts: Accepts::read(&bound.getattr(intern!(py, "func_accepts"))?)?,
            recurse: bound.getattr(intern!(py, "recurse"))?.is_truthy()?,
            runnable: bound.clone().unbind(),
        })
    }
}

/// Whether the engine may run the node itself: a graph that brings nothing of its own that only the
/// Python front looks at. Whether its methods are its own is asked at each call.
fn runs_natively(bound: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = bound.py();
    let pregel = imports::pregel_type(py)?;
    if !bound.is_instance(pregel)? {
        return Ok(false);
    }
    let own = |name| -> PyResult<bool> { bound.getattr(name)?.is_truthy() };
    Ok(!own(intern!(py, "config"))? && bound.getattr(intern!(py, "cache"))?.is_none())
}

fn sorted_triggers(node: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let mut names: Vec<String> = node.getattr(intern!(node.py(), "triggers"))?.extract()?;
    names.sort();
    Ok(names)
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

/// A path of the engine as the tuple that Python code knows.
pub fn path_tuple<'py>(
    py: Python<'py>,
    path: &langgraph_core::TaskPath,
) -> PyResult<Bound<'py, PyTuple>> {
    use langgraph_core::TaskPath;
    Ok(match path {
        TaskPath::Input => PyTuple::empty(py),
        TaskPath::Pull(name) => (intern!(py, "__pregel_pull"), &**name).into_pyobject(py)?,
        TaskPath::Push(index) => (intern!(py, "__pregel_push"), *index, false).into_pyobject(py)?,
        TaskPath::Call { parent, index } => {
            let parent = path_tuple(py, parent)?;
            (intern!(py, "__pregel_push"), parent, *index, true).into_pyobject(py)?
        }
        TaskPath::Handler(failed) => {
            let failed = path_tuple(py, failed)?;
            let head = failed.get_slice(0, failed.len().min(3));
            let tail = ("node_error_handler", false).into_pyobject(py)?;
            head.as_sequence().concat(tail.as_sequence())?.cast_into::<PyTuple>()?
        }
    })
}
