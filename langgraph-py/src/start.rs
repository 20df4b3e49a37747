//! Beginning a run: from the Python front, and natively for a graph that is a node.

use std::sync::Arc;

use langgraph_checkpoint::{Checkpoint, Source};
use langgraph_core::{CheckpointId, Durability, Write};
use langgraph_pregel::{
    Emits, Engine, Input, InterruptAt, Loaded, Options, StartError, Surroundings,
};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::clock::{self, Clock, Versioning};
use crate::config::ConfigBase;
use crate::convert;
use crate::domain::{fault_to_python, Objects};
use crate::finish;
use crate::imports;
use crate::plan::{show_keys, Graph, Keys, Plan};
use crate::run::{Context, Core, Modes, Run, Shows};
use crate::runtime::Template;
use crate::save::{configurable, Place, Saver};
use crate::sink::{Shape, Sink};

/// Everything a run begins with.
pub struct Begin<'py> {
    /// The compiled graph.
    pub pregel: Bound<'py, PyAny>,
    /// Its plan.
    pub graph: Arc<Graph>,
    /// What the run is given.
    pub input: Bound<'py, PyAny>,
    /// A command's writes, whether it answers, and whether by id.
    pub command: Option<(Bound<'py, PyAny>, bool, bool)>,
    /// The run's config, complete.
    pub config: Bound<'py, PyDict>,
    /// The saver.
    pub saver: Option<Saver>,
    /// How versions are counted.
    pub versioning: Versioning,
    /// The checkpoint tuple that was loaded.
    pub saved: Option<Bound<'py, PyAny>>,
    /// The config that it was loaded with.
    pub checkpoint_config: Bound<'py, PyDict>,
    /// Whether the run asked for that checkpoint.
    pub addressed: bool,
    /// Whether the thread has moved past it.
    pub superseded: bool,
    /// When checkpoints are stored.
    pub durability: Durability,
    /// The output channels.
    pub output: Keys,
    /// Where to stop.
    pub interrupt_before: InterruptAt,
    /// Where to stop.
    pub interrupt_after: InterruptAt,
    /// The run's `Runtime`.
    pub runtime: Bound<'py, PyAny>,
    /// The store.
    pub store: Bound<'py, PyAny>,
    /// The cache.
    pub cache: Option<Bound<'py, PyAny>>,
    /// The callback manager, if anybody listens.
    pub manager: Option<Bound<'py, PyAny>>,
    /// Where events go.
    pub sink: Option<Py<Sink>>,
    /// How chunks reach the caller.
    pub shape: Shape,
    /// Whether chunks leave while tasks run.
    pub eager: bool,
    /// Whether the caller waits for the end.
    pub latest: bool,
    /// Whether nested runs stream to this one.
    pub subgraphs: bool,
    /// Whether the run is async.
    pub is_async: bool,
    /// Whether nodes are run by their streams, for those who tap them.
    pub drains: bool,
}

