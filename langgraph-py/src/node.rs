//! Running one node: its input, its config, the call, and what becomes of the result.

use std::sync::Arc;

use langgraph_core::{names, Control, TaskPath, Write};
use langgraph_pregel::{Task, TaskKey, TaskOutcome};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::convert;
use crate::domain::{fault_to_python, Objects};
use crate::failure;
use crate::imports;
use crate::interpreter::{Entered, ParkIfLost};
use crate::plan;
use crate::program::{Accepts, Body, Injected, Program, Source};
use crate::run::{Core, Run};
use crate::task::TaskHandle;
use crate::writers::{self, Branch, Writer};

/// A node being run.
pub struct NodeRun {
    run: Arc<Run>,
    /// Its place in the superstep.
    pub key: TaskKey,
    handle: Py<TaskHandle>,
    what: What,
    input: Py<PyAny>,
    config: Py<PyDict>,
    /// The context that the node's code runs in.
    pub context: Py<PyAny>,
    /// The `TimeoutPolicy` of this very task.
    timeout: Option<Py<PyAny>>,
    result: Option<Py<PyAny>>,
    writes: Vec<Write<Objects>>,
    /// How many of the writes stay if the task fails.
    standing: usize,
    stage: Stage,
}

/// What is run.
enum What {
    /// A node of the graph.
    Node(langgraph_core::NodeIndex),
    /// A function called by a node.
    Call(Py<PyAny>),
}

/// What is being waited for.
#[derive(Clone, Copy)]
enum Stage {
    /// The node's own code.
    Body,
    /// A runnable that the node's function returned.
    Recursion,
    /// A writer of the given position.
    Writer(usize),
    /// A runnable that runs node and writers together.
    Whole,
}

/// How far a node got.
pub enum Advance {
    /// It is over.
    Done(TaskOutcome<Objects>),
    /// It waits for this awaitable.
    Await(Py<PyAny>),
    /// It waits for a graph of its own.
    Child(Arc<Run>),
}

/// What a stage of a node gave.
enum Given {
    Value(Py<PyAny>),
    Awaitable(Py<PyAny>),
    Child(Arc<Run>),
}

impl NodeRun {
    /// Gets the task `key` of `run` ready: its input is what its channels hold now.
    pub fn prepare(
        py: Python<'_>,
        run: &Arc<Run>,
        key: TaskKey,
        context: Py<PyAny>,
    ) -> PyResult<Self> {
        let core = run.core(py)?;
        let task = core.engine.task(key);
        let (id, name, node) = (task.id.clone(), task.name.clone(), task.node);
        let namespace = task.namespace(&run.context.namespace);
        let scope = task.scope.clone();
        let steps = core.engine.steps();
        let attempt = task.attempts;
        let answers = core.engine.answers(&task.id).map(|a| a.clone_ref(py));
        let checkpoint = PyString::new(py, core.engine.state().checkpoint_id().as_str());
        let error = match task.handles {
            Some(failed) => Some(failed_error(py, &core, failed)?),
            None => None,
        };
        let (draft, source_node) = draft_input(py, run, &core, key)?;
        let path = task.path.clone();
        let timeout = timeout_of(py, run, &core, key)?;
        let call = core.calls.get(&key).map(|call| call.runnable.clone_ref(py));
        let callbacks = core.calls.get(&key).and_then(|call| call.callbacks.as_ref());
        let callbacks = callbacks.map(|callbacks| callbacks.clone_ref(py));
        let kept = core.handles.get(&key).map(|handle| handle.clone_ref(py));
        drop(core);

        let handle = match kept {
            Some(handle) => {
                handle.get().restart();
                handle
            }
            None => {
                let namespace = PyString::new(py, &namespace).unbind();
                let handle = TaskHandle::new(py, run, key, id, namespace, steps);
                let handle = Py::new(py, handle)?;
                fill_answers(py, run, &handle, answers)?;
                handle
            }
        };
        let what = match (node, call) {
            (Some(node), _) => What::Node(node),
            (None, Some(call)) => What::Call(call),
            (None, None) => return Err(PyValueError::new_err("A called task lost its function")),
        };
        let input = finish_input(py, run, &handle, draft, source_node, &name)?;
        let program = node.map(|node| run.graph.program(node));
        let config = task_config(
            py,
            run,
            &handle,
            TaskFacts { name: &name, path: &path, scope, checkpoint, attempt, error, program },
        )?;
        if let Some(callbacks) = callbacks {
            config.set_item(intern!(py, "callbacks"), callbacks)?;
        }
        Ok(Self {
            run: run.clone(),
            key,
            handle,
            what,
            input,
            config: config.unbind(),
            context,
            timeout,
            result: None,
            writes: Vec::new(),
            standing: 0,
            stage: Stage::Body,
        })
    }

