//! Beginning a run.

use std::sync::Arc;

use langgraph_rust_core::Durability;
use langgraph_rust_pregel::{
    Emits, Engine, InterruptAt, Options, Plan, Start, StartError, Started, Surroundings,
};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::abandoned::Abandoned;
use super::base::ConfigBase;
use super::context::Context;
use super::core::Core;
use super::finish;
use super::input;
use super::limits::{max_concurrency, recursion_limit};
use super::load::load;
use super::runtime::Template;
use super::{Called, Run};
use crate::host::call::{call_named, is_true};
use crate::host::event_loop::EventLoop;
use crate::host::imports;
use crate::plan::{show_keys, Graph, Keys};
use crate::show::modes::Modes;
use crate::show::shape::Shape;
use crate::show::sink::Sink;
use crate::show::Shows;
use crate::store::save::{configurable, Saver};
use crate::store::state_view::snapshot_supersteps;
use crate::values::domain::{fault_to_python, Objects};
use crate::values::env::{Clock, Versioning};

pub use super::input::{interrupt_at, Command};
pub use super::load::Found;

/// How many threads work on one superstep of a sync run, unless `max_concurrency` says otherwise.
const THREADS: usize = 32;

/// Everything a run begins with.
pub struct Begin<'py, T> {
    /// The compiled graph.
    pub pregel: Bound<'py, PyAny>,
    /// Its plan.
    pub graph: Arc<Graph>,
    /// What the run is given.
    pub input: Bound<'py, PyAny>,
    /// The same if it is a command.
    pub command: Option<Command<'py>>,
    /// The run's config, complete.
    pub config: Bound<'py, PyDict>,
    /// The saver.
    pub saver: Option<Saver>,
    /// How versions are counted.
    pub versioning: Versioning,
    /// What is stored for the thread.
    pub found: Found<'py>,
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
    /// Whether what is stored first claims the thread, and is waited for.
    pub claims: bool,
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
    /// What is done about called tasks.
    pub called: Called<T>,
    /// The task that the run is within, if it is within one.
    pub around: Option<Arc<Abandoned>>,
}

/// What the config says about where the run stands.
struct Standing<'py> {
    conf: Bound<'py, PyDict>,
    metadata: Option<Bound<'py, PyAny>>,
    namespace: Arc<str>,
    checkpoint_map: Bound<'py, PyDict>,
    /// Whether the run is part of another run's task.
    nested: bool,
}

/// Begins a run.
pub fn begin<T>(py: Python<'_>, given: Begin<'_, T>) -> PyResult<Arc<Run<T>>> {
    let standing = Standing::read(py, &given.config)?;
    let (loaded, place) =
        load(py, &given.graph, &given.found, &standing.namespace, &standing.checkpoint_map)?;
    let plan = match &given.saver {
        Some(saver) => saver.linear.plan(py, &given.graph),
        None => given.graph.plan.clone(),
    };
    let options = options(&given, &plan, &standing)?;
    let surroundings = surroundings(&given, &standing)?;
    let command = given.command.as_ref();
    let input = input::read(py, &given.graph, &given.input, command, standing.nested)?;
    let mut clock = Clock { py, versioning: &given.versioning };
    let start = Start { plan, options, loaded, input, surroundings };
    let started = Engine::start(py, &mut clock, start);
    let (engine, started) = started.map_err(|error| refused(py, &given.graph, error))?;
    let base = config_base(py, &given, &standing, &engine, &started)?;
    let context = context(py, &given, &standing, base)?;
    let (graph, called) = (given.graph.clone(), given.called);
    let core = Core::new(engine, given.versioning, place);
    let shows = Shows {
        namespace: levels(py, &standing.namespace)?,
        output_is_steady: given.output.channels().iter().all(|index| {
            let pattern = &graph.plan.channel(*index).pattern;
            !pattern.is_transient() && !pattern.hears_finish()
        }),
        sink: given.sink,
        output: given.output,
        latest: given.latest,
        eager: given.eager,
        shape: given.shape,
    };
    let context = Context { saver: given.saver, ..context };
    let run = Arc::new(Run::new(graph, context, shows, called, core, given.around));
    if started.resuming {
        finish::note_lifecycle(py, &run, "resume", "pending", Vec::new())?;
    }
    Ok(run)
}

impl<'py> Standing<'py> {
    fn read(py: Python<'py>, config: &Bound<'py, PyDict>) -> PyResult<Self> {
        let conf = configurable(config)?;
        let map = conf.get_item(intern!(py, "checkpoint_map"))?.filter(|map| !map.is_none());
        Ok(Self {
            metadata: config.get_item(intern!(py, "metadata"))?,
            namespace: namespace(&conf)?.as_str().into(),
            checkpoint_map: match map {
                Some(map) => map.cast_into::<PyDict>()?,
                None => PyDict::new(py),
            },
            nested: conf.contains(intern!(py, "__pregel_task_id"))?,
            conf,
        })
    }
}