/// Begins a run.
pub fn begin(py: Python<'_>, given: Begin<'_>) -> PyResult<Arc<Run>> {
    let conf = configurable(&given.config)?;
    let nested = conf.contains(intern!(py, "__pregel_task_id"))?;
    let namespace = text(&conf, intern!(py, "checkpoint_ns"))?;
    let checkpoint_map = dict(py, &conf, intern!(py, "checkpoint_map"))?;
    let resuming = conf.get_item(intern!(py, "__pregel_resuming"))?;
    let output_is_steady = given.output.channels().iter().all(|index| {
        let pattern = &given.graph.plan.channel(*index).pattern;
        !pattern.is_transient() && !pattern.hears_finish()
    });
    let options = Options {
        namespace: namespace.as_str().into(),
        nested,
        persists: given.saver.is_some(),
        durability: given.durability,
        stores_success: !namespace.contains(':'),
        output: given.output.channels().to_vec(),
        recursion_limit: recursion_limit(&given.config)?,
        interrupt_before: given.interrupt_before,
        interrupt_after: given.interrupt_after,
        emits: emits(given.sink.as_ref().map(|sink| sink.get()), given.latest),
    };
    let metadata = given.config.get_item(intern!(py, "metadata"))?;
    let around = Surroundings {
        resuming: resuming.map(|flag| flag.is_truthy()).transpose()?,
        same_run: same_run(py, metadata.as_ref(), given.saved.as_ref())?,
        own_namespace_addressed: checkpoint_map.contains(namespace.as_str())?,
    };
    let (loaded, parent, place) = load(
        py,
        &given.graph,
        &given.saved,
        &given.checkpoint_config,
        given.addressed,
        given.superseded,
    )?;
    let input = read_input(py, &given.graph, &given.input, given.command.as_ref())?;
    let mut clock = Clock { py, versioning: &given.versioning };
    let plan = given.graph.plan.clone();
    let started = Engine::start(py, &mut clock, plan, options, loaded, parent, input, around);
    let (engine, started) = started.map_err(|error| match error {
        StartError::Fault(fault) => fault_to_python(py, fault),
        StartError::EmptyCommand => empty_input(py, "Received empty Command input".into()),
        StartError::EmptyInput => {
            let keys = show_keys(py, &given.graph, &given.graph.input).unwrap_or_default();
            empty_input(py, format!("Received no input for {keys}"))
        }
    })?;
    let task_conf = conf.copy()?;
    if let Some(saver) = &given.saver {
        task_conf.set_item(intern!(py, "__pregel_checkpointer"), &saver.object)?;
    } else if !task_conf.contains(intern!(py, "__pregel_checkpointer"))? {
        task_conf.set_item(intern!(py, "__pregel_checkpointer"), py.None())?;
    }
    task_conf.set_item(intern!(py, "checkpoint_id"), py.None())?;
    if given.subgraphs {
        task_conf.set_item(intern!(py, "__pregel_stream"), given.sink.as_ref())?;
    }
    if !nested {
        let replay = match &started.replay_before {
            Some(id) => py
                .import("langgraph_rust.pregel._run.replay")?
                .call_method1("ReplayState", (id.as_str(),))?,
            None => py.None().into_bound(py),
        };
        task_conf.set_item(intern!(py, "__pregel_resuming"), started.resuming)?;
        task_conf.set_item(intern!(py, "__pregel_replay_state"), replay)?;
    }
    let previous = match given.graph.plan.channel_named("__previous__") {
        Some(index) => engine.state().read(py, index).map_err(|f| fault_to_python(py, f))?,
        None => None,
    };
    let task_config = given.config.copy()?;
    for key in [intern!(py, "run_name"), intern!(py, "run_id")] {
        if task_config.contains(key)? {
            task_config.del_item(key)?;
        }
    }
    let optional = |key: &Bound<'_, PyString>| -> PyResult<Option<Py<PyAny>>> {
        Ok(conf.get_item(key)?.filter(|value| !value.is_none()).map(Bound::unbind))
    };
    let attribute = |name: &Bound<'_, PyString>| -> PyResult<Option<Py<PyAny>>> {
        let value = given.pregel.getattr(name)?;
        Ok((value.is_truthy()?).then(|| value.unbind()))
    };
    let control = given.runtime.getattr(intern!(py, "control"))?;
    let run_id = match given.config.get_item(intern!(py, "run_id"))? {
        Some(id) if id.is_truthy()? => id.str()?.into_any().unbind(),
        _ => py.None(),
    };
    let tags = given
        .config
        .get_item(intern!(py, "tags"))?
        .filter(|tags| tags.is_truthy().unwrap_or(false));
    if tags.is_none() && task_config.contains(intern!(py, "tags"))? {
        task_config.del_item(intern!(py, "tags"))?;
    }
    // A limit that nobody chose must not override one that a nested graph was given.
    let limit = intern!(py, "recursion_limit");
    let unchosen = imports::unchosen_limit_type(py)?;
    if task_config.get_item(limit)?.is_some_and(|limit| limit.is_exact_instance(unchosen)) {
        task_config.del_item(limit)?;
    }
    let base = ConfigBase {
        config: task_config.unbind(),
        conf: task_conf.unbind(),
        metadata: match metadata {
            Some(metadata) => metadata.cast_into::<PyDict>().ok().map(Bound::unbind),
            None => None,
        },
        tags: tags.map(Bound::unbind),
        manager: given.manager.map(Bound::unbind),
        runtime: Template::new(
            &given.runtime,
            &given.store,
            &previous.unwrap_or_else(|| py.None()),
            &optional(intern!(py, "thread_id"))?.unwrap_or_else(|| py.None()),
            &run_id,
        )?,
        namespace: namespace.as_str().into(),
        checkpoint_map: checkpoint_map.unbind(),
        channels: given.pregel.getattr(intern!(py, "channels"))?.unbind(),
        managed: given.graph.managed.clone_ref(py),
        first_step: engine.steps().0,
    };
    let context = Context {
        base: Py::new(py, base)?,
        saver: given.saver,
        cache: given.cache.map(Bound::unbind),
        control: (!control.is_none()).then(|| control.unbind()),
        namespace: namespace.as_str().into(),
        resume_map: optional(intern!(py, "__pregel_resume_map"))?
            .map(|map| map.bind(py).clone().cast_into::<PyDict>().map(Bound::unbind))
            .transpose()?,
        parent_scratchpad: optional(intern!(py, "__pregel_scratchpad"))?,
        retry: attribute(intern!(py, "retry_policy"))?,
        cache_policy: attribute(intern!(py, "cache_policy"))?,
        node_finished: optional(intern!(py, "__pregel_node_finished"))?,
        event_loop: match given.is_async {
            true => Some(
                py.import(intern!(py, "asyncio"))?
                    .call_method0(intern!(py, "get_running_loop"))?
                    .unbind(),
            ),
            false => None,
        },
        is_async: given.is_async,
        drains: given.drains,
        max_concurrency: match given.config.get_item(intern!(py, "max_concurrency"))? {
            Some(limit) if !limit.is_none() => Some(limit.extract()?),
            _ => None,
        },
        step_timeout: attribute(intern!(py, "step_timeout"))?.map(|t| t.extract(py)).transpose()?,
    };
    let levels: Vec<&str> = match namespace.is_empty() {
        true => Vec::new(),
        false => namespace.split('|').collect(),
    };
    let shows = Shows {
        sink: given.sink,
        namespace: PyTuple::new(py, levels)?.into_any().unbind(),
        output: given.output,
        output_is_steady,
        latest: given.latest,
        eager: given.eager,
        shape: given.shape,
    };
    let core = Core::new(engine, given.versioning, place);
    let run = Arc::new(Run::new(given.graph, context, shows, core));
    if started.resuming {
        finish::note_lifecycle(py, &run, "resume", "pending", Vec::new())?;
    }
    Ok(run)
}