    /// The task's handle, to be used again by its next attempt.
    pub fn handle(&self, py: Python<'_>) -> Py<TaskHandle> {
        self.handle.clone_ref(py)
    }

    /// The run that the task belongs to.
    pub fn run(&self) -> &Arc<Run> {
        &self.run
    }

    /// Enters the node's context for one turn of its coroutine.
    pub fn enter<'a, 'py>(&'a self, py: Python<'py>) -> PyResult<Entered<'a, 'py>> {
        Entered::again(py, &self.context)
    }

    /// The node's input.
    pub fn input(&self) -> &Py<PyAny> {
        &self.input
    }

    /// The task's config.
    pub fn config(&self) -> &Py<PyDict> {
        &self.config
    }

    /// The node's name, for asyncio's tasks.
    pub fn name(&self, py: Python<'_>) -> Py<PyAny> {
        match &self.what {
            What::Node(node) => self.run.graph.program(*node).name.clone_ref(py).into_any(),
            What::Call(runnable) => {
                let name = runnable.bind(py).getattr(intern!(py, "name"));
                name.map_or_else(|_| py.None(), Bound::unbind)
            }
        }
    }

    /// Runs the node up to its end, or, in an async run, to the first thing to wait for.
    pub fn start(&mut self, py: Python<'_>) -> Advance {
        let context = self.context.clone_ref(py);
        let given = match Entered::new(py, &context, &self.config) {
            Ok(_entered) => self.call(py),
            Err(error) => Err(error),
        };
        self.proceed(py, given)
    }

    /// Goes on with what was waited for.
    pub fn resume(&mut self, py: Python<'_>, result: PyResult<Py<PyAny>>) -> Advance {
        self.proceed(py, result.map(Given::Value))
    }

    fn proceed(&mut self, py: Python<'_>, mut given: PyResult<Given>) -> Advance {
        loop {
            let value = match given {
                Ok(Given::Value(value)) => value,
                Ok(Given::Awaitable(awaitable)) => return Advance::Await(awaitable),
                Ok(Given::Child(run)) => return Advance::Child(run),
                Err(error) => return self.fail(py, error),
            };
            let next = match self.stage {
                Stage::Body => self.after_body(py, value),
                Stage::Recursion => self.after_recursion(py, value),
                Stage::Writer(position) => self.after_writer(py, position, value),
                Stage::Whole => Ok(None),
            };
            match next {
                Ok(None) => return self.finish(py),
                Ok(Some(next)) => given = Ok(next),
                Err(error) => return self.fail(py, error),
            }
        }
    }

    fn finish(&mut self, py: Python<'_>) -> Advance {
        match self.collect(py) {
            Ok(()) => Advance::Done(TaskOutcome::Finished(std::mem::take(&mut self.writes))),
            Err(error) => self.fail(py, error),
        }
    }

    /// Takes over what Python code wrote through the config.
    fn collect(&mut self, py: Python<'_>) -> PyResult<()> {
        for (channel, value) in self.handle.get().take_writes() {
            self.push_write(channel.bind(py), value.into_bound(py))?;
        }
        self.standing = self.writes.len();
        Ok(())
    }

    fn push_write(
        &mut self,
        channel: &Bound<'_, PyString>,
        value: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let write = convert::write(&self.run.graph, channel, value)?;
        self.writes.push(write);
        Ok(())
    }

    fn fail(&mut self, py: Python<'_>, error: PyErr) -> Advance {
        match failure::command_for_here(py, &self.run, &self.handle, &error) {
            Ok(Some(command)) => {
                self.result = Some(command);
                let done = self.write_command(py);
                return match done {
                    Ok(()) => self.finish(py),
                    Err(error) => Advance::Done(self.outcome(py, error)),
                };
            }
            Ok(None) => {}
            Err(error) => return Advance::Done(self.outcome(py, error)),
        }
        Advance::Done(self.outcome(py, error))
    }

