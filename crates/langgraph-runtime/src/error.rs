//! What can go wrong, and how a node says that it stops.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use langgraph_rust_checkpoint::wire::WireError;
use langgraph_rust_core::{Fault, InvalidUpdate, TaskId};
use langgraph_rust_pregel::PlanError;

use crate::{Command, Native, Value};

/// Why a run failed, or a graph could not be made. What a node said is in [`Error::Node`].
///
/// Interrupts are no errors: a run that waits ends well, with
/// [`Status::Interrupted`](crate::Status::Interrupted).
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A node failed, for good.
    #[error("the node '{node}' failed: {source}")]
    Node {
        /// The node.
        node: Arc<str>,
        /// The task that it ran as.
        task: TaskId,
        /// What it failed with.
        source: Cause,
    },
    /// A node took longer than it may, see [`Node::timeout`](crate::Node::timeout).
    #[error("it took longer than {0:?}")]
    Timeout(std::time::Duration),
    /// A node panicked, with this message.
    #[error("it panicked: {0}")]
    Panic(String),
    /// What a node, a reducer or a program says.
    #[error("{0}")]
    Message(String),
    /// A reducer failed, or whatever else of one's own that is no node.
    #[error(transparent)]
    Other(Cause),
    /// Writes that a field does not accept.
    #[error("{}", .0.message)]
    InvalidUpdate(InvalidUpdate),
    /// A value that is of another kind, or describes no value of the type that was asked for.
    #[error("{0}")]
    Unfit(String),
    /// A field whose value does not fit.
    #[error("the field '{field}': {source}")]
    Field {
        /// The field.
        field: Arc<str>,
        /// What is wrong with its value.
        source: Cause,
    },
    /// The run needed more supersteps than its limit.
    #[error(
        "Recursion limit of {0} reached without hitting a stop condition: raise it by \
         `Config::recursion_limit`, or see why the graph does not end"
    )]
    RecursionLimit(u64),
    /// Neither input nor a thread to go on with.
    #[error("there is no input, and the thread '{thread}' has nothing to go on with")]
    EmptyInput {
        /// The thread, if the graph has a saver.
        thread: Arc<str>,
    },
    /// A command that commands nothing.
    #[error("the command neither writes nor resumes")]
    EmptyCommand,
    /// A resume value without an id, but several interrupts are open: give their ids.
    #[error(
        "When there are multiple pending interrupts, you must specify the interrupt id when \
         resuming: see `Command::resume_by_id`."
    )]
    AmbiguousResume,
    /// The graph has no saver, so it has no threads.
    #[error("the graph was compiled without a saver: give it one by `with_saver`")]
    NoSaver,
    /// The graph has no cache.
    #[error("the graph was compiled without a cache: give it one by `with_cache`")]
    NoCache,
    /// The graph has no store.
    #[error("the graph was compiled without a store: give it one by `with_store`")]
    NoStore,
    /// The graph has a saver, and the config names no thread.
    #[error("the graph has a saver, so runs have threads: name one by `Config::thread`")]
    NoThread,
    /// The node asked for a context of this type, and the run was given none.
    #[error("the run was given no context of the type {0}: give it one by `Config::context`")]
    NoContext(&'static str),
    /// A namespace that a store has no items in.
    #[error("{0}")]
    InvalidNamespace(String),
    /// The graph has no such node.
    #[error("the graph has no node '{name}'; it has {}", .known.join(", "))]
    UnknownNode {
        /// The name.
        name: Arc<str>,
        /// The nodes that it has.
        known: Vec<Arc<str>>,
    },
    /// The graph has no such field.
    #[error("the graph has no field '{name}'; it has {}", .known.join(", "))]
    UnknownField {
        /// The name.
        name: Arc<str>,
        /// The fields that it has.
        known: Vec<Arc<str>>,
    },
    /// The thread has no such checkpoint.
    #[error("the thread '{thread}' has no checkpoint {checkpoint}")]
    UnknownCheckpoint {
        /// The thread.
        thread: Arc<str>,
        /// The checkpoint's id.
        checkpoint: Arc<str>,
    },
    /// The graph cannot be compiled.
    #[error("{0}")]
    Build(String),
    /// A command for the graph around, where there is none.
    #[error("There is no parent graph")]
    NoParent,
    /// A saver or a store failed.
    #[error("the {place} failed: {source}")]
    Storage {
        /// Which: `SQLite saver`, `Postgres store`.
        place: &'static str,
        /// What it failed with.
        source: Cause,
    },
    /// The run was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl Error {
    /// A failure with a message.
    pub fn message(text: impl Into<String>) -> Self {
        Error::Message(text.into())
    }

    /// A failure of a saver or a store; `place` is what is written before "failed".
    pub fn storage(place: &'static str, source: impl StdError + Send + Sync + 'static) -> Self {
        Error::Storage { place, source: Cause::new(source) }
    }

    pub(crate) fn in_field(self, field: &Arc<str>) -> Self {
        match self {
            Error::Field { .. } => self,
            Error::Other(source) => Error::Field { field: field.clone(), source },
            other => Error::Field { field: field.clone(), source: Cause::new(other) },
        }
    }
}