fn empty_input(py: Python<'_>, message: String) -> PyErr {
    match imports::empty_input_error(py) {
        Ok(class) => PyErr::from_type(class.clone(), message),
        Err(error) => error,
    }
}

fn text(conf: &Bound<'_, PyDict>, key: &Bound<'_, PyString>) -> PyResult<String> {
    match conf.get_item(key)? {
        Some(value) if !value.is_none() => value.extract(),
        _ => Ok(String::new()),
    }
}

fn dict<'py>(
    py: Python<'py>,
    conf: &Bound<'py, PyDict>,
    key: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyDict>> {
    match conf.get_item(key)? {
        Some(value) if !value.is_none() => Ok(value.cast_into::<PyDict>()?),
        _ => Ok(PyDict::new(py)),
    }
}

fn recursion_limit(config: &Bound<'_, PyDict>) -> PyResult<u64> {
    match config.get_item(intern!(config.py(), "recursion_limit"))? {
        Some(limit) => limit.extract(),
        None => Ok(10007),
    }
}

fn emits(sink: Option<&Sink>, latest: bool) -> Emits {
    let wants = |modes: Modes| sink.is_some_and(|sink| sink.wants(modes));
    Emits {
        values: latest || wants(Modes::VALUES),
        updates: wants(Modes::UPDATES),
        tasks: wants(Modes::TASKS.with(Modes::DEBUG)),
        checkpoints: wants(Modes::CHECKPOINTS.with(Modes::DEBUG)),
    }
}