    fn outcome(&mut self, py: Python<'_>, error: PyErr) -> TaskOutcome<Objects> {
        self.writes.truncate(self.standing);
        if let Err(refused) = self.collect(py) {
            refused.write_unraisable(py, None);
        }
        let writes = std::mem::take(&mut self.writes);
        let retry = match &self.what {
            What::Node(node) => self.run.graph.program(*node).retry.as_ref(),
            What::Call(_) => None,
        };
        let core_retry = self.call_retry(py);
        let retry = core_retry.as_ref().or(retry).or(self.run.context.retry.as_ref());
        failure::outcome(py, &self.handle, &self.name(py), error, writes, retry)
    }

    fn call_retry(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let core = self.run.core(py).ok()?;
        core.calls.get(&self.key)?.retry.as_ref().map(|retry| retry.clone_ref(py))
    }

    // The node's own code.

    fn call(&mut self, py: Python<'_>) -> PyResult<Given> {
        let run = self.run.clone();
        match &self.what {
            What::Call(runnable) => {
                self.stage = Stage::Whole;
                let runnable = runnable.clone_ref(py);
                self.invoke_timed(py, runnable.bind(py))
            }
            What::Node(node) => {
                let program = run.graph.program(*node);
                if run.context.manager.is_some() || self.timeout.is_some() {
                    // Somebody listens, to the node and its writers or to the time they take.
                    self.stage = Stage::Whole;
                    let whole = program.node.bind(py).getattr(intern!(py, "node"))?;
                    return self.invoke_timed(py, &whole);
                }
                self.call_body(py, &run, program)
            }
        }
    }

    fn call_body(&mut self, py: Python<'_>, run: &Arc<Run>, program: &Program) -> PyResult<Given> {
        match &program.body {
            Body::Pass => Ok(Given::Value(self.input.clone_ref(py))),
            Body::Function { func, afunc, accepts, runnable, .. } => {
                let is_async = run.context.is_async;
                let function =
                    if is_async { afunc.as_ref().or(func.as_ref()) } else { func.as_ref() };
                let Some(function) = function else {
                    // The runnable knows the right complaint.
                    return self.invoke(py, runnable.bind(py));
                };
                let offload = is_async && afunc.is_none();
                self.call_function(py, function.bind(py), accepts, offload)
            }
            Body::Graph(pregel) => match crate::start::nested(
                py,
                pregel.bind(py),
                &self.input,
                &self.config,
                run.context.is_async,
            )? {
                Some(child) if run.context.is_async => Ok(Given::Child(child)),
                Some(child) => Ok(Given::Value(crate::sync_driver::invoke_nested(py, &child)?)),
                None => self.invoke(py, pregel.bind(py)),
            },
            Body::Runnable(runnable) => self.invoke(py, runnable.bind(py)),
        }
    }

    fn call_function(
        &self,
        py: Python<'_>,
        function: &Bound<'_, PyAny>,
        accepts: &Accepts,
        offload: bool,
    ) -> PyResult<Given> {
        let kwargs = self.injected(py, accepts)?;
        if offload {
            let call = imports::partial(py)?.call((function, &self.input), kwargs.as_ref())?;
            return Ok(Given::Awaitable(crate::offload::run(py, &self.run, &call)?));
        }
        let _parked = ParkIfLost;
        let result = match kwargs {
            None => function.call1((&self.input,))?,
            Some(kwargs) => function.call((&self.input,), Some(&kwargs))?,
        };
        Ok(self.given(result))
    }

    /// In an async run a node's function may hand back a coroutine.
    fn given(&self, result: Bound<'_, PyAny>) -> Given {
        match self.run.context.is_async && crate::interpreter::is_coroutine(&result) {
            true => Given::Awaitable(result.unbind()),
            false => Given::Value(result.unbind()),
        }
    }

    fn invoke(&self, py: Python<'_>, runnable: &Bound<'_, PyAny>) -> PyResult<Given> {
        self.invoke_with(py, runnable, &self.input)
    }

    fn invoke_with(
        &self,
        py: Python<'_>,
        runnable: &Bound<'_, PyAny>,
        input: &Py<PyAny>,
    ) -> PyResult<Given> {
        if self.run.context.is_async {
            if self.run.context.drains && matches!(self.stage, Stage::Whole) {
                let module = py.import(intern!(py, "langgraph_rust.pregel._listeners"))?;
                let arguments = (runnable, input, &self.config);
                let coroutine = module.call_method1(intern!(py, "drain"), arguments)?;
                return Ok(Given::Awaitable(coroutine.unbind()));
            }
            let coroutine = runnable.call_method1(intern!(py, "ainvoke"), (input, &self.config))?;
            return Ok(Given::Awaitable(coroutine.unbind()));
        }
        let _parked = ParkIfLost;
        let result = runnable.call_method1(intern!(py, "invoke"), (input, &self.config))?;
        Ok(Given::Value(result.unbind()))
    }

