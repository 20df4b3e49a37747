use std::sync::Arc;
use std::time::Duration;

use langgraph_rust_core::RetryDelay;

use super::function::Function;
use crate::{AnyGraph, CachePolicy, Error, NodeFunction};

/// A node: its name, what it does, and how.
pub struct Node {
    pub(crate) name: Arc<str>,
    pub(crate) body: Body,
    pub(crate) deferred: bool,
    pub(crate) handler: Option<Function>,
    /// The handler's name, once it is a node of its own.
    pub(crate) handled_by: Option<Arc<str>>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) cache: Option<CachePolicy>,
    pub(crate) destinations: Vec<Arc<str>>,
}

/// What a node does.
pub(crate) enum Body {
    Function(Function),
    /// A function that may wait for something without giving way.
    Blocking(Function),
    Graph(AnyGraph, Persistence),
}

/// What a graph that is a node keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persistence {
    /// What it needs to be resumed within its task: it begins anew each time that it is called.
    #[default]
    PerCall,
    /// Its state, from one call to the next on the same thread. It cannot run twice at the same time.
    PerThread,
    /// Nothing: it cannot be interrupted.
    Nothing,
}

impl Node {
    /// A node that calls `function`.
    pub fn new<Shape>(name: &str, function: impl NodeFunction<Shape>) -> Self {
        Self::with_body(name, Body::Function(function.into_function()))
    }

    /// A node that calls `function` on a thread for work that blocks. A run that is cancelled does
    /// not wait for it.
    pub fn blocking<Shape>(name: &str, function: impl NodeFunction<Shape>) -> Self {
        Self::with_body(name, Body::Blocking(function.into_function()))
    }

    /// A node that runs `graph`. The two share the fields they both have; what the graph stores is
    /// in the same thread, under a namespace of its own.
    pub fn graph(name: &str, graph: impl Into<AnyGraph>) -> Self {
        Self::with_body(name, Body::Graph(graph.into(), Persistence::PerCall))
    }

    fn with_body(name: &str, body: Body) -> Self {
        Self {
            name: name.into(),
            body,
            deferred: false,
            handler: None,
            handled_by: None,
            retry: None,
            timeout: None,
            cache: None,
            destinations: Vec::new(),
        }
    }

    /// The name of what the node calls, as the compiler has it.
    pub(crate) fn code(&self) -> &'static str {
        match &self.body {
            Body::Function(function) | Body::Blocking(function) => function.code,
            Body::Graph(..) => "__dynamic__",
        }
    }

    /// What the graph that is the node keeps; of other nodes it says nothing.
    pub fn persistence(mut self, persistence: Persistence) -> Self {
        if let Body::Graph(_, kept) = &mut self.body {
            *kept = persistence;
        }
        self
    }

    /// Where the commands that the node returns may lead: so that it can be drawn, and a mistake is
    /// found when the graph is compiled. It restricts nothing.
    pub fn destinations(mut self, nodes: &[&str]) -> Self {
        self.destinations = nodes.iter().map(|name| Arc::from(*name)).collect();
        self
    }

    /// The node runs only when nothing else is left to run.
    pub fn deferred(mut self) -> Self {
        self.deferred = true;
        self
    }

    /// When the node has failed for good, `handler` runs in its place, as a node named
    /// `__error_handler__<node>`; it may read [`Runtime::failure`](crate::Runtime::failure).
    pub fn on_error<Shape>(mut self, handler: impl NodeFunction<Shape>) -> Self {
        self.handler = Some(handler.into_function());
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

    /// The node fails when an attempt takes longer. A function that is called where the run is driven
    /// is not stopped by it: see [`NodeFunction`].
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// What the node wrote is kept in the graph's cache, and used instead of running it again on the
    /// same input. Without a cache ([`Graph::with_cache`](crate::Graph::with_cache)) nothing is.
    ///
    /// It is kept by the name of the node and that of its function, so that graphs may share a cache.
    /// Of closures that is the name of the function they are written in: where two of those have the
    /// same node's name, give the graphs caches of their own.
    pub fn cache(mut self, policy: CachePolicy) -> Self {
        self.cache = Some(policy);
        self
    }
}

/// How often a failed node is tried again, and how long to wait before. Graphs in Rust wait without
/// jitter unless told otherwise.
#[derive(Clone)]
pub struct RetryPolicy {
    /// Attempts in all.
    pub max_attempts: u32,
    /// The waits between them.
    pub delay: RetryDelay,
    /// Which failures are worth it.
    pub(crate) on: Option<Arc<Worthwhile>>,
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
        Self { max_attempts, delay, on: None }
    }

    /// The same policy without waits.
    pub fn at_once(mut self) -> Self {
        self.delay.initial = Duration::ZERO;
        self
    }

    /// The same policy for the failures of which `on` says so: it is shown the run's error, of which
    /// [`Error::failure`] is what the node failed with.
    pub fn only(mut self, on: impl Fn(&Error) -> bool + Send + Sync + 'static) -> Self {
        self.on = Some(Arc::new(on));
        self
    }
}

pub(crate) type Worthwhile = dyn Fn(&Error) -> bool + Send + Sync;

impl std::fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("max_attempts", &self.max_attempts)
            .field("delay", &self.delay)
            .finish_non_exhaustive()
    }
}