/// The namespace that a `configurable` names.
pub(super) fn namespace(conf: &Bound<'_, PyDict>) -> PyResult<String> {
    match conf.get_item(intern!(conf.py(), "checkpoint_ns"))? {
        Some(value) if !value.is_none() => value.extract(),
        _ => Ok(String::new()),
    }
}

fn options<T>(
    given: &Begin<'_, T>,
    plan: &Plan<Objects>,
    standing: &Standing<'_>,
) -> PyResult<Options> {
    Ok(Options {
        namespace: standing.namespace.clone(),
        nested: standing.nested,
        persists: given.saver.is_some(),
        durability: given.durability,
        joins: given.saver.as_ref().is_some_and(|saver| saver.joins),
        claims: given.claims,
        stores_success: !standing.namespace.contains(':'),
        output: given.output.channels().to_vec(),
        recursion_limit: recursion_limit(&given.config)?,
        interrupt_before: given.interrupt_before.clone(),
        interrupt_after: given.interrupt_after.clone(),
        emits: emits(given.sink.as_ref().map(|sink| sink.get()), given.latest),
        snapshot_supersteps: match plan.deltas().is_empty() {
            true => u64::MAX,
            false => snapshot_supersteps(given.config.py())?,
        },
    })
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

fn surroundings<T>(given: &Begin<'_, T>, standing: &Standing<'_>) -> PyResult<Surroundings> {
    let py = given.config.py();
    let flag = |key| standing.conf.get_item(key)?.map(|flag| flag.is_truthy()).transpose();
    let resuming = flag(intern!(py, "__pregel_resuming"))?;
    let same_run = same_run(py, standing.metadata.as_ref(), given.found.saved.as_ref())?;
    let resumes_own = flag(intern!(py, "__langgraph_rust_resumes_own"))?.unwrap_or(false);
    Ok(Surroundings {
        // What another run has left, and finished, is no begun part of the one that goes on.
        resuming: resuming.map(|flag| flag && (same_run || !resumes_own)),
        same_run,
        own_namespace_addressed: standing.checkpoint_map.contains(&*standing.namespace)?,
    })
}

/// Whether the loaded checkpoint was left by a run with this run's id.
fn same_run(
    py: Python<'_>,
    metadata: Option<&Bound<'_, PyAny>>,
    saved: Option<&Bound<'_, PyAny>>,
) -> PyResult<bool> {
    let key = intern!(py, "run_id");
    let own = match metadata.and_then(|metadata| metadata.cast::<PyDict>().ok()) {
        Some(metadata) => metadata.get_item(key)?.filter(|own| !own.is_none()),
        None => None,
    };
    let (Some(own), Some(saved)) = (own, saved) else { return Ok(false) };
    match saved.getattr(intern!(py, "metadata"))?.cast::<PyDict>() {
        Ok(stored) => own.eq(stored.get_item(key)?),
        Err(_) => Ok(false),
    }
}

fn refused(py: Python<'_>, graph: &Graph, error: StartError<Objects>) -> PyErr {
    let message = match error {
        StartError::Fault(fault) => return fault_to_python(py, fault),
        StartError::EmptyCommand => "Received empty Command input".to_owned(),
        StartError::EmptyInput => {
            let keys = show_keys(py, graph, &graph.input).unwrap_or_default();
            format!("Received no input for {keys}")
        }
    };
    match imports::empty_input_error(py) {
        Ok(class) => PyErr::from_type(class.clone(), message),
        Err(error) => error,
    }
}

/// The namespace, as stream chunks carry it.
fn levels(py: Python<'_>, namespace: &str) -> PyResult<Py<PyAny>> {
    let levels = namespace.split('|').filter(|_| !namespace.is_empty());
    Ok(PyTuple::new(py, levels.collect::<Vec<_>>())?.into_any().unbind())
}

/// An entry that is there and not `None`.
fn entry(conf: &Bound<'_, PyDict>, key: &Bound<'_, PyString>) -> PyResult<Option<Py<PyAny>>> {
    Ok(conf.get_item(key)?.filter(|value| !value.is_none()).map(Bound::unbind))
}

fn config_base<T>(
    py: Python<'_>,
    given: &Begin<'_, T>,
    standing: &Standing<'_>,
    engine: &Engine<Objects>,
    started: &Started,
) -> PyResult<ConfigBase> {
    let previous = match given.graph.plan.channel_named("__previous__") {
        Some(index) => engine.state().read(py, index).map_err(|f| fault_to_python(py, f))?,
        None => None,
    };
    let run_id = match given.config.get_item(intern!(py, "run_id"))? {
        Some(id) if is_true(&id)? => id.str()?.into_any().unbind(),
        _ => py.None(),
    };
    let thread_id = entry(&standing.conf, intern!(py, "thread_id"))?;
    let (config, tags) = task_config(&given.config)?;
    let metadata = standing.metadata.clone().and_then(|metadata| metadata.cast_into().ok());
    Ok(ConfigBase {
        config: config.unbind(),
        conf: task_conf(py, given, standing, started)?.unbind(),
        metadata: metadata.map(Bound::unbind),
        tags: tags.map(Bound::unbind),
        manager: given.manager.clone().map(Bound::unbind),
        runtime: Template::new(
            &given.runtime,
            &given.store,
            &previous.unwrap_or_else(|| py.None()),
            &thread_id.unwrap_or_else(|| py.None()),
            &run_id,
        )?,
        namespace: standing.namespace.clone(),
        checkpoint_map: standing.checkpoint_map.clone().unbind(),
        channels: given.pregel.getattr(intern!(py, "channels"))?.unbind(),
        managed: given.graph.managed.clone_ref(py),
        first_step: engine.steps().0,
    })
}

/// The config that every task's begins with, without what belongs to the run alone; its tags.
fn task_config<'py>(
    config: &Bound<'py, PyDict>,
) -> PyResult<(Bound<'py, PyDict>, Option<Bound<'py, PyAny>>)> {
    let py = config.py();
    let own = config.copy()?;
    for key in [intern!(py, "run_name"), intern!(py, "run_id")] {
        if own.contains(key)? {
            own.del_item(key)?;
        }
    }
    let tags = config.get_item(intern!(py, "tags"))?;
    let tags = match tags {
        Some(tags) if is_true(&tags)? => Some(tags),
        _ => None,
    };
    if tags.is_none() && own.contains(intern!(py, "tags"))? {
        own.del_item(intern!(py, "tags"))?;
    }
    // A limit that nobody chose must not override one that a nested graph was given.
    let limit = intern!(py, "recursion_limit");
    let unchosen = imports::unchosen_limit_type(py)?;
    if own.get_item(limit)?.is_some_and(|limit| limit.is_exact_instance(unchosen)) {
        own.del_item(limit)?;
    }
    Ok((own, tags))
}