    fn invoke_timed(&self, py: Python<'_>, whole: &Bound<'_, PyAny>) -> PyResult<Given> {
        match &self.timeout {
            Some(timeout) if self.run.context.is_async => {
                let module = py.import(intern!(py, "langgraph_rust.pregel._timed"))?;
                let arguments = (whole, &self.input, &self.config, timeout, self.name(py));
                let coroutine = module.call_method1(intern!(py, "ainvoke_timed"), arguments)?;
                Ok(Given::Awaitable(coroutine.unbind()))
            }
            _ => self.invoke(py, whole),
        }
    }

    fn injected<'py>(
        &self,
        py: Python<'py>,
        accepts: &Accepts,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(names) = &accepts.names else { return Ok(None) };
        let kwargs = PyDict::new(py);
        let config = self.config.bind(py);
        let conf = config.get_item(intern!(py, "configurable"))?;
        let conf = conf.expect("every task's config has one").cast_into::<PyDict>()?;
        let runtime = conf.get_item(intern!(py, "__pregel_runtime"))?;
        for (name, (kind, default)) in names.bind(py).iter().zip(&accepts.wanted) {
            let from_runtime = |attribute: &Bound<'py, PyString>| -> Option<Bound<'py, PyAny>> {
                runtime.as_ref().and_then(|runtime| runtime.getattr(attribute).ok())
            };
            let value = match kind {
                Injected::Config => Some(config.clone().into_any()),
                Injected::Runtime => runtime.clone(),
                Injected::Error => conf.get_item(intern!(py, "__pregel_node_error"))?,
                Injected::Writer => from_runtime(intern!(py, "stream_writer")),
                Injected::Store => from_runtime(intern!(py, "store")),
                Injected::Previous => from_runtime(intern!(py, "previous")),
            };
            let value = value.unwrap_or_else(|| default.bind(py).clone());
            kwargs.set_item(name, value)?;
        }
        Ok(Some(kwargs))
    }

    // What becomes of the result.

    fn after_body(&mut self, py: Python<'_>, value: Py<PyAny>) -> PyResult<Option<Given>> {
        let recurses = match &self.what {
            What::Node(node) => {
                matches!(self.run.graph.program(*node).body, Body::Function { recurse: true, .. })
            }
            What::Call(_) => false,
        };
        if recurses && crate::interpreter::may_be_runnable(value.bind(py))? {
            self.stage = Stage::Recursion;
            let runnable = value.bind(py).clone();
            let input = self.input.clone_ref(py);
            return self.in_context(py, |this| this.invoke_with(py, &runnable, &input)).map(Some);
        }
        self.after_recursion(py, value)
    }

    fn after_recursion(&mut self, py: Python<'_>, value: Py<PyAny>) -> PyResult<Option<Given>> {
        self.result = Some(value);
        self.collect(py)?;
        self.write_from(py, 0)
    }

    fn after_writer(
        &mut self,
        py: Python<'_>,
        position: usize,
        value: Py<PyAny>,
    ) -> PyResult<Option<Given>> {
        self.collect(py)?;
        if let Some(Writer::Branch(branch)) = self.writers().get(position) {
            if branch.func.is_some() || branch.afunc.is_some() {
                self.answer(py, position, value.bind(py))?;
            }
        }
        self.write_from(py, position + 1)
    }

    fn writers(&self) -> &[Writer] {
        match &self.what {
            What::Node(node) => &self.run.graph.program(*node).writers,
            What::Call(_) => &[],
        }
    }

    /// Runs the writers from `position` on; stops at one that must be waited for.
    fn write_from(&mut self, py: Python<'_>, position: usize) -> PyResult<Option<Given>> {
        let run = self.run.clone();
        let What::Node(node) = self.what else { return Ok(None) };
        let writers = &run.graph.program(node).writers;
        let result = self.result.as_ref().expect("set before the writers run").clone_ref(py);
        let result = result.bind(py);
        for (position, writer) in writers.iter().enumerate().skip(position) {
            if let Some(given) = self.write_one(py, position, writer, result)? {
                self.stage = Stage::Writer(position);
                return Ok(Some(given));
            }
        }
        Ok(None)
    }

    fn write_one(
        &mut self,
        py: Python<'_>,
        position: usize,
        writer: &Writer,
        result: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Given>> {
        let graph = self.run.graph.clone();
        let writes = &mut self.writes;
        let mut sink = |channel: &Bound<'_, PyString>, value: Bound<'_, PyAny>| {
            writes.push(convert::write(&graph, channel, value)?);
            Ok(())
        };
        match writer {
            Writer::Updates(updates) => updates.get().visit(py, result, &mut sink)?,
            Writer::Control(control) => {
                control.get().visit(py, result, &mut |goto| match goto {
                    crate::mappers::Goto::Node(name) => {
                        let channel = writers::trigger_of(py, name.to_str()?);
                        sink(&channel, py.None().into_bound(py))
                    }
                    crate::mappers::Goto::Packet(packet) => {
                        sink(intern!(py, "__pregel_tasks"), packet)
                    }
                })?
            }
            Writer::Fixed(channel, value) => sink(channel.bind(py), value.bind(py).clone())?,
            Writer::Entry { channel, skip_none, mapper } => {
                let value = match mapper {
                    Some(mapper) => mapper.bind(py).call1((result,))?,
                    None => result.clone(),
                };
                let skipped = value.is(skip_write(py)?) || (*skip_none && value.is_none());
                if !skipped {
                    sink(channel.bind(py), value)?;
                }
            }
            Writer::Pairs(mapper, own) => {
                let value = own.as_ref().map_or(result, |own| own.bind(py));
                writers::pairs(&mapper.bind(py).call1((value,))?, &mut sink)?;
            }
            Writer::Stand => self.standing = self.writes.len(),
            Writer::Branch(branch) => return self.route(py, position, branch, result),
            Writer::Runnable(writer) => {
                let (writer, input) = (writer.bind(py).clone(), result.clone().unbind());
                let given = self.in_context(py, |this| this.invoke_with(py, &writer, &input))?;
                if matches!(given, Given::Awaitable(_)) {
                    return Ok(Some(given));
                }
                self.collect(py)?;
            }
        }
        Ok(None)
    }

    fn route(
        &mut self,
        py: Python<'_>,
        position: usize,
        branch: &Branch,
        result: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Given>> {
        let is_async = self.run.context.is_async;
        let function = match is_async {
            true => branch.afunc.as_ref().or(branch.func.as_ref()),
            false => branch.func.as_ref(),
        };
        let Some(function) = function else {
            // Through the config the writer sees what the node wrote so far.
            self.lend_writes(py)?;
            let (writer, input) = (branch.writer.bind(py).clone(), result.clone().unbind());
            let given = self.in_context(py, |this| this.invoke_with(py, &writer, &input));
            self.writes.clear();
            let given = given?;
            if matches!(given, Given::Awaitable(_)) {
                return Ok(Some(given));
            }
            self.collect(py)?;
            return Ok(None);
        };
        let state = self.branch_state(py, branch, result)?;
        let kwargs = self.injected(py, &branch.accepts)?;
        let function = function.bind(py).clone();
        let offload = is_async && branch.afunc.is_none();
        let given = self.in_context(py, |this| {
            if offload {
                let call = imports::partial(py)?.call((&function, &state), kwargs.as_ref())?;
                return Ok(Given::Awaitable(crate::offload::run(py, &this.run, &call)?));
            }
            Ok(this.given(function.call((&state,), kwargs.as_ref())?))
        })?;
        match given {
            Given::Value(answer) => {
                self.answer(py, position, answer.bind(py))?;
                Ok(None)
            }
            awaitable => Ok(Some(awaitable)),
        }
    }

    /// Moves the writes so far to where Python code finds them.
    fn lend_writes(&mut self, py: Python<'_>) -> PyResult<()> {
        let graph = &self.run.graph;
        let named = self.writes.iter().map(|write| {
            let name = graph.plan.target_name(&write.target);
            (PyString::new(py, name).unbind(), write.value.clone_ref(py))
        });
        let named: Vec<_> = named.collect();
        let mut lent = self.handle.get().writes.lock().expect("no panic while held");
        let own = std::mem::take(&mut *lent);
        lent.extend(named);
        lent.extend(own);
        Ok(())
    }

    fn answer(
        &mut self,
        py: Python<'_>,
        position: usize,
        answer: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let run = self.run.clone();
        let What::Node(node) = self.what else { return Ok(()) };
        let Writer::Branch(branch) = &run.graph.program(node).writers[position] else {
            return Ok(());
        };
        let writes = &mut self.writes;
        branch.answer(py, answer, &mut |channel, value| {
            writes.push(convert::write(&run.graph, channel, value)?);
            Ok(())
        })
    }

    /// What a router gets: the state after the node's own writes.
    fn branch_state<'py>(
        &self,
        py: Python<'py>,
        branch: &Branch,
        result: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(select) = &branch.select else { return Ok(result.clone()) };
        let mut read = |index| {
            let own: Vec<_> = self
                .writes
                .iter()
                .filter(|write| write.target == langgraph_core::Target::Channel(index))
                .map(|write| write.value.clone_ref(py))
                .collect();
            self.run.read_channel(py, index, true, own)
        };
        let mut state = plan::read_keys(py, &self.run.graph, select, &mut read)?;
        if let (false, Ok(values)) = (branch.managed.is_empty(), state.cast::<PyDict>()) {
            let managed = self.run.graph.managed.bind(py);
            for name in &branch.managed {
                if let Some(spec) = managed.get_item(name)? {
                    values
                        .set_item(name, spec.call_method1(intern!(py, "get"), (&self.handle,))?)?;
                }
            }
        }
        if let Some(mapper) = &branch.mapper {
            state = mapper.bind(py).call1((state,))?;
        }
        if branch.merges_result {
            if let (Ok(values), Ok(result)) = (state.cast::<PyDict>(), result.cast::<PyDict>()) {
                let merged = result.copy()?;
                merged.update(values.as_mapping())?;
                return Ok(merged.into_any());
            }
        }
        Ok(state)
    }

    /// A command that is for this graph: its node's writers take it as the result.
    fn write_command(&mut self, py: Python<'_>) -> PyResult<()> {
        self.writes.clear();
        if matches!(self.stage, Stage::Whole) {
            let What::Node(_) = self.what else { return Ok(()) };
        }
        match self.write_from(py, 0)? {
            None => Ok(()),
            Some(_) => Err(PyValueError::new_err(
                "A command for this graph reached a node with an async router; \
                 use a sync router for it",
            )),
        }
    }

    fn in_context<T>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Self) -> PyResult<T>,
    ) -> PyResult<T> {
        let _entered = Entered::new(py, &self.context, &self.config)?;
        work(self)
    }
}

