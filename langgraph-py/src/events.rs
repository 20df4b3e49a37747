//! What a run shows: the engine's events as stream payloads.

use std::sync::Arc;

use langgraph_core::{Control, Target, TaskPath, Write};
use langgraph_pregel::{Event, Task, TaskKey};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::convert;
use crate::domain::Objects;
use crate::node::NodeRun;
use crate::plan::{path_tuple, Keys};
use crate::run::{Core, Latest, Modes, Run};
use crate::sink::Sink;

/// Shows an event to whoever listens.
pub fn show(py: Python<'_>, run: &Arc<Run>, event: Event) -> PyResult<()> {
    match event {
        Event::Values => show_values(py, run),
        Event::TaskOutput { task, cached } => show_output(py, run, task, cached),
        Event::TaskAsked(task) => show_question(py, run, task),
        Event::StaticInterrupt => show_pause(py, run),
        Event::TasksStarted(tasks) => show_tasks(py, run, &tasks),
        Event::Checkpoint => show_checkpoint(py, run),
    }
}

fn show_values(py: Python<'_>, run: &Run) -> PyResult<()> {
    let mut core = run.core(py)?;
    if run.shows.latest {
        core.latest = match run.shows.output_is_steady {
            true => Latest::Channels,
            false => Latest::Value(run.output(py, &core)?),
        };
    }
    let Some(sink) = wanted(run, Modes::VALUES) else { return Ok(()) };
    let values = run.output(py, &core)?;
    drop(core);
    sink.emit(py, &run.shows.namespace, Modes::VALUES, values.into_bound(py))
}

fn wanted(run: &Run, mode: Modes) -> Option<&Sink> {
    run.shows.sink.as_ref().map(|sink| sink.get()).filter(|sink| sink.wants(mode))
}

fn show_output(py: Python<'_>, run: &Run, key: TaskKey, cached: bool) -> PyResult<()> {
    let core = run.core(py)?;
    let task = core.engine.task(key);
    let failed = task.writes.first().is_some_and(|write| write.is_control(Control::Error));
    let updates = match wanted(run, Modes::UPDATES) {
        Some(_) if !failed => Some(updates(py, run, &core, task, cached)?),
        _ => None,
    };
    let described = match wanted(run, Modes::TASKS.with(Modes::DEBUG)) {
        Some(_) if !cached => Some(describe_result(py, run, &core, task, &task.writes)?),
        _ => None,
    };
    drop(core);
    if let (Some(updates), Some(sink)) = (updates, wanted(run, Modes::UPDATES)) {
        sink.emit(py, &run.shows.namespace, Modes::UPDATES, updates.into_any())?;
    }
    described.map_or(Ok(()), |result| result.emit(py, run))
}

/// What one task wrote, as `{node: update}`.
fn updates<'py>(
    py: Python<'py>,
    run: &Run,
    core: &Core,
    task: &Task<Objects>,
    cached: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let returned = task.writes.iter().find(|write| write.is_control(Control::Return));
    let shown = match returned {
        Some(write) => write.value.bind(py).clone(),
        None => written(py, run, core, &task.writes)?,
    };
    let payload = PyDict::new(py);
    match task.node {
        Some(node) => payload.set_item(&run.graph.program(node).name, shown)?,
        None => payload.set_item(&*task.name, shown)?,
    }
    if cached {
        let metadata = PyDict::new(py);
        metadata.set_item("cached", true)?;
        payload.set_item("__metadata__", metadata)?;
    }
    Ok(payload)
}

/// The writes to output channels: a dict, or a list of them if a channel was written twice.
fn written<'py>(
    py: Python<'py>,
    run: &Run,
    core: &Core,
    writes: &[Write<Objects>],
) -> PyResult<Bound<'py, PyAny>> {
    let to_output = writes.iter().filter_map(|write| match write.target {
        Target::Channel(index) if core.engine.is_output(index) => {
            let name = run.graph.channel_name(index).bind(py).clone();
            Some((name, write.value.bind(py).clone()))
        }
        _ => None,
    });
    let values = match run.shows.output {
        Keys::One(_) => to_output.map(|(_, value)| value).collect(),
        Keys::Many(_) => grouped(py, to_output.collect())?,
    };
    Ok(match values.len() {
        0 => py.None().into_bound(py),
        1 => values.into_iter().next().expect("there is one"),
        _ => PyList::new(py, values)?.into_any(),
    })
}

fn grouped<'py>(
    py: Python<'py>,
    writes: Vec<(Bound<'py, PyString>, Bound<'py, PyAny>)>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let all = PyDict::new(py);
    for (name, value) in &writes {
        all.set_item(name, value)?;
    }
    if writes.len() == all.len() {
        return Ok(if writes.is_empty() { Vec::new() } else { vec![all.into_any()] });
    }
    let single = |(name, value)| {
        let one = PyDict::new(py);
        one.set_item(name, value)?;
        Ok(one.into_any())
    };
    writes.into_iter().map(single).collect()
}

