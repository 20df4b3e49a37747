//! Spans of runs, supersteps and tasks, for whoever collects them by the feature `tracing`. Without it
//! there is nothing here that does anything.
//!
//! All have the target `langgraph_rust`: `run` (`thread`, `namespace`, `outcome`, `error`), within it
//! `superstep` (`step`), within that `task` (`node`, `id`, `attempt`, `outcome`, `error`). What a node
//! says by `tracing` is within its task; so is the run of a graph that is a node.

#[cfg(not(feature = "tracing"))]
pub(crate) use off::{Scope, Spans};
#[cfg(feature = "tracing")]
pub(crate) use on::{Scope, Spans};

#[cfg(feature = "tracing")]
mod on {
    use std::future::Future;

    use langgraph_rust_core::Fault;
    use langgraph_rust_pregel::{Outcome, TaskKey, TaskOutcome};
    use tracing::field::{display, Empty};
    use tracing::{info_span, Instrument, Span};

    use crate::{Native, Run};

    /// The spans of a run that are open.
    pub(crate) struct Spans {
        run: Span,
        superstep: Option<(i64, Span)>,
        tasks: Vec<(TaskKey, Span)>,
    }

    /// A span to do something within.
    pub(crate) struct Scope(Span);

    impl Spans {
        pub(crate) fn begin(run: &Run) -> Self {
            let place = run.place();
            let span = info_span!(
                target: "langgraph_rust",
                "run",
                thread = &*place.thread,
                namespace = &*place.namespace,
                outcome = Empty,
                error = Empty,
            );
            Self { run: span, superstep: None, tasks: Vec::new() }
        }

        pub(crate) fn run(&self) -> Scope {
            Scope(self.run.clone())
        }

        /// A task begins.
        pub(crate) fn task(&mut self, run: &Run, key: TaskKey, attempt: u32) -> Scope {
            let Some(task) = run.engine().task(key) else { return Scope(Span::none()) };
            if task.node.is_some_and(|node| run.engine().plan().node(node).hidden) {
                return Scope(Span::none());
            }
            let step = run.engine().steps().0;
            if self.superstep.as_ref().is_none_or(|(known, _)| *known != step) {
                let span =
                    info_span!(target: "langgraph_rust", parent: &self.run, "superstep", step);
                self.superstep = Some((step, span));
            }
            let around = self.superstep.as_ref().map_or(&self.run, |(_, span)| span);
            let span = info_span!(
                target: "langgraph_rust",
                parent: around,
                "task",
                node = &*task.name,
                id = run.engine().id_of(task).as_str(),
                attempt,
                outcome = Empty,
                error = Empty,
            );
            self.tasks.push((key, span.clone()));
            Scope(span)
        }

        /// A task is over.
        pub(crate) fn ended(&mut self, key: TaskKey, outcome: &TaskOutcome<Native>) {
            let Some(at) = self.tasks.iter().position(|(task, _)| *task == key) else { return };
            let (_, span) = self.tasks.swap_remove(at);
            let name = match outcome {
                TaskOutcome::Finished(_) => "finished",
                TaskOutcome::Interrupted { .. } => "interrupted",
                TaskOutcome::Failed(failure) => {
                    span.record("error", display(&failure.error));
                    "failed"
                }
                TaskOutcome::Escaped(_) => "escaped",
                TaskOutcome::Cancelled(_) => "cancelled",
            };
            span.record("outcome", name);
        }

        /// The run is over.
        pub(crate) fn over(&self, outcome: &Outcome<Native>) {
            let name = match outcome {
                Outcome::Done => "done",
                Outcome::Interrupted(_) => "interrupted",
                Outcome::Drained => "drained",
                Outcome::Cancelled => "cancelled",
                Outcome::OutOfSteps => "out of steps",
                Outcome::Escaped(error) => {
                    self.run.record("error", display(error));
                    "escaped"
                }
                Outcome::Failed(fault) => {
                    self.run.record("error", shown(fault));
                    "failed"
                }
            };
            self.run.record("outcome", name);
        }
    }

    fn shown(fault: &Fault<Native>) -> String {
        match fault {
            Fault::InvalidUpdate(error) => error.message.clone(),
            Fault::MissingHistory(history) => history.to_string(),
            Fault::UnfinishedTasks(tasks) => tasks.to_string(),
            Fault::Domain(error) => error.to_string(),
        }
    }

    impl Scope {
        /// The span that the caller is in.
        pub(crate) fn current() -> Self {
            Self(Span::current())
        }

        pub(crate) fn within<T>(&self, call: impl FnOnce() -> T) -> T {
            self.0.in_scope(call)
        }

        pub(crate) fn around<F: Future>(&self, future: F) -> impl Future<Output = F::Output> {
            future.instrument(self.0.clone())
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use std::future::Future;

    use langgraph_rust_pregel::{Outcome, TaskKey, TaskOutcome};

    use crate::{Native, Run};

    pub(crate) struct Spans;
    pub(crate) struct Scope;

    impl Spans {
        pub(crate) fn begin(_run: &Run) -> Self {
            Self
        }

        pub(crate) fn run(&self) -> Scope {
            Scope
        }

        pub(crate) fn task(&mut self, _run: &Run, _key: TaskKey, _attempt: u32) -> Scope {
            Scope
        }

        pub(crate) fn ended(&mut self, _key: TaskKey, _outcome: &TaskOutcome<Native>) {}

        pub(crate) fn over(&self, _outcome: &Outcome<Native>) {}
    }

    impl Scope {
        pub(crate) fn current() -> Self {
            Self
        }

        pub(crate) fn within<T>(&self, call: impl FnOnce() -> T) -> T {
            call()
        }

        pub(crate) fn around<F: Future>(&self, future: F) -> F {
            future
        }
    }
}