/// The timeout of a packet or a call, or else of the node.
fn timeout_of(py: Python<'_>, run: &Run, core: &Core, key: TaskKey) -> PyResult<Option<Py<PyAny>>> {
    if let Some(call) = core.calls.get(&key) {
        return Ok(call.timeout.as_ref().map(|timeout| timeout.clone_ref(py)));
    }
    let task = core.engine.task(key);
    if let (Some(packet), None) = (&task.packet, task.handles) {
        let own = packet.bind(py).getattr(intern!(py, "timeout"))?;
        if !own.is_none() {
            return Ok(Some(own.unbind()));
        }
    }
    let node = task.node.and_then(|node| run.graph.program(node).timeout.as_ref());
    Ok(node.map(|timeout| timeout.clone_ref(py)))
}

/// What a task's input is made of, read while the engine is held.
enum Draft<'py> {
    Value(Bound<'py, PyAny>),
    /// Channels' values; managed values are added later, since they run Python code.
    Fields(Bound<'py, PyDict>),
}

/// The input of a task, as far as it can be read now, and the node whose schema it has.
fn draft_input<'py>(
    py: Python<'py>,
    run: &Run,
    core: &Core,
    key: TaskKey,
) -> PyResult<(Draft<'py>, Option<langgraph_core::NodeIndex>)> {
    let task = core.engine.task(key);
    if let Some(failed) = task.handles {
        return draft_input(py, run, core, failed);
    }
    if let Some(call) = core.calls.get(&key) {
        return Ok((Draft::Value(call.input.bind(py).clone()), None));
    }
    if let Some(packet) = &task.packet {
        let argument = packet.bind(py).getattr(intern!(py, "arg"))?;
        return Ok((Draft::Value(argument), None));
    }
    let Some(node) = task.node else { return Ok((Draft::Value(py.None().into_bound(py)), None)) };
    let read = |index| {
        let value = core.engine.state().read(py, index);
        value.map_err(|fault| fault_to_python(py, fault))
    };
    let draft = match &run.graph.program(node).source {
        Source::Value(index) => {
            let value = read(*index)?;
            Draft::Value(value.unwrap_or_else(|| py.None()).into_bound(py))
        }
        Source::Fields(fields) => {
            let values = PyDict::new(py);
            for (name, source) in fields {
                if let Ok(index) = source {
                    if let Some(value) = read(*index)? {
                        values.set_item(name, value)?;
                    }
                }
            }
            Draft::Fields(values)
        }
    };
    Ok((draft, Some(node)))
}