/// What an error came from: another error, of any type. Copies share it.
#[derive(Clone)]
pub struct Cause(Arc<dyn StdError + Send + Sync>);

impl Cause {
    /// The cause that `error` is.
    pub fn new(error: impl StdError + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }
}

impl std::ops::Deref for Cause {
    type Target = dyn StdError + Send + Sync;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        Error::Build(error.to_string())
    }
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        Error::Unfit(error.to_string())
    }
}

impl From<Fault<Native>> for Error {
    fn from(fault: Fault<Native>) -> Self {
        match fault {
            Fault::InvalidUpdate(error) => Error::InvalidUpdate(in_rust(error)),
            Fault::MissingHistory(history) => Error::Message(history.to_string()),
            Fault::UnfinishedTasks(tasks) => Error::Message(tasks.to_string()),
            Fault::Domain(error) => error.into(),
        }
    }
}

/// What `call` gives, or its panic as an error.
pub(crate) fn caught<T>(call: impl FnOnce() -> Result<T, NodeError>) -> Result<T, NodeError> {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
    caught.unwrap_or_else(|panic| Err(panicked(&*panic)))
}

/// A panic as an error.
pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> NodeError {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    Error::Panic(text.unwrap_or_else(|| "no message".into())).into()
}

/// The engine's advice is for Python.
fn in_rust(error: InvalidUpdate) -> InvalidUpdate {
    const PYTHON: &str = "Use an Annotated key to handle multiple values.";
    const RUST: &str = "Give the field a reducer to handle several: `#[reducer(..)]`, or \
                        `Field::Reduce`.";
    InvalidUpdate { message: error.message.replace(PYTHON, RUST), ..error }
}

impl Error {
    /// What a node failed with, if it failed with a `T`: an error of one's own, or an [`Error`] such as
    /// [`Error::Timeout`].
    pub fn failure<T: StdError + 'static>(&self) -> Option<&T> {
        match self {
            Error::Node { source, .. } => source.downcast_ref(),
            _ => None,
        }
    }
}

/// Why a node did not return: it failed, or it stops here and goes on once it is resumed.
///
/// Made by `?` from any error. It is no error itself, as an interrupt is none; what can be said of
/// it is in its `Display`.
#[derive(Clone)]
pub struct NodeError(pub(crate) Reason);

/// Why a node did not return.
#[derive(Clone, Debug)]
pub(crate) enum Reason {
    Failed(Cause),
    /// Interrupted with this value.
    Interrupt(Value),
    /// A command for the graph around.
    Parent(Box<Command>),
    /// A graph that is the node stopped, with these interrupts at rest; none if it stopped at one of
    /// its nodes because it was told to.
    Paused(Vec<Value>),
}

impl NodeError {
    /// A failure with a message.
    pub fn message(text: impl Into<String>) -> Self {
        Error::message(text).into()
    }

    /// A failure that is known as a box alone: what `anyhow::Error` and the like turn into.
    pub fn from_boxed(error: Box<dyn StdError + Send + Sync>) -> Self {
        Self(Reason::Failed(Cause(Arc::from(error))))
    }

    pub(crate) fn interrupt(value: Value) -> Self {
        Self(Reason::Interrupt(value))
    }

    /// What the node failed with, unless it did not fail.
    pub fn source(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        match &self.0 {
            Reason::Failed(source) => Some(&*source.0),
            _ => None,
        }
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for NodeError {
    fn from(error: E) -> Self {
        Self(Reason::Failed(Cause::new(error)))
    }
}

impl From<NodeError> for Error {
    fn from(error: NodeError) -> Self {
        match error.0 {
            Reason::Failed(source) => match source.downcast_ref::<Error>() {
                Some(error) => error.clone(),
                None => Error::Other(source),
            },
            Reason::Parent(_) => Error::NoParent,
            Reason::Interrupt(_) | Reason::Paused(_) => {
                Error::message("an interrupt where nothing can be resumed")
            }
        }
    }
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::Failed(source) => source.fmt(f),
            Reason::Interrupt(value) => write!(f, "interrupted with {value}"),
            Reason::Parent(_) => f.write_str("a command for the graph around"),
            Reason::Paused(_) => f.write_str("a graph inside this one is waiting"),
        }
    }
}

impl fmt::Debug for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