fn show_question(py: Python<'_>, run: &Run, key: TaskKey) -> PyResult<()> {
    let mut core = run.core(py)?;
    let task = core.engine.task(key);
    let Some(question) = &task.question else { return Ok(()) };
    let question = question.bind(py).clone();
    let interrupts = match question.cast::<PyTuple>() {
        Ok(tuple) => tuple.clone(),
        Err(_) => match question.try_iter() {
            Ok(items) => PyTuple::new(py, items.collect::<PyResult<Vec<_>>>()?)?,
            Err(_) => PyTuple::new(py, [question])?,
        },
    };
    let marked = PyDict::new(py);
    marked.set_item(intern!(py, "__interrupt__"), &interrupts)?;
    let values = if run.shows.latest || wanted(run, Modes::VALUES).is_some() {
        let current = run.output(py, &core)?;
        match current.bind(py).cast::<PyDict>() {
            Ok(values) => {
                values.set_item(intern!(py, "__interrupt__"), &interrupts)?;
                Some(current)
            }
            Err(_) => Some(marked.clone().into_any().unbind()),
        }
    } else {
        None
    };
    let described = match wanted(run, Modes::TASKS.with(Modes::DEBUG)) {
        Some(_) => {
            let write = Write::control(Control::Interrupt, interrupts.clone().into_any().unbind());
            let task = core.engine.task(key);
            Some(describe_result(py, run, &core, task, &[write])?)
        }
        None => None,
    };
    if run.shows.latest {
        core.latest = match &values {
            Some(values) => Latest::Value(values.clone_ref(py)),
            None => Latest::Nothing,
        };
        core.questions.extend(interrupts.iter().map(Bound::unbind));
    }
    drop(core);
    if let Some(sink) = wanted(run, Modes::UPDATES) {
        sink.emit(py, &run.shows.namespace, Modes::UPDATES, marked.into_any())?;
    }
    if let (Some(sink), Some(values)) = (wanted(run, Modes::VALUES), values) {
        sink.emit(py, &run.shows.namespace, Modes::VALUES, values.into_bound(py))?;
    }
    described.map_or(Ok(()), |result| result.emit(py, run))
}

fn show_pause(py: Python<'_>, run: &Run) -> PyResult<()> {
    let Some(sink) = wanted(run, Modes::UPDATES) else { return Ok(()) };
    let marked = PyDict::new(py);
    marked.set_item(intern!(py, "__interrupt__"), PyTuple::empty(py))?;
    sink.emit(py, &run.shows.namespace, Modes::UPDATES, marked.into_any())
}

/// A payload for the tasks and debug streams, made while the engine was held.
struct Described {
    module: &'static str,
    function: &'static str,
    arguments: Py<PyTuple>,
    mode: Modes,
    kind: &'static str,
    step: i64,
}

impl Described {
    fn emit(self, py: Python<'_>, run: &Run) -> PyResult<()> {
        let function = py.import(self.module)?.getattr(self.function)?;
        for payload in function.call1(self.arguments.bind(py))?.try_iter()? {
            let payload = payload?;
            if let Some(sink) = wanted(run, self.mode) {
                sink.emit(py, &run.shows.namespace, self.mode, payload.clone())?;
            }
            if let Some(sink) = wanted(run, Modes::DEBUG) {
                let wrapped = PyDict::new(py);
                wrapped.set_item("step", self.step)?;
                wrapped.set_item("timestamp", crate::clock::timestamp())?;
                wrapped.set_item("type", self.kind)?;
                wrapped.set_item("payload", payload)?;
                sink.emit(py, &run.shows.namespace, Modes::DEBUG, wrapped.into_any())?;
            }
        }
        Ok(())
    }
}

const DEBUG_MODULE: &str = "langgraph_rust.pregel.debug";

fn describe_result(
    py: Python<'_>,
    run: &Run,
    core: &Core,
    task: &Task<Objects>,
    writes: &[Write<Objects>],
) -> PyResult<Described> {
    let described = describe_task(py, run, task, None, None)?;
    let writes = convert::writes_to_python(py, &run.graph, writes)?;
    let keys = key_names(py, run, &run.graph.stream)?;
    Ok(Described {
        module: DEBUG_MODULE,
        function: "map_debug_task_results",
        arguments: ((described, writes), keys).into_pyobject(py)?.unbind(),
        mode: Modes::TASKS,
        kind: "task_result",
        step: core.engine.steps().0,
    })
}

/// The names that `keys` stands for: one, or a list.
fn key_names<'py>(py: Python<'py>, run: &Run, keys: &Keys) -> PyResult<Bound<'py, PyAny>> {
    match keys {
        Keys::One(index) => Ok(run.graph.channel_name(*index).bind(py).clone().into_any()),
        Keys::Many(indices) => {
            let names = indices.iter().map(|index| run.graph.channel_name(*index));
            Ok(PyList::new(py, names)?.into_any())
        }
    }
}