fn finish_input(
    py: Python<'_>,
    run: &Run,
    handle: &Py<TaskHandle>,
    draft: Draft<'_>,
    node: Option<langgraph_core::NodeIndex>,
    name: &str,
) -> PyResult<Py<PyAny>> {
    let Some(node) = node else {
        return Ok(match draft {
            Draft::Value(value) => value.unbind(),
            Draft::Fields(values) => values.into_any().unbind(),
        });
    };
    let program = run.graph.program(node);
    let value = match draft {
        Draft::Value(value) => value,
        Draft::Fields(values) => {
            if let Source::Fields(fields) = &program.source {
                for (field, source) in fields {
                    if let Err(managed) = source {
                        let managed = managed.bind(py);
                        let value = managed.call_method1(intern!(py, "get"), (handle,))?;
                        values.set_item(field, value)?;
                    }
                }
            }
            values.into_any()
        }
    };
    match &program.mapper {
        None => Ok(value.unbind()),
        Some(mapper) => mapper.bind(py).call1((value,)).map(Bound::unbind).inspect_err(|error| {
            let note =
                format!("Before task with name '{name}' and path '('{}', '{name}')'", names::PULL);
            failure::add_note(py, error, &note);
        }),
    }
}

/// The error that the handler of `failed` is given.
fn failed_error(py: Python<'_>, core: &Core, failed: TaskKey) -> PyResult<Py<PyAny>> {
    let task = core.engine.task(failed);
    let error = match core.errors.get(&failed) {
        Some(error) => error.clone_ref(py),
        None => stored_error(py, task)?,
    };
    let kwargs = PyDict::new(py);
    kwargs.set_item("node", &*task.name)?;
    kwargs.set_item("error", error)?;
    Ok(imports::node_error(py)?.call((), Some(&kwargs))?.unbind())
}