/// Whether the loaded checkpoint was left by a run with this run's id.
fn same_run(
    py: Python<'_>,
    metadata: Option<&Bound<'_, PyAny>>,
    saved: Option<&Bound<'_, PyAny>>,
) -> PyResult<bool> {
    let Some(saved) = saved else { return Ok(false) };
    let stored = saved.getattr(intern!(py, "metadata"))?;
    let stored = stored.call_method1(intern!(py, "get"), (intern!(py, "run_id"),))?;
    let own = match metadata.and_then(|metadata| metadata.cast::<PyDict>().ok()) {
        Some(metadata) => metadata.get_item(intern!(py, "run_id"))?,
        None => None,
    };
    match own {
        Some(own) if !own.is_none() => own.eq(stored),
        _ => Ok(false),
    }
}

type Placed = (Loaded<Objects>, Option<CheckpointId>, Place);

/// The loaded checkpoint for the engine, and the configs that the run stores under.
fn load(
    py: Python<'_>,
    graph: &Graph,
    saved: &Option<Bound<'_, PyAny>>,
    checkpoint_config: &Bound<'_, PyDict>,
    addressed: bool,
    superseded: bool,
) -> PyResult<Placed> {
    let merged = checkpoint_config.copy()?;
    let conf = PyDict::new(py);
    conf.set_item(intern!(py, "checkpoint_ns"), "")?;
    conf.update(configurable(checkpoint_config)?.as_mapping())?;
    let Some(saved) = saved else {
        merged.set_item(intern!(py, "configurable"), conf)?;
        let loaded = Loaded {
            checkpoint: unborn(),
            source: None,
            step: -2,
            pending: Vec::new(),
            addressed,
            superseded: false,
            stored: false,
        };
        return Ok((loaded, None, Place { config: merged.unbind(), before: None, loaded: None }));
    };
    let config = saved.getattr(intern!(py, "config"))?.cast_into::<PyDict>()?;
    merged.update(config.as_mapping())?;
    conf.update(configurable(&config)?.as_mapping())?;
    merged.set_item(intern!(py, "configurable"), conf)?;
    let metadata = saved.getattr(intern!(py, "metadata"))?;
    let get = |key: &str| metadata.call_method1(intern!(py, "get"), (key,));
    let source: Option<String> = get("source")?.extract()?;
    let step: Option<i64> = get("step")?.extract()?;
    let before = saved.getattr(intern!(py, "parent_config"))?;
    let parent = match before.cast::<PyDict>() {
        Ok(before) => configurable(before)?.get_item(intern!(py, "checkpoint_id"))?,
        Err(_) => None,
    };
    let parent = parent.filter(|id| !id.is_none()).map(|id| id.extract::<String>()).transpose()?;
    let loaded = Loaded {
        checkpoint: convert::checkpoint(graph, &saved.getattr(intern!(py, "checkpoint"))?)?,
        source: source.as_deref().and_then(Source::from_name),
        step: step.unwrap_or(-2),
        pending: convert::pending(graph, &saved.getattr(intern!(py, "pending_writes"))?)?,
        addressed,
        superseded,
        stored: true,
    };
    let before = (!before.is_none()).then(|| before.unbind());
    let parent = parent.map(|id| CheckpointId::from_text(&id));
    let known = Some((loaded.checkpoint.id.clone(), metadata.unbind()));
    Ok((loaded, parent, Place { config: merged.unbind(), before, loaded: known }))
}

