//! Running one node: called ([`super::call`]), its result written ([`super::write`]), step by step.

use std::sync::Arc;

use langgraph_rust_core::{NodeIndex, Write};
use langgraph_rust_pregel::{TaskKey, TaskOutcome};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::called::callee::Callee;
use super::config::TaskConfig;
use super::handle::TaskHandle;
use super::{outcome, Run};
use crate::collects;
use crate::host::context::{Context, Entered};
use crate::host::event_loop;
use crate::values::domain::Objects;

/// A node being run.
pub struct NodeRun {
    pub(super) run: Arc<Run>,
    /// Its place in the superstep.
    pub key: TaskKey,
    pub(super) what: What,
    pub(super) input: Py<PyAny>,
    pub(super) config: Py<TaskConfig>,
    /// The context that the node's code runs in.
    pub(super) context: Context,
    /// The `TimeoutPolicy` of this very task.
    pub(super) timeout: Option<Py<PyAny>>,
    pub(super) result: Option<Py<PyAny>>,
    pub(super) writes: Vec<Write<Objects>>,
    pub(super) stage: Stage,
    /// Whether the run has nothing else to do meanwhile.
    pub is_alone: bool,
}

collects!(NodeRun { what, input, config, context, timeout, result, writes });
collects!(
    enum What {
        Node(index),
        Call(callee),
    }
);

/// What is run.
pub(super) enum What {
    /// A node of the graph.
    Node(NodeIndex),
    /// A function called by a node.
    Call(Py<Callee>),
}

/// What is being waited for.
#[derive(Clone, Copy)]
pub(super) enum Stage {
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
pub(super) enum Given {
    Value(Py<PyAny>),
    Awaitable(Py<PyAny>),
    Child(Arc<Run>),
}

impl NodeRun {
    pub(super) fn task(&self) -> &Py<TaskHandle> {
        self.config.get().task()
    }

    /// The run that the task belongs to.
    pub fn run(&self) -> &Arc<Run> {
        &self.run
    }

    /// Enters the node's context for one turn of its coroutine.
    pub fn enter<'a, 'py>(&'a self, py: Python<'py>) -> PyResult<Entered<'a, 'py>> {
        self.context.enter(py)
    }

    /// The node's input.
    pub fn input(&self) -> &Py<PyAny> {
        &self.input
    }

    /// The task's config.
    pub fn config<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyDict>> {
        self.config.get().plain(py)
    }

    /// The node's name, for asyncio's tasks.
    pub fn name(&self, py: Python<'_>) -> Py<PyAny> {
        match &self.what {
            What::Node(node) => self.run.graph.program(*node).name.clone_ref(py).into_any(),
            What::Call(callee) => callee.get().name.clone_ref(py).into_any(),
        }
    }

    /// Runs the node up to its end, or, in an async run, to the first thing to wait for.
    pub fn start(&mut self, py: Python<'_>) -> Advance {
        let context = self.context.clone_ref(py);
        let ready = match self.uses_config() {
            true => self.config(py).map(drop),
            false => Ok(()),
        };
        let given = match ready.and_then(|()| self.entered(py, &context)) {
            Ok(_entered) => self.call(py),
            Err(error) => Err(error),
        };
        self.proceed(py, given)
    }

    /// Goes on with what was waited for.
    pub fn resume(&mut self, py: Python<'_>, result: PyResult<Py<PyAny>>) -> Advance {
        let result = result.map_err(|error| event_loop::uncarried(py, error));
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
                Stage::Whole => self.after_whole(py, value.bind(py)),
            };
            match next {
                Ok(None) => return self.finish(py),
                Ok(Some(next)) => given = Ok(next),
                Err(error) => return self.fail(py, error),
            }
        }
    }

    fn finish(&mut self, py: Python<'_>) -> Advance {
        match self.collect_writes(py) {
            Ok(()) => Advance::Done(TaskOutcome::Finished(std::mem::take(&mut self.writes))),
            Err(error) => self.fail(py, error),
        }
    }

    /// Takes over what Python code wrote through the config.
    pub(super) fn collect_writes(&mut self, py: Python<'_>) -> PyResult<()> {
        for (channel, value) in self.task().get().take_writes() {
            let write = self.run.graph.write(channel.bind(py), value.into_bound(py))?;
            self.writes.push(write);
        }
        Ok(())
    }

    fn fail(&mut self, py: Python<'_>, error: PyErr) -> Advance {
        match outcome::command_for_here(py, self.task(), &error) {
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

    /// Ends the node before it has begun.
    pub fn stop(&mut self, py: Python<'_>, error: PyErr) -> TaskOutcome<Objects> {
        self.outcome(py, error)
    }

    fn outcome(&mut self, py: Python<'_>, error: PyErr) -> TaskOutcome<Objects> {
        if let Err(refused) = self.collect_writes(py) {
            refused.write_unraisable(py, None);
        }
        let writes = std::mem::take(&mut self.writes);
        let retry = match &self.what {
            What::Node(node) => self.run.graph.program(*node).retry.as_ref(),
            What::Call(_) => None,
        };
        let of_call = self.call_retry(py);
        let retry = of_call.as_ref().or(retry).or(self.run.context.retry.as_ref());
        let outcome = outcome::outcome(py, self, error, writes, retry);
        if matches!(&outcome, TaskOutcome::Failed(failure) if failure.retry.is_some()) {
            // Its next attempt goes on with what it has been answered.
            let handle = self.task().clone_ref(py);
            if let Ok(mut core) = self.run.core(py) {
                core.keep(self.key).handle = Some(handle);
            }
        }
        outcome
    }

    fn call_retry(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let core = self.run.core(py).ok()?;
        let call = core.kept(self.key)?.call.as_ref()?;
        call.retry.as_ref().map(|retry| retry.clone_ref(py))
    }

    pub(super) fn in_context<T>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Self) -> PyResult<T>,
    ) -> PyResult<T> {
        let _entered = self.entered(py, &self.context)?;
        work(self)
    }

    /// Enters the node's context, with the task's config as the ambient one.
    fn entered<'a, 'py>(
        &self,
        py: Python<'py>,
        context: &'a Context,
    ) -> PyResult<Entered<'a, 'py>> {
        context.enter_with(py, TaskConfig::ambient(self.config.bind(py)))
    }
}