fn stored_error(py: Python<'_>, task: &Task<Objects>) -> PyResult<Py<PyAny>> {
    let stored = task.writes.iter().find(|write| write.is_control(Control::Error));
    let Some(stored) = stored else { return Ok(py.None()) };
    let value = stored.value.bind(py);
    if value.is_instance_of::<pyo3::exceptions::PyBaseException>() {
        return Ok(value.clone().unbind());
    }
    let error = pyo3::exceptions::PyException::new_err(value.str()?.unbind());
    Ok(error.into_value(py).into_any())
}

/// The answers that the task has: those stored, and the one for its next question.
fn fill_answers(
    py: Python<'_>,
    run: &Run,
    handle: &Py<TaskHandle>,
    stored: Option<Py<PyAny>>,
) -> PyResult<()> {
    let answers = handle.get().resume.bind(py);
    if let Some(stored) = stored {
        match stored.bind(py).cast::<PyList>() {
            Ok(list) => list.iter().try_for_each(|answer| answers.append(answer))?,
            Err(_) => answers.append(stored)?,
        }
    }
    let Some(map) = &run.context.resume_map else { return Ok(()) };
    let map = map.bind(py);
    let types = py.import(intern!(py, "langgraph_rust.types"))?;
    let id = |answered: usize| {
        types.call_method1(intern!(py, "_interrupt_id"), (&handle.get().namespace, answered))
    };
    // Older versions gave all of a task's questions the id of the first.
    let found = match map.get_item(id(answers.len())?)? {
        Some(answer) => Some(answer),
        None => map.get_item(id(0)?)?,
    };
    found.map_or(Ok(()), |answer| answers.append(answer))
}

/// What a task's config says about it.
struct TaskFacts<'a, 'py> {
    name: &'a str,
    path: &'a TaskPath,
    scope: Option<Arc<str>>,
    checkpoint: Bound<'py, PyString>,
    attempt: u32,
    error: Option<Py<PyAny>>,
    program: Option<&'a Program>,
}

