use std::sync::{Arc, OnceLock};
use std::time::Duration;

use langgraph_rust_core::{names, Domain, NodeIndex, RetryDelay, TaskId, TaskPath, Write};

use crate::{Reader, Ticket};

/// Names a task of one superstep of a run. In later supersteps it names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskKey {
    pub(crate) generation: u32,
    pub(crate) position: u32,
}

impl TaskKey {
    /// The task's position in its superstep.
    pub fn position(self) -> usize {
        self.position as usize
    }
}

/// A node about to run, running, or done, in one superstep.
pub struct Task<D: Domain> {
    /// A pure function of where the task stands, so that a rerun has the same. Made for the first who
    /// asks: [`Engine::id_of`](crate::Engine::id_of).
    pub(crate) id: OnceLock<TaskId>,
    /// The node it runs, or `None` for a called function.
    pub node: Option<NodeIndex>,
    /// The node's or the function's name.
    pub name: Arc<str>,
    /// Where it stands in the superstep.
    pub path: TaskPath,
    /// The namespace it stands in: that of the task that started it, or `None` for the graph's.
    pub scope: Option<Arc<str>>,
    /// The packet that it runs on, if it was started by one.
    pub packet: Option<D::Value>,
    /// What it wrote, once done or found in storage.
    pub writes: Vec<Write<D>>,
    /// How far it is.
    pub state: TaskState,
    /// How many attempts have begun.
    pub attempts: u32,
    /// What it was interrupted with, if it was.
    pub interrupt: Option<D::Value>,
    /// The failed task whose error it handles.
    pub handles: Option<TaskKey>,
    /// Whether the engine has asked for it to be stopped. If it has not, a cancellation that the
    /// task ends with is the task's own affair: a failure.
    pub cancelled: bool,
    /// What must be stored before it may run.
    pub(crate) after: Option<Ticket>,
    /// Whether writes of it are pending on the checkpoint, from this run.
    pub(crate) is_pending: bool,
}

impl<D: Domain> Task<D> {
    pub(crate) fn new(node: Option<NodeIndex>, name: Arc<str>, path: TaskPath) -> Self {
        Self {
            id: OnceLock::new(),
            node,
            name,
            path,
            scope: None,
            packet: None,
            writes: Vec::new(),
            state: TaskState::Waiting,
            attempts: 0,
            interrupt: None,
            handles: None,
            cancelled: false,
            after: None,
            is_pending: false,
        }
    }

    /// Is a task of the node that has not begun. What it was before is gone, but for its path.
    pub(crate) fn restart(&mut self, node: NodeIndex, name: &Arc<str>) {
        let Self {
            id,
            node: of,
            name: known,
            path: _,
            scope,
            packet,
            writes,
            state,
            attempts,
            interrupt,
            handles,
            cancelled,
            after,
            is_pending,
        } = self;
        if !Arc::ptr_eq(known, name) {
            *known = name.clone();
        }
        (*id, *of, *scope, *packet) = (OnceLock::new(), Some(node), None, None);
        writes.clear();
        (*state, *attempts, *interrupt) = (TaskState::Waiting, 0, None);
        (*handles, *cancelled, *after, *is_pending) = (None, false, None, false);
    }

    /// The same task, with its id.
    pub(crate) fn named(mut self, id: TaskId) -> Self {
        self.id = id.into();
        self
    }

    /// Who reads the channels when it runs.
    pub fn reader(&self) -> Reader {
        match self.node {
            Some(node) => Reader::Node(node),
            None => Reader::Other(self.name.clone()),
        }
    }

    /// Whether another task called it.
    pub fn is_call(&self) -> bool {
        matches!(self.path, TaskPath::Call { .. })
    }

    /// The task's own namespace, with its id, in a graph whose namespace is `graph`.
    pub(crate) fn namespace(&self, graph: &str, id: &TaskId) -> String {
        let outer = self.scope.as_deref().unwrap_or(graph);
        let separator = if outer.is_empty() { "" } else { names::NS_SEP };
        let (name, id) = (&self.name, id.as_str());
        let mut text = String::with_capacity(outer.len() + name.len() + id.len() + 2);
        for part in [outer, separator, name, names::NS_END, id] {
            text.push_str(part);
        }
        text
    }
}

/// A task of a superstep that a thread stands before, looked at from outside of a run.
pub struct Prepared<D: Domain> {
    /// The task's id.
    pub id: TaskId,
    /// The task.
    pub task: Task<D>,
}

impl<D: Domain> Prepared<D> {
    /// The namespace of what runs within the task, in a graph whose namespace is `graph`.
    pub fn namespace(&self, graph: &str) -> String {
        self.task.namespace(graph, &self.id)
    }
}

impl<D: Domain> std::ops::Deref for Prepared<D> {
    type Target = Task<D>;

    fn deref(&self) -> &Task<D> {
        &self.task
    }
}

impl<D: Domain> std::ops::DerefMut for Prepared<D> {
    fn deref_mut(&mut self) -> &mut Task<D> {
        &mut self.task
    }
}

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Not yet given to the driver.
    Waiting,
    /// Given to the driver.
    Running,
    /// Over, whichever way.
    Settled,
}

/// How a task ended.
pub enum TaskOutcome<D: Domain> {
    /// It finished, with these writes.
    Finished(Vec<Write<D>>),
    /// It was interrupted: the caller is told `value`, and what it answers resumes the task.
    Interrupted {
        /// What it was interrupted with; `None` if a graph below stopped at a node where it was told to.
        value: Option<D::Value>,
        /// Writes that hold the resume values received so far.
        resume_values: Vec<Write<D>>,
    },
    /// It failed.
    Failed(Failure<D>),
    /// It left the graph: a command for the parent graph, or a drain below.
    Escaped(D::Error),
    /// It was stopped before it finished; the error that stopped it, if it had started. Only for
    /// tasks that are asked to stop ([`Task::cancelled`]): one that stops unasked, and has no caller
    /// to be told why, fails the run.
    Cancelled(Option<D::Value>),
}

/// A task's failure.
pub struct Failure<D: Domain> {
    /// The error, to be raised.
    pub error: D::Error,
    /// The error as storage keeps it.
    pub value: D::Value,
    /// What the task had written before. Of that, only the resume values it was given stay: a task
    /// that failed has no output.
    pub writes: Vec<Write<D>>,
    /// How to try again, if the task's policy allows this error.
    pub retry: Option<Retry>,
    /// Nobody may handle the error: it is to end the program, or the thread.
    pub is_final: bool,
    /// The error concerns a resume value of this task alone: the others still finish.
    pub spares_others: bool,
}

/// A policy that matched a failure.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// Attempts in all.
    pub max_attempts: u32,
    /// The wait before the next attempt.
    pub delay: RetryDelay,
    /// Added to the wait; drawn by the driver.
    pub jitter: Duration,
}