/// The checkpoint of a thread that has not begun.
fn unborn() -> Checkpoint<Objects> {
    Checkpoint::empty(CheckpointId::from_text(&clock::checkpoint_id(-2)))
}

fn read_input(
    py: Python<'_>,
    graph: &Graph,
    input: &Bound<'_, PyAny>,
    command: Option<&(Bound<'_, PyAny>, bool, bool)>,
) -> PyResult<Input<Objects>> {
    if let Some((writes, answers, by_id)) = command {
        let mut read = Vec::new();
        crate::writers::pairs(writes, &mut |channel, value| {
            read.push(convert::write(graph, channel, value)?);
            Ok(())
        })?;
        let input = match &graph.input {
            Keys::One(index) => vec![Write::channel(*index, input.clone().unbind())],
            Keys::Many(_) => Vec::new(),
        };
        return Ok(Input::Command { writes: read, answers: *answers, by_id: *by_id, input });
    }
    if input.is_none() {
        return Ok(Input::Nothing);
    }
    match &graph.input {
        Keys::One(index) => Ok(Input::Writes(vec![Write::channel(*index, input.clone().unbind())])),
        Keys::Many(indices) => {
            let Ok(values) = input.cast::<PyDict>() else {
                let class = input.get_type().name()?;
                let message = format!("Expected chunk to be a dict, got {class}");
                return Err(PyTypeError::new_err(message));
            };
            let mut writes = Vec::with_capacity(values.len());
            for (name, value) in values.iter() {
                let index = graph.plan.channel_named(name.cast::<PyString>()?.to_str()?);
                match index.filter(|index| indices.contains(index)) {
                    Some(index) => writes.push(Write::channel(index, value.unbind())),
                    None => warn_unknown_input(py, graph, &name)?,
                }
            }
            Ok(Input::Writes(writes))
        }
    }
}

fn warn_unknown_input(py: Python<'_>, graph: &Graph, name: &Bound<'_, PyAny>) -> PyResult<()> {
    let keys = show_keys(py, graph, &graph.input)?;
    let logger = py.import("langgraph_rust._internal._log")?.getattr("logger")?;
    logger.call_method1("warning", (format!("Input channel {name} not found in {keys}"),))?;
    Ok(())
}

/// Where to stop, as Python says it: `"*"`, or names.
pub fn interrupt_at(graph: &Graph, at: &Bound<'_, PyAny>) -> PyResult<InterruptAt> {
    if let Ok(all) = at.cast::<PyString>() {
        if all == "*" {
            return Ok(InterruptAt::Everywhere);
        }
    }
    if !at.is_truthy()? {
        return Ok(InterruptAt::Nowhere);
    }
    let mut nodes = Vec::new();
    for name in at.try_iter()? {
        nodes.extend(graph.plan.node_named(name?.cast::<PyString>()?.to_str()?));
    }
    Ok(InterruptAt::Nodes(nodes))
}

/// When checkpoints are stored, as Python says it.
pub fn durability(name: &str) -> Durability {
    match name {
        "sync" => Durability::Sync,
        "exit" => Durability::Exit,
        _ => Durability::Async,
    }
}

/// The config with the ids of its `configurable` repeated in its metadata, as in the config of
/// every run.
fn with_ids_in_metadata<'py>(
    config: &Bound<'py, PyDict>,
    conf: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyDict>> {
    let py = config.py();
    let known = config.get_item(intern!(py, "metadata"))?;
    let metadata = match known.as_ref().and_then(|metadata| metadata.cast::<PyDict>().ok()) {
        Some(metadata) => metadata.copy()?,
        None => PyDict::new(py),
    };
    let ids = [
        intern!(py, "thread_id"),
        intern!(py, "checkpoint_id"),
        intern!(py, "checkpoint_ns"),
        intern!(py, "task_id"),
        intern!(py, "run_id"),
        intern!(py, "assistant_id"),
        intern!(py, "graph_id"),
    ];
    for key in ids {
        if let (Some(value), false) = (conf.get_item(key)?, metadata.contains(key)?) {
            if value.is_truthy()? {
                metadata.set_item(key, value)?;
            }
        }
    }
    let config = config.copy()?;
    config.set_item(intern!(py, "metadata"), metadata)?;
    Ok(config)
}

/// Begins a graph that is a node natively; `None` if it needs the Python front: a saver that may
/// block, a replay, a graph with a config or a history of its own.
pub fn nested<'py>(
    py: Python<'py>,
    pregel: &Bound<'py, PyAny>,
    input: &Py<PyAny>,
    config: &Bound<'py, PyDict>,
    is_async: bool,
) -> PyResult<Option<Arc<Run>>> {
    let plan = pregel.getattr(intern!(py, "_native_plan"))?;
    let Ok(plan) = plan.cast_into::<Plan>() else { return Ok(None) };
    let conf = configurable(config)?;
    let input = input.bind(py);
    if input.is_instance(imports::command_type(py)?)? {
        return Ok(None);
    }
    let saver = conf.get_item(intern!(py, "__pregel_checkpointer"))?;
    let own = pregel.getattr(intern!(py, "checkpointer"))?;
    let has_saver =
        saver.is_some_and(|saver| !saver.is_none()) && !own.is(false.into_pyobject(py)?);
    let keeps_history = own.is(true.into_pyobject(py)?);
    let replays = conf.get_item(intern!(py, "__pregel_replay_state"))?;
    if has_saver || keeps_history || replays.is_some_and(|state| state.is_truthy().unwrap_or(true))
    {
        return Ok(None);
    }
    let graph = plan.get().graph.clone();
    let mut config = config.clone();
    let scratchpad = conf.get_item(intern!(py, "__pregel_scratchpad"))?;
    if let Some(task) = scratchpad.as_ref().and_then(|s| s.cast::<crate::task::TaskHandle>().ok()) {
        let number = task.get().next_subgraph();
        if number > 0 {
            let conf = conf.copy()?;
            let namespace = text(&conf, intern!(py, "checkpoint_ns"))?;
            conf.set_item(intern!(py, "checkpoint_ns"), format!("{namespace}|{number}"))?;
            config = config.copy()?;
            config.set_item(intern!(py, "configurable"), conf)?;
        }
    }
    let config = with_ids_in_metadata(&config, &conf)?;
    let runtime = conf.get_item(intern!(py, "__pregel_runtime"))?;
    let runtime = runtime.expect("every task's config has one");
    let outer = conf.get_item(intern!(py, "__pregel_stream"))?.filter(|s| !s.is_none());
    let sink = match outer {
        Some(outer) => Some(Py::new(py, Sink::nested(outer)?)?),
        None => None,
    };
    let begin = Begin {
        output: graph.keys(&pregel.getattr(intern!(py, "output_channels"))?)?,
        interrupt_before: interrupt_at(
            &graph,
            &pregel.getattr(intern!(py, "interrupt_before_nodes"))?,
        )?,
        interrupt_after: interrupt_at(
            &graph,
            &pregel.getattr(intern!(py, "interrupt_after_nodes"))?,
        )?,
        pregel: pregel.clone(),
        graph,
        input: input.clone(),
        command: None,
        checkpoint_config: config.clone(),
        config,
        saver: None,
        versioning: Versioning::Ints,
        saved: None,
        addressed: false,
        superseded: false,
        durability: Durability::Async,
        store: runtime.getattr(intern!(py, "store"))?,
        runtime,
        cache: conf.get_item(intern!(py, "__pregel_cache"))?.filter(|c| !c.is_none()),
        manager: None,
        sink,
        shape: Shape::Payload,
        eager: false,
        latest: true,
        subgraphs: false,
        is_async,
        drains: false,
    };
    self::begin(py, begin).map(Some)
}