fn task_config<'py>(
    py: Python<'py>,
    run: &Arc<Run>,
    handle: &Py<TaskHandle>,
    facts: TaskFacts<'_, 'py>,
) -> PyResult<Bound<'py, PyDict>> {
    let context = &run.context;
    let config = context.config.bind(py).copy()?;
    let task = handle.get();
    let tags = facts.program.and_then(|program| program.tags.as_ref());
    if let Some(own) = tags {
        let merged = PyList::new(py, own.bind(py).try_iter()?.collect::<PyResult<Vec<_>>>()?)?;
        if let Some(outer) = &context.tags {
            for tag in outer.bind(py).try_iter()? {
                let tag = tag?;
                if !merged.contains(&tag)? {
                    merged.append(tag)?;
                }
            }
        }
        config.set_item(intern!(py, "tags"), merged)?;
    }
    config.set_item(intern!(py, "metadata"), task_metadata(py, run, task, &facts)?)?;
    if let Some(manager) = &context.manager {
        let step = format!("graph:step:{}", task.step);
        let child = manager.bind(py).call_method1(intern!(py, "get_child"), (step,))?;
        config.set_item(intern!(py, "callbacks"), child)?;
        config.set_item(intern!(py, "run_name"), facts.name)?;
    }
    let conf = context.task_conf.bind(py).copy()?;
    let id = PyString::new(py, task.id.as_str());
    conf.set_item(intern!(py, "__pregel_task_id"), &id)?;
    conf.set_item(intern!(py, "__pregel_send"), handle)?;
    conf.set_item(intern!(py, "__pregel_scratchpad"), handle)?;
    conf.set_item(intern!(py, "__pregel_read"), reader(py, run, handle)?)?;
    conf.set_item(intern!(py, "__pregel_call"), handle.bind(py).getattr(intern!(py, "call"))?)?;
    conf.set_item(intern!(py, "checkpoint_ns"), &task.namespace)?;
    let map = context.checkpoint_map.bind(py).copy()?;
    map.set_item(&*context.namespace, &facts.checkpoint)?;
    if let Some(scope) = &facts.scope {
        map.set_item(&**scope, &facts.checkpoint)?;
    }
    conf.set_item(intern!(py, "checkpoint_map"), map)?;
    let template = &context.runtime;
    let runtime = template.for_task(py, task, &id, &facts.checkpoint, facts.attempt)?;
    conf.set_item(intern!(py, "__pregel_runtime"), runtime)?;
    let resuming = intern!(py, "__pregel_resuming");
    if facts.attempt > 1 {
        conf.set_item(resuming, true)?;
    } else if task.step > context.first_step && conf.contains(resuming)? {
        conf.del_item(resuming)?;
    }
    if let Some(error) = &facts.error {
        conf.set_item(intern!(py, "__pregel_node_error"), error)?;
    }
    config.set_item(intern!(py, "configurable"), conf)?;
    Ok(config)
}

fn reader<'py>(py: Python<'py>, run: &Run, handle: &Py<TaskHandle>) -> PyResult<Bound<'py, PyAny>> {
    let managed = run.graph.managed.bind(py);
    let channels = run.context.channels.bind(py);
    imports::partial(py)?.call1((imports::read_function(py)?, handle, channels, managed, handle))
}

fn task_metadata<'py>(
    py: Python<'py>,
    run: &Run,
    task: &TaskHandle,
    facts: &TaskFacts<'_, 'py>,
) -> PyResult<Bound<'py, PyDict>> {
    let metadata = match &run.context.metadata {
        Some(metadata) => metadata.bind(py).copy()?,
        None => PyDict::new(py),
    };
    metadata.set_item(intern!(py, "langgraph_step"), task.step)?;
    metadata.set_item(intern!(py, "langgraph_node"), facts.name)?;
    let (triggers, path) = whereabouts(py, facts)?;
    metadata.set_item(intern!(py, "langgraph_triggers"), triggers)?;
    metadata.set_item(intern!(py, "langgraph_path"), path)?;
    metadata.set_item(intern!(py, "langgraph_checkpoint_ns"), &task.namespace)?;
    if let Some(own) = facts.program.and_then(|program| program.metadata.as_ref()) {
        metadata.update(own.bind(py).cast::<PyDict>()?.as_mapping())?;
    }
    Ok(metadata)
}

/// The task's triggers and path.
fn whereabouts<'py>(
    py: Python<'py>,
    facts: &TaskFacts<'_, 'py>,
) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyTuple>)> {
    match (facts.path, facts.program) {
        (TaskPath::Pull(_), Some(program)) => {
            Ok((program.triggers.bind(py).clone(), program.path.bind(py).clone()))
        }
        (path, _) => Ok((PyTuple::new(py, [names::PUSH])?, plan::path_tuple(py, path)?)),
    }
}

/// The marker by which a mapper says that nothing is to be written.
fn skip_write(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CELL: pyo3::sync::PyOnceLock<Py<PyAny>> = pyo3::sync::PyOnceLock::new();
    CELL.import(py, "langgraph_rust.pregel._write", "SKIP_WRITE")
}