/// Keys and values that every task's `configurable` starts with.
fn task_conf<'py, T>(
    py: Python<'py>,
    given: &Begin<'py, T>,
    standing: &Standing<'py>,
    started: &Started,
) -> PyResult<Bound<'py, PyDict>> {
    let conf = standing.conf.copy()?;
    if let Some(saver) = &given.saver {
        conf.set_item(intern!(py, "__pregel_checkpointer"), &saver.object)?;
    } else if !conf.contains(intern!(py, "__pregel_checkpointer"))? {
        conf.set_item(intern!(py, "__pregel_checkpointer"), py.None())?;
    }
    conf.set_item(intern!(py, "checkpoint_id"), py.None())?;
    if given.subgraphs {
        conf.set_item(intern!(py, "__pregel_stream"), given.sink.as_ref())?;
    }
    if !standing.nested {
        let replay = match &started.replay_before {
            Some(id) => {
                let id = PyString::new(py, id.as_str());
                let module = "langgraph_rust.pregel._run.replay";
                call_named(py, module, "ReplayState", &[id.as_any()])?
            }
            None => py.None().into_bound(py),
        };
        conf.set_item(intern!(py, "__pregel_resuming"), started.resuming)?;
        conf.set_item(intern!(py, "__pregel_replay_state"), replay)?;
    }
    Ok(conf)
}

/// The run's surroundings, but for the saver.
fn context<T>(
    py: Python<'_>,
    given: &Begin<'_, T>,
    standing: &Standing<'_>,
    base: ConfigBase,
) -> PyResult<Context> {
    let conf = &standing.conf;
    let attribute = |name: &Bound<'_, PyString>| -> PyResult<Option<Py<PyAny>>> {
        let value = given.pregel.getattr(name)?;
        Ok(is_true(&value)?.then(|| value.unbind()))
    };
    let control = given.runtime.getattr(intern!(py, "control"))?;
    let max_concurrency = max_concurrency(&given.config, given.is_async)?;
    let timeout = attribute(intern!(py, "step_timeout"))?;
    Ok(Context {
        base: Py::new(py, base)?,
        saver: None,
        cache: given.cache.clone().map(Bound::unbind),
        control: (!control.is_none()).then(|| control.unbind()),
        namespace: standing.namespace.clone(),
        resume_map: entry(conf, intern!(py, "__pregel_resume_map"))?
            .map(|map| map.bind(py).clone().cast_into::<PyDict>().map(Bound::unbind))
            .transpose()?,
        parent_scratchpad: entry(conf, intern!(py, "__pregel_scratchpad"))?,
        retry: attribute(intern!(py, "retry_policy"))?,
        cache_policy: attribute(intern!(py, "cache_policy"))?,
        node_finished: entry(conf, intern!(py, "__pregel_node_finished"))?,
        event_loop: given.is_async.then(|| EventLoop::running(py)).transpose()?,
        drains: given.drains,
        max_concurrency,
        places: if given.is_async { max_concurrency } else { max_concurrency.or(Some(THREADS)) },
        step_timeout: timeout.map(|timeout| timeout.extract(py)).transpose()?,
    })
}