/// A task as the Python helpers of the debug streams take it.
fn describe_task<'py>(
    py: Python<'py>,
    run: &Run,
    task: &Task<Objects>,
    input: Option<&Py<PyAny>>,
    config: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let class = py.import("langgraph_rust.types")?.getattr("PregelExecutableTask")?;
    let kwargs = PyDict::new(py);
    let subgraphs = match task.node {
        Some(node) => run.graph.program(node).node.bind(py).getattr("subgraphs")?,
        None => PyTuple::empty(py).into_any(),
    };
    kwargs.set_item("subgraphs", subgraphs)?;
    let triggers = match (&task.path, task.node) {
        (TaskPath::Pull(_), Some(node)) => {
            let names = run.graph.plan.node(node).trigger_names();
            PyTuple::new(py, names.iter().map(|name| &**name))?
        }
        _ => PyTuple::new(py, ["__pregel_push"])?,
    };
    let none = py.None();
    let config = match config {
        Some(config) => config.clone().into_any(),
        None => PyDict::new(py).into_any(),
    };
    let input = input.unwrap_or(&none);
    let (id, path) = (task.id.as_str(), path_tuple(py, &task.path)?);
    let writes = PyList::empty(py);
    let arguments: [Bound<'py, PyAny>; 10] = [
        PyString::new(py, &task.name).into_any(),
        input.bind(py).clone(),
        none.bind(py).clone(),
        writes.into_any(),
        config,
        triggers.into_any(),
        PyTuple::empty(py).into_any(),
        none.bind(py).clone(),
        PyString::new(py, id).into_any(),
        path.into_any(),
    ];
    class.call(PyTuple::new(py, arguments)?, Some(&kwargs))
}

fn show_tasks(py: Python<'_>, run: &Arc<Run>, keys: &[TaskKey]) -> PyResult<()> {
    if wanted(run, Modes::TASKS.with(Modes::DEBUG)).is_none() {
        return Ok(());
    }
    for key in keys {
        let prepared = NodeRun::prepare(py, run, *key, crate::interpreter::copied_context(py)?)?;
        let mut core = run.core(py)?;
        let task = core.engine.task(*key);
        let hidden = task.node.is_some_and(|node| run.graph.plan.node(node).hidden);
        let step = core.engine.steps().0;
        let described =
            describe_task(py, run, task, Some(prepared.input()), Some(prepared.config(py)?))?;
        core.prepared.insert(*key, prepared);
        drop(core);
        if hidden {
            continue;
        }
        let arguments = (PyList::new(py, [described])?,).into_pyobject(py)?.unbind();
        let described = Described {
            module: DEBUG_MODULE,
            function: "map_debug_tasks",
            arguments,
            mode: Modes::TASKS,
            kind: "task",
            step,
        };
        described.emit(py, run)?;
    }
    Ok(())
}

/// The metadata of the checkpoint that the state is at: as stored if it was loaded.
fn checkpoint_metadata<'py>(
    py: Python<'py>,
    run: &Run,
    core: &Core,
) -> PyResult<Bound<'py, PyDict>> {
    if let Some((id, metadata)) = &core.place.loaded {
        if let (true, Ok(stored)) =
            (id == core.engine.state().checkpoint_id(), metadata.bind(py).cast::<PyDict>())
        {
            return stored.copy();
        }
    }
    let metadata = PyDict::new(py);
    let said = core.engine.metadata();
    metadata.set_item("source", said.source.name())?;
    metadata.set_item("step", said.step)?;
    metadata.set_item("parents", &run.context.base.get().checkpoint_map)?;
    Ok(metadata)
}

fn show_checkpoint(py: Python<'_>, run: &Arc<Run>) -> PyResult<()> {
    if wanted(run, Modes::CHECKPOINTS.with(Modes::DEBUG)).is_none() {
        return Ok(());
    }
    let core = run.core(py)?;
    let config = core.place.config.bind(py).copy()?;
    let conf = crate::save::configurable(&config)?.copy()?;
    conf.set_item("checkpoint_id", core.engine.state().checkpoint_id().as_str())?;
    config.set_item("configurable", conf)?;
    let metadata = checkpoint_metadata(py, run, &core)?;
    let mut tasks = Vec::new();
    for task in core.engine.tasks() {
        tasks.push(describe_task(py, run, task, None, None)?);
    }
    let mut pending = Vec::new();
    for write in core.engine.pending() {
        let name = run.graph.plan.target_name(&write.write.target);
        pending.push((write.task.as_str(), name, &write.write.value).into_pyobject(py)?);
    }
    let values = run.read_keys(py, &core, &run.graph.stream)?;
    let before = core.place.before.as_ref().map(|before| before.clone_ref(py));
    let keys = key_names(py, run, &run.shows.output)?;
    let step = core.engine.steps().0 - 1;
    let pending = PyList::new(py, pending)?;
    let tasks = PyList::new(py, tasks)?;
    drop(core);
    let arguments =
        (config, values, metadata, tasks, pending, before, keys).into_pyobject(py)?.unbind();
    let described = Described {
        module: DEBUG_MODULE,
        function: "map_debug_checkpoint_values",
        arguments,
        mode: Modes::CHECKPOINTS,
        kind: "checkpoint",
        step,
    };
    described.emit(py, run)
}
