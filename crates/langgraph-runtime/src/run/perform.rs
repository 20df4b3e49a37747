//! How a run's tasks are performed: what a node is given, and how it is called.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use langgraph_rust_core::{interrupt_id, names, Control, NodeIndex};
use langgraph_rust_pregel::{Outcome, Task, TaskKey};

use super::runtime::{nested, surroundings, Asking};
use super::{Failed, Run, Runtime, Shared};
use crate::error::Reason;
use crate::graph::{Body, Call, Core, Invocation, ProgramBody, Returned};
use crate::trace::Scope;
use crate::{
    BoxFuture, Command, Error, GraphInput, Map, Native, NodeError, NodeResult, Output, Persistence,
    TaskInput, Update, Value,
};

/// A task that was begun.
pub enum Performing {
    /// It is over.
    Ended(Ended),
    /// It will be, when this is.
    Running(BoxFuture<'static, Ended>),
}

/// A task that is over: report it by [`Run::conclude`].
pub struct Ended {
    /// The task.
    pub key: TaskKey,
    pub(crate) returned: Returned,
    /// The resume values that it has got.
    pub(crate) resumed: Vec<Value>,
}

impl Run {
    /// Performs a task, after a wait of `delay`. Nothing changes by it until it is reported.
    pub fn perform(&mut self, key: TaskKey, attempt: u32, delay: Duration) -> Performing {
        let found = self.engine.task(key).and_then(|task| task.node);
        let Some(node) = found else {
            let error = Error::message("no node of the current superstep");
            return Performing::Ended(Ended::failed(key, error));
        };
        if self.is_root() && self.engine.null_resume().is_none() {
            // A resume value is for the superstep that the run resumes, whether it is taken or not.
            self.shared.resume_values.take();
        }
        let shared = self.shared.clone();
        let program = &shared.graph.core.programs[node.get()];
        let ProgramBody::Node(body) = &program.body else {
            let returned = Ok(self.start_command());
            return Performing::Ended(Ended { key, returned, resumed: Vec::new() });
        };
        let (function, blocks) = match body {
            Body::Function(function) => (function, false),
            Body::Blocking(function) => (function, true),
            Body::Graph(graph, persistence) => {
                let running = self.graph_task(key, graph.clone(), *persistence);
                return self.running(key, running, program.timeout, delay);
            }
        };
        let earlier = self.resume_values_of(key);
        let asked = function.asks.then(|| self.runtime(key, attempt, earlier.clone()));
        let runtime = asked.flatten();
        let invocation = Invocation {
            input: if function.reads { self.input_of(key) } else { TaskInput::nothing() },
            runtime: runtime.clone(),
        };
        let call = Calling { shared: shared.clone(), node, invocation, blocks };
        match &function.call {
            Call::Now(function) if !blocks && delay.is_zero() => {
                let returned = caught(|| function(&call.invocation));
                Performing::Ended(Ended::new(key, returned, runtime.as_ref(), earlier))
            }
            _ => {
                let running = Box::pin(async move {
                    let returned = call.call().await;
                    Ended::new(key, returned, runtime.as_ref(), earlier)
                });
                self.running(key, running, program.timeout, delay)
            }
        }
    }

    fn running(
        &self,
        key: TaskKey,
        task: BoxFuture<'static, Ended>,
        timeout: Option<Duration>,
        delay: Duration,
    ) -> Performing {
        if timeout.is_none() && delay.is_zero() {
            return Performing::Running(task);
        }
        Performing::Running(Box::pin(async move {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            let Some(limit) = timeout else { return task.await };
            match tokio::time::timeout(limit, task).await {
                Ok(ended) => ended,
                Err(_) => Ended::failed(key, Error::Timeout(limit)),
            }
        }))
    }

    fn runtime(&self, key: TaskKey, attempt: u32, earlier: Vec<Value>) -> Option<Runtime> {
        let task = self.engine.task(key)?;
        let asking = Asking {
            node: task.name.clone(),
            task: task.id.clone(),
            namespace: task.namespace(&self.shared.place.namespace),
            attempt,
            failure: self.failure(task),
            earlier,
        };
        Some(Runtime::new(self.shared.clone(), asking))
    }

    pub(super) fn input_of(&mut self, key: TaskKey) -> TaskInput {
        let packet = self.engine.task(key).and_then(|task| task.packet.clone());
        match packet {
            Some(value) => TaskInput::sent(value),
            None => self.state_input(),
        }
    }

    fn failure(&self, task: &Task<Native>) -> Option<Failed> {
        let failed = self.engine.task(task.handles?)?;
        let mut writes = failed.writes.iter();
        let error = writes.find(|write| write.is_control(Control::Error))?;
        Some(Failed { node: failed.name.clone(), error: error.value.clone() })
    }

    fn start_command(&self) -> Command {
        let input = crate::state::read(self.engine.state().channel(self.shared.graph.core.start));
        match input {
            Value::Map(map) => Update::from((*map).clone()).into(),
            _ => Command::new(),
        }
    }

