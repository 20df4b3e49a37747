//! How a run's tasks are performed: what a node is given, and how it is called.

use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use langgraph_rust_core::{interrupt_id, names, Control, NodeIndex};
use langgraph_rust_pregel::{Outcome, Task, TaskKey};

use super::runtime::{nested, surroundings, Asking};
use super::{Failed, Run, Runtime, Shared};
use crate::error::{caught, panicked, Reason};
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
    Running(Begun),
}

/// A task that runs: a future that gives how it ended.
pub struct Begun(Begins);

enum Begins {
    /// The call of the task's function, and what the task was given.
    Call(BoxFuture<'static, Returned>, Option<Asked>),
    /// All of the task.
    Task(BoxFuture<'static, Ended>),
}

/// What is known of a task before it ends.
struct Asked {
    key: TaskKey,
    runtime: Option<Runtime>,
    /// The resume values that it has got before.
    earlier: Vec<Value>,
}

/// A task that is over: report it by [`Run::conclude`].
pub struct Ended {
    /// The task.
    pub key: TaskKey,
    pub(crate) returned: Returned,
    /// The resume values that it has got.
    pub(crate) resumed: Vec<Value>,
    /// How many of its interrupts had one.
    pub(crate) answered: usize,
}

impl Run {
    /// Performs a task, after a wait of `delay`. Nothing changes by it until it is reported.
    #[inline]
    pub fn perform(&mut self, key: TaskKey, attempt: u32, delay: Duration) -> Performing {
        let found = self.engine.task(key).and_then(|task| task.node);
        let Some(node) = found else {
            let error = Error::message("no node of the current superstep");
            return Performing::Ended(Ended::failed(key, error));
        };
        self.pass_resume_value();
        let program = &self.shared.graph.core.programs[node.get()];
        let (function, blocks) = match &program.body {
            ProgramBody::Node(Body::Function(function)) => (function, false),
            ProgramBody::Node(Body::Blocking(function)) => (function, true),
            ProgramBody::Node(Body::Graph(graph, persistence)) => {
                let (graph, persistence, limit) = (graph.clone(), *persistence, program.timeout);
                let call = timed(self.graph_task(key, graph, persistence), limit, delay);
                let task = Box::pin(async move { Ended::silent(key, call.await) });
                return Performing::Running(Begun(Begins::Task(task)));
            }
            ProgramBody::Start => {
                let returned = Ok(self.start_command());
                return Performing::Ended(Ended::silent(key, returned));
            }
        };
        let (reads, asks, limit) = (function.reads, function.asks, program.timeout);
        let is_now = matches!(function.call, Call::Now(_));
        let earlier = self.resume_values_of(key);
        let runtime = asks.then(|| self.runtime(key, attempt, earlier.clone())).flatten();
        let input = if reads { self.input_of(key) } else { TaskInput::nothing() };
        let asked = Asked { key, runtime, earlier };
        let invocation = Invocation { input, runtime: asked.runtime.clone() };
        let at_once = !blocks && delay.is_zero() && (is_now || limit.is_none());
        if !at_once {
            let calling = Calling { shared: self.shared.clone(), node, invocation, blocks };
            let call = timed(calling.call(), limit, delay);
            // However it ends, the resume values that it has taken are its own.
            let task = Box::pin(async move { asked.ended(call.await) });
            return Performing::Running(Begun(Begins::Task(task)));
        }
        match self.shared.graph.core.call(node) {
            Some(Call::Now(function)) => {
                Performing::Ended(asked.ended(caught(|| function(&invocation))))
            }
            Some(Call::Later(function)) => match began(|| function(invocation)) {
                Ok(future) => Performing::Running(Begun(Begins::Call(future, Some(asked)))),
                Err(error) => Performing::Ended(asked.ended(Err(error))),
            },
            None => Performing::Ended(asked.ended(Err(Error::message("no function").into()))),
        }
    }

    /// A resume value is for the superstep that the run resumes, whether it is taken or not.
    fn pass_resume_value(&self) {
        let given = &self.shared.resume_values;
        if given.has_single() && self.is_root() && self.engine.null_resume().is_none() {
            given.take();
        }
    }

    fn runtime(&self, key: TaskKey, attempt: u32, earlier: Vec<Value>) -> Option<Runtime> {
        let task = self.engine.task(key)?;
        let asking = Asking {
            node: task.name.clone(),
            task: self.engine.id_of(task).clone(),
            namespace: self.engine.namespace_of(task),
            attempt,
            failure: self.failure(task),
            earlier,
            checkpoint: self.engine.state().checkpoint_id().as_str().into(),
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
        let text = error.value.text().map_or_else(|_| error.value.to_string().into(), Arc::from);
        Some(Failed { node: failed.name.clone(), error: text })
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
    ) -> BoxFuture<'static, Returned> {
        let input = GraphInput::Update(common(&graph.core, &self.input_of(key).value()));
        let namespace = match self.engine.task(key) {
            Some(task) => graph_namespace(self.engine.namespace_of(task), persistence),
            None => String::new(),
        };
        let around = self.shared.clone();
        let checkpoint = self.engine.state().checkpoint_id().as_str().into();
        let parent = (around.place.namespace.clone(), checkpoint);
        let mut shared = nested(&around, graph, namespace, parent);
        if persistence == Persistence::Nothing {
            shared.saver = None;
        }
        Box::pin(async move {
            match call_graph(shared, input).await {
                Ok(output) => Ok(common(&around.graph.core, &output.state.into()).into()),
                Err(NodeError(Reason::Parent(command))) => {
                    Ok(Command { is_for_parent: false, ..*command })
                }
                Err(error) => Err(error),
            }
        })
    }

    fn resume_values_of(&self, key: TaskKey) -> Vec<Value> {
        if let Some(taken) = self.retried.get(&key) {
            return taken.clone();
        }
        let by_id = &self.shared.resume_values.by_id;
        if by_id.is_empty() && self.engine.pending().is_empty() {
            return Vec::new();
        }
        let Some(task) = self.engine.task(key) else { return Vec::new() };
        let stored =
            self.engine.resume_values(self.engine.id_of(task)).and_then(|value| value.items().ok());
        let mut values = stored.map(<[Value]>::to_vec).unwrap_or_default();
        if !by_id.is_empty() {
            let id = interrupt_id(&self.engine.namespace_of(task), values.len());
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
        self.shared.graph.core.call(self.node)
    }
}

impl Invocation {
    fn again(&self) -> Self {
        Self { input: self.input.clone(), runtime: self.runtime.clone() }
    }
}

impl Asked {
    #[inline]
    fn ended(self, returned: Returned) -> Ended {
        let (resumed, answered) = match &self.runtime {
            Some(runtime) => runtime.over(),
            None => (self.earlier, 0),
        };
        Ended { key: self.key, returned, resumed, answered }
    }
}

impl Future for Begun {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        match &mut self.0 {
            Begins::Task(task) => task.as_mut().poll(cx),
            Begins::Call(future, asked) => {
                let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
                let returned = match polled {
                    Ok(Poll::Pending) => return Poll::Pending,
                    Ok(Poll::Ready(returned)) => returned,
                    Err(panic) => Err(panicked(&*panic)),
                };
                match asked.take() {
                    Some(asked) => Poll::Ready(asked.ended(returned)),
                    None => Poll::Pending,
                }
            }
        }
    }
}

impl Core {
    /// What the node calls, if it is a function.
    fn call(&self, node: NodeIndex) -> Option<&Call> {
        match &self.programs[node.get()].body {
            ProgramBody::Node(Body::Function(function) | Body::Blocking(function)) => {
                Some(&function.call)
            }
            _ => None,
        }
    }
}

impl Ended {
    /// A task that asked for nothing.
    fn silent(key: TaskKey, returned: Returned) -> Self {
        Self { key, returned, resumed: Vec::new(), answered: 0 }
    }

    fn failed(key: TaskKey, error: Error) -> Self {
        Self::silent(key, Err(error.into()))
    }
}

/// A call after a wait of `delay`, which may then take so long.
async fn timed(
    call: impl Future<Output = Returned>,
    limit: Option<Duration>,
    delay: Duration,
) -> Returned {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let Some(limit) = limit else { return call.await };
    let ended = tokio::time::timeout(limit, call).await;
    ended.unwrap_or_else(|_| Err(Error::Timeout(limit).into()))
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

/// The namespace of a graph that is a node, in a task whose namespace is `own`.
pub(crate) fn graph_namespace(own: String, persistence: Persistence) -> String {
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

/// A future, unless making it panics.
fn began<F>(begin: impl FnOnce() -> F) -> NodeResult<F> {
    catch_unwind(AssertUnwindSafe(begin)).map_err(|panic| panicked(&*panic))
}
