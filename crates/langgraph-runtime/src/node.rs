use std::sync::Arc;
use std::time::Duration;

use langgraph_rust_core::RetryDelay;

use crate::{Command, Error, Gotos, Graph, State};

pub(crate) type Function = dyn Fn(&State<'_>) -> Result<Command, Error> + Send + Sync;
pub(crate) type Choice = dyn Fn(&State<'_>) -> Result<Gotos, Error> + Send + Sync;

/// A node: its name, what it does, and how.
pub struct Node {
    pub(crate) name: Arc<str>,
    pub(crate) body: Body,
    pub(crate) deferred: bool,
    pub(crate) handler: Option<Box<Function>>,
    /// The handler's name, once it is a node of its own.
    pub(crate) handled_by: Option<Arc<str>>,
    pub(crate) retry: Option<RetryPolicy>,
}

/// What a node does.
pub(crate) enum Body {
    Function(Box<Function>),
    Graph(Box<Graph>),
}

impl Node {
    /// A node that calls `function` with the state.
    pub fn new<R: Into<Command>>(
        name: &str,
        function: impl Fn(&State<'_>) -> Result<R, Error> + Send + Sync + 'static,
    ) -> Self {
        Self::with_body(
            name,
            Body::Function(Box::new(move |state| function(state).map(Into::into))),
        )
    }

    /// A node that runs `graph`. The two share the fields they both have; what the graph stores is
    /// in the same thread, under a namespace of its own.
    pub fn graph(name: &str, graph: Graph) -> Self {
        Self::with_body(name, Body::Graph(Box::new(graph)))
    }

    fn with_body(name: &str, body: Body) -> Self {
        Self {
            name: name.into(),
            body,
            deferred: false,
            handler: None,
            handled_by: None,
            retry: None,
        }
    }

    /// The node runs only when nothing else is left to run.
    pub fn deferred(mut self) -> Self {
        self.deferred = true;
        self
    }

    /// When the node has failed for good, `handler` runs in its place, as a node named
    /// `__error_handler__<node>`; it may read [`State::failure`].
    pub fn on_error<R: Into<Command>>(
        mut self,
        handler: impl Fn(&State<'_>) -> Result<R, Error> + Send + Sync + 'static,
    ) -> Self {
        self.handler = Some(Box::new(move |state| handler(state).map(Into::into)));
        self
    }

    /// The node that handles this node's errors, as a node of its own.
    pub(crate) fn take_handler(&mut self) -> Option<Node> {
        let name = format!("__error_handler__{}", self.name);
        self.handler.take().map(|handler| Self::with_body(&name, Body::Function(handler)))
    }

    /// When the node fails, it is tried again.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }
}

/// How often a failed node is tried again, and how long to wait before. Rust graphs wait without
/// jitter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Attempts in all.
    pub max_attempts: u32,
    /// The waits between them.
    pub delay: RetryDelay,
}

impl RetryPolicy {
    /// Up to `max_attempts` attempts, half a second before the second, and twice as long before
    /// each further one.
    pub fn attempts(max_attempts: u32) -> Self {
        let delay = RetryDelay {
            initial: Duration::from_millis(500),
            factor: 2.0,
            max: Duration::from_secs(128),
        };
        Self { max_attempts, delay }
    }

    /// The same policy without waits.
    pub fn at_once(mut self) -> Self {
        self.delay.initial = Duration::ZERO;
        self
    }
}