    /// A graph that is a node: it has the fields that both graphs have.
    fn graph_task(
        &mut self,
        key: TaskKey,
        graph: crate::AnyGraph,
        persistence: Persistence,
    ) -> BoxFuture<'static, Ended> {
        let input = GraphInput::Update(common(&graph.core, &self.input_of(key).value()));
        let namespace = match self.engine.task(key) {
            Some(task) => graph_namespace(task, &self.shared.place.namespace, persistence),
            None => String::new(),
        };
        let around = self.shared.clone();
        let checkpoint = self.engine.state().checkpoint_id().as_str().into();
        let parent = (around.place.namespace.clone(), checkpoint);
        let mut shared = nested(&around, graph, namespace, Some(parent));
        if persistence == Persistence::Nothing {
            shared.saver = None;
        }
        Box::pin(async move {
            let returned = match call_graph(shared, input).await {
                Ok(output) => Ok(common(&around.graph.core, &output.state.into()).into()),
                Err(NodeError(Reason::Parent(command))) => {
                    Ok(Command { is_for_parent: false, ..*command })
                }
                Err(error) => Err(error),
            };
            Ended { key, returned, resumed: Vec::new() }
        })
    }

    fn resume_values_of(&self, key: TaskKey) -> Vec<Value> {
        let Some(task) = self.engine.task(key) else { return Vec::new() };
        let stored = self.engine.resume_values(&task.id).and_then(|value| value.items().ok());
        let mut values = stored.map(<[Value]>::to_vec).unwrap_or_default();
        let by_id = &self.shared.resume_values.by_id;
        if !by_id.is_empty() {
            let id = interrupt_id(&task.namespace(&self.shared.place.namespace), values.len());
            values.extend(by_id.get(&*id).cloned());
        }
        values
    }
}

/// A function of a node, about to be called.
struct Calling {
    shared: Arc<Shared>,
    node: NodeIndex,
    invocation: Invocation,
    /// Whether it may wait without giving way.
    blocks: bool,
}

impl Calling {
    async fn call(self) -> Returned {
        if self.blocks {
            let scope = Scope::current();
            let function = move || match self.function() {
                Some(Call::Now(function)) => caught(|| function(&self.invocation)),
                _ => self.later_blocking(),
            };
            let call = tokio::task::spawn_blocking(move || scope.within(function));
            return call.await.unwrap_or_else(|_| Err(Error::Cancelled.into()));
        }
        match self.function() {
            Some(Call::Now(function)) => caught(|| function(&self.invocation)),
            Some(Call::Later(function)) => {
                let future = function(self.invocation.again());
                let caught = AssertUnwindSafe(future).catch_unwind().await;
                caught.unwrap_or_else(|panic| Err(panicked(&*panic)))
            }
            None => Err(Error::message("no function").into()),
        }
    }

    /// A future where a blocking function was expected: it may block its thread.
    fn later_blocking(&self) -> Returned {
        match self.function() {
            Some(Call::Later(function)) => {
                let future = function(self.invocation.again());
                caught(|| crate::drive::block_on(future))
            }
            _ => Err(Error::message("no function").into()),
        }
    }

    fn function(&self) -> Option<&Call> {
        match &self.shared.graph.core.programs[self.node.get()].body {
            ProgramBody::Node(Body::Function(function) | Body::Blocking(function)) => {
                Some(&function.call)
            }
            _ => None,
        }
    }
}

impl Invocation {
    fn again(&self) -> Self {
        Self { input: self.input.clone(), runtime: self.runtime.clone() }
    }
}

impl Ended {
    fn new(
        key: TaskKey,
        returned: Returned,
        runtime: Option<&Runtime>,
        earlier: Vec<Value>,
    ) -> Self {
        let resumed = runtime.map_or(earlier, Runtime::resume_values);
        Self { key, returned, resumed }
    }

    fn failed(key: TaskKey, error: Error) -> Self {
        Self { key, returned: Err(error.into()), resumed: Vec::new() }
    }
}

/// Runs a graph as part of a task.
pub(super) async fn call_graph(shared: Shared, input: GraphInput) -> NodeResult<Output<Map>> {
    let around = surroundings(&shared);
    let mut run = Box::pin(Run::start(shared, input, Some(around))).await?;
    let outcome: BoxFuture<'_, Outcome<Native>> = Box::pin(crate::drive::drive(&mut run));
    match outcome.await {
        Outcome::Interrupted(interrupts) => Err(NodeError(Reason::Paused(interrupts))),
        Outcome::Drained => Err(NodeError(Reason::Paused(Vec::new()))),
        Outcome::Escaped(error) => Err(error),
        outcome => Ok(run.output(outcome)?),
    }
}

/// The namespace of a graph that is a node.
pub(crate) fn graph_namespace(
    task: &Task<Native>,
    graph: &str,
    persistence: Persistence,
) -> String {
    let own = task.namespace(graph);
    match persistence {
        Persistence::PerThread => own
            .split(names::NS_SEP)
            .filter_map(|part| part.split(names::NS_END).next())
            .collect::<Vec<_>>()
            .join(names::NS_SEP),
        Persistence::PerCall | Persistence::Nothing => own,
    }
}

/// The entries of `values` that are fields of the graph.
fn common(core: &Core, values: &Value) -> Update {
    let Value::Map(map) = values else { return Update::new() };
    let known = map.iter().filter(|(name, _)| core.layout.position(name).is_some());
    known.fold(Update::new(), |update, (name, value)| update.set(name, value))
}

fn caught(call: impl FnOnce() -> Returned) -> Returned {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> NodeError {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    Error::Panic(text.unwrap_or_else(|| "no message".into())).into()
}
